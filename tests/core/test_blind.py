"""One normal form a value: what is the same to a mail server is the same here, and no two people are folded into one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.core import blind
from lofte.kernel.problems import Problem

SAME = [
    ("email", "Kari@Example.NO", " kari@example.no "),
    ("email", "kari@exämple.no", "kari@EXÄMPLE.no"),
    ("email", "kari@exämple.no", "kari@xn--exmple-cua.no"),
    ("email", "k\u00e5re@example.no", "ka\u030are@example.no"),
    ("email", "kari@example.no", "kari@example.no."),
    ("phone", "+47 21 00 00 00", "0047-21000000"),
    ("phone", "+46 (0)8 568 901 00", "+46856890100"),
    ("name", "Kari  Nordmann", "kari nordmann"),
    ("name", "Åse", "A\u030ase"),
]
APART = [
    ("email", "strauß@example.de", "strauss@example.de"),
    ("email", "kari@faß.de", "kari@fass.de"),
    ("email", "kari+news@example.no", "kari@example.no"),
    ("email", "k.ari@example.no", "kari@example.no"),
    ("email", "kari@example.no", "kаri@example.no"),  # the second has a Cyrillic а
    ("phone", "+4721000000", "+4721000001"),
]


@pytest.mark.parametrize(("kind", "one", "other"), SAME)
def test_the_same_value_has_one_form(kind, one, other):
    assert blind.normalise(kind, one) == blind.normalise(kind, other)


@pytest.mark.parametrize(("kind", "one", "other"), APART)
def test_values_of_two_people_stay_apart(kind, one, other):
    assert blind.normalise(kind, one) != blind.normalise(kind, other)


@pytest.mark.parametrize(
    ("country", "dialled", "full"),
    [
        ("SE", "08-568 901 00", "+46856890100"),
        ("NO", "21 00 00 00", "+4721000000"),
        ("FI", "040 123 4567", "+358401234567"),
        ("GB", "020 7946 0000", "+442079460000"),
        ("US", "1 (719) 555-0100", "+17195550100"),
        ("US", "719-555-0100", "+17195550100"),
    ],
)
def test_a_number_dialled_inside_the_country_is_the_same_as_from_outside(country, dialled, full):
    assert blind.normalise("phone", dialled, country) == full


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "a@",
        "@b.no",
        "a@b",
        "a b@c.no",
        "a@b@c.no",
        "a@b..no",
        "<a@b.no>",
        "a@b.no\r\nBcc: c@d.no",
        "a" * 250 + "@b.no",
        "a\x00@b.no",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(address):
    with pytest.raises(Problem) as refused:
        blind.normalise("email", address)
    assert refused.value.code == "register.bad-value"
    assert not address or address not in str(refused.value) or address == "@"


@given(st.text())
def test_any_text_is_a_value_or_a_problem_and_never_a_crash(text):
    for kind in ("email", "phone", "name", "text"):
        try:
            once = blind.normalise(kind, text)
        except Problem:
            continue
        if kind == "email":
            assert blind.normalise(kind, once) == once


def test_the_hash_depends_on_key_site_and_field(settings):
    found = blind.blind_hash("email", "kari@example.no")
    assert found == blind.blind_hash("email", "kari@example.no")
    assert len(found) == 32
    assert found != blind.blind_hash("phone", "kari@example.no")
    settings.LOFTE_BLIND_KEY = bytes(32)
    assert found != blind.blind_hash("email", "kari@example.no")


def test_a_text_of_several_lines_is_kept_as_browsers_send_it():
    assert blind.clean("text", "Hei!\r\n\r\nRing meg.\r\n") == "Hei!\n\nRing meg."
    with pytest.raises(Problem):
        blind.clean("name", "Kari\r\nNordmann")
