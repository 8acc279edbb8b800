"""Takes what belongs to somebody else out of a text before its person gets a copy (GDPR 15(4)). Pure and deterministic.

An address, a telephone number, a national number or an account that is not one of the person's own becomes a mark that says what
stood there. Names are left: no rule tells a person's name from a word.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lofte.rules.detectors import Span, spans

_SHORTEST_TAIL = 7  # digits that two ways of writing one telephone number must share


@dataclass(frozen=True, slots=True)
class Redacted:
    """``kinds`` are what was taken out, in order: email, phone, number, account. Empty when the text is whole."""

    text: str
    kinds: tuple[str, ...]


class Own:
    """What is the person's own, whichever way it is written."""

    def __init__(self, values: Iterable[str]) -> None:
        known = list(values)
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


def redact(text: str, own: Own, mark: Callable[[str], str]) -> Redacted:
    """The text without what is somebody else's; ``mark`` says what stands there instead, by kind."""
    strange = [each for each in spans(text) if not own.has(each.kind, text[each.start : each.end])]
    return Redacted(_replaced(text, strange, mark), tuple(each.kind for each in strange))


def _replaced(text: str, strange: Iterable[Span], mark: Callable[[str], str]) -> str:
    out, at = [], 0
    for each in strange:
        out += [text[at : each.start], mark(each.kind)]
        at = each.end
    return "".join([*out, text[at:]])


def _plain(text: str) -> str:
    return re.sub(r"[\s\u00a0]+", "", text).casefold()
