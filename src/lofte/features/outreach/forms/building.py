"""Forms made in the console: from declared fields of a declared purpose, in every language of their markets, and never edited once
they are out. A change is a new version; each version stays readable under its digest.

Raises `Problem`: `form.bad-name`, `form.name-taken`, `form.no-draft` (404), `form.incomplete` (422, the place says what lacks),
`form.draft-changed` (409, somebody else has edited meanwhile), `form.not-out` (409).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from lofte.core import actions, clock, outbox, publication
from lofte.core.retry import in_transaction
from lofte.features.outreach.forms import specs
from lofte.features.outreach.forms.models import Built, Version
from lofte.features.outreach.forms.specs import PARTS, FormSpec
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Box, Form, FormField
from lofte.rules.published import Published

WITH_FILES = ("inquiry", "application", "supplier", "partner")
MOST_FILES = 5
LONGEST = {"name": 80, "lead": 600, "submit": 40}  # characters
_TYPED = frozenset(("email", "phone", "name", "text", "number", "date", "url"))
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
_PROMISED = "forms_only_declared_fields"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form asks and says, as staff wrote it; it may still lack something."""

    kind: str
    purpose: str
    fields: tuple[FormField, ...] = ()
    boxes: tuple[Box, ...] = ()
    files: int = 0
    markets: tuple[str, ...] = ()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def form(self) -> Form:
        """As the policy would declare it. Raises ValueError while it has no field."""
        return Form(
            kind=self.kind, purpose=self.purpose, fields=list(self.fields), boxes=list(self.boxes), files=self.files,
            markets=list(self.markets),
        )  # fmt: skip

    def kept(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "purpose": self.purpose, "fields": [each.model_dump() for each in self.fields],
            "boxes": [each.model_dump() for each in self.boxes], "files": self.files, "markets": list(self.markets),
            "words": {locale: dict(said) for locale, said in self.words.items()},
        }  # fmt: skip


def draft_of(row: Built) -> Draft:
    held = row.draft
    return Draft(
        held["kind"], held["purpose"], tuple(FormField(**each) for each in held["fields"]),
        tuple(Box(**each) for each in held["boxes"]), held["files"], tuple(held["markets"]), held["words"],
    )  # fmt: skip


# --- what may be asked ----------------------------------------------------------------------------------------------


def purposes_for(kind: str) -> list[str]:
    """The purposes a form of this kind may serve: those of the policy's own forms of the kind, and no others."""
    policy = publication.current().policy
    found = dict.fromkeys(each.purpose for each in policy.forms.values() if each.kind == kind)
    return [each for each in found if policy.purposes[each].scope == "person" and "email" in askable(each)]


def askable(purpose: str) -> list[str]:
    """The fields a form may ask for: those of the purpose that people can type, and that the policy says its forms ask for."""
    policy = publication.current().policy
    declared = policy.purposes.get(purpose)
    promised = _promised(publication.current())
    return [
        each
        for each in (declared.fields if declared else ())
        if policy.fields[each].kind in _TYPED and (promised is None or each in promised)
    ]


def boxes_for(purpose: str, markets: Iterable[str]) -> list[Box]:
    """The boxes whose consent words the policy has in every language of the markets, beside the form's own purpose."""
    published, common = publication.current(), None
    for market in markets:
        for locale in published.policy.markets[market].locales:
            here = set(specs.lenders(published, market, locale))
            common = here if common is None else common & here
    found = [name.rpartition("-") for name in sorted(common or ())]
    return [Box(purpose=each, channel=channel) for each, _, channel in found if each != purpose]


def locales_of(markets: Iterable[str]) -> list[str]:
    """Every language these markets speak."""
    declared = publication.current().policy.markets
    return list(dict.fromkeys(locale for each in markets if each in declared for locale in declared[each].locales))


