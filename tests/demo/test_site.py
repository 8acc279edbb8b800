"""The company site without a browser: five whole editions, and a switch that keeps nothing unasked."""

import asyncio
import re
from typing import Any

import pytest
from demo.hosts import host_map
from demo.site import EDITIONS, PAGES, addresses, content, site
from demo.standins import stand_ins

from demo import forms

CONTACTS = [(edition, edition.address("contact")) for edition in EDITIONS]


def ask(path: str, method: str = "GET", body: bytes = b"", cookie: bytes = b"") -> tuple[int, dict[str, str], str]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost:8000"), (b"cookie", cookie)]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
    asyncio.run(site(scope, receive, send))
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, sent[1]["body"].decode()


def shape(value: Any) -> Any:
    """The keys of nested content, and how many items lists have."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("locale", ["nb", "fi", "en-GB", "en-US"])
def test_every_edition_says_as_much_as_the_swedish_one(locale):
    assert shape(content(locale)) == shape(content("sv"))


@pytest.mark.parametrize("address", addresses())
def test_every_page_is_whole(address):
    status, _, page = ask(address)

    assert status == 200
    assert page.count("<h1") == 1
    assert page.count('rel="alternate" hreflang="') == 6
    assert "None" not in re.sub(r"<[^>]+>", "", page)
    assert 'id="lofte-settings"' in page


def test_every_link_of_every_page_leads_somewhere():
    known = set(addresses()) | {"/", "/region"}
    ours = (
        "/lofte/policy/",
        "/lofte/cookies/",
        "/lofte/preferences/",
        "/my/",
        "/news/",
        "/events/",
        "/materials/",
        "/forms/",
        "mailto:",
        "tel:",
        "#content",
    )
    for address in addresses():
        for target in re.findall(r'<a [^>]*href="([^"]+)"', ask(address)[2]):
            assert target in known or target.startswith(ours), (address, target)


def test_the_front_door_keeps_nothing_and_remembers_only_who_asked():
    assert "set-cookie" not in ask("/")[1]

    status, headers, _ = ask("/region", "POST", b"edition=uk&page=customers")

    assert (status, headers["location"]) == (303, "/uk/customers/")
    assert headers["set-cookie"] == "lofte_locale=uk; Max-Age=31536000; Path=/; SameSite=Lax; HttpOnly"
    assert ask("/", cookie=b"lofte_locale=uk")[1]["location"] == "/uk/"


def test_the_switch_leads_nowhere_else():
    assert ask("/region", "POST", b"edition=//chat.localhost")[1]["location"] == "/region"
    assert ask("/", cookie=b"lofte_locale=/evil.test")[0] == 200


def test_an_unknown_page_says_so_in_its_edition():
    status, _, page = ask("/fi/nothing/")

    assert status == 404
    assert 'lang="fi"' in page


def test_every_stand_in_but_the_undeclared_one_plays_a_host():
    assert set(stand_ins()) - set(host_map()) == {"chat.localhost"}


def test_editions_agree_with_the_policy():
    assert {(edition.market, edition.path) for edition in EDITIONS} == {
        ("SE", "/se"), ("NO", "/no"), ("FI", "/fi"), ("GB", "/uk"), ("US", "/us"),
    }  # fmt: skip
    assert len(addresses()) == len(EDITIONS) * len(PAGES)


def test_the_contact_page_leads_to_its_form_when_nobody_gives_one(monkeypatch):
    monkeypatch.setattr(forms, "_pieces", {})
    monkeypatch.setattr(forms, "_fetch", lambda address: "")
    for edition, address in CONTACTS:
        assert f'href="/forms/{edition.market.lower()}/{edition.locale}/inquiry/"' in ask(address)[2]


def test_the_contact_page_holds_the_form_it_was_given_and_says_which_page_it_is(monkeypatch):
    piece = '<form action="x"><input type="hidden" name="page" value=""></form>'
    monkeypatch.setattr(forms, "_pieces", {})
    monkeypatch.setattr(forms, "_fetch", lambda address: piece)
    for _, address in CONTACTS:
        page = ask(address)[2]
        assert f'name="page" value="{address}"' in page
        assert "<!--form" not in page
