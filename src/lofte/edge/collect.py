"""`POST /lofte/consent`: read, judge, make durable, acknowledge. Nothing is acknowledged before it is on disk.

A refusal of consent and a withdrawal are facts like a grant; each is appended, none is ever changed. What we do not
accept is answered with a problem document (or a page) that shows a way out, and counted by reason.
"""

import hashlib
import json
from asyncio import to_thread
from base64 import b64encode
from time import monotonic
from typing import NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from lofte.edge.answers import HTML, NO_STORE, Header, Receive, Scope, Send, answer, empty, page_headers, problem
from lofte.edge.config import EdgeConfig
from lofte.edge.desk import Desk, Overloaded, Written
from lofte.edge.expiry import Expiry
from lofte.edge.facts import FactBook, consent_who
from lofte.edge.judge import Decision, Judge
from lofte.edge.layout import refusal_page
from lofte.edge.limits import Limiter
from lofte.edge.metrics import Metrics
from lofte.edge.refusals import STATUS, Refusal, Refused, problem_of
from lofte.edge.requests import Patience, Request, is_own_path, preferred_locale
from lofte.edge.subject import Codes, Tokens
from lofte.edge.wish import WITHDRAW, Wish, read_form, read_json
from lofte.evidence.log import Draft, Log
from lofte.evidence.publications import Publication, Shelf
from lofte.gate.choice import Choice, decode, derive_key, set_cookie, set_shown, shared, shown
from lofte.gate.consent import site_of_choice
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES

_RETRY_S = 5
_SHOWS_FRESH = frozenset(
    (Refusal.STALE, Refusal.UNKNOWN_PUBLICATION, Refusal.WORDING, Refusal.MISPLACED, Refusal.FORGED_TOKEN)
)
ADMITTED = "lofte.admitted"
RECEIPT_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", NO_STORE),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


class Asker(Protocol):
    """Who asked `Collector.at_once`, and is told once."""

    def reply(self, headers: list[Header], body: bytes) -> None:
        """Send a 201 with `RECEIPT_HEADERS`, these headers and this body."""

    def otherwise(self) -> None:
        """Ask the application the usual way."""


class Acknowledged(NamedTuple):
    """A decision on disk. ``fact`` and ``who`` are the bytes that were committed, which a replay did not send."""

    entry: int
    policy: str
    fact: bytes
    fact_salt: bytes
    who: bytes
    who_salt: bytes
    checkpoint: str


