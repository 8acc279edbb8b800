"""A visitor without a browser: requests to our own site with a cookie jar, through the one door for outgoing HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from lofte.core import outbound
from lofte.kernel.problems import Problem
from lofte.probes.instruments import html
from lofte.probes.probe import Unable

_MOST_REDIRECTS = 5
_AGENT = "lofte-probe/1"


@dataclass(frozen=True)
class Seen:
    """An answer after redirects. ``url`` is where it ended."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def markup(self) -> str:
        return self.body.decode("utf-8", "replace")

    @cached_property
    def page(self) -> html.Page:
        return html.read(self.markup)

    def json(self) -> object:
        return json.loads(self.body)


class Visitor:
    """Keeps cookies between requests and follows redirects within the site."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._host = (urlsplit(base_url).hostname or "").lower()
        self.cookies: dict[str, str] = {}

    def get(self, address: str, *, accept: str = "text/html") -> Seen:
        return self._go("GET", urljoin(self._base + "/", address), None, {"Accept": accept})

    def post(self, address: str, values: Mapping[str, str | Sequence[str]], *, origin: bool = True) -> Seen:
        """Send a form as a browser would; without ``origin`` as a mail program does (RFC 8058)."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
        url = urljoin(self._base + "/", address)
        if origin:
            headers |= {"Origin": self._base, "Referer": url}
        return self._go("POST", url, urlencode(values, doseq=True).encode(), headers)

    def submit(self, seen: Seen, form: html.Form, values: Mapping[str, str]) -> Seen:
        """Fill the form of a page and send it."""
        return self.post(urljoin(seen.url, form.action or seen.url), {**form.values(), **values})

    def _go(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Seen:
        for _ in range(_MOST_REDIRECTS):
            answer = self._ask(method, url, content, headers)
            self._remember(answer.headers)
            where = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not where:
                return Seen(url, answer.status, answer.headers, answer.body)
            url = urljoin(url, where)
            if answer.status in (301, 302, 303):
                method, content = "GET", None
        raise Problem("probe.redirects", f"{urlsplit(url).path} redirects without end", status=502)

    def _ask(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> outbound.Answer:
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**headers, "User-Agent": _AGENT, **({"Cookie": jar} if jar else {})}
        try:
            return outbound.request(method, url, headers=sent, content=content, also=frozenset({self._host}))
        except Problem as problem:
            if problem.code == "outbound.failed":
                raise Unable("no-site", "the site did not answer") from problem
            raise

    def _remember(self, headers: Mapping[str, str]) -> None:
        for line in _set_cookies(headers.get("set-cookie", "")):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or morsel.value == "":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.coded_value


def _set_cookies(joined: str) -> list[str]:
    """Several Set-Cookie lines arrive joined by commas; a comma inside a date is not a seam."""
    lines: list[str] = []
    for part in joined.split(","):
        name = part.split(";", 1)[0]
        is_new = "=" in name and " " not in name.strip().split("=", 1)[0]
        if is_new or not lines:
            lines.append(part.strip())
        else:
            lines[-1] += "," + part
    return lines
