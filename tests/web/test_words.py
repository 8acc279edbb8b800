"""The words of these rooms: none is missing, none is left in English, and dates read as people write them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import lofte.web
from lofte.rules.catalogue import LOCALES, room_words, slots_of
from lofte.web import calendar

ROOMS = (
    "common", "news", "portal", "copy", "mail", "console", "requests", "approvals", "people", "work", "backup", "gates",
    "records", "retention", "sharing", "inquiries", "segments", "campaigns", "forms", "events", "materials", "readiness",
    "tags",
)  # fmt: skip
TEMPLATES = Path(lofte.web.__file__).parent / "templates"
SAME_IN_TWO_LANGUAGES = {
    "approvals.detail.form", "approvals.person", "approvals.detail.import", "console.person", "console.version",
    "people.column.company", "people.organisation", "people.out.form", "people.relation", "portal.request.send",
    "portal.sources.import", "portal.write.send", "requests.channel.chat", "approvals.detail.plan", "gates.tokens.name",
    "records.column.version", "sharing.cases.person", "sharing.form.partner",
    "campaigns.form.markdown", "campaigns.form.html", "campaigns.form.segment", "segments.column.name",
    "campaigns.schedule.title", "segments.size.count.one", "mail.test_subject",
    "tags.alarms.count.one",
    "inquiries.act.reply.button", "inquiries.medium.chat", "inquiries.own.send", "events.state.over", "materials.fact.title",
    "materials.console.title", "materials.console.column.title", "forms.kind.partner", "forms.kind.material", "forms.channel.post",
    "forms.column.version",
}  # fmt: skip
AT = datetime(2026, 3, 4, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_the_same_keys_and_slots(room, locale):
    expected = {key: slots_of(words) for key, words in room_words("en-GB", room).items()}

    assert {key: slots_of(words) for key, words in room_words(locale, room).items()} == expected


@pytest.mark.parametrize("locale", ["sv", "nb", "fi"])
def test_no_english_is_left_in_another_language(locale):
    left = {
        f"{room}.{key}"
        for room in ROOMS
        for key, words in room_words(locale, room).items()
        if words == room_words("en-GB", room)[key] and re.search("[a-z]{3}", re.sub(r"\{[a-z]+\}", "", words))
    }

    assert left <= SAME_IN_TWO_LANGUAGES


def test_every_word_a_template_asks_for_exists():
    known = {f"{room}.{key}" for room in ROOMS for key in room_words("sv", room)}
    asked = {
        key
        for file in TEMPLATES.rglob("*")
        if file.is_file()
        for key in re.findall(r"""{% say ['"]([\w.-]+)['"]""", file.read_text(encoding="utf-8"))
    }

    assert {key for key in asked if key not in known and f"{key}.one" not in known} == set()


@pytest.mark.parametrize(
    "locale, expected",
    [
        ("sv", "4 mars 2026 kl. 14:05"),
        ("nb", "4. mars 2026 kl. 14.05"),
        ("fi", "4. maaliskuuta 2026 klo 15.05"),
        ("en-GB", "4 March 2026 at 13:05"),
        ("en-US", "March 4, 2026 at 6:05 AM"),
    ],
)
def test_a_moment_reads_as_people_write_it_in_their_own_time(locale, expected):
    assert calendar.moment(locale, AT) == expected


@pytest.mark.parametrize(
    "passed, expected",
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=60), "4 March 2026"),
    ],
)
def test_how_long_since_is_told_in_the_coarsest_unit_that_says_something(passed, expected):
    assert calendar.ago("en-GB", AT, AT + passed) == expected


@pytest.mark.parametrize(
    "due, expected",
    [
        (timedelta(days=-1), "overdue"),
        (timedelta(), "ends today"),
        (timedelta(days=1), "1 day left"),
        (timedelta(days=59), "59 days left"),
        (timedelta(days=731), "24 months left"),
    ],
)
def test_what_is_left_is_told_in_days_when_near_and_months_when_far(due, expected):
    assert calendar.left("en-GB", AT + due, AT) == expected