def _promised(published: Published) -> frozenset[str] | None:
    """The fields the policy promises its forms keep to; None where it makes no such promise."""
    for promise in published.policy.promises.values():
        for binding in promise.controls:
            if binding.control == _PROMISED and binding.parameters.get("fields"):
                return frozenset(binding.parameters["fields"])
    return None


# --- drafting -------------------------------------------------------------------------------------------------------


@in_transaction
def start(form_id: str, kind: str, purpose: str, *, by: str) -> Built:
    """A new draft that asks for an address, in every market."""
    policy = publication.current().policy
    if not _NAME.fullmatch(form_id):
        raise Problem("form.bad-name", "lower-case letters, digits and hyphens", Place(key="form"), status=422)
    if kind not in specs.KINDS or purpose not in purposes_for(kind):
        raise Problem(
            "form.bad-purpose", "a form of this kind cannot serve that purpose", Place(key="purpose"), status=422
        )
    first = [FormField(field=each) for each in ("name", "email") if each in askable(purpose)]
    draft = Draft(kind, purpose, tuple(first), markets=tuple(policy.markets))
    at = clock.now()
    try:
        with transaction.atomic():
            if form_id in policy.forms:
                raise IntegrityError
            row = Built.objects.create(form=form_id, draft=draft.kept(), by=by, made_at=at, changed_at=at)
    except IntegrityError:
        raise Problem("form.name-taken", "another form has this name", Place(key="form"), status=409) from None
    actions.record("form.drafted", by, form=form_id, kind=kind)
    return row


@in_transaction
def change(form_id: str, draft: Draft, seen: datetime, *, by: str) -> list[Problem]:
    """Keep the draft as it is now written; what still lacks is told, and only stops publishing. Kind and purpose stay."""
    row = one(form_id)
    draft = replace(draft, kind=row.draft["kind"], purpose=row.draft["purpose"])
    at = clock.now()
    if not Built.objects.filter(pk=form_id, changed_at=seen).update(draft=draft.kept(), changed_at=at, by=by):
        raise _changed()
    actions.record("form.changed", by, form=form_id)
    return faults(draft)


def faults(draft: Draft) -> list[Problem]:
    """What keeps a draft from being published."""
    return [*_fields_lacking(draft), *_beside_lacking(draft), *_words_lacking(draft)]


def _fields_lacking(draft: Draft) -> list[Problem]:
    allowed, asked = askable(draft.purpose), [each.field for each in draft.fields]
    found = [_lack("form.undeclared-field", f"fields.{each}", "GDPR 5(1)(c)") for each in asked if each not in allowed]
    if not any(each.field == "email" and each.required for each in draft.fields):
        found.append(_lack("form.no-address", "fields.email", "GDPR 17"))
    if draft.purpose not in purposes_for(draft.kind):
        found.append(_lack("form.bad-purpose", "purpose", "GDPR 5(1)(b)"))
    return found


def _beside_lacking(draft: Draft) -> list[Problem]:
    policy = publication.current().policy
    found = [] if draft.markets else [_lack("form.no-market", "markets")]
    found += [_lack("form.no-market", "markets") for each in draft.markets if each not in policy.markets]
    if draft.files and (draft.kind not in WITH_FILES or not 0 <= draft.files <= MOST_FILES):
        found.append(_lack("form.files-unread", "files"))
    offered = boxes_for(draft.purpose, [each for each in draft.markets if each in policy.markets])
    found += [_lack("form.box-without-words", "boxes", "GDPR 7(1)") for box in draft.boxes if box not in offered]
    return found


def _words_lacking(draft: Draft) -> list[Problem]:
    found = []
    for locale in locales_of(draft.markets):
        for part in PARTS:
            said = draft.words.get(locale, {}).get(part, "")
            if not said.strip():
                found.append(_lack("form.no-words", f"words.{locale}.{part}", "GDPR 12(1)"))
            elif len(said) > LONGEST[part]:
                found.append(_lack("form.long-words", f"words.{locale}.{part}"))
    return found


