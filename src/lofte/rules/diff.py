"""What changed between two versions of a policy, who must be told of it, and whose consent must be asked anew.

Pure. Consent is bound to what people were told: when a purpose's meaning, wording, data or recipients change, a yes
given before is no yes to the new thing (GDPR 4(11), 7(1)). People are told of what is done anew with data already
held (GDPR 13(3), 14(4)).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import BaseModel

from lofte.rules.model import Basis, Locale, MarketId, Policy, Purpose
from lofte.rules.published import Paragraph, Published

Kind = Literal["added", "removed", "changed"]
Reason = Literal["new", "basis", "meaning", "wording", "data", "recipients"]

SECTIONS = (
    "promises",
    "purposes",
    "clocks",
    "recipients",
    "tags",
    "cookies",
    "forms",
    "controllers",
    "markets",
    "relations",
    "systems",
    "fields",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One attribute of a declaration, before and after, as JSON text."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """A declaration that came, went or changed."""

    section: str
    key: str
    kind: Kind
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class ParagraphChange:
    """A paragraph of one locale that came, went or changed; Markdown with its values in double braces."""

    locale: Locale
    key: str
    kind: Kind
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Told:
    """People who must be told: ``everyone`` in the register, ``visitors``, or ``holders`` of data for a purpose."""

    who: Literal["everyone", "visitors", "holders"]
    purpose: str
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A purpose whose consent is asked anew, in which editions and why."""

    purpose: str
    editions: tuple[tuple[MarketId, Locale], ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    old_version: str
    new_version: str
    changes: tuple[Change, ...]
    paragraphs: tuple[ParagraphChange, ...]
    told: tuple[Told, ...]
    asked: tuple[Asked, ...]

    def __bool__(self) -> bool:
        return bool(self.changes or self.paragraphs or self.asked)

    def document(self) -> dict[str, Any]:
        """The difference as plain JSON values."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found

    def text(self) -> str:
        """The difference for a reader at a terminal."""
        return "\n".join(_lines(self)) + "\n"


def diff(old: Published, new: Published) -> Difference:
    """Everything that changed from one version to the next."""
    changes = tuple(_changes(old, new))
    asked = tuple(_asked(old, new))
    told = tuple(_told(old, new, changes))
    return Difference(old.version, new.version, changes, tuple(_paragraphs(old, new)), told, asked)


# Declarations


def _changes(old: Published, new: Published) -> Iterator[Change]:
    for section in SECTIONS:
        before, after = getattr(old.policy, section), getattr(new.policy, section)
        for key in [*before, *(key for key in after if key not in before)]:
            if key not in after:
                yield Change(section, key, "removed")
            elif key not in before:
                yield Change(section, key, "added")
            elif parts := tuple(_parts(old, new, section, key)):
                yield Change(section, key, "changed", parts)
    for key in dict.fromkeys(key for words in new.words.values() for key in words.get("banner", {})):
        if parts := tuple(_word_parts(old, new, "banner", key)):
            yield Change("banner", key, "changed", parts)
    if old.policy.organisation != new.policy.organisation:
        yield Change(
            "organisation",
            "organisation",
            "changed",
            tuple(_attributes(old.policy.organisation, new.policy.organisation)),
        )


def _parts(old: Published, new: Published, section: str, key: str) -> Iterator[Part]:
    yield from _attributes(getattr(old.policy, section)[key], getattr(new.policy, section)[key])
    yield from _word_parts(old, new, section, key)


def _word_parts(old: Published, new: Published, section: str, key: str) -> Iterator[Part]:
    for locale in new.words:
        before, after = _words(old, locale, section, key), _words(new, locale, section, key)
        if before != after:
            yield Part(f"words.{locale}", _json(before), _json(after))


def _attributes(before: BaseModel, after: BaseModel) -> Iterator[Part]:
    was, now = before.model_dump(mode="json", by_alias=True), after.model_dump(mode="json", by_alias=True)
    for name in now:
        if was.get(name) != now[name]:
            yield Part(name, _json(was.get(name)), _json(now[name]))


def _words(published: Published, locale: Locale, section: str, key: str) -> Any:
    return published.words.get(locale, {}).get(section, {}).get(key)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


# Text


def _paragraphs(old: Published, new: Published) -> Iterator[ParagraphChange]:
    for locale in dict.fromkeys([*old.texts, *new.texts]):
        before = {item.key: item for item in old.texts.get(locale, ())}
        after = {item.key: item for item in new.texts.get(locale, ())}
        for key in [*after, *(key for key in before if key not in after)]:
            change = _paragraph(locale, key, before.get(key), after.get(key))
            if change is not None:
                yield change


def _paragraph(locale: Locale, key: str, before: Paragraph | None, after: Paragraph | None) -> ParagraphChange | None:
    was, now = before.markdown if before else "", after.markdown if after else ""
    if before is not None and after is not None:
        return ParagraphChange(locale, key, "changed", was, now) if was != now else None
    return ParagraphChange(locale, key, "added" if before is None else "removed", was, now)


# Whose consent


def _asked(old: Published, new: Published) -> Iterator[Asked]:
    for key, purpose in new.policy.purposes.items():
        if purpose.basis is not Basis.CONSENT:
            continue
        for_all = tuple(_reasons(old.policy, new.policy, key))
        hit: dict[tuple[MarketId, Locale], tuple[Reason, ...]] = {}
        for market, edition in new.policy.markets.items():
            for locale in edition.locales:
                reasons = for_all + (("wording",) if "new" not in for_all and _reworded(old, new, key, locale) else ())
                if reasons:
                    hit[market, locale] = reasons
        if hit:
            yield Asked(key, tuple(hit), tuple(dict.fromkeys(reason for each in hit.values() for reason in each)))


def _reasons(old: Policy, new: Policy, key: str) -> Iterator[Reason]:
    before, after = old.purposes.get(key), new.purposes[key]
    if before is None:
        yield "new"
        return
    if before.basis is not after.basis:
        yield "basis"
    if (before.scope, before.storage, before.storage_by_market) != (
        after.scope,
        after.storage,
        after.storage_by_market,
    ):
        yield "meaning"
    if _data(old, key, before) != _data(new, key, after):
        yield "data"
    if _recipients(old, key, before) != _recipients(new, key, after):
        yield "recipients"


def _data(policy: Policy, key: str, purpose: Purpose) -> set[str]:
    used = [tag.data for tag in policy.tags.values() if tag.purpose == key]
    used += [cookie.data for cookie in policy.cookies.values() if cookie.purpose == key]
    return {field for fields in (purpose.fields, *used) for field in fields}


def _recipients(policy: Policy, key: str, purpose: Purpose) -> set[tuple[str, str, str]]:
    """Who gets data under a purpose, and in which part: for a browser purpose those of its tags and cookies."""
    if purpose.scope == "person":
        named = {system.recipient for system in policy.systems.values() if set(system.fields) & set(purpose.fields)}
    else:
        named = {tag.recipient for tag in policy.tags.values() if tag.purpose == key}
        named |= {cookie.provider for cookie in policy.cookies.values() if cookie.purpose == key}
    found = ((name, policy.recipients.get(name)) for name in named if name)
    return {(name, recipient.role, recipient.country) for name, recipient in found if recipient is not None}


def _reworded(old: Published, new: Published, key: str, locale: Locale) -> bool:
    if locale not in old.words:
        return True
    parts = [("purposes", key)]
    parts += [("forms", form) for form, item in new.policy.forms.items() if item.purpose == key]
    if new.policy.purposes[key].scope == "browser":
        parts.append(("banner", "lead"))
    return any(_said(old, locale, section, name) != _said(new, locale, section, name) for section, name in parts)


def _said(published: Published, locale: Locale, section: str, key: str) -> Any:
    """The words that carry a consent: a purpose's name and reason, the sentence of a form, the banner's lead."""
    words = _words(published, locale, section, key)
    if isinstance(words, Mapping):
        return {
            part: words.get(part) for part in ("name", "why", "consent") if not (section == "forms" and part == "name")
        }
    return words


# Who is told


def _told(old: Published, new: Published, changes: Sequence[Change]) -> Iterator[Told]:
    seen: set[tuple[str, str]] = set()
    for told in _all_told(old, new, changes):
        if (told.who, told.purpose) not in seen:
            seen.add((told.who, told.purpose))
            yield told


def _all_told(old: Published, new: Published, changes: Sequence[Change]) -> Iterator[Told]:
    for change in changes:
        declared = {part.name for part in change.parts if not part.name.startswith("words.")}
        match change.section:
            case "controllers" if change.kind != "changed" or declared & {"name", "country"}:
                yield Told("everyone", "", f"controller {change.key} {change.kind}")
            case "recipients" if change.kind == "added" or declared & {"country", "role", "transfers", "markets"}:
                yield from _told_of_recipient(new.policy, change)
            case "purposes" if change.kind == "added" or declared & {"basis", "fields", "clock", "scope", "storage"}:
                yield _told_of_purpose(new.policy, change.key, f"purpose {change.key} {change.kind}")
            case "clocks" if declared & {"period", "kind", "signals"}:
                for key, purpose in new.policy.purposes.items():
                    if purpose.clock == change.key:
                        yield _told_of_purpose(new.policy, key, f"clock {change.key} changed")
            case "promises" if change.kind == "removed":
                yield Told("everyone", "", f"promise {change.key} removed")
            case _:
                pass


def _told_of_recipient(policy: Policy, change: Change) -> Iterator[Told]:
    browser = {tag.purpose for tag in policy.tags.values() if tag.recipient == change.key}
    if browser:
        yield Told("visitors", "", f"recipient {change.key} {change.kind}")
    if not browser or any(system.recipient == change.key for system in policy.systems.values()):
        yield Told("everyone", "", f"recipient {change.key} {change.kind}")


def _told_of_purpose(policy: Policy, key: str, why: str) -> Told:
    if policy.purposes[key].scope == "browser":
        return Told("visitors", "", why)
    return Told("holders", key, why)


# Text for a terminal


def _lines(difference: Difference) -> Iterator[str]:
    yield f"{difference.old_version} -> {difference.new_version}"
    if not difference:
        yield "Nothing changed."
        return
    for section in dict.fromkeys(change.section for change in difference.changes):
        yield f"\n{section}"
        for change in difference.changes:
            if change.section == section:
                yield f"  {change.kind:8}{change.key}"
                yield from (f"    {part.name}: {_short(part.before)} -> {_short(part.after)}" for part in change.parts)
    if difference.paragraphs:
        yield "\nparagraphs"
        yield from (f"  {item.kind:8}{item.locale}: {item.key}" for item in difference.paragraphs)
    yield "\nwho must be told"
    for told in difference.told:
        yield f"  {told.who}{f' of data for {told.purpose}' if told.purpose else ''} ({told.why})"
    if not difference.told:
        yield "  nobody"
    yield "\nwhose consent is asked anew"
    for asked in difference.asked:
        editions = ", ".join(f"{market}/{locale}" for market, locale in asked.editions)
        yield f"  {asked.purpose} in {editions} ({', '.join(asked.reasons)})"
    if not difference.asked:
        yield "  nobody's"


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
