"""Requests from the day they come to the day they are answered: last days, identity, clarification, extension, refusal, ending."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lofte.core import clock, mail, obligations, outbox, ports, systems
from lofte.core.models import Obligation, Person
from lofte.core.systems import Found
from lofte.features.register import reads as register_reads
from lofte.features.register.due import refresh
from lofte.features.rights import behalf, cases, follow, requests, restriction, verbs
from lofte.features.rights.models import Request, Step
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
STAFF = "staff:1"
KARI = "kari.nordmann@example.no"
NOON = {"hour": 12, "tzinfo": UTC}


class System:
    """A connected system that agrees once it is allowed to."""

    def __init__(self):
        self.acts, self.is_up = [], False

    def check(self, policy=None):
        return []

    def takes(self, what, purpose):
        return True

    def find(self, who):
        return Found({"people": 1})

    def export(self, act):
        self._demand(act)
        return []

    def erase(self, act, found):
        self._demand(act)

    correct = mark = erase

    def verify(self, act, found, exported):
        return []

    def search(self, who, found):
        return []

    def _demand(self, act):
        if not self.is_up:
            raise Problem("system.away", "nobody answers", status=503)
        self.acts.append((act.what, act.purpose, act.change.new if act.change else ""))


@pytest.fixture
def shop():
    system = System()
    systems.connect("shop", system)
    yield system
    systems.disconnect_all()


@pytest.fixture
def asked(published, db):
    """A request that came by mail; ``asked(person, "access")``."""

    def make(person_id, right, at=None, market="NO", locale="nb", **more):
        return requests.receive(
            person_id, right, by=STAFF, channel="mail", market=market, locale=locale, at=at or clock.now(), **more
        )

    return make


@pytest.fixture
def identified(asked):
    def make(person_id, right, **more):
        made = asked(person_id, right, **more)
        requests.identify(made, person_id, STAFF, "call_back")
        return made

    return make


def at(year, month, day):
    return clock.at(datetime(year, month, day, 12, tzinfo=UTC))


def texts(letterbox):
    mail.deliver(clock.now())
    return [each.get_body(("plain",)).get_content() for each in letterbox.letters]


# --- last days ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "market, locale, right, received, due, notice, extended",
    [
        ("SE", "sv", "access", (2026, 1, 31), (2026, 3, 2), (2026, 3, 2), (2026, 4, 30)),
        ("SE", "sv", "erasure", (2026, 8, 31), (2026, 9, 30), (2026, 9, 30), (2026, 11, 30)),
        ("SE", "sv", "access", (2026, 5, 6), (2026, 6, 8), (2026, 6, 8), (2026, 8, 6)),
        ("NO", "nb", "access", (2026, 4, 17), (2026, 5, 17), (2026, 5, 17), (2026, 7, 17)),
        ("FI", "fi", "rectification", (2026, 11, 6), (2026, 12, 7), (2026, 12, 7), (2027, 2, 8)),
        ("GB", "en-GB", "access", (2026, 7, 31), (2026, 9, 1), (2026, 9, 1), (2026, 11, 2)),
        ("GB", "en-GB", "erasure", (2026, 3, 3), (2026, 4, 7), (2026, 4, 7), (2026, 6, 3)),
        ("US", "en-US", "access", (2026, 10, 1), (2026, 11, 15), (2026, 11, 15), (2026, 12, 30)),
        ("US", "en-US", "appeal", (2026, 12, 1), (2027, 1, 15), (2027, 1, 15), (2027, 3, 16)),
        ("SE", "sv", "question", (2026, 1, 31), (2026, 3, 2), None, None),
    ],
)
def test_the_last_days_come_from_the_law_of_the_market(asked, market, locale, right, received, due, notice, extended):
    when = datetime(*received, 12, tzinfo=UTC)
    with clock.at(when):
        made = asked(None, right, when, market, locale)
        found = requests.one(made).deadline

    assert found.first_due == date(*due)
    assert found.notice_by == (date(*notice) if notice else None)
    assert found.extended_due == (date(*extended) if extended else None)
    assert Request.objects.get(pk=made).due_on == found.due


def test_norway_says_that_the_day_may_be_later_but_does_not_rely_on_it(asked):
    when = datetime(2026, 4, 17, 12, tzinfo=UTC)
    with clock.at(when):
        found = requests.one(asked(None, "access", when)).deadline

    assert (found.due, found.may_be) == (date(2026, 5, 17), date(2026, 5, 18))


def test_a_british_complaint_is_acknowledged_within_thirty_days_of_its_day(asked):
    when = datetime(2026, 6, 20, 12, tzinfo=UTC)
    with clock.at(when):
        found = requests.one(asked(None, "complaint", when, "GB", "en-GB")).deadline

    assert (found.acknowledge_by, found.by_law) == (date(2026, 7, 19), False)


def test_a_british_access_request_stands_while_the_person_is_asked_what_they_mean(somebody, asked, letterbox):
    person = somebody()
    with at(2026, 3, 2):
        made = asked(person, "access", market="GB", locale="en-GB")
        requests.identify(made, person, STAFF, "in_person")
        assert requests.one(made).deadline.due == date(2026, 4, 2)
    with at(2026, 3, 10):
        requests.ask_clarification(made, "Which year?", STAFF)
        case = requests.one(made)
        assert (case.state, case.waiting_for, case.deadline.stopped_since) == (
            "waiting",
            ("person",),
            date(2026, 3, 10),
        )
        assert "the time does not count" in texts(letterbox)[-1]
    with at(2026, 3, 19):
        requests.answer_clarification(made, "2024", STAFF)
        case = requests.one(made)

    assert (case.state, case.waiting_for, case.deadline.stopped_since) == ("working", (), None)
    assert case.deadline.due == date(2026, 4, 13)  # the ten days from 10 to 19 March do not count; 12 April is a Sunday
    assert Request.objects.get(pk=made).due_on == date(2026, 4, 13)


def test_a_swedish_request_does_not_stand_while_the_person_is_asked(somebody, asked, letterbox):
    person = somebody()
    with at(2026, 3, 2):
        made = asked(person, "access", market="SE", locale="sv")
        requests.ask_clarification(made, "Vilket år?", STAFF)
    with at(2026, 3, 19):
        assert requests.one(made).deadline.due == date(2026, 4, 2)
    assert "räknas inte" not in texts(letterbox)[-1]


def test_in_britain_the_month_begins_when_it_is_known_who_asks(somebody, asked, letterbox):
    person = somebody()
    with at(2026, 3, 2):
        made = asked(person, "erasure", market="GB", locale="en-GB")
        assert requests.ask_identity(made, person, STAFF)
    with at(2026, 3, 9):
        requests.identify(made, person, STAFF, "call_back")
        assert requests.one(made).deadline.due == date(2026, 4, 9)


# --- who it is from -------------------------------------------------------------------------------------------------


def test_opening_the_link_sent_to_the_address_on_file_proves_who_asked(somebody, asked, letterbox):
    person = somebody()
    made = asked(person, "erasure")

    assert requests.ask_identity(made, person, STAFF)
    assert requests.one(made).state == "identifying"
    mail.deliver(clock.now())
    assert letterbox.last()["To"] == KARI
    verbs.open_portal(letterbox.link("open"))

    case = requests.one(made)
    assert (case.state, case.identified_at is not None) == ("working", True)
    assert [each.kind for each in case.history] == ["received", "identity_asked", "identified"]


def test_nothing_is_done_with_anybodys_data_before_it_is_certain_who_asks(somebody, asked):
    person = somebody()
    for right, act in (
        ("access", behalf.hand_over),
        ("restriction", behalf.restrict),
        ("erasure", behalf.ask_to_erase),
    ):
        with pytest.raises(Problem, match=r"not certain"):
            act(asked(person, right), STAFF)


def test_a_stranger_is_answered_at_the_address_they_wrote_from_and_nothing_of_them_is_in_the_register(asked, letterbox):
    made = asked(None, "question", contact="Stranger@Example.NO", words="Hva lagrer dere?")
    requests.reply(made, "Ingenting om deg.\n\nHilsen oss", STAFF, closes=True)

    case = requests.one(made)
    assert (case.state, case.outcome) == ("answered", "answered")
    assert "Ingenting om deg." in texts(letterbox)[-1]
    assert letterbox.last()["To"] == "Stranger@Example.NO"
    assert register_reads.people_count() == 0
    assert ports.register().find("email", "stranger@example.no") is None


def test_what_a_stranger_wrote_follows_to_the_person_they_turn_out_to_be(somebody, asked):
    person = somebody()
    made = asked(None, "access", contact="other@example.no", words="Alt dere har om meg")
    writer = requests.one(made).person_id
    requests.identify(made, person, STAFF, "call_back")

    case = requests.one(made)
    assert case.person_id == person
    assert list(cases.words_of(case).values()) == ["Alt dere har om meg"]
    assert not Person.objects.filter(pk=writer).exists()
    with pytest.raises(Problem, match="somebody else"):
        requests.identify(made, somebody("x@example.no"), STAFF, "call_back")


def test_words_are_sealed_under_a_key_of_their_own_while_nobody_is_known(asked):
    made = asked(None, "complaint", words="hemmelig ord")

    assert not any(b"hemmelig" in bytes(each.sealed) for each in Step.objects.all() if each.sealed)
    assert list(cases.words_of(requests.one(made)).values()) == ["hemmelig ord"]


# --- more time, and no ----------------------------------------------------------------------------------------------


def test_an_extension_is_told_in_time_with_its_reason_or_not_taken(somebody, asked, letterbox):
    person = somebody()
    with at(2026, 8, 31):
        made, late = (asked(person, "access", market="SE", locale="sv") for _ in range(2))
    with at(2026, 9, 30):
        requests.extend(made, "complex", STAFF, "Vi söker i arkivet.")
        letter = texts(letterbox)[-1]
        assert "30 november 2026" in letter
        assert "komplicerad" in letter
        assert "Vi söker i arkivet." in letter
        with pytest.raises(Problem, match="one extension"):
            requests.extend(made, "complex", STAFF)
    with at(2026, 10, 1), pytest.raises(Problem, match="has passed"):
        requests.extend(late, "complex", STAFF)

    case = requests.one(made)
    assert (case.deadline.due, case.deadline.notice_by) == (date(2026, 11, 30), None)
    assert Request.objects.get(pk=made).due_on == date(2026, 11, 30)


def test_what_has_no_day_in_law_has_no_extension(asked):
    with pytest.raises(Problem, match="no extension"):
        requests.extend(asked(None, "question", contact="a@example.no"), "complex", STAFF)


@pytest.mark.parametrize(
    "market, locale, sentences",
    [
        ("SE", "sv", ["Integritetsskyddsmyndigheten", "domstol", "rättsliga anspråk"]),
        ("NO", "nb", ["Datatilsynet", "domstolene", "rettskrav"]),
        ("FI", "fi", ["Tietosuojavaltuutetun toimisto", "tuomioistuimeen", "oikeusvaateen"]),
        ("GB", "en-GB", ["Information Commissioner", "court", "legal claims"]),
        ("US", "en-US", ["Attorney General", "appeal against the decision", "45 days", "dpo@small.example"]),
    ],
)
def test_a_refusal_gives_reasons_and_where_to_complain_in_the_persons_language(
    somebody, identified, letterbox, market, locale, sentences
):
    made = identified(somebody(), "erasure", market=market, locale=locale)
    requests.refuse(made, "claims", "There is a dispute.", STAFF)

    letter = texts(letterbox)[-1]
    for words in [*sentences, "There is a dispute.", requests.one(made).reference]:
        assert words in letter
    assert ("court" in letter) == (market == "GB")
    assert requests.one(made).state == "refused"
    assert "None" not in letter
    assert "{" not in letter


def test_without_reasons_in_words_there_is_no_refusal(somebody, identified):
    made = identified(somebody(), "erasure")
    with pytest.raises(Problem, match="said in words"):
        requests.refuse(made, "claims", "  ", STAFF)

    assert requests.one(made).state == "working"


def test_a_reason_is_only_good_for_the_rights_it_fits(somebody, identified):
    with pytest.raises(Problem, match="not refused for this reason"):
        requests.refuse(identified(somebody(), "access"), "compelling_grounds", "Because.", STAFF)


def test_a_withdrawal_by_a_known_person_cannot_be_refused(subscriber, identified):
    made = identified(subscriber(), "withdrawal", purpose="newsletter")
    with pytest.raises(Problem, match="not refused"):
        requests.refuse(made, "identity", "Because.", STAFF)


@pytest.mark.parametrize(
    "law, cited", [("SE", "GDPR 17(3)(b)"), ("GB", "UK GDPR 17(3)(b)"), ("US-CO", "C.R.S. 6-1-1304(3)(a)")]
)
def test_the_article_of_a_refusal_is_that_of_the_market(law, cited):
    assert requests.law_of("legal_obligation", law) == cited


# --- doing it -------------------------------------------------------------------------------------------------------


def test_a_correction_on_behalf_is_carried_to_every_system_and_ends_only_when_they_agree(
    somebody, identified, shop, log
):
    person = somebody()
    made = identified(person, "rectification")
    holding = next(each for each in ports.register().held(person) if each.field == "name")
    with pytest.raises(Problem, match="not been done"):
        requests.complete(made, STAFF)
    behalf.correct(made, holding.id, "Kari Berg", STAFF)

    assert ports.register().read(person, "rights", ("name",), by="rights") == {"name": "Kari Berg"}
    case = requests.one(made)
    assert (case.state, case.waiting_for) == ("waiting", ("shop",))
    with pytest.raises(Problem, match="shop") as raised:
        requests.complete(made, STAFF)
    assert raised.value.code == "request.open-elsewhere"
    requests.let_end(made, STAFF)
    assert requests.one(made).is_open

    shop.is_up = True
    with clock.at(clock.now() + timedelta(minutes=1)):
        obligations.carry_out()
        outbox.drain()
        follow.follow(clock.now())
    assert shop.acts == [("correct", "", "Kari Berg")]
    assert (requests.one(made).state, requests.one(made).outcome) == ("done", "fulfilled")


def test_a_withdrawal_on_behalf_stops_the_use_at_once_and_says_so(subscriber, identified, letterbox, log):
    person = subscriber()
    made = identified(person, "withdrawal")
    behalf.stop(made, "newsletter", STAFF)

    assert not ports.consents().is_granted(person, "newsletter")
    assert requests.one(made).waiting_for == ("log",)  # until everybody who must hear of it has
    outbox.drain()
    requests.complete(made, STAFF)
    assert "sluttet å bruke opplysningene dine til: newsletter" in texts(letterbox)[-1]


def test_a_copy_is_handed_over_by_a_link_to_the_address_on_file_and_waits_for_every_system(
    somebody, identified, letterbox, shop
):
    made = identified(somebody(), "access")
    behalf.hand_over(made, STAFF)
    mail.deliver(clock.now())

    assert verbs.open_portal(letterbox.link("open")).person_id == requests.one(made).person_id
    assert requests.one(made).waiting_for == ("shop",)
    shop.is_up = True
    obligations.export(requests.one(made).person_id, [("email", KARI)])
    requests.complete(made, STAFF)
    assert requests.one(made).state == "done"


def test_a_restriction_stops_everything_but_storage_and_is_told_to_the_systems(somebody, identified, shop, letterbox):
    person = somebody()
    made = identified(person, "restriction")
    behalf.restrict(made, STAFF)

    assert restriction.is_restricted(person)
    assert ports.is_restricted(person)
    with pytest.raises(Problem, match="restricted"):
        register_reads.holdings_of(person, "customer", by="staff:1")
    assert register_reads.holdings_of(person, "rights", by="staff:1")
    assert {(each.what, each.system) for each in Obligation.objects.all()} == {("restrict", "shop")}
    with pytest.raises(Problem, match="must be told") as raised:
        restriction.lift(person, STAFF)
    assert raised.value.law == "GDPR 18(3)"

    restriction.announce_end(person, STAFF, "Tvisten er over.")
    assert any("Tvisten er over." in each for each in texts(letterbox))  # letters in one batch have no order
    restriction.lift(person, STAFF)
    assert not restriction.is_restricted(person)
    assert sorted(Obligation.objects.values_list("what", "purpose")) == [("restrict", ""), ("restrict", "lifted")]


def test_a_restricted_person_gets_nothing_from_the_queue_but_what_the_law_demands(subscriber, letterbox):
    person = subscriber()
    words = mail.Words("Hei", "Hei der\n")
    for purpose in ("answers", "rights"):
        mail.send(mail.Letter("issue", person, "ola@example.no", words, purpose))
    restriction.restrict(person, "person")
    mail.send(mail.Letter("issue", person, "ola@example.no", words, "answers"))
    mail.deliver(clock.now())

    assert len(letterbox.letters) == 1


def test_no_clock_runs_while_the_person_wants_the_data_kept(subscriber, log):
    person = subscriber()
    later = clock.now() + timedelta(days=1000)
    restriction.restrict(person, "person")
    assert ports.register().due_people(later, 10) == []
    refresh([person])
    assert ports.register().due_people(later, 10) == []
    restriction.lift(person, "person")
    assert ports.register().due_people(later, 10) == []  # what they asked for is still on its way
    outbox.drain()
    follow.follow(clock.now())

    assert ports.register().due_people(later, 10) == [person]


def test_no_clock_takes_whoever_waits_for_an_answer_and_it_runs_again_when_they_have_it(subscriber, asked):
    person = subscriber()
    later = clock.now() + timedelta(days=1000)
    made = asked(person, "access")
    assert ports.register().due_people(later, 10) == [person]  # anybody could say that it is from them
    requests.identify(made, person, STAFF, "call_back")
    assert ports.register().due_people(later, 10) == []
    requests.refuse(made, "excessive", "Igjen.", STAFF)
    assert ports.register().due_people(later, 10) == [person]


# --- what people do themselves --------------------------------------------------------------------------------------


def test_what_a_person_does_in_the_portal_leaves_a_request_that_ends_by_itself(subscriber, log):
    person = subscriber()
    verbs.withdraw(person, "newsletter")
    holding = next(each for each in ports.register().held(person) if each.field == "name")
    verbs.correct(person, holding.id, "Ola Berg")
    restriction.restrict(person, "person")
    outbox.drain()
    follow.follow(clock.now())

    found = {each.right: (each.state, each.outcome, each.channel, each.by) for each in requests.of(person)}
    assert found == dict.fromkeys(
        ("withdrawal", "rectification", "restriction"), ("done", "fulfilled", "portal", "person")
    )


def test_a_new_address_nobody_confirms_leaves_a_request_that_says_so(somebody, letterbox):
    person = somebody()
    holding = next(each for each in ports.register().held(person) if each.field == "email")
    verbs.correct(person, holding.id, "new@example.no")
    assert requests.of(person)[0].waiting_for == ("person",)
    with clock.at(clock.now() + timedelta(days=2)):
        verbs.forget_corrections(clock.now())

    assert (requests.of(person)[0].state, requests.of(person)[0].outcome) == ("answered", "lapsed")


def test_a_confirmed_address_ends_its_request(somebody, letterbox, log):
    person = somebody()
    holding = next(each for each in ports.register().held(person) if each.field == "email")
    verbs.correct(person, holding.id, "new@example.no")
    mail.deliver(clock.now())
    verbs.confirm_address(letterbox.link("address"))
    follow.follow(clock.now())

    assert [(each.right, each.state) for each in requests.of(person)] == [("rectification", "done")]


def test_an_erasure_leaves_the_record_and_nobody_in_it(somebody, asked, log):
    person = somebody()
    access = asked(person, "access", words="Alt om Kari Nordmann")
    assert verbs.erase(person).is_complete
    follow.follow(clock.now())

    rows = Request.objects.all()
    assert sorted((each.right, each.state) for each in rows) == [("access", "done"), ("erasure", "done")]
    assert {(each.subject, each.owner, each.sealed) for each in rows} == {(None, None, None)}
    assert not Step.objects.filter(sealed__isnull=False).exists()
    assert cases.words_of(requests.one(access)) == {}
    with pytest.raises(Problem, match="has been erased"):
        requests.note(access, "Kari ringte.", STAFF)


def test_an_erasure_finds_what_was_written_from_the_address_before_anybody_knew_who_it_was(
    somebody, asked, letterbox, log
):
    stranger = asked(None, "question", contact="Kari.Nordmann@Example.NO", words="Hva har dere om meg?")
    other = asked(None, "question", contact="someone.else@example.no", words="Hva med meg?")
    writer = requests.one(stranger).person_id
    assert verbs.erase(somebody()).is_complete

    row = Request.objects.get(pk=stranger)
    assert (row.subject, row.owner, row.sealed, row.hash) == (None, None, None, "")
    assert not Person.objects.filter(pk=writer).exists()
    assert requests.one(stranger).is_open  # a question is still a question; it has no address any more
    assert list(cases.words_of(requests.one(other)).values()) == ["Hva med meg?"]


def test_an_erasure_waits_for_its_systems_and_names_them(somebody, shop, log):
    person = somebody()
    assert not verbs.erase(person).is_complete
    case = requests.open()[0]
    assert (case.right, case.state, case.waiting_for) == ("erasure", "waiting", ("shop",))
    shop.is_up = True
    with clock.at(clock.now() + timedelta(minutes=2)):
        verbs.resume(clock.now())
        follow.follow(clock.now())
        assert requests.one(case.id).state == "done"


# --- reminding and forgetting ---------------------------------------------------------------------------------------


def test_reminders_go_to_the_market_once_for_each_step_and_name_nobody(somebody, asked, letterbox):
    with at(2026, 3, 2):
        made = asked(somebody(), "access", market="SE", locale="sv", words="Kari Nordmann vill veta")
    for day, count in ((10, 0), (26, 1), (27, 1), (30, 2)):
        with at(2026, 3, day):
            follow.remind(clock.now())
            assert len(letterbox.letters) == count
    with at(2026, 4, 3):
        follow.remind(clock.now())

    letter = letterbox.last()
    text = letter.get_content()
    assert letter["To"] == "dpo@small.example"
    assert requests.one(made).reference in text
    assert "2 april 2026" in text
    assert "Nordmann" not in text
    assert [each.reason for each in requests.one(made).history if each.kind == "reminded"] == ["7", "3", "overdue"]


def test_requests_are_forgotten_when_both_policy_and_statute_let_them(somebody, asked, letterbox):
    with at(2024, 1, 31):
        made = asked(None, "question", market="US", locale="en-US", contact="a@example.com")
        requests.reply(made, "No.", STAFF, closes=True)
    with at(2026, 1, 30):
        assert follow.forget(clock.now()) == 0
    with at(2026, 1, 31):
        assert follow.forget(clock.now()) == 1

    assert not Request.objects.exists()
    assert not Step.objects.exists()
    assert not Person.objects.exists()


def test_a_reference_is_found_however_it_is_written(asked):
    made = asked(None, "question")
    reference = requests.one(made).reference

    assert {requests.find(each) for each in (reference, reference.lower().replace("-", ""), f" {reference} ")} == {made}
    assert requests.find("ABCD") is None


def test_a_request_that_has_ended_stays_ended(asked, letterbox):
    made = asked(None, "question", contact="a@example.no")
    requests.reply(made, "Svar", STAFF, closes=True)
    for act in (
        lambda: requests.reply(made, "Mer", STAFF),
        lambda: requests.complete(made, STAFF),
        lambda: requests.refuse(made, "unfounded", "Nei", STAFF),
    ):
        with pytest.raises(Problem, match="has ended"):
            act()
