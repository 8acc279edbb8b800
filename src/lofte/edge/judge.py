"""Whether a wish is a decision: made on a page of ours, of a text we published, about purposes one may decide.

Pure: token, publications and time in, a Decision or a Refusal out.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from lofte.edge.refusals import Refusal, Refused
from lofte.edge.subject import Token, Tokens
from lofte.edge.wish import Wish
from lofte.evidence.publications import Publication, Shelf, Shown
from lofte.kernel.instants import from_rfc3339
from lofte.rules.signals import granted_after_signal

_CLOCK_SLACK_S = 60  # two servers of one site may disagree this much


class Decision(NamedTuple):
    token: Token
    publication: Publication
    shown: Shown
    wording: str
    action: str
    granted: frozenset[str]
    gpc: bool = False


class Judge:
    def __init__(self, shelf: Shelf, tokens: Tokens, token_age_s: int) -> None:
        self._shelf, self._tokens, self._age_s = shelf, tokens, token_age_s

    def decide(self, wish: Wish, now_s: int, *, gpc: bool = False) -> Decision:
        """Raises Refused with the first reason that fails, from forged to undecidable.

        ``gpc``: the browser sends Global Privacy Control, in its header or, by the word of our script, in its property. The banner
        does not ask about what it answers, and only a complete consent request undoes it where the law says so.
        """
        token = self._tokens.read(wish.token, wish.once)
        if token is None:
            raise Refused(Refusal.FORGED_TOKEN)
        if token.issued_s is not None and not -_CLOCK_SLACK_S <= now_s - token.issued_s <= self._age_s:
            raise Refused(Refusal.STALE)
        publication = self._publication(wish.publication, now_s)
        shown = publication.shown.get((wish.market, wish.locale))
        if shown is None:
            raise Refused(Refusal.UNKNOWN_MARKET)
        if (token.market, token.locale, token.publication) != (wish.market, wish.locale, publication.short):
            raise Refused(Refusal.MISPLACED)
        if wish.wording not in shown.wordings:
            raise Refused(Refusal.WORDING)
        granted, gpc = _granted(wish, shown), gpc or wish.gpc
        if gpc and granted:
            at = datetime.fromtimestamp(now_s, UTC).date()
            policy = publication.published.policy
            granted = granted_after_signal(policy, wish.market, granted, token.method, at, is_all=wish.accepts_all)
        return Decision(token, publication, shown, wish.wording, wish.action, granted, gpc)

    def _publication(self, digest: str, now_s: int) -> Publication:
        """The version in force, or the one before it for as long as a page that showed it may still be open."""
        current = self._shelf.current()
        if digest == current.digest:
            return current
        previous = self._shelf.find(digest) if digest and digest == current.previous else None
        if previous is None or now_s - from_rfc3339(current.published_at).timestamp() > self._age_s:
            raise Refused(Refusal.UNKNOWN_PUBLICATION)
        return previous


def _granted(wish: Wish, shown: Shown) -> frozenset[str]:
    if wish.accepts_all:
        return shown.decidable
    if not wish.choices.keys() <= shown.decidable:
        known = wish.choices.keys() <= shown.purposes
        raise Refused(Refusal.UNDECIDABLE_PURPOSE if known else Refusal.UNKNOWN_PURPOSE)
    return frozenset([purpose for purpose, allowed in wish.choices.items() if allowed])
