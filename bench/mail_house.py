"""One house that sends: `python -m bench.mail_house fill|send HOME PEOPLE`, each in a process of its own that may be killed
and started again. LOFTE_SMTP names the mail server.

`fill` moves people in who subscribe, one in ten of whom has withdrawn; `send` writes to all of them, as a campaign does: the queue
is kept a thousand letters long, and who may not be written to is decided when a letter is taken out of it.
"""

import json
import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

SEED, CAMPAIGN = 5, UUID(int=5)
_CHUNK, _AHEAD = 1_000, 1_000
_WITHDRAWN = 10  # one in so many
_PARAGRAPH = (
    "Hösten är här, och med den en ny version av tjänsten. Vi berättar vad som är nytt i bokslutet, hur fakturor tolkas och varför "
    "rapporterna nu öppnas på en sekund. Läs mer i vår blogg, eller kom till vårt frukostmöte i Solna. "
)


def main(what: str, home: Path, count: int) -> None:
    from bench.world import publish_example

    from lofte.cli import wiring

    if not (home / "published").exists():
        publish_example(home)
    wiring.enter(home)
    house = wiring.open_house(home, "http://localhost:8000")
    try:
        fill(count) if what == "fill" else send(count)
    finally:
        house.close()


def people(count: int) -> Iterator[UUID]:
    """In order, so that a campaign knows where it is."""
    chance = random.Random(SEED)
    for number in range(count):
        yield UUID(bytes=((number << 64) // count).to_bytes(8) + chance.randbytes(8), version=4)


def is_withdrawn(number: int) -> bool:
    return number % _WITHDRAWN == 3


def address_of(number: int) -> str:
    return f"person.{number}@{number % 97}.example.test"


def fill(count: int) -> None:
    from django.db import transaction

    from lofte.core import clock, publication, vault
    from lofte.core.models import Person
    from lofte.features.consent.models import Consent

    published, at = publication.current(), clock.now()
    everybody = list(people(count))
    for start in range(0, count, _CHUNK):
        some = everybody[start : start + _CHUNK]
        vault.make_keys(some)
        with transaction.atomic():
            Person.objects.bulk_create([Person(id=each, made_at=at) for each in some])
            said = [
                Consent(
                    person_id=each, purpose="newsletter", ordinal=ordinal, action=action, publication=published.digest, market="SE",
                    locale="sv", method="double_opt_in", at=at,
                )
                for number, each in enumerate(some, start)
                for ordinal, action in enumerate(["granted", *(["withdrawn"] if is_withdrawn(number) else [])], 1)
            ]  # fmt: skip
            Consent.everyone.bulk_create(said)


def send(count: int) -> None:
    """Until all is sent; the last line is what it took."""
    from django.conf import settings

    from lofte.core import clock, mail
    from lofte.core.models import Mail

    if settings.LOFTE_DKIM:
        from lofte.core.mailing import signing

        if not signing.key_file(settings.LOFTE_HOME, *settings.LOFTE_DKIM).exists():
            signing.make_key(settings.LOFTE_HOME, *settings.LOFTE_DKIM)
    everybody = list(people(count))
    number = Mail.everyone.filter(about=CAMPAIGN).count()  # whole chunks are queued, or none of one
    began, work, sent = time.monotonic(), time.process_time(), 0
    print("started", flush=True)
    while True:
        waiting = Mail.everyone.filter(state__in=["queued", "sending"], about=CAMPAIGN).count()
        if number < count and waiting < _AHEAD:
            queued(number, everybody[number : number + _CHUNK])
            number = min(count, number + _CHUNK)
            print(f"queued {number}", flush=True)
        elif waiting:
            sent += mail.deliver(clock.now())
        else:
            break
    took, cpu = time.monotonic() - began, time.process_time() - work
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"sent": sent, "seconds": took, "cpu": cpu, "peak_mb": peak, "parent": os.getppid()}), flush=True)


def queued(start: int, some: list[UUID]) -> None:
    from django.db import transaction

    from lofte.core import mail

    letters = [letter(start + at, person) for at, person in enumerate(some)]
    with transaction.atomic():
        mail.send_many(letters)


def letter(number: int, person: UUID) -> "object":
    """Six kilobytes in two versions, as newsletters are."""
    from lofte.core import mail

    way_out = f"http://localhost:8000/news/se/sv/unsubscribe/{person.hex}{number:011}/"
    text = f"Hej person {number}!\n\n" + "\n\n".join([_PARAGRAPH] * 6) + f"\n\nAvsluta: {way_out}\n"
    html = (
        f"<!doctype html><html><body><p>Hej person {number}!</p>"
        + f"<p>{_PARAGRAPH}</p>\n" * 10
        + f'<p><a href="{way_out}">Avsluta</a></p></body></html>'
    )
    return mail.MarketingLetter(
        "issue", person, address_of(number), mail.Words(f"Nytt från Xledger, nummer {number}", text, html), "newsletter",
        about=CAMPAIGN, list_id="product-news", unsubscribe_url=way_out,
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
