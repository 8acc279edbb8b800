"""The door of the portal: one answer in one time for everybody, a link to the address on file, a session for one person."""

import statistics
import time
from datetime import timedelta

import pytest

from lofte.core import clock, mail, tasks
from lofte.core.models import Code, Mail
from lofte.features.consent import reads as consents
from lofte.features.outreach import verbs as outreach
from lofte.features.register import reads as register
from lofte.features.register import verbs as keep
from lofte.features.rights import reads, verbs
from lofte.features.rights.models import Ask
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
ADDRESS = "kari.nordmann@example.no"


@pytest.fixture
def link(somebody, letterbox):
    """The code that was mailed to somebody who asked."""
    somebody(ADDRESS)
    verbs.ask_for_link("NO", "nb", ADDRESS)
    verbs.answer_asks(clock.now())
    mail.deliver(clock.now())
    return letterbox.link("open")


def test_a_known_address_gets_a_link_that_opens_the_portal_for_that_person(link, somebody):
    person = register.person_of("email", ADDRESS)
    assert reads.open_code(link) == ("NO", "nb")

    grant = verbs.open_portal(link)

    assert grant.person_id == person
    assert grant.expires_at - clock.now() <= timedelta(minutes=30)
    assert reads.session(grant.token) == grant


def test_the_link_goes_to_the_address_as_it_is_on_file_never_to_what_was_typed(somebody, letterbox):
    somebody("Kari.Nordmann@example.no")
    verbs.ask_for_link("NO", "nb", " KARI.NORDMANN@EXAMPLE.NO ")
    verbs.answer_asks(clock.now())
    mail.deliver(clock.now())

    assert letterbox.last()["To"] == "Kari.Nordmann@example.no"


@pytest.mark.parametrize("address", ["unknown@example.no", "no address", "", "a@b", "x" * 5000 + "@example.no"])
def test_an_unknown_or_malformed_address_is_answered_just_the_same_and_nothing_is_sent(published, letterbox, address):
    assert verbs.ask_for_link("NO", "nb", address) is None
    verbs.answer_asks(clock.now())
    mail.deliver(clock.now())

    assert letterbox.letters == []
    assert not Ask.objects.exists()


def test_the_answer_does_the_same_work_for_known_and_unknown(somebody, no_limits, django_assert_num_queries):
    somebody(ADDRESS)
    for address in (ADDRESS, "nobody@example.no"):
        with django_assert_num_queries(1):
            verbs.ask_for_link("NO", "nb", address)


@pytest.mark.long
def test_known_and_unknown_take_the_same_time(somebody, no_limits):
    somebody(ADDRESS)
    known, unknown = [], []
    for n in range(1000):
        for address, times in ((ADDRESS, known), (f"kar{n % 10}.nordmann@example.no", unknown)):
            start = time.perf_counter()
            verbs.ask_for_link("NO", "nb", address)
            times.append(time.perf_counter() - start)

    apart = abs(statistics.median(known) - statistics.median(unknown))
    spread = statistics.quantiles(known, n=4)[2] - statistics.quantiles(known, n=4)[0]
    assert apart < max(spread, 50e-6)


def test_a_stranger_cannot_fill_a_mailbox_with_links(somebody, letterbox):
    somebody(ADDRESS)
    for _ in range(20):
        verbs.ask_for_link("NO", "nb", ADDRESS)
    verbs.answer_asks(clock.now())
    mail.deliver(clock.now())

    assert len(letterbox.letters) == verbs.PER_ADDRESS[0]


def test_one_network_cannot_try_addresses_without_end(published):
    for n in range(100):
        verbs.ask_for_link("NO", "nb", f"a{n}@example.no", remote="192.0.2.1")

    assert Ask.objects.count() == verbs.PER_NETWORK[0]


def test_a_question_in_waiting_does_not_show_the_address(published):
    verbs.ask_for_link("NO", "nb", ADDRESS)

    assert ADDRESS.encode() not in bytes(Ask.objects.get().sealed)


def test_a_link_opens_once(link):
    verbs.open_portal(link)

    assert reads.open_code(link) is None
    with pytest.raises(Problem, match=r"code\.unknown"):
        verbs.open_portal(link)


def test_looking_at_the_link_does_not_use_it_up(link):
    for _ in range(3):
        assert reads.open_code(link)

    assert verbs.open_portal(link)


def test_an_expired_link_opens_nothing(link):
    with clock.at(clock.now() + timedelta(hours=25)), pytest.raises(Problem, match=r"code\.unknown"):
        verbs.open_portal(link)


@pytest.mark.parametrize("code", ["", "x", "A" * 43, "A" * 10_000])
def test_a_made_up_link_opens_nothing(published, code):
    with pytest.raises(Problem, match=r"code\.unknown"):
        verbs.open_portal(code)


def test_a_code_for_something_else_opens_nothing(published, letterbox):
    outreach.ask_to_subscribe("NO", "nb", {"email": "ola@example.no"})
    mail.deliver(clock.now())

    with pytest.raises(Problem, match=r"code\.unknown"):
        verbs.open_portal(letterbox.link("confirm"))


