"""Forms of Löfte on pages of the site: the piece of HTML it gives, fetched when a page is built and kept for a minute.

When nobody answers, the page links to the form instead. A site that is written by hand has the same piece pasted in.
"""

import asyncio
import time
from html import escape
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from demo.site import Edition

_KEPT_S = 60.0
_PATIENCE_S = 2.0
_pieces: dict[str, tuple[float, str]] = {}


def slot(form: str) -> str:
    """Where a form goes on a page that is drawn once."""
    return f"<!--form:{form}-->"


async def filled(page: bytes, edition: "Edition", form: str, origin: str) -> bytes:
    """The page with the form in its slot."""
    empty = slot(form).encode()
    return page.replace(empty, (await _piece(edition, form, origin)).encode()) if empty in page else page


async def _piece(edition: "Edition", form: str, origin: str) -> str:
    path = f"/forms/{edition.market.lower()}/{edition.locale}/{form}/"
    at, known = _pieces.get(origin + path, (0.0, ""))
    if not known or time.monotonic() - at > _KEPT_S:
        known = await asyncio.to_thread(_fetch, f"{origin}{path}embed.html")
        if known:
            _pieces[origin + path] = (time.monotonic(), known)
    if not known:
        return f'<p class="actions"><a class="button" href="{path}">{escape(edition.words["contact"]["form"])}</a></p>'
    own = f'<input type="hidden" name="page" value="{escape(edition.address("contact"))}">'
    return known.replace('<input type="hidden" name="page" value="">', own)


def _fetch(address: str) -> str:
    try:
        with urlopen(address, timeout=_PATIENCE_S) as answer:  # noqa: S310  # our own address, always http
            content: bytes = answer.read()
            return content.decode()
    except (URLError, TimeoutError, ConnectionError):
        return ""
