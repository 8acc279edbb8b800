"""Inquiries: in by a form or by mail, answered in one thread, on the right desk, by the last day, and gone on time."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from lofte.core import clock, mail, outbox, ports, roles
from lofte.core.mailing import taking
from lofte.core.models import Mail, Outbox
from lofte.features.consent import verbs as consents
from lofte.features.outreach.forms.files import Upload
from lofte.features.outreach.inquiries import desks, follow, intake, kinds, reads, verbs
from lofte.features.outreach.inquiries.models import Inquiry, ReplyAddress, Step
from lofte.features.register import attachments
from lofte.features.register import reads as register
from lofte.features.register import verbs as registering
from lofte.features.register.models import Signal
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PDF = Upload("cv.pdf", "application/octet-stream", b"%PDF-1.7 and more")


@pytest.fixture
def at():
    """The clock stands where it is put."""
    with ExitStack() as stack:

        def put(moment):
            stack.enter_context(clock.at(moment))

        put(NOW)
        yield put


def steps(line):
    return [each.kind for each in reads.history(reads.one(line.id))]


def opened(line):
    return reads.opened(reads.one(line.id), line.purpose, by="staff:1")


# --- coming in ------------------------------------------------------------------------------------------------------


def test_a_form_becomes_an_inquiry_with_a_last_day_and_a_confirmation(at, ask, delivered):
    line = ask()

    assert (line.kind, line.market, line.state, line.assignee) == ("inquiry", "NO", "open", "")
    assert line.due_on.isoformat() == "2026-04-01"
    letter = delivered()
    assert letter["To"] == "kari@example.no"
    assert line.reference in letter["Subject"]
    assert "1. april 2026" in letter.get_body(("plain",)).get_content()
    assert "Hva koster det" not in letter.as_string()
    assert letter["Reply-To"].startswith("reply+")


def test_what_was_written_is_dialogue_of_the_person_under_the_clock_of_its_purpose(at, ask):
    line = ask()
    person = ports.register().find("email", "kari@example.no")

    (said,) = register.holdings_of(person, "answers", by="staff:1", fields=["dialogue"])
    assert (said.value, said.clock, said.source) == ("Hva koster det?", "inactivity", "form:inquiry")
    assert opened(line).words[reads.history(line)[0].id] == "Hva koster det?"


@pytest.mark.parametrize(
    ("kind", "relation", "clock_of"),
    [
        ("inquiry", "prospect", "inactivity"), ("application", "applicant", "half-year"),
        ("supplier", "supplier", "inactivity"), ("partner", "partner", "inactivity"),
    ],
)  # fmt: skip
def test_each_kind_has_a_relation_and_the_clock_of_its_purpose(at, ask, kind, relation, clock_of):
    line = ask(kind)

    assert [each.relation for each in register.relations_of(line.person_id)] == [relation]
    held = register.holdings_of(line.person_id, line.purpose, by="staff:1")
    assert {each.clock for each in held} == {clock_of}


def test_an_address_typed_by_a_stranger_changes_nothing_that_is_held(at, ask, somebody):
    person = somebody("kari@example.no")
    before = {each.field: each.value for each in register.holdings_of(person, "portal", by="person")}
    line = ask(name="Somebody Else")

    after = register.holdings_of(person, "portal", by="person")
    assert line.person_id == person
    assert {each.field: each.value for each in after if each.field != "dialogue"} == before
    assert [each.relation for each in register.relations_of(person)] == ["customer"]
    assert not Signal.objects.of(person).exists()
    assert opened(line).writer["name"] == "Somebody Else"


def test_files_are_kept_sealed_with_the_letter(at, ask):
    line = ask("application", files=[PDF])
    (kept,) = attachments.of_person(line.person_id)

    assert (kept.name, kept.kind) == ("cv.pdf", "application/pdf")
    assert kept.dialogue in reads.entries_of(line)
    assert attachments.open_one(line.person_id, kept.id, "recruitment", by="staff:1")[1] == PDF.data


def test_a_file_that_is_not_what_its_name_says_is_refused_with_the_whole_form(at, ask):
    with pytest.raises(Problem) as refused:
        ask(files=[Upload("cv.pdf", "application/pdf", b"MZ this runs")])

    assert refused.value.code == "form.bad-file"
    assert not Inquiry.everyone.exists()


def test_nothing_that_was_written_stands_readable_in_the_tables(at, ask):
    from django.db import connections

    line = ask()
    verbs.note(line.id, "Ringte for å høre om Kari", by="staff:1")

    with connections["default"].cursor() as cursor:
        for table in ("inquiries_inquiry", "inquiries_step", "inquiries_replyaddress", "core_outbox", "core_mail"):
            cursor.execute(f"SELECT * FROM {table}")
            content = repr([[bytes(c) if isinstance(c, memoryview) else c for c in row] for row in cursor.fetchall()])
            assert "kari@example.no" not in content
            assert "Kari" not in content
            assert "koster" not in content


# --- talking --------------------------------------------------------------------------------------------------------


def test_answers_stand_in_one_thread(at, ask, delivered, comes_back):
    line = ask()
    first = delivered()
    verbs.reply(line.id, "Hei Kari.\n\nDet koster hundre.", by="staff:1")
    second = delivered()
    comes_back(second, "Takk! Og for ti?")
    verbs.reply(line.id, "Ni hundre.", by="staff:1")
    third = delivered()

    assert second["In-Reply-To"] == first["Message-ID"]
    assert second["Subject"] == f"Re: {first['Subject']}" == third["Subject"]
    assert third["In-Reply-To"] == "<1@example.no>"
    assert third["References"].split() == [first["Message-ID"], second["Message-ID"], "<1@example.no>"]
    assert first["Reply-To"] == second["Reply-To"] == third["Reply-To"]
    assert first["Auto-Submitted"] == "auto-generated"
    assert "Auto-Submitted" not in second
    assert "Det koster hundre." in second.get_body(("plain",)).get_content()


def test_an_answer_ends_the_debt_and_says_in_the_log_whether_it_was_late(at, ask, log):
    line = ask()
    verbs.reply(line.id, "Hundre.", by="staff:1")
    other = ask(email="ola@example.no")
    at(NOW + timedelta(days=31))
    verbs.reply(other.id, "Hundre.", by="staff:1")

    assert reads.one(line.id).state == "answered"
    assert reads.one(line.id).due_on is None
    facts = [row.fact for row in Outbox.objects.filter(kind="inquiry.answered").order_by("made_at")]
    assert [each["late"] for each in facts] == [False, True]


def test_their_answer_by_mail_joins_the_thread_and_we_owe_another(at, ask, delivered, comes_back):
    line = ask()
    verbs.reply(line.id, "Hundre.", by="staff:1")
    letter = delivered()
    at(NOW + timedelta(days=10))
    comes_back(letter, "Og for ti?", sender="Kari@Example.NO", files=[("spec.txt", b"ti stykker"), ("x.exe", b"MZ")])

    found = reads.one(line.id)
    assert (found.state, found.due_on.isoformat()) == ("open", "2026-04-11")
    assert steps(line)[-2:] == ["received", "files_refused"]
    assert "Og for ti?" in opened(line).words.values()
    assert [each.name for each in attachments.of_person(line.person_id)] == ["spec.txt"]
    assert Signal.objects.of(line.person_id).filter(kind="reply").exists()


def test_an_answer_opens_what_was_closed(at, ask, delivered, comes_back):
    line = ask()
    verbs.reply(line.id, "Hundre.", by="staff:1", closes=True)
    assert reads.one(line.id).state == "closed"
    comes_back(delivered(), "Det var ikke det jeg spurte om.")

    assert reads.one(line.id).state == "open"


def test_a_letter_from_another_address_is_kept_as_that_and_moves_no_clock(at, ask, delivered, comes_back):
    line = ask()
    comes_back(delivered(), "Jeg er Karis sjef.", sender="sjef@example.no")

    step = reads.history(line)[-1]
    assert step.reason == "other_address"
    assert opened(line).senders[step.id] == "sjef@example.no"
    assert not Signal.objects.of(line.person_id).filter(kind="reply").exists()


def test_a_machines_answer_is_noted_and_moves_nothing(at, ask, delivered, comes_back):
    line = ask()
    verbs.reply(line.id, "Hundre.", by="staff:1")
    comes_back(delivered(), "Jeg er på ferie.", automatic=True)

    assert reads.one(line.id).state == "answered"
    assert steps(line)[-1] == "automatic"
    assert "Jeg er på ferie." not in opened(line).words.values()


def test_a_letter_to_an_address_nobody_was_given_is_refused(house, at):
    from lofte.core.mailing.inbound import Incoming

    with pytest.raises(Problem) as refused:
        intake.answered("abcdefgh12345678", Incoming("kari@example.no", "Re", "Hei"))

    assert (refused.value.code, refused.value.status) == ("inquiry.no-such-address", 404)


def _by_mail(letter, **headers):
    """A whole letter as a mail program sends it: the answer above what it quotes, a file, and headers of its own."""
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = (
        "Kari <kari@example.no>",
        letter["Reply-To"],
        f"SV: {letter['Subject']}",
    )
    answer["In-Reply-To"], answer["Message-ID"] = letter["Message-ID"], headers.pop("message_id", "<a1@example.no>")
    for name, value in headers.items():
        answer[name.replace("_", "-")] = value
    answer.set_content("Takk! Og for ti?\n\nDen 2. mars 2026 skrev Small Company:\n> Hundre.\n> Hilsen Anna\n")
    answer.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="behov.pdf")
    return answer["To"], answer.as_bytes()


@pytest.mark.parametrize("message_id", ["<a1@example.no>", "<no-at-sign>", ""])
def test_a_whole_letter_comes_in_once_without_what_it_quotes_and_can_be_answered(at, ask, delivered, message_id):
    line = ask()
    delivered()
    verbs.reply(line.id, "Hundre.\n\nHilsen Anna", by="staff:1")
    to, raw = _by_mail(delivered(), message_id=message_id)
    assert taking.take(to, raw)
    assert not taking.take(to, raw)

    assert steps(line).count("received") == 2
    assert "Takk! Og for ti?" in opened(line).words.values()
    assert [each.name for each in attachments.of_person(line.person_id)] == ["behov.pdf"]
    verbs.reply(line.id, "Ni hundre.", by="staff:1")
    assert (delivered()["In-Reply-To"] == message_id) == ("@" in message_id)


def test_an_out_of_office_letter_moves_nothing(at, ask, delivered):
    line = ask()
    verbs.reply(line.id, "Hundre.", by="staff:1")
    assert taking.take(*_by_mail(delivered(), Auto_Submitted="auto-replied"))

    assert reads.one(line.id).state == "answered"


def test_text_with_control_characters_is_kept_as_text(at, ask, delivered, comes_back):
    line = ask()
    comes_back(delivered(), "Hei\r\nder\x00\x1b[31m")

    assert "Hei\nder[31m" in opened(line).words.values()


def test_what_a_browser_sends_of_a_text_of_several_lines_is_taken(at, ask, delivered):
    line = ask()
    delivered()
    verbs.reply(line.id, "Hei Kari!\r\n\r\nHundre.\r\n", by="staff:1")
    verbs.note(line.id, "Ring.\r\nSnart.", by="staff:1")

    assert {"Hei Kari!\n\nHundre.", "Ring.\nSnart."} <= set(opened(line).words.values())
    with pytest.raises(Problem) as refused:
        verbs.reply(line.id, " \r\n\x00", by="staff:1")
    assert refused.value.code == "inquiry.no-words"


def test_without_mail_that_reaches_us_answers_go_to_the_markets_address(at, ask, delivered, settings):
    settings.LOFTE_MAIL_DOMAIN = ""
    ask()

    assert delivered()["Reply-To"] == "dpo@small.example"


def test_files_go_with_an_answer_and_stay_with_it(at, ask, delivered):
    line = ask()
    delivered()
    verbs.reply(line.id, "Se vedlegget.", by="staff:1", files=[PDF])

    letter = delivered()
    assert letter["In-Reply-To"]
    assert [each.get_filename() for each in letter.iter_attachments()] == ["cv.pdf"]
    assert [each.by for each in attachments.of_person(line.person_id)] == ["staff:1"]


def test_an_answer_that_does_not_arrive_is_no_answer(at, ask, letterbox, delivered):
    line = ask()
    delivered()
    verbs.reply(line.id, "Hundre.", by="staff:1")
    Mail.everyone.filter(about=line.id, state=Mail.State.QUEUED).update(state=Mail.State.FAILED, reason="refused")

    assert follow.notice_undelivered(clock.now()) == 1
    assert follow.notice_undelivered(clock.now()) == 0
    found = reads.one(line.id)
    assert (found.state, found.due_on.isoformat()) == ("open", "2026-04-01")
    assert steps(line)[-1] == "undelivered"


@pytest.mark.parametrize(("kind", "state"), [("hard", "open"), ("blocked", "open"), ("soft", "answered")])
def test_an_answer_that_comes_back_later_is_no_answer_either(at, ask, delivered, kind, state):
    line = ask()
    delivered()
    verbs.reply(line.id, "Hundre.", by="staff:1")
    delivered()
    letter = Step.everyone.get(inquiry=line.id, kind="replied").mail
    fact = outbox.Fact(letter, "mail.came_back", {"kind": kind}, line.person_id, letter, 0, clock.now())
    follow.on_came_back(fact)
    follow.on_came_back(fact)

    assert reads.one(line.id).state == state
    assert steps(line).count("undelivered") == (state == "open")


def test_what_was_said_on_the_telephone_counts_both_ways(at, ask):
    line = ask()
    verbs.told(line.id, "Fortalte prisen.", "phone", by="staff:1")
    assert reads.one(line.id).state == "answered"
    at(NOW + timedelta(days=1))
    verbs.heard(line.id, "Spurte om rabatt.", "phone", by="staff:1")

    assert reads.one(line.id).state == "open"
    assert {"Fortalte prisen.", "Spurte om rabatt."} <= set(opened(line).words.values())
    said = register.file_of(line.person_id, "answers", by="staff:1").dialogue
    assert sorted((each.medium, each.direction) for each in said) == [("", ""), ("phone", "in"), ("phone", "out")]


def test_the_person_goes_on_in_their_own_pages(at, ask):
    line = ask()
    verbs.reply(line.id, "Hundre.", by="staff:1")
    intake.write_in(line.person_id, line.id, "Og for ti?")

    assert reads.one(line.id).state == "open"
    assert reads.history(line)[-1].reason == "page"


def test_nobody_writes_into_an_inquiry_of_somebody_else(at, ask, somebody):
    line = ask()
    with pytest.raises(Problem) as refused:
        intake.write_in(somebody("ola@example.no"), line.id, "Hei")

    assert refused.value.code == "inquiry.unknown"


# --- work -----------------------------------------------------------------------------------------------------------


def test_an_inquiry_lies_on_a_desk_of_somebody_who_works_with_them(at, ask):
    line = ask()
    verbs.assign(line.id, "staff:7", by="staff:1")
    assert reads.one(line.id).assignee == "staff:7"
    with pytest.raises(Problem) as refused:
        verbs.assign(line.id, "role:auditors", by="staff:1")

    assert refused.value.code == "inquiry.no-desk"
    assert {"staff:1", "role:register"} <= {each.key for each in desks.desks()}


def test_moving_changes_inbox_and_relation_and_keeps_the_purpose(at, ask):
    line = ask()
    verbs.assign(line.id, "staff:7", by="staff:1")
    verbs.move(line.id, "supplier", "SE", by="staff:1")

    found = reads.one(line.id)
    assert (found.kind, found.market, found.locale, found.purpose, found.assignee) == (
        "supplier",
        "SE",
        "sv",
        "answers",
        "",
    )
    assert {each.relation for each in register.relations_of(line.person_id)} == {"prospect", "supplier"}


def test_nothing_unanswered_is_closed_as_answered(at, ask):
    line = ask()
    with pytest.raises(Problem) as refused:
        verbs.close(line.id, "answered", by="staff:1")
    assert refused.value.code == "inquiry.unanswered"
    verbs.close(line.id, "not_meant_for_us", by="staff:1")

    assert reads.one(line.id).outcome == "not_meant_for_us"


def test_what_is_opened_again_without_an_answer_has_its_old_last_day(at, ask):
    line = ask()
    verbs.close(line.id, "not_meant_for_us", by="staff:1")
    at(NOW + timedelta(days=20))
    verbs.reopen(line.id, by="staff:1")

    assert reads.one(line.id).due_on == line.due_on


def test_what_is_asked_by_right_becomes_a_request_of_the_day_it_came(at, ask):
    from lofte.features.rights import cases

    line = ask(dialogue="Slett alt dere har om meg.")
    at(NOW + timedelta(days=3))
    made = verbs.hand_over(line.id, "erasure", by="staff:1")

    case = cases.one(made)
    assert (case.right, case.person_id, case.received_at, case.identified_at) == ("erasure", line.person_id, NOW, None)
    assert list(cases.words_of(case).values()) == ["Slett alt dere har om meg."]
    found = reads.one(line.id)
    assert (found.state, found.outcome, found.request) == ("closed", "handed_over", made)


def test_of_two_who_act_at_once_one_is_told_to_look_again(at, ask):
    line = ask()
    verbs.note(line.id, "Ser på det.", by="staff:7")
    with pytest.raises(Problem) as refused:
        verbs.at_turn(line.id, line.turn, lambda: verbs.reply(line.id, "Hundre.", by="staff:1"))

    assert refused.value.code == "inquiry.moved"
    assert not Mail.everyone.filter(about=line.id, made_at__gt=NOW).exists()
    assert "replied" not in steps(line)


def test_who_objected_is_not_written_to_and_their_letter_not_opened(at, ask):
    line = ask()
    consents.object_to(line.person_id, "answers", method="portal")
    with pytest.raises(Problem) as unread:
        opened(line)
    with pytest.raises(Problem) as unsent:
        verbs.reply(line.id, "Hundre.", by="staff:1")

    assert (unread.value.code, unsent.value.code) == ("register.denied", "register.denied")
    assert "replied" not in steps(line)


# --- the inbox ------------------------------------------------------------------------------------------------------


def test_the_inbox_is_by_last_day_and_narrowed_by_market_kind_desk_and_purpose(at, ask):
    first = ask()
    at(NOW + timedelta(days=1))
    second = ask("application", "SE", "sv", email="astrid@example.se")
    at(NOW + timedelta(days=2))
    third = ask("supplier", "NO", "nb", email="ola@example.no")
    verbs.assign(third.id, "staff:1", by="staff:1")

    def found(**wanted):
        return [each.id for each in reads.listed(reads.Wanted(**wanted), clock.now()).lines]

    assert found() == [first.id, second.id, third.id]
    assert found(market="SE") == [second.id]
    assert found(kind="supplier") == [third.id]
    assert found(desks=frozenset({"staff:1"})) == [third.id]
    assert found(purposes=frozenset({"answers"})) == [first.id, third.id]
    assert reads.counts(reads.Wanted(market="NO"), clock.now())["open"] == 2
    assert reads.neighbours(third, frozenset({"answers"})) == (first.id, None)


def test_a_page_of_the_inbox_costs_the_same_however_many_there_are(at, ask, django_assert_num_queries):
    for number in range(4):
        ask(email=f"kari{number}@example.no")
    with django_assert_num_queries(2):
        reads.listed(reads.Wanted(), clock.now(), 1, 2)
    with django_assert_num_queries(2):
        assert reads.listed(reads.Wanted(), clock.now(), 2, 2).pages == 2


def test_the_market_is_reminded_once_for_each_step_towards_the_last_day(at, ask, letterbox, delivered):
    line = ask()
    delivered()
    told = []
    for day in (20, 24, 24, 29, 32, 33):
        at(NOW + timedelta(days=day))
        told.append(follow.remind(clock.now()))

    assert told == [0, 1, 0, 1, 1, 0]
    assert letterbox.last()["To"] == "dpo@small.example"
    assert line.reference in letterbox.last().get_content()
    assert "Kari" not in letterbox.last().as_string()
    standing = reads.standing(clock.now())
    assert (standing.open, standing.overdue, standing.markets) == (1, 1, {"NO": 1})


def test_the_promise_says_how_long_an_answer_may_take(at, ask, republish):
    assert kinds.within() == "P30D"
    assert kinds.answer_by("US", datetime(2026, 3, 3, 4, tzinfo=UTC)).isoformat() == "2026-04-01"  # still the 2nd there


# --- leaving --------------------------------------------------------------------------------------------------------


def test_erasing_takes_everything_and_the_address_no_longer_answers(at, ask, delivered, comes_back):
    line = ask(files=[PDF])
    verbs.note(line.id, "Ringte.", by="staff:1")
    letter = delivered()
    outbox.drain()
    ports.eraser().erase(line.person_id, "person")

    assert not Inquiry.everyone.exists()
    assert not Step.everyone.exists()
    assert not ReplyAddress.objects.exists()
    with pytest.raises(Problem):
        comes_back(letter, "Hei?")


def test_two_who_are_one_keep_their_inquiries_and_threads(at, ask, delivered, comes_back, somebody):
    from lofte.features.register import merging

    line = ask()
    verbs.note(line.id, "Ringte.", by="staff:1")
    letter = delivered()
    keep = somebody("kari.nordmann@example.no")
    merging.merge(keep, line.person_id, by="staff:1")
    comes_back(letter, "Hei igjen")

    found = reads.one(line.id)
    assert found.person_id == keep
    assert {"Hva koster det?", "Ringte.", "Hei igjen"} <= set(opened(found).words.values())


def test_an_inquiry_goes_when_its_last_letter_has(at, ask, delivered):
    line = ask("application")
    other = ask()
    assert line.person_id == other.person_id
    registering.drop(line.person_id, reads.entries_of(line))

    assert follow.forget(clock.now()) == 1
    assert [row.id for row in Inquiry.everyone.all()] == [other.id]
    assert not Step.everyone.filter(inquiry=line.id).exists()
    assert ReplyAddress.objects.count() == 1


def test_roles_say_who_works_with_inquiries():
    assert "inquiries.work" in roles.declared()["register"].grants()
    assert "inquiries.read" not in roles.declared()["auditors"].grants()


def test_a_letter_waits_for_nothing_personal_to_leave_by_the_log(at, ask, log):
    ask()
    mail.deliver(clock.now())
    outbox.drain()

    assert not Outbox.objects.exists()
