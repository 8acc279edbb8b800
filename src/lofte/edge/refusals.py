"""Why a request was not honoured: a closed set, each with its status, its words in five languages and its counter."""

from enum import StrEnum

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say


class Refusal(StrEnum):
    METHOD = "method"
    TOO_LARGE = "too-large"
    SLOW = "slow"
    CONTENT_TYPE = "content-type"
    MALFORMED = "malformed"
    OTHER_SITE = "other-site"
    FORGED_TOKEN = "forged-token"  # noqa: S105  # a reason's name, not a password
    STALE = "stale"
    MISPLACED = "misplaced"
    UNKNOWN_MARKET = "unknown-market"
    UNKNOWN_PUBLICATION = "unknown-publication"
    WORDING = "wording"
    UNKNOWN_PURPOSE = "unknown-purpose"
    UNDECIDABLE_PURPOSE = "undecidable-purpose"
    FOREIGN_RETURN = "foreign-return"
    TOO_MANY = "too-many"
    OVERLOADED = "overloaded"
    READ_ONLY = "read-only"


STATUS = {
    Refusal.METHOD: 405,
    Refusal.TOO_LARGE: 413,
    Refusal.SLOW: 408,
    Refusal.CONTENT_TYPE: 415,
    Refusal.MALFORMED: 400,
    Refusal.OTHER_SITE: 403,
    Refusal.FORGED_TOKEN: 403,
    Refusal.STALE: 409,
    Refusal.MISPLACED: 403,
    Refusal.UNKNOWN_MARKET: 422,
    Refusal.UNKNOWN_PUBLICATION: 409,
    Refusal.WORDING: 409,
    Refusal.UNKNOWN_PURPOSE: 422,
    Refusal.UNDECIDABLE_PURPOSE: 422,
    Refusal.FOREIGN_RETURN: 400,
    Refusal.TOO_MANY: 429,
    Refusal.OVERLOADED: 503,
    Refusal.READ_ONLY: 503,
}


class Refused(Exception):  # noqa: N818  # what happened, not a fault of ours
    """``locale``, ``market`` and ``back`` carry what was known by then, so that the answer can show a way out."""

    def __init__(self, reason: Refusal, locale: str = "", market: str = "", back: str = "") -> None:
        super().__init__(reason.value)
        self.reason, self.locale, self.market, self.back = reason, locale, market, back


def problem_of(reason: Refusal, locale: str) -> Problem:
    """The refusal in words a visitor understands."""
    return Problem(
        f"consent.{reason}",
        say(locale, f"edge.refused.{reason}.detail"),
        way_out=say(locale, f"edge.refused.{reason}.way_out"),
        status=STATUS[reason],
    )
