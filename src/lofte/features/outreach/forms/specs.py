"""Which forms there are: those of the policy in force and those built in the console, in one shape, with the words they speak.

A console form asks for declared fields of a declared purpose only; its consent words are the policy's own.
Raises `Problem`: `form.not-here` (404), `form.no-version` (404).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal

from lofte.core import publication
from lofte.features.outreach.forms.models import Built, Version
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.rules.model import Basis, Box, Form, FormField
from lofte.rules.published import Published

KINDS = ("inquiry", "application", "supplier", "partner", "newsletter", "material", "event")
ABOUT = ("material", "event")
"""Kinds that are about something in particular: they stand on its page."""
PARTS = ("name", "lead", "submit")
"""The words a form has of its own in each locale."""


@dataclass(frozen=True, slots=True)
class FormSpec:
    """One form as it stands now. ``version`` is the digest of all it asks and says, in every language."""

    id: str
    kind: str
    purpose: str
    fields: tuple[FormField, ...]
    boxes: tuple[Box, ...]
    files: int
    markets: tuple[str, ...]
    origin: Literal["policy", "console"]
    version: str


@dataclass(frozen=True, slots=True)
class BoxWords:
    """An unticked box: its purpose and channel, the words beside it, and ``shown``, the publication's name for just these words."""

    purpose: str
    channel: str
    text: str
    shown: str
    digest: str
    required: bool = False

    @property
    def key(self) -> str:
        return f"{self.purpose}-{self.channel}"


@dataclass(frozen=True, slots=True)
class Words:
    """What a form says in one language. ``wording`` is the hash of all of it together."""

    name: str
    lead: str
    submit: str
    labels: Mapping[str, str]
    boxes: tuple[BoxWords, ...]
    wording: str


# --- finding --------------------------------------------------------------------------------------------------------


def find(market: str, locale: str, form_id: str) -> FormSpec:
    """The form people see now under this name, in a market and one of its languages."""
    published = publication.current()
    edition = published.policy.markets.get(market)
    if edition is not None and locale in edition.locales:
        spec = _of_policy(published, form_id) or _of_console(published, form_id)
        if spec is not None and market in spec.markets:
            return spec
    raise not_here()


def forms_of_kind(kind: str, market: str) -> list[FormSpec]:
    """The forms of a kind in a market, those of the policy first."""
    return [spec for spec in every() if spec.kind == kind and market in spec.markets]


def every() -> list[FormSpec]:
    """Every form people can send in now, those of the policy first."""
    published = publication.current()
    declared = [_of_policy(published, key) for key in published.policy.forms]
    rows = Built.objects.filter(state=Built.State.PUBLISHED).order_by("form")
    built = [_of_row(published, row) for row in rows if row.form not in published.policy.forms]
    return [spec for spec in (*declared, *built) if spec is not None]


def version(digest: str) -> Version:
    """A version of a console form as it was, also when it is retired."""
    row = Version.objects.filter(pk=digest).first()
    if row is None:
        raise Problem("form.no-version", "there is no such version of a form", status=404)
    return row


def name_of(form_id: str, digest: str, locale: str) -> str:
    """What a form was called, in a language where it spoke it: by the policy in force, else by the version that was sent in."""
    said = publication.current().words.get(locale, {}).get("forms", {}).get(form_id)
    if said is None:
        row = Version.objects.filter(pk=digest).first()
        words = row.asked["words"] if row else {}
        said = words.get(locale) or next(iter(words.values()), {})
    return str(said.get("name", form_id))


def not_here() -> Problem:
    return Problem("form.not-here", "there is no such form in this market and language", status=404)


# --- words ----------------------------------------------------------------------------------------------------------


def words(spec: FormSpec, market: str, locale: str, draft: Mapping[str, str] | None = None) -> Words:
    """What the form says in a language: its own words, the policy's names of fields, and the consent words of its boxes.

    ``draft`` stands in the place of its own words where it is only looked at.
    """
    published = publication.current()
    said: Mapping[str, Any] = _said(published, spec, locale) if draft is None else draft
    labels = {each.field: _label(published, said, locale, each.field) for each in spec.fields}
    boxes = tuple(box_words(published, spec, market, locale))
    return Words(
        name=said["name"], lead=said["lead"], submit=said["submit"], labels=labels, boxes=boxes,
        wording=_wording(published, spec, market, locale, said, labels, boxes),
    )  # fmt: skip


def _label(published: Published, said: Mapping[str, Any], locale: str, field: str) -> str:
    """The form's own name of a field, or the policy's; what is written in one's own words is a message to whoever writes it."""
    own: str = said.get("labels", {}).get(field, "")
    if not own and published.policy.fields[field].category == "dialogue":
        return say(locale, "forms.message")
    return own or published.word(locale, "fields", field)


