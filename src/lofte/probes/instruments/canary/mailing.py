"""A mailing to canaries alone, by the way every mailing goes."""

from collections.abc import Iterable
from uuid import UUID

from lofte.features.outreach import models as outreach_models
from lofte.features.outreach import topics
from lofte.features.outreach import verbs as outreach
from lofte.probes.instruments.canary import person
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.mailbox import Letter
from lofte.probes.world import World

FORM = "newsletter"


def send(world: World, people: Iterable[UUID]) -> None:
    """An issue to these people alone; when it returns, whatever leaves has left."""
    whose = list(people)
    content = outreach.Content("Löfte", "Canary issue.", "<p>Canary issue.</p>")
    issue = outreach.draft_issue(
        topics.of_market()[0], dict.fromkeys(world.published.policy.locales(), content), by="canary"
    )
    try:
        outreach.send_issue(issue, only=whose)
        person.settle(whose)
    finally:
        outreach_models.Campaign.objects.filter(pk=issue).delete()


def waiting(hashed: str) -> list[UUID]:
    """Who has typed this address and not confirmed it."""
    return list(outreach_models.SignUp.everyone.filter(hash=hashed).values_list("person_id", flat=True))


def received(canary: Canary) -> list[Letter]:
    """What came that has a way out, the newest first."""
    return [letter for letter in canary.mailbox.letters_to(canary.address) if letter.link_with("/unsubscribe/")]
