"""What must be done in time: whoever is responsible is told of agreements that end or are to be reviewed; old rows are tidied."""

import logging
import smtplib
from datetime import datetime, timedelta

from lofte.core import clock, mail, obligations, publication, vault
from lofte.core.models import Obligation
from lofte.core.tasks import duty
from lofte.features.sharing import agreements, cases, reads, recalls
from lofte.features.sharing.models import Agreement, Recall
from lofte.rules import values
from lofte.rules.catalogue import LOCALES, say
from lofte.rules.model import Policy

WARN_BEFORE = timedelta(days=60)
_logger = logging.getLogger("lofte.sharing")

__all__ = ["cases"]  # its duty carries notices and releases


def ending(at: datetime) -> list[Agreement]:
    """Agreements that run and end within sixty days, the next to end first."""
    today = at.date()
    return [row for row in agreements.listed() if agreements.runs(row, today) and row.expires <= today + WARN_BEFORE]


def alarms(at: datetime) -> dict[str, int]:
    """What somebody should look at: agreements that end soon or are to be reviewed, recalls past their day, rows the log lacks."""
    return {
        "ending": len(ending(at)), "review": len(agreements.due_for_review(at)),
        "recalls": Recall.objects.filter(confirmed_at__isnull=True, due__lte=at).count(), "unlogged": reads.unlogged(at),
    }  # fmt: skip


@duty("sharing.warn", every=timedelta(hours=12))
def warn(at: datetime) -> int:
    """One letter to the data-protection contact about every agreement that ends soon; once each. Returns how many it named."""
    rows = [row for row in ending(at) if row.warned_at is None]
    if not rows:
        return 0
    policy = publication.current().policy
    to, here = next(iter(policy.controllers.values())).email, _house_language(policy)
    lines = [f"- {row.partner}: {values.day(here, row.expires)}" for row in rows]
    text = "\n".join([say(here, "sharing.warn.lead"), "", *lines, "", say(here, "sharing.warn.where"), ""])
    try:
        is_sent = mail.tell_house(to, say(here, "sharing.warn.subject", organisation=policy.organisation.name), text)
    except (OSError, smtplib.SMTPException) as error:
        _logger.warning("a warning was not sent", extra={"fields": {"error": type(error).__name__}})
        return 0
    if is_sent:
        Agreement.objects.filter(id__in=[row.id for row in rows]).update(warned_at=clock.now())
    return len(rows) if is_sent else 0


def _house_language(policy: Policy) -> str:
    """The language of the first controller's country, if the policy speaks it; else English."""
    home = next(iter(policy.controllers.values())).country
    spoken = (each.locales[0] for each in policy.markets.values() if each.country == home)
    return next((each for each in spoken if each in LOCALES), "en-GB")


@duty("sharing.tidy", every=timedelta(hours=1))
def tidy(at: datetime) -> int:
    """What a confirmed recall was owed by needs its key no longer; recalls of years ago go."""
    done = Recall.objects.filter(confirmed_at__isnull=False).values_list("id", flat=True)
    verified = Obligation.objects.filter(about__in=list(done[:1000]), state=Obligation.State.VERIFIED)
    for about in list(verified.values_list("about", flat=True)):
        obligations.forget(about)
        vault.destroy_key(about, forever=False)
    return recalls.forget_old(at)
