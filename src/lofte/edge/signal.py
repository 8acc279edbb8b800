"""`POST /lofte/signal`: Global Privacy Control, kept where the law of the market wants its later absence to change nothing.

Colorado: 6-1-1313, 4 CCR 904-3 rules 4.03 (a record is kept), 5.08 and 5.09. The header is the browser's own word: no page can
write it.
The first visit is one fact in the log, a refusal made by method `gpc`, and the cookies of any other choice. Where nothing runs
without a yes there is nothing to remember: nothing is recorded, and nothing stored.
"""

import os
from base64 import urlsafe_b64encode
from urllib.parse import parse_qsl

from lofte.edge.answers import NO_STORE, Header, Send, empty, problem
from lofte.edge.config import EdgeConfig
from lofte.edge.desk import Desk, Overloaded
from lofte.edge.facts import consent_fact, consent_who
from lofte.edge.limits import Limiter
from lofte.edge.refusals import Refusal, Refused, problem_of
from lofte.edge.requests import Request
from lofte.evidence.log import Draft, Log
from lofte.evidence.publications import Publication, Shelf
from lofte.gate.choice import Choice, decode, set_cookie, set_shown, shared, shown
from lofte.gate.consent import site_of_choice
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem
from lofte.rules.model import StorageModel
from lofte.rules.signals import is_remembered

METHOD = "gpc"


class SignalKeeper:
    def __init__(self, config: EdgeConfig, log: Log, shelf: Shelf, desk: Desk, choice_key: bytes) -> None:
        self._config, self._log, self._shelf, self._desk, self._key = config, log, shelf, desk, choice_key
        self._limiter = Limiter(config.consent_rate_per_s, config.consent_burst)

    async def __call__(self, request: Request, send: Send) -> int:
        """201 when the signal was kept, 204 when there is nothing to keep."""
        try:
            headers = await self._kept(request)
        except Refused as refused:
            what = problem_of(refused.reason, "en-GB")
            await problem(send, what, reason=refused.reason.value)
            return what.status
        status = 201 if headers else 204
        await empty(send, status, [(b"cache-control", NO_STORE), *headers])
        return status

    async def _kept(self, request: Request) -> list[Header]:
        if request.method != "POST":
            raise Refused(Refusal.METHOD)
        if request.headers.get(b"sec-fetch-site", b"same-origin").strip().lower() != b"same-origin":
            raise Refused(Refusal.OTHER_SITE)
        if not self._limiter.admits(request.address()):
            raise Refused(Refusal.TOO_MANY)
        asked = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), max_num_fields=4))
        market, locale = asked.get("market", ""), asked.get("locale", "")
        publication = self._shelf.current()
        if (market, locale) not in publication.shown:
            raise Refused(Refusal.UNKNOWN_MARKET)
        at = self._config.now()
        policy = publication.published.policy
        if not request.asks_not_to_be_sold() or not is_remembered(policy, market, at.date()):
            return []
        if decode(request.headers.get(b"cookie"), self._key) is not None:
            return []  # what was chosen here, before or after, is not overwritten without the visitor
        granted = _unasked(publication, market)
        subject = urlsafe_b64encode(os.urandom(16))[:22].decode()
        fact = consent_fact(
            action="decide", at=rfc3339(at.replace(microsecond=0)), market=market, locale=locale,
            publication=publication.digest, wording=publication.published.wording(market, locale, "banner"), method=METHOD,
            gpc=True, choices={key: key in granted for key in publication.shown[market, locale].decidable},
        )  # fmt: skip
        draft = Draft("consent", fact, consent_who(subject, subject, None), publication.digest, f"signal:{subject}")
        index = await self._append(draft)
        choice = Choice(subject, granted, publication.short, index)
        secure = request.is_secure or self._config.trusted_scheme == "https"
        host = request.headers.get(b"host", b"").decode("latin-1").lower()
        lines = shared(
            [set_cookie(choice, self._key, secure), set_shown(shown(choice, publication.digest), secure)],
            site_of_choice(publication.published, host),
        )
        return [(b"set-cookie", line.encode("latin-1")) for line in lines]

    async def _append(self, draft: Draft) -> int:
        if self._log.is_read_only():
            raise Refused(Refusal.READ_ONLY)
        try:
            return (await self._desk.append(draft)).committed.index
        except Problem:
            raise Refused(Refusal.READ_ONLY if self._log.is_read_only() else Refusal.OVERLOADED) from None
        except Overloaded:
            raise Refused(Refusal.OVERLOADED) from None


def _unasked(publication: Publication, market: str) -> frozenset[str]:
    """What runs without being asked about and is not what the signal objects to."""
    models = publication.published.policy.browser_purposes(market)
    return frozenset(key for key, model in models.items() if model is StorageModel.EXEMPT_WITH_OBJECTION)
