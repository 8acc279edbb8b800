"""When a policy finds people by other fields, the index follows, in stretches, and is otherwise what the holdings say."""

import pytest

from lofte.core import clock
from lofte.core.models import BlindIndex
from lofte.features.register import index, reads, search, verbs
from lofte.features.register.models import Holding

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]


def entries():
    return sorted(BlindIndex.objects.values_list("entry", flat=True))


def test_a_field_that_is_indexed_from_now_on_finds_those_who_were_there_before(somebody, republish):
    republish(lambda policy: policy["fields"]["phone"].update(indexed=False), "2026-02")
    people = [somebody(f"n{number}@example.no", f"Nomen Nescio{number}") for number in range(3)]
    verbs.hold(people[0], {"phone": "22 00 00 00"}, "customer", source="staff:1", market="NO", locale="nb")
    index.follow_policy(clock.now())
    assert search.candidates("22 00 00 00", "phone") == []

    republish(lambda policy: policy["fields"]["name"].update(indexed=True), "2026-03")
    assert index.follow_policy(clock.now()) == 3
    assert reads.person_of("phone", "+4722000000") == people[0]
    assert search.candidates("Nescio1", "name") == [people[1]]
    assert index.follow_policy(clock.now()) == 0


def test_a_field_that_is_indexed_no_more_finds_nobody_and_leaves_no_hash(somebody, republish):
    person = somebody()
    verbs.hold(person, {"phone": "22 00 00 00"}, "customer", source="staff:1", market="NO", locale="nb")
    republish(lambda policy: policy["fields"]["phone"].update(indexed=False))
    index.follow_policy(clock.now())

    assert {row.field for row in BlindIndex.objects.all()} == {"email", "company"}
    assert not Holding.objects.of(person).filter(field="phone").exclude(hash="").exists()


def test_a_walk_that_was_stopped_goes_on_where_it_was(somebody, republish, monkeypatch):
    for number in range(5):
        somebody(f"n{number}@example.no", f"Nomen Nescio{number}")
    republish(lambda policy: policy["fields"]["name"].update(indexed=True))
    monkeypatch.setattr(index, "_BATCH", 2)
    real, calls = index._renew_all, []

    def stopping(work, people):
        calls.append(people)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(work, people)

    monkeypatch.setattr(index, "_renew_all", stopping)
    with pytest.raises(KeyboardInterrupt):
        index.follow_policy(clock.now())
    assert index.follow_policy(clock.now()) == 3
    assert len(search.candidates("Nomen", "name")) == 5


def test_renewing_what_is_right_changes_nothing(somebody, republish):
    republish(lambda policy: policy["fields"]["name"].update(indexed=True))
    person = somebody()
    verbs.place(person, {"company": "Fjord AS"}, "customer", source="staff:1", market="NO", locale="nb")
    before = entries()

    index.renew_person(person)
    assert entries() == before
