"""A copy holds what is the person's own and nothing of anybody else that a rule can find."""

import pytest

from lofte.rules.detectors import spans
from lofte.rules.redaction import Own, redact

MINE = Own(["Kari Nordmann", "kari@example.no", "+47 918 27 364", "01019012480"])


def told(text: str) -> str:
    return redact(text, MINE, lambda kind: f"[{kind}]").text


@pytest.mark.parametrize(
    ("said", "copied"),
    [
        ("Svar til ola.hansen@example.no i dag", "Svar til [email] i dag"),
        ("Ring Ola på +47 400 11 222.", "Ring [name] på [phone]."),
        ("Ring Ola på 400 11 222, takk", "Ring [name] på [phone], takk"),
        ("Ring 22 33 44 55", "Ring [phone]"),
        ("Hennes mobil är 070-123 45 67", "Hennes mobil är [phone]"),
        ("Call him on (719) 555-0142 or 07700 900123", "Call him on [phone] or [phone]"),
        ("Soita 040 123 4567", "Soita [phone]"),
        ("Pnr 811218-9876 gäller frun", "Pnr [number] gäller frun"),
        ("Hetu 131052-308T", "Hetu [number]"),
        ("Betal til NO93 8601 1117 947", "Betal til [account]"),
    ],
)
def test_what_belongs_to_somebody_else_becomes_a_mark(said, copied):
    assert told(said) == copied


@pytest.mark.parametrize(
    "said",
    [
        "Send til KARI@example.no",
        "Ring meg på 918 27 364",
        "Ring meg på 0047 91827364 eller +4791827364",
        "Mitt nummer er 010190 12480",
    ],
)
def test_the_persons_own_stays_however_it_is_written(said):
    assert told(said) == said


@pytest.mark.parametrize(
    "said",
    [
        "Møte 01.02.2026 kl. 09.30-10.15",
        "Faktura 2026-11-22 på 1 250 000 kr",
        "Ordre 40011222 er levert",
        "Versjon 10.4.2 av ERP 2026",
        "Skrev til @support i går",
    ],
)
def test_days_sums_and_orders_are_no_numbers_of_people(said):
    assert told(said) == said


def test_the_mark_says_how_much_was_taken_out():
    assert redact("a@b.example og c@d.example", MINE, lambda kind: "*").kinds == ("email", "email")


def test_a_national_number_is_not_taken_for_a_telephone():
    assert [each.kind for each in spans("0811218-9876 811218-9876")][-1] == "number"
