"""One house that sends: `python -m bench.mail_house fill|send HOME PEOPLE`, each in a process of its own that may be killed and
started again. LOFTE_SMTP names the mail server.

`fill` moves in people of five markets who subscribe, and one in ten withdraws; `send` sends one campaign to all of them, by the
same engine as `lofte serve`: who gets it is decided by stretches, the queue is kept a thousand letters long, and each person
is asked for once more when a letter is taken out of it.
"""

import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from bench.population import Somebody
from bench.population import people as anybody

TOPIC, STAFF = "product", "staff:1"
_CHUNK = 1_000
_WITHDRAWN = 10  # one in so many
_PARAGRAPH = (
    "Hösten är här, och med den en ny version av tjänsten. Vi berättar vad som är nytt i bokslutet, hur fakturor tolkas och varför "
    "rapporterna nu öppnas på en sekund. Läs mer i vår blogg, eller kom till vårt frukostmöte i Solna."
)


def main(what: str, home: Path, count: int) -> None:
    from bench.world import publish_example

    from lofte.cli import wiring

    if not (home / "published").exists():
        publish_example(home)
    wiring.enter(home)
    house = wiring.open_house(home, "http://localhost:8000")
    try:
        fill(count) if what == "fill" else send()
    finally:
        house.close()


def people(count: int) -> Iterator[Somebody]:
    """Subscribers, every one."""
    return (replace(each, kind="subscriber", is_subscriber=True, looks=0, mails=0, notes=()) for each in anybody(count))


def is_withdrawn(number: int) -> bool:
    return number % _WITHDRAWN == 3


def fill(count: int) -> None:
    from bench.settle import Move

    from lofte.core import clock, publication
    from lofte.features.consent.models import Consent

    at, digest, everybody = clock.now(), publication.current().digest, list(people(count))
    move = Move(at, random.Random(5))
    for start in range(0, count, _CHUNK):
        some = everybody[start : start + _CHUNK]
        move.take(some)
        withdrawn = [
            Consent(
                person_id=who.id, purpose="newsletter", ordinal=2, action="withdrawn", publication=digest, market=who.market,
                locale=who.locale, method="portal", at=at,
            )
            for number, who in enumerate(some, start)
            if is_withdrawn(number)
        ]  # fmt: skip
        Consent.everyone.bulk_create(withdrawn)


def send() -> None:
    """Until the campaign is sent; the last line is what it took."""
    from lofte.core import clock, mail
    from lofte.core.models import Mail
    from lofte.features.outreach import sending
    from lofte.features.outreach.models import Campaign

    campaign = _campaign()
    began, work = time.monotonic(), time.process_time()
    while Campaign.objects.get(pk=campaign).state == Campaign.State.SENDING:
        sending.go_on(campaign, time.monotonic() + 5)
        mail.deliver(clock.now())
    took, cpu = time.monotonic() - began, time.process_time() - work
    sent = Mail.everyone.filter(about=campaign, state=Mail.State.SENT).count()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"sent": sent, "seconds": took, "cpu": cpu, "peak_mb": peak}), flush=True)


def _campaign() -> UUID:
    """The one that was begun, or a new one: a letter of about five kilobytes in two versions."""
    from lofte.core import publication
    from lofte.features.outreach import campaigns
    from lofte.features.outreach.models import Campaign

    if begun := Campaign.objects.first():
        return begun.id
    _make_key()
    text, html = "\n\n".join([_PARAGRAPH] * 8), "\n".join([f"<p>{_PARAGRAPH}</p>"] * 8)
    locales = {locale for market in publication.current().policy.markets.values() for locale in market.locales}
    contents = {locale: campaigns.Content(f"Nytt från Xledger ({locale})", text, html) for locale in locales}
    made = campaigns.draft("Autumn", TOPIC, STAFF, contents=contents)
    campaigns.start(made, STAFF)
    return made


def _make_key() -> None:
    from django.conf import settings

    from lofte.core.mailing import signing

    if settings.LOFTE_DKIM and not signing.key_file(settings.LOFTE_HOME, *settings.LOFTE_DKIM).exists():
        signing.make_key(settings.LOFTE_HOME, *settings.LOFTE_DKIM)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
