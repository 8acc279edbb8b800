"""The third parties of the demonstration, played on the same machine: they count, follow and film as the real ones do.

Each keeps what it was asked in memory and shows it at `/__seen` (JSON, newest last); `DELETE /__seen` forgets it.
Every script here is ours and does the least that behaves like the original.
"""

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from demo.wire import Receive, Scope, Send, answer, cookies, header, lifespan, port_of, query

GIF = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
SCRIPT, PAGE, PIXEL = "text/javascript; charset=utf-8", "text/html; charset=utf-8", "image/gif"
_DAYS = {"fr": 90, "lidc": 1, "mid": 730}  # how long each third-party cookie is kept; the others a year

_PROPERTY = "G-DEMO1"

Reply = tuple[str, bytes, list[str]]
"""Content type, body, and names of the third-party cookies to set."""


class StandIn:
    """One third party. ``routes`` map a path to what it answers, given the port all hosts share."""

    def __init__(self, name: str, routes: dict[str, Callable[[str], Reply]]) -> None:
        self.name, self.routes = name, routes
        self.seen: deque[dict[str, Any]] = deque(maxlen=2000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        path = scope["path"]
        if path == "/__seen":
            await self._show(scope, send)
            return
        self.seen.append(
            {
                "method": scope["method"],
                "path": path,
                "query": query(scope),
                "referer": header(scope, "referer"),
                "dest": header(scope, "sec-fetch-dest"),
                "cookies": sorted(cookies(scope)),
            }
        )
        route = self.routes.get(path)
        if route is None:
            await answer(send, b"", "text/plain", 404)
            return
        kind, content, names = route(port_of(scope))
        await answer(send, content, kind, headers=[("cache-control", "no-store"), *_cross(scope), *map(_cookie, names)])

    async def _show(self, scope: Scope, send: Send) -> None:
        if scope["method"] == "DELETE":
            self.seen.clear()
        shown = {"host": self.name, "count": len(self.seen), "requests": list(self.seen)}
        await answer(send, json.dumps(shown), "application/json", headers=[("cache-control", "no-store")])


def stand_ins() -> dict[str, StandIn]:
    """A fresh set, by host name."""
    players = [
        StandIn("tags.localhost", {"/gtm.js": _container}),
        StandIn("analytics.localhost", {"/analytics.js": _analytics, "/g/collect": lambda port: (PIXEL, GIF, [])}),
        StandIn("ads.localhost", {"/ads.js": _ads, "/pagead/1p": lambda port: (PIXEL, GIF, ["IDE"])}),
        StandIn("facebook.localhost", {"/fbevents.js": _facebook, "/tr": lambda port: (PIXEL, GIF, ["fr"])}),
        StandIn("instagram.localhost", {"/pixel.gif": lambda port: (PIXEL, GIF, ["ig_did", "mid"])}),
        StandIn("linkedin.localhost", {"/insight.js": _linkedin, "/collect": lambda port: (PIXEL, GIF, ["bcookie", "lidc"])}),
        StandIn("youtube.localhost", {"/embed/demo": _film, "/iframe_api": _film_script, "/stats": lambda port: (PIXEL, GIF, [])}),
        StandIn("chat.localhost", {"/widget.js": _chat, "/hello": lambda port: (PIXEL, GIF, ["chat_id"])}),
    ]  # fmt: skip
    return {player.name: player for player in players}


def _cookie(name: str) -> tuple[str, str]:
    life_s = _DAYS.get(name, 365) * 24 * 3600
    return "set-cookie", f"{name}=demo; Path=/; Max-Age={life_s}; SameSite=None; Secure"


def _cross(scope: Scope) -> list[tuple[str, str]]:
    """As the real ones: any site may load these scripts and read the answers."""
    origin = header(scope, "origin")
    return [
        ("access-control-allow-origin", origin or "*"),
        *([("access-control-allow-credentials", "true")] if origin else []),
    ]


def _script(text: str) -> Reply:
    return SCRIPT, text.encode(), []


# A script that writes a first-party cookie (the time is in it where its name begins as Google's and Meta's do) and sends one
# hit as an image, as most of them do.
_FOLLOW = """(function(){
function keep(name,days){
  var found=document.cookie.split('; ').find(function(c){return c.startsWith(name+'=')});
  var value=found?found.split('=')[1]:'1.'+Math.floor(Math.random()*1e9)+(name[0]=='_'?'.'+Math.floor(Date.now()/1000):'');
  document.cookie=name+'='+value+';path=/;max-age='+days*86400+';samesite=lax';
  return value;
}
COOKIES
new Image().src='HIT'+encodeURIComponent(location.origin+location.pathname);
})();"""


def _follow(hit: str, *kept: tuple[str, int]) -> Reply:
    lines = "".join(f"keep('{name}',{days});" for name, days in kept)
    return _script(_FOLLOW.replace("COOKIES", lines).replace("HIT", hit))


def _container(port: str) -> Reply:
    """A tag manager's container: it configures and loads the counter, and two advertisers besides."""
    sources = [f"http://analytics.localhost{port}/analytics.js", f"http://ads.localhost{port}/ads.js"]
    return _script(
        f"(function(){{var l=window.dataLayer=window.dataLayer||[];l.push(['js',new Date()],['config','{_PROPERTY}']);"
        f"{json.dumps(sources)}.forEach(function(u){{"
        "var s=document.createElement('script');s.async=true;s.src=u;document.head.appendChild(s)});"
        f"new Image().src='http://instagram.localhost{port}/pixel.gif?via=gtm';"
        "})();"
    )


def _analytics(port: str) -> Reply:
    """As the original, it does nothing while its property is switched off."""
    kind, content, cookies = _follow(
        f"http://analytics.localhost{port}/g/collect?v=2&en=page_view&dl=", ("_ga", 730), ("_ga_DEMO1", 730)
    )
    return kind, f"if(!window['ga-disable-{_PROPERTY}']){content.decode()}".encode(), cookies


def _ads(port: str) -> Reply:
    return _follow(f"http://ads.localhost{port}/pagead/1p?dl=", ("_gcl_au", 90))


def _facebook(port: str) -> Reply:
    return _follow(f"http://facebook.localhost{port}/tr?ev=PageView&dl=", ("_fbp", 90))


def _linkedin(port: str) -> Reply:
    return _follow(f"http://linkedin.localhost{port}/collect?fmt=gif&url=", ("li_fat_id", 30))


def _film(port: str) -> Reply:
    page = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Film</title><style>
html,body{{height:100%;margin:0}}body{{display:grid;place-items:center;background:#10211c;color:#fff;font:16px system-ui}}
button{{width:72px;height:72px;border:0;border-radius:50%;background:#a9d5c5;font-size:28px;color:#10211c}}
</style></head><body><button aria-label="Play">▶</button><script src="/iframe_api"></script>
<img src="http://youtube.localhost{port}/stats?el=embedded" alt="" hidden></body></html>"""
    return PAGE, page.encode(), ["YSC", "VISITOR_INFO1_LIVE"]


def _film_script(port: str) -> Reply:
    return _script("try{localStorage.setItem('yt-remote-device-id','demo')}catch(e){}")


def _chat(port: str) -> Reply:
    """Nobody declared this one: a widget somebody pasted in."""
    return _follow(f"http://chat.localhost{port}/hello?at=", ("chat_visitor", 365))