class Collector:
    def __init__(
        self, config: EdgeConfig, log: Log, shelf: Shelf, tokens: Tokens, codes: Codes, root_key: bytes,
        metrics: Metrics,
    ) -> None:  # fmt: skip
        self._config, self._log, self._shelf, self._codes, self._metrics = config, log, shelf, codes, metrics
        self._judge = Judge(shelf, tokens, config.token_age_s)
        self._choice_key = derive_key(root_key, "choice/1")
        self._limiter = Limiter(config.consent_rate_per_s, config.consent_burst)
        self._facts = FactBook()
        self._patience = Patience(config.body_timeout_s)
        self._expiry: tuple[str, Expiry] | None = None
        self._quoted: tuple[str, bytes] = ("", b'""')
        self.desk = Desk(log, config.longest_queue)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Answers one request and returns the status."""
        request = Request(scope)
        if request.method == "OPTIONS":
            await empty(send, 204, [(b"allow", b"POST, OPTIONS")])
            return 204
        started_s = monotonic()
        wish: Wish | None = None
        try:
            is_form = self._admit(request)
            body = await self._patience.read(request, receive, self._config.largest_consent_bytes)
            wish = read_form(body) if is_form else read_json(body)
            if is_form and wish.back and not is_own_path(wish.back):
                raise Refused(Refusal.FOREIGN_RETURN)
            now_s = int(self._config.now().timestamp())
            decision = self._judge.decide(wish, now_s, gpc=request.asks_not_to_be_sold())
            done, subject = await self._record(request, decision, body, now_s)
        except Refused as refused:
            return await self._refuse(send, request, refused.reason, wish)
        except Overloaded:
            return await self._refuse(send, request, Refusal.OVERLOADED, wish)
        self._metrics.consent(wish.market, wish.action, monotonic() - started_s)
        headers = self._device_headers(request, decision, done.entry, subject)
        if is_form:
            return await self._send_back(send, decision, _whence(request, wish.back), headers)
        return await self._send_receipt(send, request, done, headers)

    def at_once(self, scope: Scope, body: bytes, asker: Asker) -> bool:
        """Takes an ordinary decision by script without a task of its own; a task and its wake-up cost as much as judging.

        ``body`` is whole. True when the asker will be told, on the loop, once the disk has answered. False for everything that is
        not ordinary, refusals included: then, as after ``asker.otherwise``, the caller asks `__call__` with the same request. What
        was appended by then has its key, so it is one fact all the same.
        """
        request, started_s = Request(scope), monotonic()
        if len(body) > self._config.largest_consent_bytes or b"prefer" in request.headers:
            return False
        try:
            if self._admit(request):
                return False
            wish = read_json(body)
            now_s = int(self._config.now().timestamp())
            decision = self._judge.decide(wish, now_s, gpc=request.asks_not_to_be_sold())
            draft, subject, previous = self._draft(request, decision, body, now_s)
            self.desk.append_for(draft, _Taken(self, request, decision, subject, previous, started_s, asker))
        except (Refused, Overloaded):
            return False
        return True

    def settle(self, taken: "_Taken", outcome: Written | Exception) -> None:
        """Answers a decision that was taken at once, or hands it back when there is more to say than that it is on disk."""
        if isinstance(outcome, Exception) or not outcome.is_new or outcome.committed.index < taken.previous:
            taken.asker.otherwise()
            return
        self._metrics.consent(taken.decision.shown.market, taken.decision.action, monotonic() - taken.started_s)
        headers = self._device_headers(taken.request, taken.decision, outcome.committed.index, taken.subject)
        taken.asker.reply(headers, self._receipt(_acknowledged(outcome)))

    def _admit(self, request: Request) -> bool:
        """Whether the body is a form. Raises Refused before a byte of the body is read."""
        if request.method != "POST":
            raise Refused(Refusal.METHOD)
        if ADMITTED not in request.scope:  # once a request, also when `at_once` leaves it to `__call__`
            if not self._limiter.admits(request.address()):
                raise Refused(Refusal.TOO_MANY)
            request.scope[ADMITTED] = True
        if self._log.is_read_only():
            raise Refused(Refusal.READ_ONLY)
        headers = request.headers
        if b"origin" in headers or b"sec-fetch-site" in headers:
            self._demand_own_site(headers)
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind == b"application/json":
            return False
        if kind == b"application/x-www-form-urlencoded":
            return True
        raise Refused(Refusal.CONTENT_TYPE)

    def _demand_own_site(self, headers: dict[bytes, bytes]) -> None:
        """The browser's own word on where the request came from; no page can write these two headers."""
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin in self._config.origins:
            return
        site = headers.get(b"sec-fetch-site", b"").lower()
        if site in (b"same-origin", b"none"):
            return
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if site or not host or origin not in (f"https://{host}", f"http://{host}"):
            raise Refused(Refusal.OTHER_SITE)

    async def _record(
        self, request: Request, decision: Decision, body: bytes, now_s: int
    ) -> tuple[Acknowledged, str]:  # fmt: skip
        """Appends the decision, waits for the disk; what was committed, and by which subject.

        The same body under the same token is one fact, however often it is sent.
        """
        draft, subject, previous = self._draft(request, decision, body, now_s)
        written = await self._append(draft)
        if written.committed.index < previous:
            # The same page sent A, then B, and now A again: the earlier A is no answer to what was chosen after it.
            written = await self._append(draft._replace(key=f"{draft.key}:{previous}"))
        if written.is_new:
            return _acknowledged(written), subject
        earlier = await to_thread(self._earlier, written)
        return earlier, json.loads(earlier.who)["subject"] if earlier.who else subject

    def _draft(self, request: Request, decision: Decision, body: bytes, now_s: int) -> tuple[Draft, str, int]:
        """What is to be recorded, of which subject, and the entry of the same browser's decision before this one (-1: none)."""
        token, digest = decision.token, decision.publication.digest
        choice = decode(request.headers.get(b"cookie"), self._choice_key)
        subject, previous = (choice.subject, choice.index) if choice else (token.id, None)
        fact = self._facts.fact(now_s, decision)
        who = consent_who(subject, token.id, previous)
        key = f"consent:{token.id}:{hashlib.sha256(body).hexdigest()}"
        return Draft("consent", fact, who, digest, key), subject, -1 if previous is None else previous

    async def _append(self, draft: Draft) -> Written:
        try:
            return await self.desk.append(draft)
        except Problem:
            raise Refused(Refusal.READ_ONLY if self._log.is_read_only() else Refusal.OVERLOADED) from None

    def _earlier(self, written: Written) -> Acknowledged:
        """What an earlier request committed under the same key."""
        committed = written.committed
        opened = self._log.opened(committed.index)
        return Acknowledged(
            committed.index, opened.policy, opened.fact, opened.fact_salt, opened.who or b"", opened.who_salt or b"",
            committed.checkpoint,
        )  # fmt: skip

    def _device_headers(self, request: Request, decision: Decision, entry: int, subject: str) -> list[Header]:
        """The cookie that holds the choice, and the removal of what the choice no longer allows."""
        choice = Choice(subject, decision.granted, decision.publication.short, entry)
        secure = request.is_secure or self._config.trusted_scheme == "https"
        host = request.headers.get(b"host", b"").decode("latin-1").lower().partition(":")[0]
        lines = shared(
            [
                set_cookie(choice, self._choice_key, secure),
                set_shown(shown(choice, decision.publication.digest), secure),
            ],
            site_of_choice(decision.publication.published, host),
        )
        refused = decision.shown.decidable - decision.granted
        sent = request.headers.get(b"cookie", b"")
        headers: list[Header] = []
        if refused and (sent or decision.action == WITHDRAW):
            expiry = self._expiry_of(decision.publication)
            remove = expiry.of_withdrawal if decision.action == WITHDRAW else expiry.of_refused
            lines += remove(refused, sent, host, secure)
            if decision.action == WITHDRAW and secure and expiry.may_clear_storage(decision.shown.market):
                headers.append((b"clear-site-data", b'"storage"'))
        return headers + [(b"set-cookie", line.encode("latin-1")) for line in lines]

    def _expiry_of(self, publication: Publication) -> Expiry:
        if self._expiry is None or self._expiry[0] != publication.digest:
            self._expiry = (publication.digest, Expiry(publication))
        return self._expiry[1]

    async def _send_back(self, send: Send, decision: Decision, back: str, headers: list[Header]) -> int:
        where = back or decision.publication.published.policy.markets[decision.shown.market].path
        await empty(send, 303, [(b"location", where.encode()), (b"cache-control", NO_STORE), *headers])
        return 303

    async def _send_receipt(self, send: Send, request: Request, done: Acknowledged, headers: list[Header]) -> int:
        """The acknowledgement; the whole receipt, inclusion proof and all, for who prefers it (RFC 7240)."""
        if b"return=representation" in request.headers.get(b"prefer", b""):
            receipt = json.dumps(await to_thread(self._log.receipt, done.entry), ensure_ascii=False).encode()
            headers = [(b"preference-applied", b"return=representation"), *headers]
        else:
            receipt = self._receipt(done)
        start = [*RECEIPT_HEADERS, (b"content-length", b"%d" % len(receipt)), *headers]
        await send({"type": "http.response.start", "status": 201, "headers": start})
        await send({"type": "http.response.body", "body": receipt})
        return 201

    def _receipt(self, done: Acknowledged) -> bytes:
        """Both openings and the signed head that covers them; the inclusion proof is at the address under `receipt`."""
        if done.checkpoint != self._quoted[0]:  # one signed head serves a whole batch
            self._quoted = (done.checkpoint, json.dumps(done.checkpoint).encode())
        index, code = done.entry, self._codes.of(done.entry).encode()
        return (
            b'{"lofte":"acknowledgement/1","index":%d,"kind":"consent","policy":"%b",'
            b'"fact":{"salt":"%b","payload":%b},"who":{"salt":"%b","payload":%b},"checkpoint":%b,'
            b'"receipt":"/lofte/receipt/%d?code=%b","page":"/lofte/receipt/%d.html?code=%b"}'
        ) % (
            index, done.policy.encode(), b64encode(done.fact_salt), done.fact, b64encode(done.who_salt),
            done.who or b"null", self._quoted[1], index, code, index, code,
        )  # fmt: skip

    async def _refuse(self, send: Send, request: Request, reason: Refusal, wish: Wish | None) -> int:
        """A problem document, or for a browser without our script a page, in the visitor's locale, with the way out."""
        self._metrics.refused(reason)
        market, locale = self._where(request, wish)
        what = problem_of(reason, locale)
        headers: list[Header] = []
        if reason is Refusal.METHOD:
            headers.append((b"allow", b"POST, OPTIONS"))
        if STATUS[reason] in (429, 503):
            wait = self._limiter.wait_s() if reason is Refusal.TOO_MANY else _RETRY_S
            headers.append((b"retry-after", b"%d" % wait))
        if reason in (Refusal.TOO_LARGE, Refusal.SLOW):
            headers.append((b"connection", b"close"))
        fresh = self._fresh_page(market, locale, wish)
        if request.prefers_html():
            body = refusal_page(locale, what, fresh)
            page = [(b"cache-control", NO_STORE), *page_headers(), *headers]
            await answer(send, what.status, body, HTML, page, request.is_head)
        else:
            extra = {"preferences": fresh} if fresh and reason in _SHOWS_FRESH else {}
            await problem(send, what, headers, reason=reason.value, **extra)
        return what.status

    def _where(self, request: Request, wish: Wish | None) -> tuple[str, str]:
        """Market and locale of whoever reads the refusal: what the wish says if that exists, else the browser's."""
        try:
            known = self._shelf.current().shown
        except Problem:
            known = {}
        if wish is not None and (wish.market, wish.locale) in known:
            return wish.market, wish.locale
        locales = list(dict.fromkeys(locale for _, locale in known)) or list(LOCALES)
        locale = preferred_locale(request.headers.get(b"accept-language", b""), locales)
        return next((market for market, spoken in known if spoken == locale), ""), locale

    def _fresh_page(self, market: str, locale: str, wish: Wish | None) -> str:
        if not market:
            return ""
        back = wish.back if wish is not None and is_own_path(wish.back) else ""
        return f"/lofte/preferences/{market.lower()}/{locale}/" + (f"?back={quote(back)}" if back else "")


