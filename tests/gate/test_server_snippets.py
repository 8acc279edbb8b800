"""The web-server files of the how-to, taken out of it and run: each ends TLS in front of a real `lofte gate` with a site behind.

Only ports, certificates and folders are other than written there.
"""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lofte.evidence.log import open_log
from lofte.features.policy.files import read_directory
from lofte.features.policy.verbs import publish
from lofte.gate.choice import Choice, choice_key, encode, shown

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
HOWTO = ROOT / "docs" / "howto" / "put-the-gate-in-front-of-your-site.md"
PAGE = b'<!doctype html><html lang=sv><head><title>Plain</title></head><body><img src="https://www.facebook.com/p"></body></html>'
KEPT = "/se/kept"
VISITOR = "127.0.0.9"  # not the proxy's address, so that the two can be told apart
MODULES = ("mpm_event", "authz_core", "socache_shmcb", "ssl", "headers", "proxy", "proxy_http")


class _Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kept_asked = 0

    def do_GET(self) -> None:
        if self.path == "/ws":
            self._echo()
        elif self.path == "/clip.mp4":
            self._answer(206, "video/mp4", b"bcd", ("Content-Range", "bytes 1-3/9"), ("X-Range", self.headers["Range"]))
        elif self.path.startswith("/asked/"):
            told = {name.lower(): value for name, value in self.headers.items()}
            self._answer(200, "application/json", json.dumps({"target": self.path, **told}).encode())
        else:
            type(self).kept_asked += self.path == KEPT  # the gate's own probes ask for others
            self._page()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, "text/plain", b"%d" % len(body))

    def _answer(self, status: int, content_type: str, body: bytes, *more: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", content_type), ("Content-Length", str(len(body))), *more):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _page(self) -> None:
        """In two chunks."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Cache-Control", "public, max-age=60")
        self.send_header("Set-Cookie", "_gcl_au=1; Path=/; Max-Age=9999")
        self.send_header("X-Own", "1")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (PAGE[:50], PAGE[50:], b""):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.flush()

    def _echo(self) -> None:
        self.connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        with suppress(OSError):
            while piece := self.connection.recv(65536):
                self.connection.sendall(piece)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """The tests look at the answers."""


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", HOWTO.read_text(), re.DOTALL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed (Debian: apt-get install openssl)")
    folder = tmp_path_factory.mktemp("tls")
    crt, key = folder / "example.crt", folder / "example.key"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-nodes"]
    files = ["-newkey", "rsa:2048", "-keyout", str(key), "-out", str(crt)]
    subprocess.run(["openssl", "req", "-x509", *subject, *files], check=True, capture_output=True)
    return crt, key


@contextmanager
def running(command: list[str], folder: Path, port: int, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A server of its own process group, until the end of the block; what it said is told when it does not listen."""
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said, start_new_session=True)
    try:
        end = time.monotonic() + 90
        while True:
            assert process.poll() is None, (folder / "said").read_text()
            assert time.monotonic() < end, (folder / "said").read_text()
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """``with gated(front, mode) as gate``: `lofte gate` behind the port `front`, with the site behind it."""

    @contextmanager
    def run(front: int, mode: str) -> Iterator[SimpleNamespace]:
        home = tmp_path_factory.mktemp("gated")
        log = open_log(home / "evidence.sqlite3", home / "keys", "localhost/log", lambda: datetime.now(UTC))
        published = publish(read_directory(ROOT / "policies" / "xledger"), home, log, datetime.now(UTC))
        log.close()
        port = free_port()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOFTE_", "DJANGO_"))}
        options = {
            "home": home, "port": port, "origin": f"https://localhost:{front}", "mode": mode,
            "behind-proxy": "127.0.0.1", "upstream": f"http://127.0.0.1:{site.server_port}",
        }  # fmt: skip
        command = [sys.executable, "-m", "lofte.cli.main", "gate", *(f"--{k}={v}" for k, v in options.items())]
        with running(command, home, port, clean):
            yield SimpleNamespace(port=port, home=home, published=published)

    site = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    yield run
    site.shutdown()
    site.server_close()


