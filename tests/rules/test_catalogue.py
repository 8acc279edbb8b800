"""The interface speaks five languages, all of them completely."""

import pytest

from lofte.rules.catalogue import LOCALES, room_words, rooms, say, slots_of

ROOMS = sorted({room for locale in LOCALES for room in rooms(locale)})


def test_words_fill_their_slots() -> None:
    assert say("sv", "units.month.m01", year=2023) == "januari 2023"


@pytest.mark.parametrize(
    "locale, n, words",
    [
        ("sv", 1, "1 månad"),
        ("nb", 24, "24 måneder"),
        ("fi", 1, "1 kuukausi"),
        ("fi", 0, "0 kuukautta"),
        ("en-GB", 2, "2 months"),
    ],
)
def test_a_number_chooses_the_plural(locale: str, n: int, words: str) -> None:
    assert say(locale, "units.months", n=n) == words


@pytest.mark.parametrize(
    "locale, key", [("sv", "units.fortnights"), ("sv", "nowhere.title"), ("da", "units.session"), ("sv", "../x.y")]
)
def test_missing_words_are_a_programming_error(locale: str, key: str) -> None:
    with pytest.raises(KeyError):
        say(locale, key)


def test_a_missing_slot_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        say("sv", "units.month.m01")


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_room_says_the_same_things_in_every_locale(locale: str, room: str) -> None:
    spoken = {key: slots_of(words) for key, words in room_words(locale, room).items()}
    wanted = {key: slots_of(words) for key, words in room_words("en-GB", room).items()}

    assert spoken == wanted


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("locale", LOCALES)
def test_no_words_are_blank_and_plurals_come_in_pairs(locale: str, room: str) -> None:
    words = room_words(locale, room)

    assert [key for key, text in words.items() if not text.strip()] == []
    assert {key[:-4] for key in words if key.endswith(".one")} == {key[:-6] for key in words if key.endswith(".other")}
