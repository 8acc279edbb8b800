"""What held frames ask of us: the kept picture (`/lofte/poster/...`) and one frame for once (`/lofte/frame`).

`/lofte/frame` is a page of ours with a policy of its own that lets in the hosts of one declared tag. So *load once*
needs neither a wider policy for the page around it nor a reload, and no other page of the site changes.
"""

from collections.abc import Mapping
from contextlib import suppress
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from lofte.edge.answers import HTML, NO_STORE, Frozen, Header, Send, answer, inline_hashes
from lofte.edge.requests import Request
from lofte.evidence.publications import Shelf
from lofte.gate.placeholders import Posters
from lofte.kernel.problems import Problem
from lofte.rules import frames

_KEPT = b"public, max-age=86400"
_MOST_WANTED = 500  # not yet fetched; whoever comes later asks again
_IN_MEMORY = 64
_BLANK = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
_PAGE = (
    '<!doctype html><html><head><meta charset="utf-8"><title>{title}</title><style>html,body,iframe{{display:block;'
    "width:100%;height:100%;margin:0;border:0;overflow:hidden}}</style></head><body>"
    '<iframe src="{src}" title="{title}" allow="autoplay; fullscreen; encrypted-media; picture-in-picture" '
    'allowfullscreen referrerpolicy="strict-origin-when-cross-origin"></iframe></body></html>'
)


class Frames:
    """``host_map``: stand-in host, with its port -> declared host."""

    def __init__(self, home: Path, shelf: Shelf, choice_key: bytes, host_map: Mapping[str, str]) -> None:
        self._folder = home / "posters"
        self._shelf, self._posters = shelf, Posters(choice_key)
        self._hosts = {host.partition(":")[0].lower(): meant.lower() for host, meant in host_map.items()}
        self._kept: dict[str, Frozen] = {}

    async def poster(self, request: Request, send: Send, tag: str, signed: str) -> int:
        """The kept picture; a blank one while it has yet to be fetched, which the duty `posters.fetch` does."""
        name = self._posters.read(tag, signed)
        source = frames.poster_of(self._shelf.current().published.policy, tag, name) if name else None
        if source is None:
            raise Problem("poster.missing", "there is no such picture", status=404)
        file = frames.shelved_as(source)
        found = self._kept.get(file) or self._read(file)
        if found is not None:
            return await found.answer(send, request.headers, request.is_head)
        self._want(file, f"{tag}/{name}")
        await answer(send, 200, _BLANK, b"image/svg+xml", [(b"cache-control", NO_STORE)], request.is_head)
        return 200

    async def frame(self, request: Request, send: Send) -> int:
        """One frame of a declared tag, in a page that our own script has just put into a page of ours."""
        headers = request.headers
        if headers.get(b"sec-fetch-dest", b"iframe") != b"iframe" or headers.get(
            b"sec-fetch-site", b"same-origin"
        ) not in (b"same-origin",):
            raise Problem("frame.elsewhere", "this page is only shown inside a page of this site", status=403)
        address, hosts, title = self._resolved(request.query("src"))
        page = _PAGE.format(src=escape(address), title=escape(title)).encode()
        styles = "".join(f" '{source}'" for source in inline_hashes(page))
        policy = (
            f"default-src 'none'; style-src{styles}; frame-src {' '.join(hosts)}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'self'"
        )
        shown: list[Header] = [(b"content-security-policy", policy.encode()), (b"cache-control", NO_STORE)]
        await answer(send, 200, page, HTML, shown, request.is_head)
        return 200

    def _resolved(self, wanted: str) -> tuple[str, list[str], str]:
        """The address to load, the sources its policy needs, and a name for it. Raises Problem for what nobody declared."""
        policy = self._shelf.current().published.policy
        try:
            parts = urlsplit(wanted)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            host, port, parts = "", None, urlsplit("")
        stands_for = self._hosts.get(host)
        tags = frames.tags_of_host(policy, stands_for or host)
        allowed = ("http", "https") if stands_for else ("https",)
        if not tags or parts.scheme not in allowed or parts.username is not None:
            raise Problem("frame.undeclared", "no policy of this site declares this frame", status=403)
        if stands_for:
            stand_ins = [f"{seen}:*" for seen, meant in self._hosts.items() if frames.tags_of_host(policy, meant)]
            return wanted, stand_ins, tags[0].name
        known = frames.known(policy, wanted)
        sources = sorted({f"https://{pattern}" for tag in tags for pattern in tag.hosts})
        netloc = host if port in (None, 443) else f"{host}:{port}"
        address = parts._replace(netloc=netloc, fragment="").geturl()
        if known and known.loads:
            joint = "&" if "?" in known.loads else "?"
            address = known.loads + (f"{joint}{parts.query}" if parts.query else "")
        return address, sources, tags[0].name

    def _read(self, file: str) -> Frozen | None:
        with suppress(FileNotFoundError):
            content = (self._folder / file).read_bytes()
            if kind := frames.picture_type(content):
                while len(self._kept) >= _IN_MEMORY:
                    del self._kept[next(iter(self._kept))]
                made = self._kept[file] = Frozen(content, kind.encode(), _KEPT)
                return made
        return None

    def _want(self, file: str, what: str) -> None:
        wanted, failed = self._folder / "wanted", self._folder / "failed"
        if (wanted / file).exists() or (failed / file).exists():
            return
        wanted.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in wanted.iterdir()) < _MOST_WANTED:
            (wanted / file).write_text(what, encoding="ascii")
