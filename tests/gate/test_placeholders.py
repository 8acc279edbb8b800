"""What stands in place of a held frame: nothing of its host is asked for, and there is always a way to it."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest

from lofte.features.policy.files import read_directory
from lofte.gate.placeholders import Placeholders
from lofte.rules.compile import assemble
from lofte.rules.source import read

FILM = "https://www.youtube.com/embed/dQw4w9WgXcQ?start=3"
EDITIONS = [("SE", "sv"), ("NO", "nb"), ("FI", "fi"), ("GB", "en-GB"), ("US", "en-US")]


@pytest.fixture(scope="module")
def example(request):
    files = read_directory(request.config.rootpath / "policies" / "xledger")
    return assemble(read(files), date(2026, 11, 23))


@pytest.fixture
def placeholder(example):
    def make(address=FILM, purposes=("marketing",), edition=("SE", "sv"), **more):
        made = Placeholders(example, *edition, b"k" * 32, more.pop("host_map", None))
        return made.of(address, purposes, "/lofte/preferences/x/?back=/a%22", **more).decode()

    return make


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition[1])
def test_every_locale_offers_once_always_and_the_thing_itself(placeholder, edition):
    page = Elements(placeholder(edition=edition, title="Film"))
    buttons = {attrs["data-lofte"]: attrs for attrs in page.of("button")}
    assert set(buttons) == {"once", "always"}
    assert all(attrs["type"] == "button" and "hidden" in attrs for attrs in buttons.values())
    assert page.of("a")[0]["href"] == "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    assert page.of("a")[1]["href"] == "/lofte/preferences/x/?back=/a%22"


def test_nothing_in_it_loads_from_anywhere_else(placeholder):
    for tag, attrs in Elements(placeholder(title="Film", width="560", height="315")).found:
        assert tag in {"span", "img", "a", "button", "strong", "small"}
        assert attrs.get("src", "/").startswith("/lofte/poster/youtube/dQw4w9WgXcQ.") or "src" not in attrs
        assert not {"srcset", "poster", "data", "background", "ping"} & set(attrs)


def test_the_same_frame_gives_the_same_bytes_whoever_asks(placeholder):
    assert placeholder() == placeholder()
    assert placeholder() != placeholder(edition=("NO", "nb"))


def test_consent_given_here_names_these_very_words(placeholder, example):
    always = next(attrs for attrs in Elements(placeholder()).of("button") if attrs["data-lofte"] == "always")
    assert always["data-wording"] == example.wording("SE", "sv", "frame")
    assert always["data-purposes"] == "marketing"
    assert "Marknadsföring" in Elements(placeholder()).rawdata or "Marknadsf" in placeholder()


@pytest.mark.parametrize(("address", "purposes"), [("https://chat.example/w", ()), (FILM, ("necessary",))])
def test_what_nobody_can_allow_is_not_offered(placeholder, address, purposes):
    page = Elements(placeholder(address, purposes))
    assert page.of("button") == []
    assert len(page.of("a")) == 1


@pytest.mark.parametrize(
    "address",
    ['https://www.youtube.com/embed/x"><script>1</script>', "https://chat.example/?a=1&b=\"'<img src=//evil.example>"],
    ids=["in a declared frame", "in another"],
)
def test_an_address_or_a_title_cannot_become_markup(placeholder, address):
    page = placeholder(address, title='"><img src=https://evil.example/ onerror=1>')
    assert not Elements(page).of("script")
    assert all(attrs.get("src", "").startswith("/lofte/") for attrs in Elements(page).of("img"))


@pytest.mark.parametrize("address", ["javascript:alert(1)//https://www.youtube.com/embed/x", "data:text/html,x"])
def test_the_plain_link_only_leads_to_the_web(placeholder, address):
    assert not [attrs for attrs in Elements(placeholder(address)).of("a") if re.match("javascript|data", attrs["href"])]


def test_a_size_is_kept_and_anything_else_is_left_to_the_style_sheet(placeholder):
    assert 'style="--w:560;--h:315"' in placeholder(width="560", height=" 315 ")
    assert "style=" not in placeholder(width="100%", height="315")
    assert "style=" not in placeholder(width="1;x:url(//a)", height="1")


def test_a_stand_in_is_shown_as_the_frame_it_plays(placeholder):
    page = placeholder("http://youtube.localhost:8000/embed/demo", host_map={"youtube.localhost": "www.youtube.com"})
    assert "/lofte/poster/youtube/demo." in page
    assert "https://www.youtube.com/watch?v=demo" in page
