"""The letter with the link: asked for, so it needs no consent, and it carries no advertising."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from lofte.core import links, mail, publication
from lofte.features.outreach.materials import shelf, terms
from lofte.features.outreach.materials.models import File, Grant, Material
from lofte.rules import values
from lofte.rules.catalogue import say
from lofte.rules.packs import law_pack

KIND = "material"


def send_link(row: Material, grant: Grant, to: str, code: str) -> UUID:
    """Queue it, in the caller's transaction."""
    words = compose(row, grant, code)
    return mail.send(mail.Letter(KIND, grant.person_id, to, words, grant.purpose, about=grant.id))


def compose(row: Material, grant: Grant, code: str) -> mail.Words:
    """The letter as it is sent."""
    market, locale = grant.market, grant.locale
    file = shelf.file_for(row, locale)
    title = row.words.get(locale, {}).get("title", "")
    facts = [(say(locale, "materials.fact.title"), title)]
    facts += [(say(locale, "materials.fact.file"), described(locale, file))] if file else []
    facts += [(say(locale, "materials.fact.until"), until(market, locale, grant.ends_at))]
    times = say(locale, "materials.mail.times", n=row.downloads)
    period = values.period(locale, terms.link_valid())
    return mail.compose(
        "shared", market, locale, subject=say(locale, "materials.mail.subject", title=title),
        lead=say(locale, "materials.mail.lead", title=title), facts=facts,
        after=[say(locale, "materials.mail.valid", period=period), times, say(locale, "materials.mail.no_marketing")],
        url=links.link("material_open", market, locale, code), button=say(locale, "materials.mail.button"),
    )  # fmt: skip


def described(locale: str, file: File) -> str:
    """What a file is, in a few words: ``PDF, 1.2 MB``."""
    return f"{file.name.rpartition('.')[2].upper()}, {size(locale, file.size)}"


def size(locale: str, number: int) -> str:
    """Bytes as people read them; in Finnish a byte is a tavu."""
    letter = "t" if locale == "fi" else "B"
    if number < 100_000:
        return f"{max(1, round(number / 1000))} k{letter}"
    text = f"{number / 1_000_000:.1f}"
    return f"{text if locale.startswith('en') else text.replace('.', ',')} M{letter}"


def until(market: str, locale: str, at: datetime) -> str:
    """A day where the market is."""
    law = publication.current().policy.markets[market].law
    return values.day(locale, at.astimezone(ZoneInfo(law_pack(law).zone)))
