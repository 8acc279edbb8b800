"""Declared frames: recognised by their address, and nothing fetched that no policy names."""

from datetime import date

import pytest

from lofte.features.policy.files import read_directory
from lofte.rules.compile import assemble
from lofte.rules.frames import known, poster_of
from lofte.rules.source import read


@pytest.fixture(scope="module")
def policy(request):
    directory = request.config.rootpath / "policies" / "xledger"
    return assemble(read(read_directory(directory)), date(2026, 11, 23)).policy


@pytest.mark.parametrize(
    "address",
    [
        "https://www.youtube.com/embed/dQw4-w9_XcQ",
        "//www.youtube.com/embed/dQw4-w9_XcQ?start=30#x",
        " HTTPS://WWW.YOUTUBE-NOCOOKIE.COM:443/embed/dQw4-w9_XcQ/ ",
    ],
)
def test_a_declared_frame_is_known_however_its_address_is_written(policy, address):
    film = known(policy, address)
    assert film is not None
    assert (film.tag, film.id) == ("youtube", "dQw4-w9_XcQ")
    assert film.poster == "https://i.ytimg.com/vi/dQw4-w9_XcQ/hqdefault.jpg"
    assert film.page == "https://www.youtube.com/watch?v=dQw4-w9_XcQ"
    assert film.loads == "https://www.youtube-nocookie.com/embed/dQw4-w9_XcQ"


@pytest.mark.parametrize(
    "address",
    [
        "https://www.youtube.com/embed/../../etc",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com.evil.example/embed/dQw4w9WgXcQ",
        "https://www.youtube.com@evil.example/embed/dQw4w9WgXcQ",
        "javascript://www.youtube.com/embed/dQw4w9WgXcQ",
        "https://[/embed/x",
        "/embed/x",
    ],
)
def test_anything_else_is_not(policy, address):
    assert known(policy, address) is None


def test_a_stand_in_is_the_host_it_plays(policy):
    film = known(policy, "http://youtube.localhost:8000/embed/demo", {"youtube.localhost": "www.youtube.com"})
    assert film is not None
    assert film.id == "demo"


@pytest.mark.parametrize("name", ["..", "a/b", "a?b", "", "x" * 65, "å"])
def test_a_poster_has_no_source_under_a_name_that_no_frame_can_give(policy, name):
    assert poster_of(policy, "youtube", "dQw4w9WgXcQ") == "https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg"
    assert poster_of(policy, "youtube", name) is None
    assert poster_of(policy, "ga4", "dQw4w9WgXcQ") is None