class _Taken:
    """A decision on its way to the disk; called with what came of it."""

    __slots__ = ("asker", "collector", "decision", "previous", "request", "started_s", "subject")

    def __init__(
        self, collector: Collector, request: Request, decision: Decision, subject: str, previous: int, started_s: float,
        asker: Asker,
    ) -> None:  # fmt: skip
        self.collector, self.request, self.decision, self.subject = collector, request, decision, subject
        self.previous, self.started_s, self.asker = previous, started_s, asker

    def __call__(self, outcome: Written | Exception) -> None:
        try:
            self.collector.settle(self, outcome)
        except Exception:
            self.asker.otherwise()  # nobody is left waiting; a fault that stays is met, and answered, there
            raise


def _acknowledged(written: Written) -> Acknowledged:
    draft, committed = written.draft, written.committed
    return Acknowledged(
        committed.index, draft.policy, draft.fact, committed.fact_salt, draft.who or b"", committed.who_salt or b"",
        committed.checkpoint,
    )  # fmt: skip


def _whence(request: Request, back: str) -> str:
    """Where to go back to, with the query the visitor had: the page that is the same for everybody knows only its path."""
    parts = urlsplit(request.headers.get(b"referer", b"").decode("latin-1"))
    here = f"{parts.path}?{parts.query}"
    host = request.headers.get(b"host", b"").decode("latin-1").lower()
    return here if parts.query and parts.netloc.lower() == host and parts.path == back and is_own_path(here) else back
