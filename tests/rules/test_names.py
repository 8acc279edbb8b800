"""Names of other people are found where they stand, however they are inflected; ordinary words and the person's own stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.rules.redaction import Own, candidates, redact

MINE = Own(["kari@example.no"], ["Kari Nordmann"], ["Hansen Bygg AS"])
REGISTERED = frozenset(
    [
        "ola",
        "hansen",
        "nordmann",
        "virtanen",
        "matti",
        "ring",
        "berg",
        "obrien",
        "smith",
        "lund",
        "zyx",
        "pekka",
        "london",
    ]
) | {"may", "stark"}
"""Parts of other people's names; some are words and places too, as in any large register."""


def told(locale: str, text: str) -> str:
    return redact(text, MINE, lambda kind: f"[{kind}]", candidates(text, locale) & REGISTERED, locale).text


@pytest.mark.parametrize(
    ("locale", "said", "copied"),
    [
        ("nb", "Ring Ola Hansen i morgen", "Ring [name] i morgen"),
        ("nb", "Kari Nordmann ringte. Hansen ringte tilbake.", "Kari Nordmann ringte. [name] ringte tilbake."),
        ("nb", "Møte med Åse-Marie O’Brien og Ola N. Hansen", "Møte med [name] og [name]"),
        ("nb", "si til Olas sjef", "si til [name] sjef"),
        ("nb", "snakk med ola hansen i dag", "snakk med [name] i dag"),
        ("nb", "Kari Hansen er en annen", "[name] er en annen"),
        ("nb", "Avtalt med Ola Zyxenberg", "Avtalt med [name]"),
        ("fi", "Soitin Matille ja Virtaselle", "Soitin [name] ja [name]"),
        ("fi", "Matin ja Virtasen sopimus, Pekan kanssa", "[name] ja [name] sopimus, [name] kanssa"),
        ("en-GB", "Call John's boss or Mr Xander Ypsil", "Call [name] boss or Mr [name]"),
        ("en-GB", "I saw Mark. Bill Smith paid the bill.", "I saw [name]. [name] paid the bill."),
        ("en-GB", "From: Xander Ypsil <x@y.example>\nhello", "From: [name] <[email]>\nhello"),
        ("en-GB", "hello\nBest regards,\nXander Ypsil\nthe office", "hello\nBest regards,\n[name]\nthe office"),
        ("en-US", "Write to Xander Ypsil (x@y.example)", "Write to [name] ([email])"),
        ("sv", "Ring Per på 070-123 45 67.", "Ring [name] på [phone]."),
        ("sv", "Talade med fru Stark om Ola Nordmann", "Talade med fru [name] om [name]"),
    ],
)
def test_somebody_elses_name_becomes_a_mark(locale, said, copied):
    assert told(locale, said) == copied


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("nb", "Kari Nordmann ringte; Karis sak er løst, KARI er fornøyd"),
        ("nb", "Ring oss. Berg og dal. Hansen Bygg AS er stengt."),
        ("nb", "Nordmann Fisk AS flytter"),
        ("sv", "Per telefon. Kontoret i Lund. Stark valuta."),
        ("en-GB", "Mark it. Will they? Bill came on Monday in May. London is far."),
        ("en-US", "Asked how moving from the old system would go before Easter."),
        ("fi", "Soitti tilinpäätöksestä ja pyysi tarjousta ennen joulua."),
        ("nb", "se www.Hansen.example/Ola"),
    ],
)
def test_words_companies_places_and_the_persons_own_name_stay(locale, said):
    assert told(locale, said) == said


def test_what_was_taken_out_is_told_in_order():
    assert redact("Ola: a@b.example", MINE, lambda kind: "*", frozenset({"ola"})).kinds == ("name", "email")


@given(st.text(max_size=300), st.sampled_from(["sv", "nb", "fi", "en-GB", "en-US"]))
def test_any_text_comes_back_with_only_marks_for_what_went(text, locale):
    known = candidates(text, locale)
    copied = redact(text, MINE, lambda kind: "\0", known, locale)

    assert copied.text.count("\0") - text.count("\0") == len(copied.kinds)
    left = iter(text)
    assert all(piece == "\0" or piece in left for piece in copied.text)
