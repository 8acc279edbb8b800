"""A mailing to canaries alone, by the way every mailing goes."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from lofte.features.outreach import models as outreach_models
from lofte.features.outreach import topics
from lofte.features.outreach import verbs as outreach
from lofte.probes.instruments.canary import person
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.mailbox import Letter
from lofte.probes.world import World

FORM = "newsletter"


def send(world: World, people: Iterable[UUID]) -> None:
    """A campaign to these people alone; when it returns, whatever leaves has left.

    Begun and written in one transaction: no duty ever sees it being sent, and so nobody else can be written to.
    """
    whose = list(people)
    contents = dict.fromkeys(world.published.policy.locales(), content(world))
    with transaction.atomic():
        campaign = outreach.draft_issue(topics.of_market()[0], contents, by="canary")
        outreach.send_issue(campaign, only=whose)
    try:
        person.settle(whose)
    finally:
        outreach_models.Campaign.objects.filter(pk=campaign).delete()


def content(world: World) -> outreach.Content:
    return outreach.Content("Löfte", "Canary issue.", f'<p>Canary issue. <a href="{link_in(world)}">Löfte</a></p>')


def link_in(world: World) -> str:
    """The one link of a mailing."""
    return f"{world.base_url}/lofte/policy.json"


def waiting(hashed: str) -> list[UUID]:
    """Who has typed this address and not confirmed it."""
    return list(outreach_models.SignUp.everyone.filter(hash=hashed).values_list("person_id", flat=True))


def received(canary: Canary) -> list[Letter]:
    """What came that has a way out, the newest first."""
    return [letter for letter in canary.mailbox.letters_to(canary.address) if letter.link_with("/unsubscribe/")]