def cookies(gate: SimpleNamespace, *granted: str) -> str:
    """What the browser of somebody who has chosen sends."""
    digest = gate.published.digest
    choice = Choice("subject", frozenset(granted), digest[:16], 1)
    return f"lofte={encode(choice, choice_key(gate.home))}; lofte_on={shown(choice, digest)}"


def put_in(text: str, changes: dict[str, Any]) -> str:
    """Each word that is other here than in the document is in it."""
    for written, meant in changes.items():
        assert written in text, f"the how-to no longer says {written!r}"
        text = text.replace(written, str(meant))
    return text


def nginx(folder: Path, config: str) -> list[str]:
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    whole = (
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr;\n{user}events {{}}\n"
        f"http {{\naccess_log off;\n{folders}{config}\n}}\n"
    )
    (folder / "nginx.conf").write_text(whole)
    return [_installed("nginx", "nginx-light"), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, config: str) -> list[str]:
    (folder / "Caddyfile").write_text("{\n    admin off\n    auto_https disable_redirects\n}\n" + config)
    return [_installed("caddy", "caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def apache(folder: Path, config: str) -> list[str]:
    loaded = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in MODULES)
    user = "User nobody\nGroup nogroup\n" if os.geteuid() == 0 else ""
    # The document's port is one among the system's; here the host listens on its own.
    listen = re.search(r"<VirtualHost (\S+)>", config)
    assert listen
    own = f'ServerRoot "{folder}"\nDefaultRuntimeDir "{folder}"\nPidFile pid\nErrorLog error\nMutex file:{folder}\n'
    (folder / "apache.conf").write_text(f"ServerName localhost\nListen {listen[1]}\n{loaded}{own}{user}{config}")
    return [_installed("apache2", "apache2-bin"), "-DFOREGROUND", "-f", str(folder / "apache.conf")]


def _installed(program: str, package: str) -> str:
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not found:
        pytest.skip(f"{program} is not installed (Debian: apt-get install {package})")
    return found


def documented(server: str, certificate: tuple[Path, Path], front: int, behind: int, cache: Path | None = None) -> str:
    """The document's file for a server, with this test's ports and certificate in it."""
    crt, key = certificate
    upstream = {"127.0.0.1:8000": f"127.0.0.1:{behind}"}
    files = {"/etc/ssl/example.crt": crt, "/etc/ssl/example.key": key}
    if server == "caddy":
        site = f"https://localhost:{front} {{\n    bind 127.0.0.1\n    tls {crt} {key}"
        return put_in(snippets("caddy")[0], {**upstream, "www.example.com {": site})
    if server == "apache":
        return put_in(snippets("apache")[0], {**upstream, **files, "*:443": f"127.0.0.1:{front}"})
    whole, store, lines = snippets("nginx")
    whole = put_in(whole, {**upstream, **files, "443 ssl": f"127.0.0.1:{front} ssl"})
    if cache is None:
        return whole
    store = put_in(store, {"/var/cache/nginx/example": cache})
    return store + put_in(whole, {"location / {\n": f"location / {{\n{lines}"})


SERVERS = {"nginx": nginx, "caddy": caddy, "apache": apache}


@pytest.fixture(scope="module")
def asking(certificate: tuple[Path, Path]) -> Callable[..., Any]:
    """``asking(front)``: a visitor of the server at that port, who believes its certificate."""
    trust = ssl.create_default_context(cafile=str(certificate[0]))

    def visitor(front: int) -> Callable[..., Any]:
        def ask(target: str, method: str = "GET", body: bytes | None = None, **headers: str) -> SimpleNamespace:
            connection = HTTPSConnection("localhost", front, timeout=20, source_address=(VISITOR, 0), context=trust)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            try:
                connection.request(method, target, body, {"Sec-Fetch-Dest": "document", **named})
                answer = connection.getresponse()
                return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())
            finally:
                connection.close()

        return ask

    return visitor