def test_the_token_is_kept_nowhere(link):
    grant = verbs.open_portal(link)

    assert link not in str(list(Code.objects.values()))
    assert grant.token not in str(list(Code.objects.values()))


def test_a_session_ends_after_half_an_hour_or_when_it_is_closed(link):
    grant = verbs.open_portal(link)

    with clock.at(clock.now() + timedelta(minutes=31)):
        assert reads.session(grant.token) is None
    verbs.close_portal(grant.token)
    verbs.close_portal(grant.token)
    assert reads.session(grant.token) is None
    assert reads.session("") is None


def test_a_portal_visit_is_interest_and_moves_the_clock(subscriber, letterbox):
    with clock.at(clock.now() - timedelta(days=400)):
        person = subscriber()
    before = reads.overview(person).next_due
    verbs.ask_for_link("NO", "nb", "ola@example.no")
    verbs.answer_asks(clock.now())
    mail.deliver(clock.now())
    verbs.open_portal(letterbox.link("open"))

    assert reads.overview(person).next_due - before >= timedelta(days=399)


def test_a_value_is_corrected_wherever_it_is_held(somebody):
    person = somebody(ADDRESS)
    keep.hold(person, {"name": "Kari Nordmann"}, "answers", source="staff:1", market="NO", locale="nb")
    item = next(each for each in reads.overview(person).holdings if each.field == "name")

    assert verbs.correct(person, item.id, "Kari Hansen")

    assert {each.value for each in reads.overview(person).holdings if each.field == "name"} == {"Kari Hansen"}


def test_a_new_address_replaces_the_old_one_only_when_it_has_shown_that_it_is_theirs(somebody, letterbox):
    person = somebody(ADDRESS)
    item = next(each for each in reads.overview(person).holdings if each.field == "email")

    assert not verbs.correct(person, item.id, "kari.hansen@example.no")
    mail.deliver(clock.now())
    assert letterbox.last()["To"] == "kari.hansen@example.no"
    assert register.person_of("email", ADDRESS) == person
    assert register.person_of("email", "kari.hansen@example.no") is None

    assert verbs.confirm_address(letterbox.link("address")) == ("NO", "nb")
    assert register.person_of("email", ADDRESS) is None
    assert register.person_of("email", "kari.hansen@example.no") == person


def test_an_address_of_somebody_else_cannot_be_taken_over(somebody, letterbox):
    somebody(ADDRESS)
    other = somebody("ola@example.no", "Ola Nordmann")
    item = next(each for each in reads.overview(other).holdings if each.field == "email")
    assert not verbs.correct(other, item.id, ADDRESS)
    mail.deliver(clock.now())

    with pytest.raises(Problem, match=r"register\.taken"):
        verbs.confirm_address(letterbox.link("address"))
    assert register.person_of("email", "ola@example.no") == other


def test_one_person_cannot_correct_anothers_holding(somebody):
    mine, theirs = somebody(ADDRESS), somebody("ola@example.no")
    item = reads.overview(theirs).holdings[0]

    with pytest.raises(Problem, match=r"register\.no-holding"):
        verbs.correct(mine, item.id, "x")


def test_a_bad_value_corrects_nothing(somebody):
    person = somebody(ADDRESS)
    for item in reads.overview(person).holdings:
        with pytest.raises(Problem, match=r"register\.bad-value"):
            verbs.correct(person, item.id, "  ")


def test_consent_is_withdrawn_in_the_portal_and_the_data_falls_due_at_once(subscriber):
    person = subscriber()
    verbs.withdraw(person, "newsletter")

    assert not consents.is_granted(person, "newsletter")
    seen = reads.overview(person)
    assert seen.next_due <= clock.now()
    assert {each.clock for each in seen.holdings} == {"withdrawal"}
    assert [each.state for each in seen.purposes] == ["withdrawn"]


def test_only_what_rests_on_consent_can_be_withdrawn_and_only_an_interest_objected_to(somebody):
    person = somebody(ADDRESS)
    keep.hold(person, {"name": "Kari"}, "answers", source="staff:1", market="NO", locale="nb")

    for purpose in ("customer", "answers", "statistics", "no-such"):
        with pytest.raises(Problem, match=r"rights\.not-withdrawable"):
            verbs.withdraw(person, purpose)
    for purpose in ("customer", "newsletter", "no-such"):
        with pytest.raises(Problem, match=r"rights\.not-objectable"):
            verbs.object_to(person, purpose)


def test_an_objection_stops_the_use(somebody):
    person = somebody(purpose="answers")
    assert register.holdings_of(person, "answers", by="staff:1")

    verbs.object_to(person, "answers")

    with pytest.raises(Problem, match="objected"):
        register.holdings_of(person, "answers", by="staff:1")
    assert register.looks_of(person)[0].allowed is False


def test_asking_for_a_link_twice_while_the_duty_runs_twice_sends_each_question_once(somebody, letterbox):
    somebody(ADDRESS)
    verbs.ask_for_link("NO", "nb", ADDRESS)
    tasks.run_now("rights.answer_asks")
    tasks.run_now("rights.answer_asks")

    assert Mail.everyone.count() == 1
