"""A day of requests in a browser, as a data protection lead has it: all ten kinds come in, by mail, telephone and post, from people
with and without an address, and by the evening none is open. Set LOFTE_SCREENSHOTS to a folder to look at every page on the way."""

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from lofte.core import approvals, clock, mail, outbox
from lofte.features.consent import verbs as consent
from lofte.features.register import verbs as register
from lofte.features.rights import cases, follow, requests, restriction, verbs

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"], transaction=True),
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(600),
]
NAMES = {
    "sv": (
        "Astrid Ek",
        "Bo Lind",
        "Cecilia Holm",
        "Doris Berg",
        "Erik Åström",
        "Fredrik Öhman",
        "Greta Sjö",
        "Hanna Ny",
    ),
    "en-GB": (
        "Ann Oakley",
        "Ben Hill",
        "Cora Marsh",
        "Doris Ford",
        "Eric Wood",
        "Fay Brook",
        "Grace Lake",
        "Holly Stone",
    ),
}
WORDS = {
    "sv": {
        "access": "Jag vill veta allt ni har om mig.", "rectification": "Mitt namn är felstavat.", "erasure": "Radera mig.",
        "portability": "Skicka mina uppgifter på papper, jag har ingen e-post.", "withdrawal": "Jag vill inte ha fler nyhetsbrev.",
        "objection": "Sluta ringa om annat än det jag frågade om.", "restriction": "Rör inte mina uppgifter tills vi är överens.",
        "question": "Säljer ni uppgifter vidare?", "complaint": "Ni svarade mig för sent.", "appeal": "Jag godtar inte ert nej.",
        "which": "Vilka uppgifter menar du?", "meant": "De om mina köp.", "no": "Nej, vi säljer inga uppgifter.",
        "sorry": "Du har rätt, och vi har ändrat våra rutiner.", "grounds": "Avtalet med dig kräver att vi når dig.",
        "over": "Uppgifterna är kontrollerade och stämmer.", "stands": "Vi har gått igenom beslutet igen.",
        "more": "Vi söker i arkivet.", "name": "Bo Lindh",
    },
    "en-GB": {
        "access": "I want to know everything you have about me.", "rectification": "My name is misspelt.", "erasure": "Erase me.",
        "portability": "Send my data on paper, I have no e-mail.", "withdrawal": "No more newsletters, please.",
        "objection": "Stop ringing about other things than I asked.", "restriction": "Leave my data alone until we agree.",
        "question": "Do you sell data?", "complaint": "You answered me too late.", "appeal": "I do not accept your refusal.",
        "which": "Which data do you mean?", "meant": "What I bought.", "no": "No, we do not sell data.",
        "sorry": "You are right, and we have changed how we work.", "grounds": "Our contract with you needs us to reach you.",
        "over": "The data has been checked and is right.", "stands": "We have gone through the decision again.",
        "more": "We are searching the archive.", "name": "Ben Hills",
    },
}  # fmt: skip


class Lead:
    """A data protection lead at the console."""

    def __init__(self, page, origin, market, locale):
        self.page, self.origin, self.market, self.locale = page, origin, market, locale
        self.words, self.seen, self.complaints = WORDS[locale], 0, []
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def look(self, name):
        """Every page: nothing sticks out to the side, no word is missing; kept as a picture if somebody wants to look."""
        self.page.wait_for_load_state("load")
        text = self.page.inner_text("body")
        assert not re.search(r"requests\.[a-z]+\.|\{[a-z_]+\}|\bNone\b", text), name
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} sticks out by {wide}"
        self.seen += 1
        if folder := os.environ.get("LOFTE_SCREENSHOTS"):
            self.page.screenshot(path=Path(folder) / f"{self.locale}-{self.seen:02}-{name}.png", full_page=True)

    def go(self, path, name):
        answer = self.page.goto(self.origin + path)
        assert answer.status == 200, path
        self.look(name)

    def note(self, right, channel, address="", *, comes_from_person=False):
        """Note what came in; returns its id."""
        if not comes_from_person:
            self.page.goto(f"{self.origin}/console/requests/new/")
        for field, value in (("right", right), ("channel", channel), ("edition", f"{self.market}/{self.locale}")):
            self.page.select_option(f"[name={field}]", value)
        self.page.fill("[name=address]", address)
        self.page.fill("[name=words]", self.words[right])
        if right == "access":
            self.look("new")
        self.page.click("main form button")
        self.page.wait_for_selector("#history")
        return self.page.url.rstrip("/").rpartition("/")[2]

    def act(self, request, name, button="", *, looks=False, **said):
        """Do one thing with a request by its form, as a person would: open it, fill it in, press."""
        self.page.goto(f"{self.origin}/console/requests/{request}/")
        form = self.page.locator(f"main form[action$='/{name}/']:has([name=turn]):has(button[value='{button}'])").last
        if not form.is_visible():
            form.locator("xpath=ancestor::details/summary").click()
        for key, value in said.items():
            field = form.locator(f"[name={key}]")
            tag = field.evaluate("each => each.tagName")
            if tag == "SELECT":
                field.select_option(value)
            elif value in (True, False):
                field.set_checked(value)
            else:
                field.fill(value)
        if looks:
            self.look(f"before-{name}")
        form.locator(f"button[name=do][value='{button}']").first.click()
        self.page.wait_for_load_state("load")
        assert self.page.locator("main .notice.bad").count() == 0, self.page.inner_text("main .notice.bad")
        self.look(f"after-{name}")

    def is_next(self):
        return self.page.inner_text("#next")