@pytest.fixture(scope="module", params=SERVERS)
def front(
    request: Any, certificate: Any, gated: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimpleNamespace]:
    """Each documented server in turn, in front of a strict gate: its ``port``, and the ``gate``."""
    folder, port = tmp_path_factory.mktemp(request.param), free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    SERVERS[request.param](folder, "# is it installed?" if request.param != "apache" else "<VirtualHost *:1>")
    with gated(port, "strict") as gate:
        command = SERVERS[request.param](folder, documented(request.param, certificate, port, gate.port))
        with running(command, folder, port, environment):
            yield SimpleNamespace(port=port, gate=gate)


def test_a_page_is_held_and_its_own_headers_reach_the_visitor(front, asking):
    page = asking(front.port)("/se/")

    assert page.status == 200
    assert b'data-lofte-src="https://www.facebook.com/p"' in page.body
    assert b' src="https://www.facebook.com' not in page.body
    assert b'data-lofte="guard"' in page.body
    assert (page.headers["X-Own"], page.headers["Cache-Control"]) == ("1", "private, no-cache")
    assert "facebook" not in page.headers["Content-Security-Policy"]
    assert page.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert "_gcl_au=1" not in str(page.headers)
    assert page.headers["Strict-Transport-Security"]  # the gate knows that the visitor came by https


def test_the_long_headers_of_somebody_who_allows_everything_pass(front, asking):
    purposes = {tag.purpose for tag in front.gate.published.policy.tags.values()}

    page = asking(front.port)("/se/", Cookie=cookies(front.gate, *purposes))

    assert page.status == 200
    assert " www.facebook.com" in page.headers["Content-Security-Policy"]


def test_the_site_is_told_who_asked_for_what_and_how(front, asking):
    answer = asking(front.port)("/asked/a%2Fb%20c?d=%2F", X_Forwarded_For="6.6.6.6", X_Forwarded_Proto="http")

    told = json.loads(answer.body)
    assert told["target"] == "/asked/a%2Fb%20c?d=%2F"
    assert told["host"] == told["x-forwarded-host"] == f"localhost:{front.port}"
    assert (told["x-forwarded-for"], told["x-forwarded-proto"]) == (VISITOR, "https")


def test_ranges_and_uploads_pass(front, asking):
    clip = asking(front.port)("/clip.mp4", Sec_Fetch_Dest="video", Range="bytes=1-3")
    upload = asking(front.port)("/upload", "POST", b"x" * 3_000_000)

    assert (clip.status, clip.body, clip.headers["X-Range"]) == (206, b"bcd", "bytes=1-3")
    assert clip.headers["Content-Range"] == "bytes 1-3/9"
    assert (upload.status, upload.body) == (200, b"3000000")


def test_a_websocket_passes(front, certificate):
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    with (
        socket.create_connection(("127.0.0.1", front.port), 20) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as visitor,
    ):
        visitor.sendall(
            f"GET /ws HTTP/1.1\r\nHost: localhost:{front.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head and (piece := visitor.recv(65536)):
            head += piece
        assert head.startswith(b"HTTP/1.1 101 "), head
        visitor.sendall(b"frame")
        assert visitor.recv(100) == b"frame"


def test_nginx_may_keep_pages_in_front_of_soft_mode(certificate, gated, asking, tmp_path, monkeypatch):
    front = free_port()
    monkeypatch.setattr(_Site, "kept_asked", 0)
    nginx(tmp_path, "")
    with gated(front, "soft") as gate:
        config = documented("nginx", certificate, front, gate.port, cache=tmp_path / "cache")
        with running(nginx(tmp_path, config), tmp_path, front):
            ask = asking(front)
            newcomer = ask(KEPT)
            everything = ask(KEPT, Cookie=cookies(gate, "statistics", "marketing"))
            little = ask(KEPT, Cookie=cookies(gate, "statistics"))
            asked_for_all = _Site.kept_asked
            private = ask(KEPT, Sec_GPC="1")

    assert newcomer.status == 200
    assert newcomer.body == everything.body == little.body
    assert b"data-lofte-src" in newcomer.body
    assert newcomer.headers["Content-Security-Policy"] == everything.headers["Content-Security-Policy"]
    assert asked_for_all == 1  # the others came out of the cache
    assert _Site.kept_asked == 2
    assert private.headers["Server-Timing"] == "gpc"
