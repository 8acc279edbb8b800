"""`/lofte/gate.js`: the guard, the signals and the banner for static pages, by one line of script first in the head.

It holds what page code loads and keeps, and what the page's author wrote in the held form (`data-lofte-src`,
`data-lofte-held=statistics`). What stands in the page with a plain `src` it cannot hold: browsers fetch that ahead of any script.
"""

import json
import re
from collections.abc import Callable
from html import escape

from lofte.edge.answers import Header, Send, answer, page_headers
from lofte.edge.config import EdgeConfig
from lofte.edge.requests import Request
from lofte.evidence.publications import Shelf
from lofte.gate import guard, signals
from lofte.gate.consent import Declarations

_CURRENT: list[Header] = [(b"cache-control", b"public, max-age=60")]
_NOSCRIPT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)  # a template would take it for markup
_PLACE = """(()=>{const put=()=>{const at=encodeURI(location.pathname),make=html=>{const t=document.createElement("template");
t.innerHTML=html.replaceAll("/LOFTEBACK",at);for(const o of t.content.querySelectorAll("script")){
const n=document.createElement("script");
n.textContent=o.textContent;o.replaceWith(n)}return t.content};document.body.prepend(make(BANNER));
document.getElementById("lofte-settings")||document.body.append(make(BACK))};
document.readyState=="loading"?addEventListener("DOMContentLoaded",put):put()})();"""


class OneLine:
    """``banner(market, locale, back)`` and ``edition(market, locale)`` are those of `Pages`."""

    def __init__(
        self, config: EdgeConfig, shelf: Shelf, banner: Callable[[str, str, str], bytes],
        edition: Callable[[str, str], tuple[str, str]],
    ) -> None:  # fmt: skip
        self._config, self._shelf, self._banner, self._edition = config, shelf, banner, edition

    async def __call__(self, request: Request, send: Send) -> int:
        market, locale = self._edition(request.query("market"), request.query("locale"))
        published = self._shelf.current().published
        declarations = Declarations(published, market, self._config.host_map)
        word = escape(published.word(locale, "banner", "settings_link"))
        back = f"/lofte/preferences/{market.lower()}/{locale}/?back=/LOFTEBACK"
        link = f'<nav id="lofte-settings" style="padding:1em" aria-label="{word}"><a href="{back}">{word}</a></nav>'
        banner = _NOSCRIPT.sub("", self._banner(market, locale, "/LOFTEBACK").decode())
        place = _PLACE.replace("make(BACK)", f"make({json.dumps(link)})").replace("BANNER", json.dumps(banner), 1)
        first = guard.script(declarations, (), strict=False, has_release=True), guard.release()
        code = ";\n".join((*first, signals.script(declarations), place))
        headers = [*_CURRENT, *page_headers()]
        await answer(send, 200, code.encode(), b"text/javascript; charset=utf-8", headers, request.is_head)
        return 200
