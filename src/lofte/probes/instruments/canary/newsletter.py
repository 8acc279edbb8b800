"""Signs up by the form and the mailed link, is written to, and leaves by the link in what came."""

from uuid import UUID

from lofte.core import blind, clock
from lofte.features.consent import reads as consents
from lofte.features.outreach import models as outreach_models
from lofte.features.outreach import verbs as outreach
from lofte.features.register import reads as register
from lofte.features.retention import verbs as retention
from lofte.kernel.problems import Problem
from lofte.probes.instruments import at_large
from lofte.probes.instruments.canary import leaving, person
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.canary.seen import Walked
from lofte.probes.instruments.mailbox import Letter
from lofte.probes.instruments.visitor import Visitor
from lofte.rules.controls.withdrawal_at_once import WithdrawalWalk

FORM = "newsletter"


def subscribe(canary: Canary, seen: Walked, *, tries_early: bool) -> None:
    """Through the form and the mailed link, as anybody would.

    On the way: nothing may be sent before the link is used.
    """
    page = canary.visitor.get(f"/news/{canary.tail}")
    form = person.demand_form(page, "email", "the newsletter form")
    wanted = {"email": canary.address, "name": canary.name, "consent": "on"}
    offered = {one.name for one in form.inputs}
    canary.visitor.submit(page, form, {key: value for key, value in wanted.items() if key in offered})
    person.give_back(canary, "subscribe-from")
    letter = person.demand_letter(canary, "/confirm/")
    seen.letters.append((canary.market, letter))
    if tries_early:
        seen.before_confirmation = _send_unconfirmed(canary)
    person.press(canary, letter.link_with("/confirm/"))
    canary.person_id = register.person_of("email", canary.address)
    if canary.person_id is None:
        raise Problem("probe.not-confirmed", "the canary used its link and is not in the register", status=502)
    at_large.note(canary.world, canary.person_id)
    seen.after_confirmation += _send(canary, [canary.person_id])


def _send_unconfirmed(canary: Canary) -> int:
    """Try to write to somebody who has only typed an address; returns how many letters with a way out arrived."""
    hashed = blind.blind_hash("email", blind.normalise("email", canary.address))
    waiting = list(outreach_models.SignUp.everyone.filter(hash=hashed).values_list("person_id", flat=True))
    return _send(canary, waiting)


def _send(canary: Canary, people: list[UUID]) -> int:
    """Send an issue to these people alone, wait until the queue is empty, count what arrived that is an issue."""
    before = len(_issues(canary))
    content = outreach.Content("Löfte", "Canary issue.", "<p>Canary issue.</p>")
    contents = dict.fromkeys(canary.world.published.policy.locales(), content)
    issue = outreach.draft_issue(outreach.TOPICS[0], contents, by="canary")
    try:
        outreach.send_issue(issue, only=people)
        person.settle(people)
        return len(_issues(canary)) - before
    finally:
        outreach_models.Issue.objects.filter(pk=issue).delete()


def _issues(canary: Canary) -> list[Letter]:
    return [letter for letter in canary.mailbox.letters_to(canary.address) if letter.link_with("/unsubscribe/")]


def withdraw(canary: Canary, seen: Walked) -> None:
    """By the mail program's one click; opening the link must not be enough, and nothing may come afterwards."""
    assert canary.person_id is not None
    purpose = canary.world.published.policy.forms[FORM].purpose
    letters = _issues(canary)
    if not letters:
        seen.withdrawal = WithdrawalWalk(False)
        return
    letter = letters[0]
    seen.letters.append((canary.market, letter))
    link = letter.link_with("/unsubscribe/")
    one_click = link in letter.list_unsubscribe and "one-click" in letter.list_unsubscribe_post.lower()
    program = Visitor(canary.world.base_url)
    program.get(link)
    acts_on_get = not consents.is_granted(canary.person_id, purpose)
    program.post(link, {"List-Unsubscribe": "One-Click"}, origin=False)
    withdrawn = not consents.is_granted(canary.person_id, purpose)
    sent_after = _send(canary, [canary.person_id])
    seen.withdrawal = WithdrawalWalk(True, bool(link), one_click, withdrawn, sent_after, acts_on_get)


def outlive(canary: Canary, seen: Walked) -> None:
    """Who withdrew has no reason to be kept: the sweep must take them."""
    assert canary.person_id is not None
    leaving.remember_requests(canary)
    retention.sweep_one(canary.person_id, clock.now())
    seen.still_there = register.person_of("email", canary.address) is not None
