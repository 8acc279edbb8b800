"""The text of a policy: blocks of Markdown, each with a key, the promises it makes and the markets it is for.

A block starts with a line ``@ key P15 P18 markets=SE,NO`` and holds Markdown until the next such line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lofte.kernel.problems import Place, Problem
from lofte.rules.codes import fault

_HEADER = re.compile(r"@\s+(?P<key>[a-z][a-z0-9-]*)(?P<rest>(\s+\S+)*)\s*")
_VALUE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_HEADING_ONLY = re.compile(r"\s*#{1,6}\s[^\n]*\s*")


@dataclass(frozen=True, slots=True)
class ValueUse:
    """A value in double braces as it stands in a text."""

    name: str
    line: int
    is_alone: bool


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph or group of paragraphs. ``line`` is that of the header; the Markdown starts on the next."""

    key: str
    promises: tuple[str, ...]
    markets: tuple[str, ...]
    markdown: str
    file: str
    line: int

    @property
    def place(self) -> Place:
        return Place(self.file, self.line, self.key)

    @property
    def is_heading(self) -> bool:
        return _HEADING_ONLY.fullmatch(self.markdown) is not None

    def is_for(self, market: str) -> bool:
        return not self.markets or market in self.markets

    def values(self) -> Iterator[ValueUse]:
        """Every value the block uses, with its line in the file."""
        for number, line in enumerate(self.markdown.split("\n"), self.line + 1):
            for found in _VALUE.finditer(line):
                yield ValueUse(found.group(1), number, line.strip() == found.group(0))


def parse_blocks(file: str, text: str, problems: list[Problem]) -> Sequence[Block]:
    """The blocks of one file, in order. What cannot be read becomes a Problem and is left out."""
    blocks: list[Block] = []
    header: tuple[str, tuple[str, ...], tuple[str, ...], int] | None = None
    body: list[str] = []

    def close() -> None:
        if header is not None:
            key, promises, markets, line = header
            blocks.append(Block(key, promises, markets, "\n".join(body).rstrip(), file, line))
        body.clear()

    started = False
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        if line.startswith("@"):
            close()
            started = True
            header = _header(line, Place(file, number), problems)
        elif not started and line.strip():
            problems.append(
                fault("text.bad-block", "text before the first block", Place(file, number), expected="`@ key P01`")
            )
            started = True
        else:
            body.append(line)
    close()
    return blocks


def _header(
    line: str, place: Place, problems: list[Problem]
) -> tuple[str, tuple[str, ...], tuple[str, ...], int] | None:
    found = _HEADER.fullmatch(line)
    if found is None:
        problems.append(
            fault("text.bad-block", "a block header that cannot be read", place, expected="`@ key P01 markets=SE,NO`")
        )
        return None
    promises: list[str] = []
    markets: tuple[str, ...] = ()
    for word in found.group("rest").split():
        if re.fullmatch(r"P\d{2,3}", word):
            promises.append(word)
        elif re.fullmatch(r"markets=[A-Z]{2}(,[A-Z]{2})*", word):
            markets = tuple(word.removeprefix("markets=").split(","))
        else:
            where = Place(place.file, place.line, found.group("key"))
            problems.append(
                fault("text.bad-block", f"`{word}` in a block header", where, expected="promise ids or markets=SE,NO")
            )
    return found.group("key"), tuple(dict.fromkeys(promises)), markets, place.line
