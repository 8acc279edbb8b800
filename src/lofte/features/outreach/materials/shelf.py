"""What staff do with a material: write it, give it its files, offer it, take it back.

Raises `Problem`: `materials.none` (404), `materials.taken-slug` (409), `materials.closed` (409), `materials.bad-slug`,
`materials.fixed`, `materials.undeclared`, `materials.too-long`, `materials.bad-number`, `materials.no-form`,
`materials.incomplete` (422), and what `files.keep` raises.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lofte.core import actions, clock, outbox, publication
from lofte.core.retry import in_transaction
from lofte.features.outreach.forms import specs
from lofte.features.outreach.materials import files
from lofte.features.outreach.materials.models import File, Grant, Material
from lofte.kernel.problems import Place, Problem

State = Material.State
PARTS = ("title", "summary", "inside")
NEEDED = ("title", "summary")
EVERY = ""  # the locale of a file that serves every language
MOST_DOWNLOADS = 20
_LONGEST = {"title": 120, "summary": 400, "inside": 4000}
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_OWN_WORDS = ("open",)  # addresses of ours under /materials/


@dataclass(frozen=True, slots=True)
class Plan:
    """A material as staff write it. ``words`` has a text for each of `PARTS` by locale."""

    slug: str
    markets: tuple[str, ...]
    words: Mapping[str, Mapping[str, str]]
    form: str
    downloads: int = 5


@in_transaction
def draft(plan: Plan, by: str) -> UUID:
    """Keep a new material that nobody sees yet. Returns its id."""
    _examine(plan, None)
    row = Material.objects.create(**_columns(plan), by=by, made_at=clock.now(), changed_at=clock.now())
    actions.record("material.drafted", by, material=str(row.id))
    return row.id


@in_transaction
def change(material_id: UUID, plan: Plan, by: str) -> None:
    """Write it anew. What is offered must stay complete; links that were sent go on and give the file as it is then."""
    row = row_of(material_id)
    _examine(plan, row)
    columns = _columns(plan)
    for name, value in columns.items():
        setattr(row, name, value)
    if row.state == State.PUBLISHED:
        demand_complete(row)
    Material.objects.filter(pk=material_id).update(**columns, changed_at=clock.now())
    actions.record("material.changed", by, material=str(material_id))


@in_transaction
def give_file(material_id: UUID, locale: str, name: str, data: bytes, by: str) -> str:
    """The file of a language, or of every language without one of its own. Returns its digest."""
    row = row_of(material_id, lock=True)
    if locale != EVERY and locale not in publication.current().policy.locales():
        raise _bad("file", "undeclared", "the policy has no such language")
    digest = files.keep(name, data, by)
    Material.objects.filter(pk=material_id).update(files={**row.files, locale: digest}, changed_at=clock.now())
    actions.record("material.file_given", by, material=str(material_id), locale=locale or "every", digest=digest)
    return digest


@in_transaction
def take_file(material_id: UUID, locale: str, by: str) -> None:
    """Remove the file of a language. What is offered must stay complete."""
    row = row_of(material_id, lock=True)
    row.files = {each: digest for each, digest in row.files.items() if each != locale}
    if row.state == State.PUBLISHED:
        demand_complete(row)
    Material.objects.filter(pk=material_id).update(files=row.files, changed_at=clock.now())
    actions.record("material.file_taken", by, material=str(material_id), locale=locale or "every")


@in_transaction
def publish(material_id: UUID, by: str) -> None:
    """From now on it can be asked for. What was taken back can be offered again; publishing twice changes nothing."""
    row = row_of(material_id)
    if row.state == State.PUBLISHED:
        return
    demand_complete(row)
    changed = {"state": State.PUBLISHED, "published_at": clock.now(), "withdrawn_at": None}
    if Material.objects.filter(pk=material_id).exclude(state=State.PUBLISHED).update(**changed):
        actions.record("material.published", by, material=str(material_id))
        outbox.add("action.material_published", {"material": str(material_id), "files": sorted(row.files.values())})


@in_transaction
def withdraw(material_id: UUID, by: str) -> None:
    """Nobody can ask for it any more, and every link to it is dead from this moment."""
    row_of(material_id)
    at = clock.now()
    if Material.objects.filter(pk=material_id, state=State.PUBLISHED).update(state=State.WITHDRAWN, withdrawn_at=at):
        Grant.everyone.filter(material_id=material_id, ends_at__gt=at).update(ends_at=at, left=0)
        actions.record("material.withdrawn", by, material=str(material_id))
        outbox.add("action.material_withdrawn", {"material": str(material_id)})


@in_transaction
def discard(material_id: UUID, by: str) -> None:
    """Throw a draft away; its files go with it."""
    if not Material.objects.filter(pk=material_id, state=State.DRAFT).delete()[0]:
        raise Problem("materials.closed", "only a draft can be thrown away", status=409)
    actions.record("material.discarded", by, material=str(material_id))


def row_of(material_id: UUID, *, lock: bool = False) -> Material:
    """The material. With ``lock`` nobody else changes it until the caller's transaction ends."""
    if lock:
        Material.objects.filter(pk=material_id).update(changed_at=clock.now())
    found = Material.objects.filter(pk=material_id).first()
    if found is None:
        raise Problem("materials.none", "there is no such material", status=404)
    return found


