"""A campaign's life: nothing before it is whole, nothing while it rests, nobody twice however often it is killed."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from lofte.core import clock, mail, tasks
from lofte.core.models import Action, Mail
from lofte.features.consent import reads as consents
from lofte.features.consent import verbs as consent
from lofte.features.outreach import campaigns, results, sending, verbs
from lofte.features.outreach.models import Campaign, Delivery
from lofte.features.register import verbs as register
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
LOCALES = ("sv", "nb", "fi", "en-GB", "en-US")
CONTENT = {loc: campaigns.Content(f"Nyheter {loc}", "Hei.", "<p>Hei.</p>", "Kort sagt") for loc in LOCALES}


@pytest.fixture
def drafted(published, db):
    return campaigns.draft("Spring", "product", "staff:1", contents=CONTENT)


def work():
    tasks.run_now("outreach.send")


def state(campaign):
    return Campaign.objects.get(pk=campaign).state


def reasons(campaign):
    return dict(Delivery.everyone.filter(campaign_id=campaign).values_list("person_id", "reason"))


def test_a_campaign_goes_from_draft_to_sent_and_counts_what_became_of_it(subscriber, letterbox, drafted):
    people = [subscriber(f"p{n}@example.no") for n in range(3)]
    campaigns.start(drafted, "staff:1")
    work()

    seen = results.progress(drafted)
    assert (seen.state, seen.looked, seen.written, seen.waiting, seen.left) == ("sending", 3, 3, 3, 0)

    mail.deliver(clock.now())
    work()
    assert state(drafted) == "sent"
    assert results.progress(drafted).left == 3
    assert sorted(str(each["To"]) for each in letterbox.letters) == [f"p{n}@example.no" for n in range(len(people))]


def test_a_campaign_that_lacks_a_language_of_its_markets_is_neither_started_nor_scheduled(published):
    short = campaigns.draft("Short", "product", "staff:1", contents={"nb": CONTENT["nb"]})

    assert set(campaigns.campaign(short).lacking) == set(LOCALES) - {"nb"}
    with pytest.raises(Problem, match=r"outreach\.issue-incomplete"):
        campaigns.start(short, "staff:1")
    with pytest.raises(Problem, match=r"outreach\.issue-incomplete"):
        campaigns.schedule(short, clock.now() + timedelta(days=1), "staff:1")

    campaigns.change(short, "staff:1", markets=["NO"])
    campaigns.start(short, "staff:1")
    assert state(short) == "sending"


def test_a_topic_or_market_the_policy_does_not_have_is_refused(published):
    with pytest.raises(Problem, match=r"outreach\.no-topic"):
        campaigns.draft("", "gossip", "staff:1")
    with pytest.raises(Problem, match=r"outreach\.no-topic"):
        campaigns.draft("", "product", "staff:1", markets=["DK"])


def test_a_scheduled_campaign_begins_at_its_hour_and_not_before(subscriber, letterbox, drafted):
    subscriber()
    at = clock.now() + timedelta(hours=2)
    campaigns.schedule(drafted, at, "staff:1")

    work()
    assert state(drafted) == "scheduled"
    with clock.at(at):
        tasks.run_now("outreach.send", at)
        assert Mail.everyone.filter(letter="issue").count() == 1
    with pytest.raises(Problem, match=r"outreach\.past"):
        campaigns.schedule(campaigns.copy(drafted, "staff:1"), clock.now() - timedelta(minutes=1), "staff:1")


def test_what_is_scheduled_can_become_a_draft_again_and_a_draft_be_thrown_away(drafted):
    campaigns.schedule(drafted, clock.now() + timedelta(hours=2), "staff:1")
    campaigns.unschedule(drafted, "staff:1")
    campaigns.discard(drafted, "staff:1")

    with pytest.raises(Problem, match=r"outreach\.no-campaign"):
        campaigns.campaign(drafted)


def test_a_pause_takes_back_what_waits_and_a_resumed_campaign_decides_anew(subscriber, letterbox, drafted):
    stays, leaves = subscriber("stays@example.no"), subscriber("leaves@example.no")
    campaigns.start(drafted, "staff:1")
    work()
    campaigns.pause(drafted, "staff:1")
    mail.deliver(clock.now())
    assert not letterbox.letters
    assert set(Mail.everyone.values_list("state", "reason")) == {("suppressed", "paused")}

    consent.withdraw(leaves, "newsletter", method="portal")
    work()
    assert not letterbox.letters
    campaigns.resume(drafted, "staff:1")
    work()
    mail.deliver(clock.now())
    work()

    assert [str(each["To"]) for each in letterbox.letters] == ["stays@example.no"]
    assert reasons(drafted) == {stays: "", leaves: "no-consent"}
    assert state(drafted) == "sent"


def test_a_stopped_campaign_sends_nothing_more_and_cannot_go_on(subscriber, letterbox, drafted):
    subscriber()
    campaigns.start(drafted, "staff:1")
    work()
    campaigns.stop(drafted, "staff:1")
    work()
    mail.deliver(clock.now())

    assert not letterbox.letters
    for step in (campaigns.resume, campaigns.pause, campaigns.start, campaigns.stop):
        with pytest.raises(Problem, match=r"outreach\.wrong-state"):
            step(drafted, "staff:1")


def test_a_campaign_that_is_being_sent_cannot_be_changed(subscriber, drafted):
    campaigns.start(drafted, "staff:1")

    with pytest.raises(Problem, match=r"outreach\.wrong-state"):
        campaigns.change(drafted, "staff:1", name="Other")


def test_who_withdraws_in_the_middle_of_a_run_gets_nothing(subscriber, letterbox, drafted, monkeypatch):
    people = sorted(subscriber(f"p{n}@example.no") for n in range(4))
    monkeypatch.setattr(sending, "STRETCH", 1)
    campaigns.start(drafted, "staff:1")
    sending.step(drafted, 1)
    sending.step(drafted, 1)
    queued, not_yet = people[0], people[2]
    consent.withdraw(queued, "newsletter", method="one_click")
    consent.withdraw(not_yet, "newsletter", method="portal")
    work()
    mail.deliver(clock.now())

    assert len(letterbox.letters) == 2
    assert Mail.objects.of(queued).get().reason == "withdrawn"
    assert reasons(drafted)[not_yet] == "no-consent"


def test_the_queue_is_kept_short(subscriber, letterbox, drafted, monkeypatch):
    for n in range(5):
        subscriber(f"p{n}@example.no")
    monkeypatch.setattr(sending, "AHEAD", 2)
    campaigns.start(drafted, "staff:1")
    work()
    work()
    assert len(mail.waiting_about(drafted)) == 2

    for _ in range(4):
        mail.deliver(clock.now())
        work()
    assert len(letterbox.letters) == 5
    assert state(drafted) == "sent"


@pytest.mark.parametrize("dies_at", range(1, 9))
def test_killed_anywhere_and_resumed_it_reaches_everybody_once(subscriber, letterbox, drafted, monkeypatch, dies_at):
    for n in range(4):
        subscriber(f"p{n}@example.no")
    monkeypatch.setattr(sending, "STRETCH", 1)
    campaigns.start(drafted, "staff:1")
    begun, write = [], sending._write

    def dies(*args):
        begun.append(1)
        if 2 * len(begun) - 1 == dies_at:
            raise KeyboardInterrupt
        write(*args)
        if 2 * len(begun) == dies_at:
            raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr(sending, "_write", dies)
        with pytest.raises(KeyboardInterrupt):
            work()
    for _ in range(3):
        work()
        mail.deliver(clock.now())
    work()

    assert sorted(str(each["To"]) for each in letterbox.letters) == [f"p{n}@example.no" for n in range(4)]
    assert state(drafted) == "sent"


def test_of_two_senders_that_take_the_same_stretch_one_does_nothing(subscriber, drafted):
    subscriber()
    campaigns.start(drafted, "staff:1")
    row = Campaign.objects.get(pk=drafted)

    assert sending._is_mine(row)
    assert not sending._is_mine(row)


def test_nobody_gets_more_letters_than_the_policy_says(republish, subscriber, letterbox):
    def often(policy):
        policy["outreach"] = {"frequency": {"letters": 2, "per": "P7D"}}

    republish(often)
    person = subscriber()
    sent = []
    for _ in range(3):
        sent.append(campaigns.draft("", "product", "staff:1", contents=CONTENT))
        campaigns.start(sent[-1], "staff:1")
        work()
    assert [reasons(each)[person] for each in sent] == ["", "", "too-often"]

    with clock.at(clock.now() + timedelta(days=7, minutes=1)):
        later = campaigns.draft("", "product", "staff:1", contents=CONTENT)
        campaigns.start(later, "staff:1")
        work()
        assert reasons(later) == {person: ""}


def test_who_had_enough_letters_gets_the_next_one_when_the_policy_allows_while_it_is_current(
    republish, subscriber, letterbox
):  # fmt: skip
    def often(policy):
        policy["outreach"] = {"frequency": {"letters": 1, "per": "P2D"}}

    def begun(patience):
        made = campaigns.draft("", "product", "staff:1", contents=CONTENT, patience=patience)
        campaigns.start(made, "staff:1")
        work()
        mail.deliver(clock.now())
        work()
        return made

    republish(often)
    person = subscriber()
    first, waits, hurries, skips = begun(7), begun(7), begun(1), begun(0)

    assert [state(each) for each in (first, waits, hurries, skips)] == ["sent", "sending", "sending", "sent"]
    assert [each.state for each in results.results(waits).groups] == ["put_off"]
    assert [(each.state, each.reason) for each in results.results(skips).groups] == [("suppressed", "too-often")]

    for days, expected in ((1.01, "put_off"), (2.01, "queued")):
        with clock.at(clock.now() + timedelta(days=days)):
            work()
            assert Delivery.everyone.get(campaign_id=waits, person_id=person).state == expected
            assert state(hurries) == "sent"
    assert reasons(hurries) == {person: "too-often"}
    assert Delivery.everyone.get(campaign_id=hurries).state == "suppressed"


def test_who_withdraws_while_put_off_never_gets_it(republish, subscriber, letterbox):
    def often(policy):
        policy["outreach"] = {"frequency": {"letters": 1, "per": "P2D"}}

    republish(often)
    person = subscriber()
    for _ in range(2):
        last = campaigns.draft("", "product", "staff:1", contents=CONTENT)
        campaigns.start(last, "staff:1")
        work()
    consent.withdraw(person, "newsletter", method="portal")

    with clock.at(clock.now() + timedelta(days=3)):
        work()

        assert reasons(last) == {person: "no-consent"}
        assert state(last) == "sent"


def test_a_change_made_on_an_older_version_is_refused(drafted):
    seen = campaigns.campaign(drafted)
    campaigns.change(drafted, "staff:2", name="Summer", mark=seen.mark)

    with pytest.raises(Problem, match=r"outreach\.changed-meanwhile"):
        campaigns.change(drafted, "staff:1", name="Autumn", mark=seen.mark)
    with pytest.raises(Problem, match=r"outreach\.changed-meanwhile"):
        campaigns.change_letter(drafted, "sv", None, "staff:1", mark="")

    assert campaigns.campaign(drafted).name == "Summer"
    assert "sv" in campaigns.campaign(drafted).contents


def test_it_is_only_for_its_markets_and_topic(subscriber, drafted):
    reader, elsewhere = subscriber("reader@example.no"), subscriber("other@example.no")
    verbs.choose_topics(elsewhere, ["events"])
    campaigns.start(drafted, "staff:1")
    work()
    assert reasons(drafted) == {reader: "", elsewhere: "other-topic"}

    swedish = campaigns.draft("", "product", "staff:1", contents=CONTENT, markets=["SE"])
    campaigns.start(swedish, "staff:1")
    work()
    assert reasons(swedish)[reader] == "other-market"


def test_results_show_no_group_of_few_and_no_total_it_follows_from():
    counts = results.Counter({("sent", ""): 40, ("suppressed", "no-consent"): 2})
    shown = results.shown(counts, 5)

    assert shown.total is None
    assert [(each.state, each.count) for each in shown.groups] == [("sent", 40), ("suppressed", None)]
    assert results.shown(results.Counter({("sent", ""): 40, ("skipped", "other-topic"): 9}), 5).total == 49


def test_a_test_letter_goes_to_staff_alone_and_counts_nowhere(letterbox, drafted):
    User.objects.filter(pk=1).update(email="lead@xledger.example")
    campaigns.test_send(drafted, "nb", 1, "staff:1")

    letter = letterbox.last()
    assert (letter["To"], letter["Subject"]) == ("lead@xledger.example", "Test: Nyheter nb")
    assert letter.get_body(("html",)) is not None
    assert not Delivery.everyone.exists()
    assert verbs.unsubscribe(letterbox.link("unsubscribe")) is None
    with pytest.raises(Problem, match=r"outreach\.no-address"):
        campaigns.test_send(drafted, "nb", 7, "staff:1")


def test_every_letter_has_its_own_way_out_and_names_its_list(subscriber, letterbox, drafted):
    people = [subscriber(f"p{n}@example.no") for n in range(2)]
    campaigns.start(drafted, "staff:1")
    work()
    mail.deliver(clock.now())

    ways = {letter["List-Unsubscribe"] for letter in letterbox.letters}
    assert len(ways) == 2
    assert all(letter["List-Id"].startswith("<product.") for letter in letterbox.letters)
    assert all("way-out.invalid" not in letter.as_string() for letter in letterbox.letters)
    first = letterbox.letters[0]
    verbs.unsubscribe(letterbox.link("unsubscribe", first))
    assert sorted(consents.is_granted(each, "newsletter") for each in people) == [False, True]


def test_an_empty_mail_to_the_way_out_unsubscribes(subscriber, letterbox, drafted, settings):
    from lofte.core.mailing import taking

    settings.LOFTE_MAIL_DOMAIN = "mail.xledger.example"
    person = subscriber()
    campaigns.start(drafted, "staff:1")
    work()
    mail.deliver(clock.now())
    way_out = letterbox.last()["List-Unsubscribe"].partition("<mailto:")[2].rstrip(">")

    taking.take(way_out, b"From: Ola <ola@example.no>\r\nTo: x@example.no\r\nSubject: unsubscribe\r\n\r\n\r\n")

    assert not consents.is_granted(person, "newsletter")
    assert consents.events_of(person)[-1].method == "mail"


def test_only_the_channel_that_was_agreed_to_is_written_to(subscriber, drafted):
    person = subscriber()
    consent.grant(
        person, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal", channel="sms"
    )
    consent.withdraw(person, "newsletter", method="preferences", channel="email")
    campaigns.start(drafted, "staff:1")
    work()

    assert consents.is_granted(person, "newsletter", "sms")
    assert consents.standings(person)["newsletter"].channels == frozenset({"sms"})
    assert reasons(drafted) == {person: "no-consent"}
    consent.withdraw(person, "newsletter", method="portal")
    assert not consents.is_granted(person, "newsletter", "sms")


def test_own_customers_are_written_to_without_consent_only_where_the_law_and_the_policy_say_so(
    republish, somebody, letterbox
):
    def to_customers(policy):
        policy["purposes"]["offers"] = {
            "basis": "legitimate_interest", "scope": "person", "fields": ["email", "name", "company"],
            "clock": policy["purposes"]["customer"]["clock"], "balancing": policy["purposes"]["newsletter"].get("balancing") or {
                "interest": True, "necessity": True, "balance": True, "reviewed": "2026-01-31", "reviewed_by": "lead"
            },
        }  # fmt: skip
        policy["relations"]["customer"]["purposes"].append("offers")
        policy["topics"]["upgrades"] = {"purpose": "offers"}
        policy["outreach"] = {
            "own_customers": [{"purpose": "offers", "relation": "customer", "no_offered_from": "2020-01-01"}]
        }

    republish(to_customers)
    customer, prospect, objected = somebody(), somebody("p@example.no", purpose="newsletter"), somebody("o@example.no")
    for person, address in (
        (customer, "kari.nordmann@example.no"),
        (prospect, "p@example.no"),
        (objected, "o@example.no"),
    ):
        register.hold(person, {"email": address}, "offers", source="import", market="NO", locale="nb")
    consent.object_to(objected, "offers", method="portal")
    campaign = campaigns.draft("", "upgrades", "staff:1", contents=CONTENT)
    campaigns.start(campaign, "staff:1")
    work()
    mail.deliver(clock.now())

    assert reasons(campaign) == {customer: "", prospect: "marketing-no-consent", objected: "objected"}
    assert [str(each["To"]) for each in letterbox.letters] == ["kari.nordmann@example.no"]


def test_a_campaign_whose_segment_is_gone_pauses_and_says_why(subscriber, drafted):
    from lofte.core.models import new_id

    subscriber()
    Campaign.objects.filter(pk=drafted).update(segment=new_id())
    campaigns.start(drafted, "staff:1")
    work()

    assert state(drafted) == "paused"
    assert campaigns.campaign(drafted).halted


def test_each_step_is_written_down_without_anybody_in_it(subscriber, drafted):
    subscriber()
    campaigns.start(drafted, "staff:1")
    campaigns.pause(drafted, "staff:7")
    campaigns.resume(drafted, "staff:7")
    campaigns.stop(drafted, "staff:1")

    done = list(Action.objects.filter(action__startswith="campaign.").order_by("at").values_list("action", "actor"))
    assert set(done) == {
        ("campaign.started", "staff:1"), ("campaign.paused", "staff:7"), ("campaign.resumed", "staff:7"),
        ("campaign.stopped", "staff:1"),
    }  # fmt: skip


def test_a_stretch_costs_no_more_statements_for_many_than_for_few(subscriber, drafted, django_assert_max_num_queries):
    campaigns.start(drafted, "staff:1")
    for n in range(12):
        subscriber(f"p{n}@example.no")

    with django_assert_max_num_queries(45):
        sending.step(drafted, 200)
    assert Delivery.everyone.filter(state="queued").count() == 12


def test_a_sending_to_a_few_that_dies_leaves_nothing_for_the_duty_to_go_on_with(subscriber, drafted, monkeypatch):
    one, other = subscriber("p1@example.no"), subscriber("p2@example.no")

    def dies(campaign, people, **given):
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(sending.audience, "decided", dies)
        with pytest.raises(RuntimeError):
            sending.send_whole(drafted, "canary", only=[one])
    work()

    assert state(drafted) == "draft"
    assert not Delivery.everyone.filter(person_id__in=[one, other]).exists()
