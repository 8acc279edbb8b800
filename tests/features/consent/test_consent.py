"""Consents: appended, never changed; the latest counts; each with the words shown."""

import json

import pytest
from django.db import IntegrityError, transaction

from lofte.core import outbox
from lofte.core.models import Outbox
from lofte.features.consent import reads, verbs
from lofte.features.consent.models import Consent
from lofte.features.register import verbs as register
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
HERE = {"market": "NO", "locale": "nb", "shown": "form.newsletter", "method": "portal"}


@pytest.fixture
def person(published):
    return register.welcome()


def test_nobody_agrees_before_they_said_so(person):
    assert not reads.is_granted(person, "newsletter")


def test_the_latest_word_counts_and_the_earlier_ones_stay(person):
    verbs.grant(person, "newsletter", **HERE)
    verbs.withdraw(person, "newsletter", method="portal")
    assert not reads.is_granted(person, "newsletter")
    verbs.grant(person, "newsletter", **HERE)

    assert reads.is_granted(person, "newsletter")
    assert [each.action for each in reads.events_of(person)] == ["granted", "withdrawn", "granted"]
    assert [each.ordinal for each in reads.events_of(person)] == [1, 2, 3]


def test_withdrawing_twice_is_one_event(person):
    verbs.grant(person, "newsletter", **HERE)

    assert verbs.withdraw(person, "newsletter", method="portal") == verbs.withdraw(
        person, "newsletter", method="one_click"
    )
    assert len(reads.events_of(person)) == 2


def test_a_consent_keeps_the_hash_of_the_words_shown_and_the_publication(person, published):
    verbs.grant(person, "newsletter", **HERE)
    event = reads.events_of(person)[0]

    assert event.wording == published.wording("NO", "nb", "form.newsletter")
    assert event.publication == published.digest


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"purpose": "answers"}, "consent.not-consent"),
        ({"purpose": "nothing"}, "consent.undeclared"),
        ({"purpose": "statistics"}, "consent.undeclared"),
        ({"shown": "form.other"}, "consent.unknown-wording"),
        ({"locale": "sv"}, "consent.unknown-wording"),
    ],
)
def test_a_consent_to_nothing_declared_is_none(person, change, code):
    with pytest.raises(Problem) as refused:
        verbs.grant(person, **{"purpose": "newsletter", **HERE, **change})
    assert refused.value.code == code
    assert not Outbox.objects.exists()


def test_an_event_cannot_be_changed_or_deleted(person):
    verbs.grant(person, "newsletter", **HERE)
    event = reads.events_of(person)[0]
    event.action = "withdrawn"

    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()


def test_two_events_at_once_cannot_take_the_same_place(person):
    verbs.grant(person, "newsletter", **HERE)
    copy = reads.events_of(person)[0]
    copy.pk, copy._state.adding = outbox.add("action.x", {}).id, True

    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(
            person_id=person,
            purpose="newsletter",
            ordinal=1,
            action="withdrawn",
            publication="",
            market="",
            locale="",
            method="",
        )


def test_each_event_is_a_fact_for_the_log_without_the_person(person):
    verbs.grant(person, "newsletter", **HERE)
    row = Outbox.objects.get()

    assert row.kind == "consent.granted"
    assert row.who == {"person": str(person)}
    assert str(person) not in json.dumps(row.fact)
    assert (row.fact["purpose"], row.fact["market"], row.fact["method"]) == ("newsletter", "NO", "portal")


def test_figures_for_the_probe_count_what_the_log_does_not_have_yet(person, log):
    verbs.grant(person, "newsletter", **HERE)
    assert reads.record_counts() == {"records": 1, "without_wording": 0, "unlogged": 1}
    outbox.drain(log)
    assert reads.record_counts() == {"records": 1, "without_wording": 0, "unlogged": 0}
    assert list(reads.entries_of(person).values()) == [0]


def test_standing_consents_are_counted_by_person(published):
    people = [register.welcome() for _ in range(4)]
    for each in people:
        verbs.grant(each, "newsletter", **HERE)
    verbs.withdraw(people[0], "newsletter", method="portal")
    verbs.withdraw(people[1], "newsletter", method="portal")
    verbs.grant(people[1], "newsletter", **HERE)

    assert reads.count_granted("newsletter") == 3
