"""What is not an answer. Treat each of them as a no. Nothing of what was asked is in them."""

from __future__ import annotations


class LofteError(Exception):
    """``status`` is the HTTP status, 0 where there was none; ``code`` is stable, ``way_out`` says what to do."""

    def __init__(self, detail: str, *, status: int = 0, code: str = "", way_out: str = "") -> None:
        super().__init__(f"{detail}. {way_out}" if way_out else detail)
        self.detail, self.status, self.code, self.way_out = detail, status, code, way_out


class BadQuestion(LofteError):
    """The question is not one the installation understands."""


class Unauthorised(LofteError):
    """The token is missing, wrong, revoked or over."""


class OutOfScope(LofteError):
    """The token is not for this."""


class TooOften(LofteError):
    """More questions than the token may ask; ask again after ``retry_after_s`` seconds."""

    retry_after_s = 60.0


class Unavailable(LofteError):
    """No answer: not reached, not ready, or nothing readable came back."""


class Denied(Exception):  # the decision was a no; nothing went wrong
    """Raised by ``Decision.demand`` for a no."""

    def __init__(self, reason: str, said: str, promise: str, law: str, evidence: int) -> None:
        super().__init__(f"{said} ({', '.join(filter(None, (promise, law)))}; evidence {evidence})")
        self.reason, self.said, self.promise, self.law, self.evidence = reason, said, promise, law, evidence
