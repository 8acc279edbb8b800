"""A real server in front, a raw socket behind: what a site may say, said by the byte."""

import asyncio
import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn

from lofte.edge.serving import server_config
from lofte.gate import Gate
from lofte.gate.upstream import Upstream, origin_of
from lofte.kernel.problems import Problem

Say = Callable[[socket.socket, bytes], None]


class Raw:
    """A site of bytes: ``says(connection, head)`` is given each request's head, and writes what it likes."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heads: list[bytes] = []
        self.says: Say = lambda connection, head: None
        self.ended = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := connection.recv(65536)):
                    return
                head += piece
            self.heads.append(head)
            self.says(connection, head)
        self.ended.set()


@pytest.fixture
def raw() -> Iterator[Raw]:
    site = Raw()
    yield site
    site.listener.close()


@pytest.fixture
def front(raw, published) -> Iterator[int]:
    """The port of a gate in front of the raw site."""
    site = Upstream(f"http://127.0.0.1:{raw.port}", patience_s=0.5)
    gate: Any = Gate(site, lambda: published, b"k" * 32, lambda scope, market, locale: b"")
    config = server_config(gate, "127.0.0.1", 0)
    config.ws = site.tunnel(lambda name: name == b"session")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(5)


def ask(port: int, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """One request as it stands; status, headers, and the body with its chunks taken off."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        lines = head + "\r\nhost: small.se\r\nconnection: close\r\n\r\n"
        connection.sendall(lines.encode() + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    top, _, rest = answer.partition(b"\r\n\r\n")
    first, *pairs = top.decode("latin-1").split("\r\n")
    headers = dict(pair.lower().split(": ", 1) for pair in pairs)
    if headers.get("transfer-encoding") == "chunked":
        rest = _joined(rest)
    return int(first.split()[1]), headers, rest


def _joined(chunks: bytes) -> bytes:
    whole = b""
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        whole += chunks[: int(size, 16)]
        chunks = chunks[int(size, 16) + 2 :]
    return whole


def plain(answer: bytes) -> Say:
    return lambda connection, head: connection.sendall(answer)


def test_a_chunked_and_packed_page_is_held(raw, front):
    packed = gzip.compress(b'<body><img src="//count.test/p"></body>')
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (packed[:7], packed[7:])) + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"
    raw.says = plain(head + chunks)

    status, headers, body = ask(front, "GET /se/ HTTP/1.1\r\nsec-fetch-dest: document")

    assert (status, "content-encoding" in headers) == (200, False)
    assert b"data-lofte-src" in body


def test_what_is_no_page_goes_through_as_it_came(raw, front):
    packed = gzip.compress(b"own()")
    raw.says = plain(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/javascript\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b"
        % (len(packed), packed)
    )

    _, headers, body = ask(front, "GET /a.js HTTP/1.1\r\naccept-encoding: gzip")

    assert (headers["content-encoding"], headers["content-length"], body) == ("gzip", str(len(packed)), packed)


@pytest.mark.parametrize(
    "coding", ["zstd", "Compress", "gzip, zstd", "gzip\r\ncontent-encoding: zstd"], ids=lambda c: c.replace("\r\n", " ")
)
@pytest.mark.parametrize("target", ["document", "iframe", "empty"])
def test_a_page_packed_as_nobody_asked_is_not_shown(raw, front, coding, target):
    head = f"HTTP/1.1 200 OK\r\ncontent-type: Text/HTML\r\ncontent-encoding: {coding}\r\ncontent-length: 6\r\n\r\n"
    raw.says = plain(head.encode() + b"packed")

    status, headers, body = ask(front, f"GET /se/ HTTP/1.1\r\nsec-fetch-dest: {target}\r\naccept-encoding: zstd")

    assert (status, headers["cache-control"].partition(",")[0]) == (502, "no-store")
    assert "content-encoding" not in headers
    assert "går inte att läsa" in body.decode()
    assert b"packed" not in body


@pytest.mark.parametrize(
    ("accepted", "asked"),
    [
        ("gzip, deflate, br, zstd", "gzip, deflate, br"),
        ("zstd;q=1, br;q=0.5, *;q=0.1", "br;q=0.5"),
        ("zstd, dcz", "identity"),
        ("identity;q=0, GZIP", "identity;q=0, GZIP"),
    ],
)
def test_a_site_is_asked_for_nothing_packed_unreadably(raw, front, accepted, asked):
    raw.says = plain(b"HTTP/1.1 204 No Content\r\n\r\n")

    ask(front, f"GET /part HTTP/1.1\r\nsec-fetch-dest: empty\r\naccept-encoding: {accepted}")

    assert f"\r\naccept-encoding: {asked}\r\n".encode() in raw.heads[0]


def test_other_things_may_be_packed_as_the_site_likes(raw, front):
    raw.says = plain(
        b"HTTP/1.1 200 OK\r\ncontent-type: font/woff\r\ncontent-encoding: zstd\r\ncontent-length: 3\r\n\r\nabc"
    )

    assert ask(front, "GET /a.woff HTTP/1.1\r\nsec-fetch-dest: font")[2] == b"abc"