def file_for(row: Material, locale: str) -> File | None:
    """What somebody who reads this language is given."""
    digest = row.files.get(locale) or row.files.get(EVERY)
    return File.objects.filter(pk=digest).first() if digest else None


def form_for(form: str, market: str) -> specs.FormSpec | None:
    """The form of kind `material` with this name in a market, if there is one."""
    return next((each for each in specs.forms_of_kind("material", market) if each.id == form), None)


def locales_of(row: Material) -> list[str]:
    """The languages of the markets it is offered in, in the order of the policy."""
    markets = publication.current().policy.markets
    found = [locale for market in row.markets if market in markets for locale in markets[market].locales]
    return list(dict.fromkeys(found))


def demand_complete(row: Material) -> None:
    """Words and a file in every language of its markets, before anybody sees it."""
    for locale in locales_of(row):
        said = row.words.get(locale, {})
        if missing := [part for part in NEEDED if not said.get(part)]:
            raise _bad(f"{missing[0]}-{locale}", "incomplete", f"{locale} has no {missing[0]}")
        if file_for(row, locale) is None:
            raise _bad(f"file-{locale}", "incomplete", f"{locale} has no file")


def _columns(plan: Plan) -> dict[str, Any]:
    words = {locale: {part: said.get(part, "").strip() for part in PARTS} for locale, said in plan.words.items()}
    return {
        "slug": plan.slug, "markets": list(plan.markets), "words": words, "form": plan.form, "downloads": plan.downloads,
    }  # fmt: skip


def _examine(plan: Plan, row: Material | None) -> None:
    policy = publication.current().policy
    if not _SLUG.fullmatch(plan.slug) or len(plan.slug) > 50 or plan.slug in _OWN_WORDS:
        raise _bad("slug", "bad-slug", "an address has small letters, digits and hyphens")
    others = Material.objects.filter(slug=plan.slug)
    if (others.exclude(pk=row.pk) if row else others).exists():
        raise Problem("materials.taken-slug", "another material has this address", Place(key="slug"), status=409)
    if row and row.slug != plan.slug and row.state != State.DRAFT:
        raise _bad("slug", "fixed", "the address of what was published stays")
    if not plan.markets or set(plan.markets) - set(policy.markets):
        raise _bad("markets", "undeclared", "the policy has no such market")
    if not 1 <= plan.downloads <= MOST_DOWNLOADS:
        raise _bad("downloads", "bad-number", f"a link gives the file between once and {MOST_DOWNLOADS} times")
    if missing := [market for market in plan.markets if form_for(plan.form, market) is None]:
        raise _bad("form", "no-form", f"there is no such form for materials in {missing[0]}")
    for locale, said in plan.words.items():
        if locale not in policy.locales() or set(said) - set(PARTS):
            raise _bad("words", "undeclared", "the policy has no such language")
        for part, text in said.items():
            if len(text) > _LONGEST[part]:
                raise _bad(f"{part}-{locale}", "too-long", f"at most {_LONGEST[part]} characters")


def _bad(key: str, code: str, detail: str) -> Problem:
    return Problem(f"materials.{code}", detail, Place(key=key), status=422)
