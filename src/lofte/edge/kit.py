"""`/lofte/gate.json`: everything a gate written in another language needs to hold pages as ours does. The same for everyone.

Guard, signals and banner come finished, and so do the placeholders: words with marks for what only the page knows. `LOFTEBACK` is
its path, `LOFTEID` what stood for `{id}`, `https://lofte-host.invalid/LOFTEADDRESS` the frame's address, `'LOFTESCRIPTS'` in the
policy header the hashes of inline scripts. Who reads this holds in soft mode: the header names all declared hosts.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from lofte.edge.answers import JSON, Header, Send, answer, page_headers
from lofte.edge.config import EdgeConfig
from lofte.edge.requests import Request
from lofte.evidence.publications import Shelf
from lofte.gate import csp, guard, signals
from lofte.gate.consent import ConsentState, Declarations
from lofte.gate.placeholders import DRESSING, Placeholders
from lofte.rules.frames import ID
from lofte.rules.model import StorageModel

FORMAT = "lofte-gate/1"
_ADDRESS = "https://lofte-host.invalid/LOFTEADDRESS"
_POSTER = re.compile(r"<img src=[^>]*>")
_CURRENT: list[Header] = [(b"cache-control", b"public, max-age=60")]


class Kit:
    """``banner(market, locale, back)`` and ``edition(market, locale)`` are those of `Pages`."""

    def __init__(
        self, config: EdgeConfig, shelf: Shelf, choice_key: bytes, banner: Callable[[str, str, str], bytes],
        edition: Callable[[str, str], tuple[str, str]],
    ) -> None:  # fmt: skip
        self._config, self._shelf, self._choice_key = config, shelf, choice_key
        self._banner, self._edition = banner, edition
        self._made: dict[tuple[str, str, str], bytes] = {}

    async def __call__(self, request: Request, send: Send) -> int:
        market, locale = self._edition(request.query("market"), request.query("locale"))
        body = self.of(market, locale)
        await answer(send, 200, body, JSON, [*_CURRENT, *page_headers()], request.is_head)
        return 200

    def of(self, market: str, locale: str) -> bytes:
        digest = self._shelf.current().digest
        key = (digest, market, locale)
        if key not in self._made:
            for old in [old for old in self._made if old[0] != digest]:
                del self._made[old]
            self._made[key] = json.dumps(self._said(market, locale), ensure_ascii=False, sort_keys=True).encode()
        return self._made[key]

    def _said(self, market: str, locale: str) -> dict[str, Any]:
        published = self._shelf.current().published
        declarations = Declarations(published, market, self._config.host_map)
        widest = ConsentState(declarations, frozenset(declarations.models), frozenset())
        head = f'<script data-lofte="guard">{guard.script(declarations, (), strict=False)}</script>'
        if second := signals.script(declarations):
            head += f'<script data-lofte="signals">{second}</script>'
        preferences = f"/lofte/preferences/{market.lower()}/{locale}/?back=LOFTEBACK"
        placeholders = Placeholders(published, market, locale, self._choice_key, self._config.host_map)
        stand_ins = [[seen, p] for seen in declarations.host_map for p in declarations.purposes_of_host(seen)]
        return {
            "format": FORMAT,
            "digest": published.digest,
            "market": market,
            "locale": locale,
            "head": head,
            "banner": self._banner(market, locale, "/LOFTEBACK").decode(),
            "settings_word": published.word(locale, "banner", "settings_link"),
            "preferences": preferences,
            "hosts": [*([pattern, purpose] for pattern, purpose in declarations.patterns), *stand_ins],
            "models": {key: model.value for key, model in declarations.models.items()},
            "cookies": [[cookie.name, cookie.purpose] for _, cookie in declarations.cookies],
            "dressing": DRESSING.decode(),
            "frames": list(_frames(declarations, placeholders, preferences)),
            "unknown": _words(placeholders.of(_ADDRESS, (), preferences)),
            "csp": csp.policy(widest, ["LOFTESCRIPTS"], trusted_types=False),
        }


def _frames(declarations: Declarations, placeholders: Placeholders, preferences: str) -> Iterator[dict[str, str]]:
    """What stands in place of each frame somebody declared: first those known by their path, then any of a host."""
    for tag in declarations.policy.tags.values():
        for frame in tag.frames:
            for address in frame.addresses:
                parts = urlsplit(address)
                host = (parts.hostname or "").lower()
                asked = declarations.purposes_of_host(host)
                if declarations.models.get(tag.purpose) is not StorageModel.NECESSARY:
                    words = placeholders.of(address.replace(ID, "LOFTEID"), asked, preferences)
                    for seen in [host, *(s for s, meant in declarations.host_map.items() if meant == host)]:
                        yield {"host": seen.partition(":")[0], "path": parts.path, "html": _words(words)}
    for pattern in dict.fromkeys(host for host, _ in declarations.patterns):
        host = pattern.replace("*.", "any.", 1)
        words = placeholders.of(f"https://{host}/LOFTEADDRESS", declarations.purposes_of_host(host), preferences)
        text = _words(words).replace(f"https://{host}/LOFTEADDRESS", _ADDRESS)
        yield {"host": pattern, "path": "", "html": text.replace(host, "lofte-host.invalid")}


def _words(markup: bytes) -> str:
    """Without the picture: its address is signed for each, and may be asked of our own server alone."""
    return _POSTER.sub("", markup.decode())