@pytest.mark.parametrize(
    ("asked", "answer", "status", "header", "body"),
    [
        ("HEAD /a.png", b"200 OK\r\ncontent-length: 12345", 200, ("content-length", "12345"), b""),
        ("GET /a.png", b"304 Not Modified\r\netag: x", 304, ("etag", "x"), b""),
        (
            "GET /a.mp4",
            b"206 Partial Content\r\ncontent-range: bytes 1-3/9\r\ncontent-length: 3",
            206,
            ("content-range", "bytes 1-3/9"),
            b"abc",
        ),
    ],
)
def test_heads_ranges_and_not_modified_keep_their_meaning(raw, front, asked, answer, status, header, body):
    raw.says = plain(b"HTTP/1.1 " + answer + b"\r\n\r\n" + body)

    got = ask(front, f"{asked} HTTP/1.1\r\nsec-fetch-dest: image\r\nrange: bytes=1-3\r\nif-none-match: x")

    assert (got[0], got[1][header[0]], got[2]) == (status, header[1], body)
    assert b"range: bytes=1-3" in raw.heads[0]


def test_headers_of_one_connection_stay_on_it(raw, front):
    raw.says = plain(
        b"HTTP/1.1 200 OK\r\nconnection: x-own\r\nx-own: 1\r\nkeep-alive: 5\r\nx-kept: 1\r\ncontent-length: 0\r\n\r\n"
    )

    head = "GET /a?b=%2f&c HTTP/1.1\r\nte: trailers\r\nx-forwarded-for: 6.6.6.6\r\nproxy-authorization: secret"
    _, headers, _ = ask(front, head)

    sent = raw.heads[0].lower()
    assert sent.startswith(b"get /a?b=%2f&c http/1.1\r\nhost: small.se\r\n")
    assert b"x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: small.se" in sent
    assert not any(word in sent for word in (b"6.6.6.6", b"secret", b"trailers"))
    assert "x-kept" in headers
    assert not {"x-own", "keep-alive"} & headers.keys()


def test_a_body_reaches_the_site_whole(raw, front):
    got = bytearray()

    def says(connection: socket.socket, head: bytes) -> None:
        got.extend(head.partition(b"\r\n\r\n")[2])
        while len(got) < 300_000:
            got.extend(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    raw.says = says

    assert ask(front, "POST /form HTTP/1.1\r\ncontent-length: 300000", b"x" * 300_000)[0] == 204
    assert got == b"x" * 300_000


def test_an_event_stream_is_passed_on_as_it_is_said(raw, front):
    heard = threading.Event()

    def says(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n")
        heard.wait(5)
        connection.sendall(b"data: 2\n\n")

    raw.says = says
    with socket.create_connection(("127.0.0.1", front), 5) as visitor:
        visitor.sendall(b"GET /events HTTP/1.1\r\nhost: small.se\r\n\r\n")
        answer = b""
        while b"data: 1" not in answer:
            answer += visitor.recv(65536)
        heard.set()
        while b"data: 2" not in answer:
            answer += visitor.recv(65536)


def test_the_site_need_not_go_on_for_a_visitor_who_left(raw, front):
    def says(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        assert connection.recv(1) == b""

    raw.says = says
    with socket.create_connection(("127.0.0.1", front), 5) as visitor:
        visitor.sendall(b"GET /events HTTP/1.1\r\nhost: small.se\r\n\r\n")
        visitor.recv(100)

    assert raw.ended.wait(0.4)  # sooner than the site's silence would end it


@pytest.mark.parametrize(
    ("says", "status", "words"),
    [
        (lambda connection, head: time.sleep(1), 504, "Webbplatsen svarar för långsamt"),
        (lambda connection, head: None, 502, "Webbplatsen svarar inte"),
        (plain(b"what?\r\n\r\n"), 502, "Webbplatsen svarar inte"),
    ],
    ids=["silent", "closing", "babbling"],
)
def test_a_slow_or_broken_site_is_explained_on_one_page(raw, front, says, status, words):
    raw.says = says

    got, headers, body = ask(front, "GET /se/ HTTP/1.1\r\naccept: text/html")

    assert (got, headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert words in body.decode()
    assert b'lang="sv"' in body


def test_a_site_that_is_away_is_explained_in_the_language_of_the_place(raw, front):
    raw.listener.close()

    status, _, body = ask(front, "GET /us/ HTTP/1.1\r\naccept: text/html")

    assert status == 502
    assert b"The site is not answering" in body


def test_an_answer_that_breaks_off_does_not_look_whole(raw, front):
    raw.says = plain(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 100\r\n\r\nhalf")

    _, headers, body = ask(front, "GET /a.png HTTP/1.1")

    assert headers["content-length"] == "100"
    assert len(body) < 100


def test_a_websocket_is_joined_and_sets_no_cookie_nobody_allowed(raw, front):
    def says(connection: socket.socket, head: bytes) -> None:
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"set-cookie: session=1\r\nset-cookie: _ads=1\r\n\r\n"
        )
        while piece := connection.recv(65536):
            connection.sendall(piece)

    raw.says = says
    with socket.create_connection(("127.0.0.1", front), 5) as visitor:
        visitor.sendall(
            b"GET /ws HTTP/1.1\r\nhost: small.se\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-key: x\r\nsec-websocket-version: 13\r\n\r\n"
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += visitor.recv(65536)
        visitor.sendall(b"echo" * 50_000)
        got = b""
        while len(got) < 200_000:
            got += visitor.recv(65536)

    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"session=1" in head
    assert b"_ads" not in head
    assert got == b"echo" * 50_000
    assert b"upgrade: websocket" in raw.heads[0].lower()


@pytest.mark.parametrize(
    "address", ["small.se", "ftp://small.se", "http://", "http://a/b", "http://u:p@a", "http://a:x"]
)
def test_an_upstream_is_an_origin(address):
    with pytest.raises(Problem, match="no address of a site"):
        origin_of(address)
