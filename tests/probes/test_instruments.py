"""The instruments read what is there: pages, forms, cookie lines, schemas, cookies in a jar, lifetimes."""

import pytest

from lofte.probes.instruments import html, pages, schema
from lofte.probes.instruments.browser_visits import Device, lifetime_s
from lofte.probes.instruments.newcomers import longest_s
from lofte.probes.instruments.visitor import _set_cookies
from lofte.probes.probe import all_probes
from lofte.rules.controls import all_controls
from lofte.rules.model import Cookie

DAY_S = 86400


def test_every_probe_feeds_a_control_that_can_judge():
    for name, probe in all_probes().items():
        assert probe.control_id == name
        assert all_controls()[name].judge is not None
        assert probe.every < all_controls()[name].fresh_for, f"{name} grows stale before it is looked at again"


def test_every_control_that_judges_has_a_probe():
    assert {name for name, control in all_controls().items() if control.judge} == set(all_probes())


def test_a_page_is_read_as_a_person_reads_it():
    page = html.read(
        '<html lang="sv"><title>no</title><body><script>no</script><p>Hej\u00a0\n du</p><a href="/x">dit</a>'
        '<form method="POST" action="/y"><input name="email" value="a"><input type="checkbox" name="consent" checked>'
        '<textarea name="why">text</textarea><button name="decision" value="accept">Ja</button></form>'
    )

    assert (page.lang, page.text, page.links) == ("sv", "Hej du dit Ja", ["/x"])
    form = page.form_with("email")
    assert form is not None
    assert (form.method, form.action) == ("post", "/y")
    assert form.values() == {"email": "a", "consent": "on", "why": "text"}
    assert [button.value for button in form.buttons] == ["accept"]


@pytest.mark.parametrize(
    "line, seconds",
    [
        ("a=1", None),
        ("a=1; Max-Age=60; Expires=Wed, 01 Jan 2031 00:00:00 GMT", 60),
        ("a=1; max-age=0", 0),
        ("a=1; path=/; Expires=Thu, 01-Jan-1970 00:00:00 GMT", -1),
        ("a=1; expires=nonsense", None),
    ],
)
def test_a_cookie_line_says_how_long(line, seconds):
    found = lifetime_s(line)

    assert found == seconds or (seconds == -1 and found is not None and found < 0)


def test_a_device_keeps_each_thing_once_with_the_longest_life_asked_for():
    device = Device("www.example.com")
    device.put("_ga", "cookie", ".example.com", 400 * DAY_S, "GA1.1.2")
    device.put_line("_ga=1; Domain=example.com; Max-Age=63072000", "www.example.com")
    device.put_line("gone=1; Max-Age=0", "www.example.com")
    device.put("IDE", "cookie", "doubleclick.net", None, "x")

    assert [(one["name"], one["party"], one["lifetime_s"]) for one in device.items()] == [
        ("IDE", "third", None),
        ("_ga", "first", 63072000),
    ]


@pytest.mark.parametrize("lifetime, days", [("P2Y", 732), ("P90D", 90), ("P1D", 1), ("P6M", 186)])
def test_a_declared_period_is_read_at_its_longest(lifetime, days):
    cookie = Cookie(name="x", party="first", provider="self", purpose="p", lifetime=lifetime)

    assert longest_s(cookie) == days * DAY_S


def test_periods_shorter_than_a_day_and_none_are_read_too():
    def seconds(lifetime):
        return longest_s(Cookie(name="x", party="first", provider="self", purpose="p", lifetime=lifetime))

    assert (seconds("PT15M"), seconds("session"), seconds("persistent")) == (900, None, None)


def test_joined_set_cookie_lines_are_parted_at_their_seams():
    joined = "a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT; Path=/, b=2; HttpOnly"

    assert _set_cookies(joined) == ["a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT; Path=/", "b=2; HttpOnly"]


def test_a_served_page_is_the_frozen_one_but_for_its_slots():
    frozen = b"<p>a<!--lofte:verdict:P15-->b</p>"

    assert pages.is_frozen(b"<p>a<i>kept</i>b</p>", frozen)
    assert not pages.is_frozen(b"<p>A<i>kept</i>b</p>", frozen)
    assert not pages.is_frozen(b"<p>a<i>kept</i>b</p><script>", frozen)


def test_words_are_found_however_they_are_set():
    assert pages.not_in("Ring +46\u00a08\u2011568  901 00", ["+46 8-568 901 00", "post"]) == ["post"]


SCHEMA = {
    "$defs": {
        "one": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}, "required": ["at"]}
    },
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/one"}}, "kind": {"const": "x"}},
    "additionalProperties": False,
    "required": ["items"],
}


@pytest.mark.parametrize(
    "document, wrong",
    [
        ({"items": [{"at": "2026-11-22T12:00:00Z"}], "kind": "x"}, []),
        ({"kind": "y"}, ["kind: const", "items: required"]),
        ({"items": [{"at": "soon"}, {}]}, ["items[0].at: format", "items[1].at: required"]),
        ({"items": [], "more": 1}, ["more: additionalProperties"]),
        ({"items": {}}, ["items: type"]),
    ],
)
def test_a_document_is_laid_beside_its_schema(document, wrong):
    assert wrong == schema.errors(document, SCHEMA)


def test_a_schema_with_an_unknown_keyword_is_refused_rather_than_half_read():
    with pytest.raises(ValueError, match="multipleOf"):
        schema.errors(3, {"multipleOf": 2})
