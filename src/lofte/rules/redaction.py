"""Takes what belongs to somebody else out of a text before its person gets a copy (GDPR 15(4)). Pure and deterministic.

An address, a telephone number, a national number, an account or a name that is not one of the person's own becomes a mark that
says what stood there. Which words name somebody else, the register says: `candidates` is what to ask it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lofte.rules import names
from lofte.rules.detectors import Span, spans

_SHORTEST_TAIL = 7  # digits that two ways of writing one telephone number must share


@dataclass(frozen=True, slots=True)
class Redacted:
    """``kinds`` are what was taken out, in order: email, phone, number, account, name. Empty when the text is whole."""

    text: str
    kinds: tuple[str, ...]


class Own:
    """What is the person's own, whichever way it is written; ``called`` are their names, ``houses`` the companies they work in."""

    def __init__(self, values: Iterable[str], called: Iterable[str] = (), houses: Iterable[str] = ()) -> None:
        known = [*values, *(called := tuple(called))]
        self.parts = frozenset(part for name in called for part in re.findall(r"[^\W_]+", names.fold(name)))
        self.houses = tuple(houses)
        self._words = {_plain(each) for each in known}
        self._digits = {digits for each in known if len(digits := re.sub(r"\D", "", each)) >= _SHORTEST_TAIL}

    def has(self, kind: str, text: str) -> bool:
        if _plain(text) in self._words:
            return True
        if kind == "email":
            return False
        digits = re.sub(r"\D", "", text)
        if kind == "phone":
            tail = digits.removeprefix("00").lstrip("0")
            return len(tail) >= _SHORTEST_TAIL and any(
                own.endswith(tail) or tail.endswith(own.lstrip("0")) for own in self._digits
            )
        return any(own[-10:] == digits[-10:] for own in self._digits if min(len(own), len(digits)) >= 10)


def candidates(text: str, locale: str = "") -> frozenset[str]:
    """The folded words of a text that could be parts of names."""
    return names.candidates(text, locale)


def redact(
    text: str, own: Own, mark: Callable[[str], str], others: frozenset[str] = frozenset(), locale: str = ""
) -> Redacted:
    """The text without what is somebody else's; ``mark`` says what stands there instead, by kind.

    ``others`` are those of the `candidates` that are parts of somebody else's name.
    """
    seen = spans(text)
    strange = [each for each in seen if not own.has(each.kind, text[each.start : each.end])]
    called = names.find(text, own.parts, others, others=seen, houses=own.houses, locale=locale)
    found = sorted([*strange, *called], key=lambda each: each.start)
    return Redacted(_replaced(text, found, mark), tuple(each.kind for each in found))


def _replaced(text: str, strange: Iterable[Span], mark: Callable[[str], str]) -> str:
    out, at = [], 0
    for each in strange:
        out += [text[at : each.start], mark(each.kind)]
        at = each.end
    return "".join([*out, text[at:]])


def _plain(text: str) -> str:
    return re.sub(r"[\s\u00a0]+", "", text).casefold()