def post_is_carried():
    """What the duties do while nobody looks: letters leave, facts reach the log, what is free ends."""
    mail.deliver(clock.now())
    outbox.drain()
    follow.follow(clock.now())
    outbox.drain()
    follow.follow(clock.now())


@pytest.fixture
def somebody(xledger):
    def make(name, market, locale, address=""):
        here = {"market": market, "locale": locale}
        person = register.welcome()
        register.begin_relation(person, "customer", **here)
        values = {"name": name} | ({"email": address} if address else {})
        register.hold(person, values, "customer", source="import:fair", **here)
        if address:
            register.hold(person, {"email": address}, "newsletter", source="import:fair", **here)
            consent.grant(person, "newsletter", **here, shown="form.newsletter", method="double_opt_in")
        return person

    return make


@pytest.mark.parametrize("market, locale", [("SE", "sv"), ("GB", "en-GB")])
def test_a_day_of_requests_ends_with_none_open(
    chrome, live_server, settings, member, somebody, letterbox, log, no_limits, market, locale
):
    settings.LOFTE_ORIGIN = live_server.url
    people = {
        name: somebody(name, market, locale, "" if number == 3 else f"{name.split()[0].lower()}@example.com")
        for number, name in enumerate(NAMES[locale])
    }
    who = [(name, f"{name.split()[0].lower()}@example.com") for name in people]
    client = member("anna", "lead")
    member("berit", "lead")
    context = chrome.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies(
        [{"name": key, "value": each.value, "url": live_server.url} for key, each in client.cookies.items()]
    )
    lead = Lead(context.new_page(), live_server.url, market, locale)
    said = lead.words
    lead.go("/console/requests/", "empty")
    lead.page.click(f"button[name=locale][value={locale}]")

    # The post is opened: everything is noted.
    made = {
        "access": lead.note("access", "mail", who[0][1]), "rectification": lead.note("rectification", "phone", who[1][1]),
        "erasure": lead.note("erasure", "mail", who[2][1]), "withdrawal": lead.note("withdrawal", "chat", who[4][1]),
        "objection": lead.note("objection", "meeting", who[5][1]), "restriction": lead.note("restriction", "mail", who[6][1]),
        "question": lead.note("question", "phone"), "complaint": lead.note("complaint", "post", who[7][1]),
        "appeal": lead.note("appeal", "mail", "stranger@example.com"),
    }  # fmt: skip
    # A letter from somebody without an e-mail address: they are found by name, and it is noted from their page.
    lead.page.goto(f"{lead.origin}/console/people/")
    lead.page.fill("[data-search]", who[3][0])
    lead.page.locator("main select[name=purpose]").first.select_option("rights")
    lead.page.locator("main form:has([data-search]) button").first.click()
    lead.page.wait_for_load_state("load")
    if "?person=" not in lead.page.content():
        lead.page.click(f"main a[href*='{people[who[3][0]]}']")
    lead.look("person")
    lead.page.click("a[href*='?person=']")
    made["portability"] = lead.note("portability", "post", comes_from_person=True)
    lead.go("/console/requests/", "morning")
    assert lead.page.locator("table.queue tbody tr").count() == 10
    lead.act(made["access"], "assign", "mine")
    lead.act(made["erasure"], "assign", to="role:requests", looks=True)
    lead.go("/console/requests/?desk=mine", "mine")
    assert lead.page.locator("table.queue tbody tr").count() == 1

    # Access: who is it, what do they mean, more time, then the copy.
    mail.deliver(clock.now())
    lead.act(made["access"], "identify", "send", looks=True)
    mail.deliver(clock.now())
    verbs.open_portal(letterbox.link("open"))
    lead.act(made["access"], "clarify", words=said["which"], looks=True)
    lead.act(made["access"], "clarified", words=said["meant"], looks=True)
    lead.act(made["access"], "extend", reason="complex", words=said["more"], looks=True)
    lead.act(made["access"], "hand_over", looks=True)
    lead.act(made["access"], "complete", looks=True)

    # Rectification, sure by a call back.
    lead.act(made["rectification"], "identify", "sure", how="call_back")
    option = lead.page.locator("select[name=what] option", has_text=who[1][0]).first.get_attribute("value")
    lead.act(made["rectification"], "correct", what=option, value=said["name"], looks=True)
    post_is_carried()
    lead.act(made["rectification"], "complete")

    # Erasure by two people.
    lead.act(made["erasure"], "identify", "sure", how="account")
    lead.act(made["erasure"], "erase", looks=True)
    lead.go("/console/approvals/", "approvals")
    approvals.decide(approvals.waiting()[0].id, f"staff:{User.objects.get(username='berit').pk}", True)
    lead.go(f"/console/requests/{made['erasure']}/", "erasure-approved")
    for _ in range(3):
        post_is_carried()
    lead.go(f"/console/requests/{made['erasure']}/", "erased")

    # Portability for somebody without an address: printed.
    lead.act(made["portability"], "identify", "sure", how="in_person")
    lead.act(made["portability"], "hand_over", way="post", looks=True)
    lead.page.click("a[href*='/letter/']")
    lead.look("letter")
    lead.page.emulate_media(media="print")
    lead.look("letter-printed")
    assert not lead.page.locator(".masthead").is_visible()
    lead.page.emulate_media(media="screen")
    lead.page.go_back()
    with lead.page.expect_popup() as opened:
        lead.page.click("form[action$='/copy/'] button")
    assert who[3][0] in opened.value.inner_text("body")
    opened.value.close()
    lead.act(made["portability"], "complete")

    # Withdrawal.
    lead.act(made["withdrawal"], "identify", "sure", how="account")
    lead.act(made["withdrawal"], "stop", purpose="newsletter", looks=True)
    post_is_carried()
    lead.act(made["withdrawal"], "complete")

    # Objection: restricted while it is weighed, then refused, and the restriction announced and lifted.
    lead.act(made["objection"], "identify", "sure", how="in_person")
    lead.act(made["objection"], "restrict")
    lead.act(made["objection"], "refuse", reason="compelling_grounds", words=said["grounds"], looks=True)
    lead.act(made["objection"], "announce", words=said["over"])
    lead.act(made["objection"], "lift")

    # Restriction, and the end of it.
    lead.act(made["restriction"], "identify", "sure", how="call_back")
    lead.act(made["restriction"], "restrict", looks=True)
    post_is_carried()
    lead.act(made["restriction"], "complete")
    assert restriction.is_restricted(people[who[6][0]])
    lead.act(made["restriction"], "announce", words=said["over"], looks=True)
    lead.act(made["restriction"], "lift", looks=True)
    assert not restriction.is_restricted(people[who[6][0]])

    # A question by telephone, from nobody we know: asked back and answered by telephone.
    lead.act(made["question"], "clarify", words=said["which"], way="phone")
    lead.act(made["question"], "clarified", words=said["meant"])
    lead.act(made["question"], "reply", words=said["no"], way="phone", closes=True, looks=True)
    lead.act(made["complaint"], "reply", words=said["sorry"], closes=True, looks=True)
    lead.act(made["appeal"], "refuse", reason="upheld", words=said["stands"], looks=True)

    post_is_carried()
    lead.go("/console/requests/", "evening")
    lead.go("/console/requests/?show=closed", "closed")
    assert lead.page.locator("table.queue tbody tr").count() == 10
    assert cases.counts(clock.now())["open"] == 0
    ended = {right: requests.one(each).state for right, each in made.items()}
    assert ended == dict.fromkeys(ended, "done") | {
        "question": "answered", "complaint": "answered", "appeal": "refused", "objection": "refused",
    }  # fmt: skip
    lead.page.set_viewport_size({"width": 390, "height": 844})
    lead.go("/console/requests/?show=closed", "narrow-closed")
    lead.go(f"/console/requests/{made['access']}/", "narrow-request")
    lead.go("/console/requests/new/", "narrow-new")
    assert [each for each in lead.complaints if "422" not in each] == []
    with suppress(Exception):
        context.close()
