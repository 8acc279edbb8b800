"""What went wrong, for the person who can act: what, where, what was expected, which article asks, and the way out.

One shape everywhere: the lines of `lofte check`, the bodies of HTTP refusals (RFC 9457) and the exits of the
command line.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the input: a file as the user wrote its name, a line (1 is the first), a key path (``purposes.news``)."""

    file: str = ""
    line: int = 0
    key: str = ""

    def __str__(self) -> str:
        spot = f"{self.file}:{self.line}" if self.line else self.file
        return f"{spot}: {self.key}" if self.key and spot else spot or self.key


@dataclass(eq=False)  # not frozen: the interpreter writes __traceback__ while an exception travels
class Problem(Exception):  # noqa: N818  # a noun of the trade: RFC 9457 calls it a problem
    """A refusal or an error with everything needed to mend it.

    ``code`` is stable and machine-readable (``consent.unknown-purpose``); ``detail`` is one sentence without
    personal data; ``expected`` and ``way_out`` say what would have been right and what to do; ``law`` cites the
    article that asks, if any. ``status`` is the HTTP status should it reach a door.
    """

    code: str
    detail: str
    place: Place = Place()
    expected: str = ""
    way_out: str = ""
    law: str = ""
    status: int = 400
    severity: str = "error"  # or "warning"

    def __str__(self) -> str:
        parts = [f"{self.place}: " if str(self.place) else "", f"{self.severity}[{self.code}]: {self.detail}"]
        parts += [f"; expected {self.expected}" if self.expected else "", f" ({self.law})" if self.law else ""]
        parts += [f". {self.way_out}" if self.way_out else ""]
        return "".join(parts)

    def document(self) -> dict[str, Any]:
        """The RFC 9457 problem document."""
        body: dict[str, Any] = {
            "type": f"urn:lofte:problem:{self.code}",
            "title": self.code,
            "status": self.status,
            "detail": self.detail,
        }
        extra = {
            "file": self.place.file,
            "line": self.place.line,
            "key": self.place.key,
            "expected": self.expected,
            "way_out": self.way_out,
            "law": self.law,
        }
        return body | {name: value for name, value in extra.items() if value}
