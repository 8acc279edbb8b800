"""A request as the edge reads it: headers once, a bounded body in bounded time, the reader's locale."""

import asyncio
from collections.abc import Iterable
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

from lofte.edge.answers import Header, Receive, Scope
from lofte.edge.refusals import Refusal, Refused

LARGEST_BACK = 2048


class Request:
    """The parts of an ASGI scope that routes ask for."""

    __slots__ = ("headers", "method", "path", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])

    @property
    def is_head(self) -> bool:
        return self.method == "HEAD"

    @property
    def is_secure(self) -> bool:
        return bool(self.scope.get("scheme") == "https")

    def address(self) -> str:
        """The client's address, for counting only; it is never stored or logged."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def query(self, name: str) -> str:
        """The first value of a query parameter, or nothing; never fails."""
        raw: bytes = self.scope.get("query_string", b"")
        if not raw or len(raw) > 4 * LARGEST_BACK:
            return ""
        try:
            return parse_qs(raw.decode("ascii"), max_num_fields=20).get(name, [""])[0]
        except ValueError:
            return ""

    def asks_not_to_be_sold(self) -> bool:
        """Global Privacy Control: exactly `1`; of several headers one suffices; anything else is no signal."""
        return b"sec-gpc" in self.headers and has_gpc(self.scope["headers"])

    def prefers_html(self) -> bool:
        accepted = self.headers.get(b"accept", b"")
        return b"text/html" in accepted

    def wants_json(self) -> bool:
        return b"json" in self.headers.get(b"accept", b"")


def has_gpc(headers: Iterable[Header]) -> bool:
    return any(name == b"sec-gpc" and value.strip() == b"1" for name, value in headers)


class Patience:
    """Reads bodies, and gives up on those that come too slowly.

    One timer looks at all of them a few times in ``timeout_s``: a timer for each would cost a tenth of an honest request.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._since_s: dict[asyncio.Task[Any], float] = {}
        self._given_up: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, request: Request, receive: Receive, largest: int) -> bytes:
        """The whole body. Raises Refused when it is larger than ``largest`` bytes or takes too long."""
        announced = request.headers.get(b"content-length")
        if announced is not None and (not announced.isdigit() or len(announced) > 9 or int(announced) > largest):
            raise Refused(Refusal.TOO_LARGE)
        task = asyncio.current_task()
        assert task is not None
        self._since_s[task] = monotonic()
        if self._timer is None:
            self._set_timer()
        try:
            return await _collect(receive, largest)
        except asyncio.CancelledError:
            if task in self._given_up and task.uncancel() == 0:
                raise Refused(Refusal.SLOW) from None
            raise
        finally:
            del self._since_s[task]
            self._given_up.discard(task)

    def _set_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._timeout_s / 4, self._look)

    def _look(self) -> None:
        self._timer = None
        latest_s = monotonic() - self._timeout_s
        for task, since_s in self._since_s.items():
            if since_s <= latest_s and task not in self._given_up:
                self._given_up.add(task)
                task.cancel()
        if self._since_s:
            self._set_timer()


async def _collect(receive: Receive, largest: int) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(Refusal.SLOW)
        body += bytes(message.get("body", b""))
        if len(body) > largest:
            raise Refused(Refusal.TOO_LARGE)
        if not message.get("more_body", False):
            return body


def is_own_path(back: str) -> bool:
    """Whether a browser sent to ``back`` stays on this site: an absolute path of printable ASCII.

    No second slash (`//host` is another host), no backslash (browsers read it as a slash), no control characters
    (browsers drop tabs and newlines before they parse, and a newline would split the header).
    """
    if not back.startswith("/") or back.startswith("//") or "\\" in back or len(back) > LARGEST_BACK:
        return False
    return all("!" <= letter <= "~" for letter in back)


def preferred_locale(accept_language: bytes, known: Iterable[str]) -> str:
    """The reader's best locale among ``known`` (the first one when none fits); `no` and `nn` are read as bokmål."""
    locales = list(known)
    wishes: list[tuple[float, str]] = []
    for item in accept_language[:500].decode("latin-1").split(","):
        tag, _, weight = item.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), tag.lower()))
        except ValueError:
            continue
    for _, tag in sorted(wishes, key=lambda wish: wish[0]):
        language = {"no": "nb", "nn": "nb"}.get(tag.split("-")[0], tag.split("-")[0])
        fitting = [locale for locale in locales if locale.lower() == tag] or [
            locale for locale in locales if locale.split("-")[0] == language
        ]
        if fitting:
            return fitting[0]
    return locales[0] if locales else "en-GB"
