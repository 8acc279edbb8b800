"""What the demonstration's company offers: the next of the events on its site, and a checklist to ask for, in each market.

Put up at every start where it is lacking, so that a date that has passed is followed by the next; what is there is left alone.
"""

from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.utils.text import slugify

from demo.site import EDITIONS, Edition
from lofte.core import clock, publication
from lofte.core.retry import in_transaction
from lofte.features.outreach.events import planning
from lofte.features.outreach.events.models import Event
from lofte.features.outreach.materials import shelf
from lofte.features.outreach.materials.models import Material
from lofte.rules.packs import law_pack

BY = "staff:demonstration"
CHECKLIST = "year-end-checklist"
_BEGINS, _LASTS = time(8, 30), timedelta(hours=2)
_LATEST = timedelta(days=2)
"""So long before an event it is put up at the latest; one that is nearer is passed over for the next."""


def put_out() -> int:
    """Whatever is lacking; how many things that were."""
    taken = set(Event.objects.values_list("slug", flat=True))
    lacking = [
        partial(_hold, plan) for each in EDITIONS if (plan := next_event(each, clock.now())) and plan.slug not in taken
    ]
    if not Material.objects.filter(slug=CHECKLIST).exists():
        lacking.append(_offer)
    for put in lacking:
        put()
    return len(lacking)


def next_event(edition: Edition, at: datetime) -> planning.Plan | None:
    """The first event of the edition's page that is still to come."""
    zone = ZoneInfo(law_pack(publication.current().policy.markets[edition.market].law).zone)
    for item in edition.words["events"]["items"]:
        begins = datetime.combine(datetime.fromisoformat(item["iso"]), _BEGINS, zone).astimezone(UTC)
        if begins > at + _LATEST:
            said = {"title": item["title"], "lead": item["text"], "place": item["place"], "text": ""}
            return planning.Plan(
                f"{slugify(item['title'])}-{edition.market.lower()}", (edition.market,), {edition.locale: said}, begins,
                begins + _LASTS, zone.key, capacity=30, form="event", keep="P30D", retention={"phone": "P7D"}, reminders=("P1D",),
            )  # fmt: skip
    return None


@in_transaction
def _hold(plan: planning.Plan) -> None:
    planning.publish(planning.draft(plan, BY), BY)


@in_transaction
def _offer() -> None:
    words = {
        each.locale: {part: said[part] for part in shelf.PARTS}
        for each in EDITIONS
        if (said := each.words["checklist"])
    }
    made = shelf.draft(shelf.Plan(CHECKLIST, tuple(each.market for each in EDITIONS), words, "material"), BY)
    for each in EDITIONS:
        said = each.words["checklist"]
        lines = [said["title"], "", said["summary"], "", *(f"[ ] {step}" for step in said["steps"]), ""]
        shelf.give_file(made, each.locale, f"{slugify(said['title'])}.txt", "\r\n".join(lines).encode(), BY)
    shelf.publish(made, BY)