def _lack(code: str, key: str, law: str = "") -> Problem:
    return Problem(code, "this keeps the form from being published", Place(key=key), law=law, status=422)


# --- publishing -----------------------------------------------------------------------------------------------------


@in_transaction
def publish(form_id: str, seen: datetime, *, by: str) -> str:
    """The draft as it was seen becomes what people see. Returns the digest of the version."""
    row = one(form_id)
    draft = draft_of(row)
    if lacking := faults(draft):
        raise Problem("form.incomplete", "the form still lacks something", lacking[0].place, status=422)
    published, at = publication.current(), clock.now()
    asked = asked_by(draft)
    digest = specs.digest_of([form_id, asked, published.digest])
    rows = Built.objects.filter(pk=form_id, changed_at=seen)
    if not rows.update(state=Built.State.PUBLISHED, version=digest, changed_at=at, by=by):
        raise _changed()
    if row.version and row.version != digest:
        Version.objects.filter(pk=row.version).update(retired_at=at)
    made = {"form": form_id, "asked": asked, "publication": published.digest, "by": by, "published_at": at}
    _, is_new = Version.objects.get_or_create(digest=digest, defaults=made)
    if not is_new:
        Version.objects.filter(pk=digest).update(retired_at=None)
    outbox.add("form.published", _fact(form_id, digest, draft), policy=published.digest)
    actions.record("form.published", by, form=form_id, version=digest)
    return digest


@in_transaction
def retire(form_id: str, *, by: str) -> None:
    """Nobody can send it in any more. What it asked stays readable."""
    row = one(form_id)
    if not Built.objects.filter(pk=form_id, state=Built.State.PUBLISHED).update(
        state=Built.State.RETIRED, changed_at=clock.now(), by=by
    ):
        raise Problem("form.not-out", "the form is not published", status=409)
    Version.objects.filter(pk=row.version).update(retired_at=clock.now())
    outbox.add("form.retired", {"form": form_id, "version": row.version}, policy=publication.current().digest)
    actions.record("form.retired", by, form=form_id)


def asked_by(draft: Draft) -> dict[str, Any]:
    """What a version keeps: the declaration, and the words of the languages its markets speak."""
    words = {
        locale: {part: draft.words.get(locale, {}).get(part, "").strip() for part in PARTS}
        for locale in locales_of(draft.markets)
    }
    return {"form": draft.form().model_dump(mode="json"), "words": words}


def _fact(form_id: str, digest: str, draft: Draft) -> dict[str, Any]:
    return {
        "form": form_id, "version": digest, "kind": draft.kind, "purpose": draft.purpose,
        "fields": [each.field for each in draft.fields], "boxes": [f"{each.purpose}-{each.channel}" for each in draft.boxes],
        "markets": list(draft.markets),
    }  # fmt: skip


# --- questions ------------------------------------------------------------------------------------------------------


def one(form_id: str) -> Built:
    row = Built.objects.filter(pk=form_id).first()
    if row is None:
        raise Problem("form.no-draft", "there is no such form", status=404)
    return row


def listed() -> list[Built]:
    """Every form made here, those that are out first."""
    order = [Built.State.PUBLISHED, Built.State.DRAFT, Built.State.RETIRED]
    return sorted(Built.objects.order_by("form"), key=lambda row: order.index(Built.State(row.state)))


def versions_of(form_id: str) -> Sequence[Version]:
    """What the form has been, the latest first."""
    return list(Version.objects.filter(form=form_id).order_by("-published_at"))


def preview(row: Built) -> FormSpec:
    """The draft in the shape of a form, to be shown and never sent."""
    markets = tuple(publication.current().policy.markets)
    draft = draft_of(row)
    return specs.shaped(row.form, draft.form(), markets, "console")


def _changed() -> Problem:
    return Problem(
        "form.draft-changed", "somebody else has changed the draft since it was opened", status=409,
        way_out="Look at it again, and do it anew.",
    )  # fmt: skip
