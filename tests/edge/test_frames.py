"""What held frames ask of the edge: a kept picture only at an address we signed, and one frame that a policy declares."""

import re

import pytest

from lofte.gate.choice import derive_key, load_root_key
from lofte.gate.placeholders import Posters
from lofte.rules import frames

FILM = "dQw4w9WgXcQ"
SOURCE = f"https://i.ytimg.com/vi/{FILM}/hqdefault.jpg"
PICTURE = b"\xff\xd8\xff\xe0" + b"\0" * 600
IN_A_PAGE = {"sec-fetch-dest": "iframe", "sec-fetch-site": "same-origin"}


@pytest.fixture
def address(world):
    key = derive_key(load_root_key(world.home), "choice/1")
    return Posters(key).path("youtube", FILM)


def test_a_picture_that_is_not_here_yet_is_noted_once_and_answered_blank(world, address):
    answer = world.get(address)
    assert (answer.status, answer.header("content-type")) == (200, "image/svg+xml")
    assert answer.header("cache-control") == "no-store"
    world.get(address)
    noted = list((world.home / "posters" / "wanted").iterdir())
    assert [note.read_text() for note in noted] == [f"youtube/{FILM}"]


def test_a_kept_picture_is_answered_and_may_be_cached(world, address):
    (world.home / "posters").mkdir(exist_ok=True)
    (world.home / "posters" / frames.shelved_as(SOURCE)).write_bytes(PICTURE)
    answer = world.get(address)
    assert answer.header("content-type") == "image/jpeg"
    assert answer.body == PICTURE
    assert "max-age=86400" in answer.header("cache-control")


@pytest.mark.parametrize(
    "change",
    [lambda path: path[:-1], lambda path: path.replace(FILM, "another"), str.upper],
    ids=["cut short", "another film", "in capitals"],
)
def test_nobody_can_have_a_picture_fetched_that_no_page_of_ours_shows(world, address, change):
    head, _, name = address.rpartition("/")
    assert world.get(f"{head}/{change(name)}").status == 404
    assert not (world.home / "posters" / "wanted" / frames.shelved_as(SOURCE.replace(FILM, "another"))).exists()


def test_a_declared_frame_is_loaded_from_its_quiet_address_under_a_policy_for_its_own_hosts(world):
    answer = world.get(f"/lofte/frame?src=https%3A%2F%2Fwww.youtube.com%2Fembed%2F{FILM}%3Fstart%3D30", IN_A_PAGE)
    assert answer.status == 200
    assert f'src="https://www.youtube-nocookie.com/embed/{FILM}?start=30"' in answer.text
    policy = answer.header("content-security-policy")
    assert "default-src 'none'" in policy
    found = re.search(r"frame-src ([^;]*);", policy)
    assert found
    assert set(found.group(1).split()) == {
        "https://*.ytimg.com",
        "https://www.youtube-nocookie.com",
        "https://www.youtube.com",
    }
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize(
    "source",
    [
        "https://chat.example/",
        "http://www.youtube.com/embed/x",
        "javascript:alert(1)",
        "//www.youtube.com/embed/x",
        "https://u@www.youtube.com/embed/x",
        "https://www.youtube.com.evil.example/",
        "https://[",
        "",
    ],
)
def test_no_other_frame_is_loaded(world, source):
    assert world.ask("GET", "/lofte/frame", IN_A_PAGE, query_string=f"src={source}".encode()).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-dest": "document", "sec-fetch-site": "none"},
        {"sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"},
        {"sec-fetch-dest": "document", "sec-fetch-site": "cross-site"},
    ],
)
def test_a_link_or_a_foreign_page_cannot_load_a_frame_for_somebody(world, headers):
    assert world.get(f"/lofte/frame?src=https%3A%2F%2Fwww.youtube.com%2Fembed%2F{FILM}", headers).status == 403


def test_a_title_and_an_address_cannot_break_out_of_the_page(world):
    source = "https://www.youtube.com/x%22%3E%3Cscript%3E"
    answer = world.ask("GET", "/lofte/frame", IN_A_PAGE, query_string=f"src={source}".encode())
    assert "<script" not in answer.text


def test_a_choice_made_at_a_frame_is_recorded_with_the_words_of_the_frame(world):
    wording = world.edge.shelf.current().published.wording("SE", "sv", "frame")
    answer = world.decide(world.wish(wording=wording, choices={"marketing": True, "statistics": False}))
    assert answer.status == 201
    assert answer.json["fact"]["payload"]["wording"] == wording
