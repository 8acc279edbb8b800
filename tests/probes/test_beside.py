"""Checks beside the serving process: they look at the same site, and a quick one waits for nobody's browser."""

import threading
from datetime import UTC, datetime

import pytest

from lofte.probes import runner, serving
from lofte.probes.instruments import identified, pages
from lofte.probes.instruments.visitor import Seen
from lofte.probes.world import World
from lofte.rules.controls.no_identifiers_in_tags import Leak

WHO = {"email": "visitor-1@canary.example", "name": "Visitor One", "phone": "+46841234567"}


def test_what_the_serving_process_notes_is_read_beside_it(tmp_path):
    assert serving.noted(tmp_path) == {}

    serving.note(tmp_path, {"origin": "http://localhost:8123", "host_map": {"a.localhost": "a.example"}})

    assert serving.noted(tmp_path)["origin"] == "http://localhost:8123"


def test_a_quick_look_does_not_wait_for_a_browser_and_a_second_browser_does(tmp_path):
    got = []
    with runner._alone(tmp_path, "slow"):
        with runner._alone(tmp_path, "quick"):
            got.append("quick")
        other = threading.Thread(target=lambda: _take(tmp_path, got), daemon=True)
        other.start()
        other.join(0.3)
        assert got == ["quick"]
    other.join(5)

    assert got == ["quick", "slow"]


def _take(home, got):
    with runner._alone(home, "slow"):
        got.append("slow")


@pytest.mark.parametrize(
    "content, leaks",
    [
        ("https://a.example/c?v=2&dl=https%3A%2F%2Fsite%2Fse%2F", []),
        ("https://a.example/c?em=visitor-1%40canary.example", [("email", "escaped")]),
        ("https://a.example/c\nVISITOR-1@CANARY.EXAMPLE", [("email", "raw"), ("email", "normal")]),
        ("https://a.example/c\nuser=Visitor One", [("name", "raw"), ("name", "normal")]),
        ("https://a.example/c?uip=127.0.0.1", [("ip", "raw")]),
        ("https://a.example/c?em=dmlzaXRvci0xQGNhbmFyeS5leGFtcGxl", [("email", "encoded")]),
    ],
)
def test_who_typed_is_found_in_what_a_tag_was_told(content, leaks):
    found = dict.fromkeys(identified._leaks([("a.example", content)], WHO))

    assert list(found) == [Leak("a.example", field, form) for field, form in leaks]


def test_a_site_is_read_along_its_own_links_and_no_further(tmp_path, monkeypatch):
    site = {
        "/se/": '<a href="about/">.</a> <a href="https://elsewhere.example/se/x/">.</a> <a href="/console/">.</a>',
        "/se/about/": '<a href="/se/">.</a> <a href="/se/gone/#part">.</a>',
        "/no/": "",
    }
    fetched = []

    def fetch(world, address):
        fetched.append(address)
        return Seen(f"http://localhost:1{address}", 200 if address in site else 404, {}, site.get(address, "").encode())

    monkeypatch.setattr(pages, "fetch", fetch)
    markets = {"SE": _Market("/se"), "NO": _Market("/no")}
    world = World("http://localhost:1", tmp_path, _Published(markets), lambda: datetime(2026, 11, 22, tzinfo=UTC))

    assert pages.walk(world, 10) == ("/se/", "/no/", "/se/about/")
    assert set(fetched) == {"/se/", "/no/", "/se/about/", "/se/gone/"}


class _Market:
    def __init__(self, path):
        self.path = path


class _Published:
    """As much of a publication as a walk asks for."""

    def __init__(self, markets):
        self.policy = self
        self.markets = markets
