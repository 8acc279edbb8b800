"""The gate inside the site's own WSGI server, beside a running `lofte serve` or `lofte gate` on the same home.

The site's server loads `application = gated(application, home, origin)`. It only reads the home: publications and the key of the
choice. What is decided and recorded goes on being asked of Löfte: pass `/lofte/` on to it.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from lofte.edge.config import EdgeConfig
from lofte.edge.pages import Pages
from lofte.edge.subject import Tokens
from lofte.edge.verdicts import Verdicts
from lofte.evidence.publications import Publication, Shelf
from lofte.features.policy import reads
from lofte.gate.choice import Choice, choice_key, load_root_key
from lofte.gate.middleware import Gate, Mode
from lofte.gate.wsgi import ASGIApp, Wsgi, WSGIApp


def gated(site: WSGIApp, home: Path | str, origin: str, *, mode: Mode = "strict") -> Wsgi:
    """``origin`` is where visitors reach the site. Needs something published in ``home``."""
    folder = Path(home)
    key, shelf = choice_key(folder), Shelf(folder)
    verdicts = Verdicts(folder / "published" / "verdicts.json")
    pages = Pages(EdgeConfig(home=folder), shelf, Tokens(load_root_key(folder)), key, verdicts, _no_history)

    def banner(scope: Any, market: str, locale: str) -> bytes:
        return pages.offered_banner(market, locale, quote(scope["path"]))

    def make(inner: ASGIApp) -> ASGIApp:
        return Gate(
            inner, lambda: shelf.current().published, key, banner, own_hosts=[urlsplit(origin).netloc], mode=mode,
            asked_anew=lambda choice, now: reads.asked_anew(folder, choice.publication, now.digest),
        )  # fmt: skip

    return Wsgi(site, make)


async def _no_history(choice: Choice | None, publication: Publication, locale: str) -> str:
    """What was chosen before is asked of the edge."""
    return ""
