"""A long page on its way: cut anywhere, packed anyhow, it comes out as if it had been read whole."""

import gzip
import random
import re
import resource
import zlib
from dataclasses import replace

import brotli
import pytest

from lofte.gate import ConsentState, Declarations, encodings, middleware, pieces
from lofte.gate.document import View, hold
from lofte.gate.pieces import Pieces
from lofte.gate.placeholders import Placeholders

IMAGE = b'<img src="//count.test/p">'
# What makes a reader lose its place: each is begun somewhere, ended somewhere else, and has bait in it.
PARTS = [
    IMAGE, IMAGE, *b"""<p title='|<p title="|'>|">|<!--|-->|--!>|<script>|<script type=x>|</script>|<!--<script>|<style>|</style>
|<textarea>|</textarea>|<noscript>|</noscript>|<svg>
|<svg><path d=1 /></svg>|</svg>|<svg><foreignObject>|<math>|<select>|</select>|<title>|</title>
|<|</|<!|<?x|>|=| |x|<a b|<iframe src=//count.test/f>|</iframe>|own()|@import '//ads.test/x';|<img srcset='//ads.test/a 1x
|<noscript><img alt='|<link rel=preconnect href=//ads.test>|<plaintext>|</body>""".replace(b"\n", b"").split(b"|"),
]  # fmt: skip


@pytest.fixture
def view(published) -> View:
    declarations = Declarations(published, "SE", {})
    state = ConsentState(declarations, frozenset({"necessary"}), frozenset())
    return View(state, "small.se", "n", "/p", Placeholders(published, "SE", "sv", b"k" * 32, {}))


def in_pieces(page: bytes, view: View, cuts: list[int]) -> bytes:
    reader, out, before = Pieces(), [], None
    for start, end in zip([0, *cuts], [*cuts, len(page)], strict=True):
        piece = reader.feed(page[start:end], is_last=end == len(page))
        held = hold(piece, view, before)
        held.most_inline = 64
        reader.context, before = held.context, held
        out.append(held.bytes())
    return b"".join(out)


def test_a_page_cut_anywhere_is_held_as_if_it_were_whole(view, monkeypatch):
    monkeypatch.setattr(pieces, "_AT_LEAST", 1)
    draw = random.Random(20261123)
    view = replace(view, own_inline=frozenset())
    for _ in range(3000):
        page = b"".join(draw.choices(PARTS, k=draw.randint(1, 14)))
        cuts = sorted(draw.sample(range(1, len(page)), min(len(page) - 1, draw.randint(0, 6)))) if len(page) > 1 else []
        whole = hold(page, view).bytes()

        assert strip(in_pieces(page, view, cuts)) == strip(whole), (page, cuts)


def strip(page: bytes) -> bytes:
    """Inline scripts beyond the headers are held, and known only there."""
    return re.sub(rb" type=text/plain data-lofte-held(?:=[a-z~]+)?", b"", page)


def long_page(tail: bytes = b"") -> bytes:
    item = b"<p class=a>" + b"x" * 80 + b"</p>\n"
    return b"<!doctype html><html><head><title>x</title></head><body>" + item * 15000 + tail + b"</body></html>"


@pytest.mark.parametrize(
    ("name", "pack"),
    [("", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress)],
    ids=["plain", "gzip", "deflate", "br"],
)
def test_a_long_page_leaves_before_it_is_whole_and_is_held_to_its_end(visit, name, pack):
    tail = IMAGE + b"<script>late()</script><script src='//ads.test/a'></script>"
    answer = visit(
        pack(long_page(tail)),
        answer=[(b"content-type", b"text/html; charset=utf-8"), (b"content-encoding", name.encode())],
        chunks=20,
    )

    assert len([m for m in answer.messages if m.get("body")]) > 1
    assert "content-length" not in answer.headers
    assert b'<img data-lofte-held=statistics data-lofte-src="//count.test/p">' in answer.body
    assert b"<script type=text/plain data-lofte-held>late()</script>" in answer.body
    assert answer.body.count(b'id="lofte-settings"') == 1
    assert answer.body.count(b'data-lofte="guard"') == 1


def test_a_late_inline_script_runs_by_the_nonce_the_site_was_given(visit, monkeypatch):
    monkeypatch.setattr(middleware.secrets, "token_urlsafe", lambda size: "given")

    answer = visit(long_page(b"<script nonce=given>late()</script>"), chunks=20)

    assert b"<script nonce=given>late()</script>" in answer.body
    assert "'nonce-given'" in answer.headers["content-security-policy"]


def test_a_long_page_in_another_alphabet_is_turned_as_it_comes(visit):
    page = long_page("<p>räksmörgås</p>".encode()).decode().encode("utf-16")

    answer = visit(page, answer=[(b"content-type", b"text/html; charset=utf-16")], chunks=97)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<p>räksmörgås</p>".encode() in answer.body


def test_a_token_that_never_ends_becomes_text(monkeypatch, view):
    monkeypatch.setattr(pieces, "MOST_WAITING", 100_000)
    page = b"<p>a</p><img title='" + b"x" * 400_000 + IMAGE + b"<p>" * 50_000
    reader = Pieces()
    out = b"".join(reader.feed(page[at : at + 50_000]) for at in range(0, len(page), 50_000))

    assert out.startswith(b"<p>a</p>&lt;img title='")


def test_a_page_packed_a_thousandfold_is_unpacked_piece_by_piece():
    for name, packed in (
        (b"gzip", gzip.compress(bytes(50_000_000))),
        (b"br", brotli.compress(bytes(50_000_000), quality=3)),
    ):
        unpacker = encodings.Unpacker(name)
        sizes = [len(piece) for piece in unpacker.feed(packed)]
        unpacker.end()

        assert sum(sizes) == 50_000_000
        assert max(sizes) <= 1_000_000


def test_fifty_megabytes_pass_in_little_memory(visit):
    page = long_page()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    packed = gzip.compress(b"<body>" + page[60:] * 40, 1)
    del page
    pressed = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    answer = visit(packed, answer=[(b"content-type", b"text/html"), (b"content-encoding", b"gzip")], chunks=200)

    assert len(answer.body) > 50_000_000
    assert max(len(m.get("body", b"")) for m in answer.messages) < 3_000_000
    assert pressed >= 0


@pytest.mark.parametrize("name", [b"gzip", b"br", b"deflate"])
def test_a_page_that_is_not_packed_as_it_says_is_passed_on_as_it_came(visit, name):
    answer = visit(b"plain", answer=[(b"content-type", b"text/html"), (b"content-encoding", name)])

    assert answer.body == b"plain"
    assert answer.held == {("unreadable", "encoding")}


def test_a_piece_of_a_page_that_was_asked_for_passes_as_it_is(visit):
    answer = visit(IMAGE, status=206, answer=[(b"content-type", b"text/html"), (b"content-range", b"bytes 0-25/99")])

    assert answer.body == IMAGE
    assert "content-security-policy" in answer.headers
