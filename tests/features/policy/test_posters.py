"""Pictures of held frames: fetched once from where the policy says, and from nowhere else."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lofte.core import outbound
from lofte.features.policy import posters
from lofte.features.policy.files import read_directory
from lofte.rules import frames
from lofte.rules.compile import assemble
from lofte.rules.model import Policy
from lofte.rules.source import read

PICTURE = b"\xff\xd8\xff\xe0" + b"\0" * 5000
ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "good": (200, {"Content-Type": "image/jpeg"}, PICTURE),
    "page": (200, {"Content-Type": "image/jpeg"}, b"<html><script>alert(1)</script></html>"),
    "drawn": (200, {"Content-Type": "image/svg+xml"}, b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "large": (200, {"Content-Type": "image/jpeg"}, PICTURE + b"\0" * posters.LARGEST_BYTES),
    "moved": (302, {"Location": "/vi/good/hqdefault.jpg"}, b""),
    "gone": (404, {}, PICTURE),
}


@pytest.fixture(scope="module")
def policy(request: pytest.FixtureRequest) -> Policy:
    files = read_directory(request.config.rootpath / "policies" / "xledger")
    return assemble(read(files), date(2026, 11, 23)).policy


@pytest.fixture(scope="module")
def source() -> Iterator[tuple[str, list[str]]]:
    """A server that answers as picture hosts do, well and badly; and what it was asked."""
    asked: list[str] = []

    class Pictures(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, body = ANSWERS[self.path.split("/")[2]]
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def want(home: Path, name: str, tag: str = "youtube") -> Path:
    folder = home / "posters" / "wanted"
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / frames.shelved_as(address(name))
    note.write_text(f"{tag}/{name}")
    return note


def address(name: str) -> str:
    return f"https://i.ytimg.com/vi/{name}/hqdefault.jpg"


def from_the_server(origin: str) -> posters.Fetch:
    return lambda wanted: outbound.get(wanted.replace("https://i.ytimg.com", origin), also=frozenset({"127.0.0.1"}))


def test_a_picture_is_fetched_once_and_kept(
    tmp_path: Path, policy: Policy, source: tuple[str, list[str]]
) -> None:  # fmt: skip
    origin, asked = source
    asked.clear()
    note = want(tmp_path, "good")
    now = datetime.now(UTC)
    assert posters.fetch_wanted(tmp_path, policy, now, from_the_server(origin)) == 1
    assert (tmp_path / "posters" / frames.shelved_as(address("good"))).read_bytes() == PICTURE
    assert not note.exists()
    assert posters.fetch_wanted(tmp_path, policy, now, from_the_server(origin)) == 0
    assert asked == ["/vi/good/hqdefault.jpg"]


@pytest.mark.parametrize("name", ["page", "drawn", "large", "moved", "gone"])
def test_nothing_but_a_small_picture_from_the_source_itself_is_kept(
    tmp_path: Path, policy: Policy, source: tuple[str, list[str]], name: str
) -> None:  # fmt: skip
    origin, asked = source
    asked.clear()
    want(tmp_path, name)
    now = datetime.now(UTC)
    assert posters.fetch_wanted(tmp_path, policy, now, from_the_server(origin)) == 0
    assert asked == [f"/vi/{name}/hqdefault.jpg"]  # a redirect is not followed
    assert [each for each in (tmp_path / "posters").iterdir() if each.is_file()] == []
    refused = tmp_path / "posters" / "failed" / frames.shelved_as(address(name))
    assert refused.exists()
    posters.fetch_wanted(tmp_path, policy, now + timedelta(days=1, minutes=1), from_the_server(origin))
    assert not refused.exists()


@pytest.mark.parametrize(("tag", "name"), [("ga4", "good"), ("youtube", "../good"), ("nobody", "good")])
def test_only_what_the_policy_names_is_fetched(tmp_path: Path, policy: Policy, tag: str, name: str) -> None:
    folder = tmp_path / "posters" / "wanted"
    folder.mkdir(parents=True)
    (folder / "0").write_text(f"{tag}/{name}")

    def fetch(wanted: str) -> outbound.Answer:
        raise AssertionError(f"{wanted} was asked for")

    assert posters.fetch_wanted(tmp_path, policy, datetime.now(UTC), fetch) == 0
    assert list(folder.iterdir()) == []


def test_a_source_inside_the_private_network_is_not_reached(
    tmp_path: Path, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """The name is public, the address it resolves to is not."""

    def connect(**_: Any) -> None:
        raise AssertionError("it was connected to")

    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", 443))])
    monkeypatch.setattr(outbound.httpx2, "Client", connect)
    want(tmp_path, "good")
    assert posters.fetch_wanted(tmp_path, policy, datetime.now(UTC)) == 0
    assert (tmp_path / "posters" / "failed").is_dir()