def box_words(published: Published, spec: FormSpec, market: str, locale: str) -> list[BoxWords]:
    """The boxes of a form: first the one its own purpose needs, when that rests on consent, then those beside it."""
    lender = spec.id if spec.origin == "policy" else ""
    found = []
    if published.policy.purposes[spec.purpose].basis is Basis.CONSENT:
        found.append(_box(published, lender, market, locale, Box(purpose=spec.purpose), required=True))
    return found + [_box(published, lender, market, locale, box) for box in spec.boxes]


def lenders(published: Published, market: str, locale: str, *, required: bool = False) -> dict[str, str]:
    """Which boxes a console form may carry here, by their key, and the name under which the publication keeps their words.

    ``required``: for the box a form's own purpose needs; its words are those of a form of that purpose, where there is one.
    """
    head = f"{market}/{locale}/box."
    found: dict[str, str] = {}
    fitting: dict[str, bool] = {}
    for name in sorted(name.removeprefix(head) for name in published.wordings if name.startswith(head)):
        form, key = name.split(".")
        is_own = key == f"{published.policy.forms[form].purpose}-email"
        if key not in found or (is_own is required and not fitting.get(key)):
            found[key], fitting[key] = f"box.{name}", is_own is required
    return found


def _box(published: Published, lender: str, market: str, locale: str, box: Box, *, required: bool = False) -> BoxWords:
    key = f"{box.purpose}-{box.channel}"
    shown = f"box.{lender}.{key}" if lender else lenders(published, market, locale, required=required).get(key, "")
    if not shown:
        raise Problem(
            "form.box-without-words", "the policy has no consent words for this box", law="GDPR 7(1)", status=422,
            way_out="Declare the box on a form of the policy, and publish.",
        )  # fmt: skip
    said = published.words[locale]["forms"][shown.split(".")[1]]
    text = said.get("boxes", {}).get(key) or said.get("consent", "")
    return BoxWords(
        box.purpose, box.channel, text, shown, published.wording(market, locale, shown), required
    )  # fmt: skip


def _said(published: Published, spec: FormSpec, locale: str) -> Mapping[str, Any]:
    if spec.origin == "policy":
        said: Mapping[str, Any] = published.words[locale]["forms"][spec.id]
        return said
    found: Mapping[str, Any] = version(spec.version).asked["words"].get(locale, {})
    return found


def _wording(
    published: Published, spec: FormSpec, market: str, locale: str, said: Mapping[str, Any], labels: Mapping[str, str],
    boxes: tuple[BoxWords, ...],
) -> str:  # fmt: skip
    if spec.origin == "policy":
        return published.wording(market, locale, f"form.{spec.id}")
    purpose = published.words[locale]["purposes"][spec.purpose]
    fields = [[each.field, each.required, labels[each.field]] for each in spec.fields]
    return digest_of([spec.id, spec.version, dict(said), fields, [each.digest for each in boxes], purpose])


# --- making the one shape -------------------------------------------------------------------------------------------


def _of_policy(published: Published, form_id: str) -> FormSpec | None:
    declared = published.policy.forms.get(form_id)
    if declared is None or declared.kind is None:
        return None
    said = {locale: published.words[locale].get("forms", {}).get(form_id, {}) for locale in published.policy.locales()}
    spec = shaped(form_id, declared, tuple(published.policy.markets), "policy")
    return replace(spec, version=digest_of([form_id, declared.model_dump(mode="json"), said]))


def _of_console(published: Published, form_id: str) -> FormSpec | None:
    row = Built.objects.filter(pk=form_id, state=Built.State.PUBLISHED).first()
    return _of_row(published, row) if row else None


def _of_row(published: Published, row: Built) -> FormSpec | None:
    """A console form while the policy in force still allows it: a purpose, field or box that is gone closes the form."""
    declared = Form.model_validate(version(row.version).asked["form"])
    spec = replace(shaped(row.form, declared, tuple(published.policy.markets), "console"), version=row.version)
    return spec if is_allowed(published, spec) else None


def shaped(form_id: str, declared: Form, markets: tuple[str, ...], origin: Literal["policy", "console"]) -> FormSpec:
    """A declaration as a `FormSpec` with no version yet."""
    return FormSpec(
        form_id, declared.kind or "", declared.purpose, tuple(declared.fields), tuple(declared.boxes), declared.files,
        tuple(declared.markets) or markets, origin, "",
    )  # fmt: skip


def is_allowed(published: Published, spec: FormSpec) -> bool:
    """Whether the policy in force declares everything the form asks."""
    purpose = published.policy.purposes.get(spec.purpose)
    if purpose is None or purpose.scope != "person" or any(each.field not in purpose.fields for each in spec.fields):
        return False
    asked = {f"{box.purpose}-{box.channel}" for box in spec.boxes}
    asked |= {f"{spec.purpose}-email"} if purpose.basis is Basis.CONSENT else set()
    return all(
        market in published.policy.markets and asked <= set(lenders(published, market, locale))
        for market in spec.markets
        for locale in (published.policy.markets[market].locales if market in published.policy.markets else ())
    )


def digest_of(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
