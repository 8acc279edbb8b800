"""Forms in the words of the console: what each asks, where it stands, and what keeps a draft from going out."""

from collections.abc import Iterable
from typing import Any

from lofte.core import publication
from lofte.features.outreach.forms import building, specs
from lofte.features.outreach.forms.building import Draft
from lofte.features.outreach.forms.models import Built, Version
from lofte.features.outreach.forms.specs import FormSpec
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.model import Form
from lofte.rules.values import country


def word(locale: str, section: str, key: str, part: str | None = None) -> str:
    """The policy's word, in the console's language where it has it, else its key."""
    published = publication.current()
    try:
        return published.word(locale if locale in published.words else next(iter(published.words)), section, key, part)
    except Problem:
        return key


def spec_line(locale: str, spec: FormSpec) -> dict[str, Any]:
    """One form people can send in."""
    return {
        "id": spec.id, "name": name_of(locale, spec), "kind": say(locale, f"forms.kind.{spec.kind}"),
        "purpose": word(locale, "purposes", spec.purpose, "name"), "origin": spec.origin, "version": spec.version,
        "markets": markets(locale, spec.markets), "state": "published",
    }  # fmt: skip


def built_line(locale: str, row: Built) -> dict[str, Any]:
    draft = building.draft_of(row)
    return {
        "id": row.form, "name": _said(draft, locale) or row.form, "kind": say(locale, f"forms.kind.{draft.kind}"),
        "purpose": word(locale, "purposes", draft.purpose, "name"), "origin": "console", "version": row.version,
        "markets": markets(locale, draft.markets), "state": row.state, "changed_at": row.changed_at,
    }  # fmt: skip


def name_of(locale: str, spec: FormSpec) -> str:
    """What the form calls itself, in the console's language where it speaks it, else in a language of its own."""
    return specs.name_of(spec.id, spec.version, locale)


def asked(locale: str, declared: Form) -> list[dict[str, Any]]:
    """What a form asks for, field by field."""
    return [{"name": field(locale, each.field), "required": each.required} for each in declared.fields]


def boxes(locale: str, declared: Form) -> list[str]:
    return [box(locale, each.purpose, each.channel) for each in declared.boxes]


def box(locale: str, purpose: str, channel: str) -> str:
    name = word(locale, "purposes", purpose, "name")
    return say(locale, "forms.build.box", purpose=name, channel=say(locale, f"forms.channel.{channel}"))


def version_line(locale: str, row: Version) -> dict[str, Any]:
    declared = Form.model_validate(row.asked["form"])
    return {
        "row": row, "kind": say(locale, f"forms.kind.{declared.kind}"),
        "purpose": word(locale, "purposes", declared.purpose, "name"),
        "fields": asked(locale, declared), "boxes": boxes(locale, declared), "files": declared.files,
        "markets": markets(locale, declared.markets),
        "words": [{"locale": tag, "language": language(tag), **said} for tag, said in row.asked["words"].items()],
    }  # fmt: skip


def lacking(locale: str, problem: Problem) -> str:
    """What a draft still lacks, or why something was refused, in words."""
    code = problem.code.partition(".")[2].replace("-", "_")
    words, (first, *rest) = room_words(locale, "forms"), problem.place.key.split(".")
    if f"lack.{code}" not in words:
        raise problem
    slots: dict[str, str] = {}
    if first == "words" and len(rest) == 2:
        slots = {"language": language(rest[0]), "part": say(locale, f"forms.part.{rest[1]}")}
    elif first == "fields" and rest:
        slots = {"field": field(locale, rest[0])}
    return say(locale, f"forms.lack.{code}", **slots)


def all_lacking(locale: str, problems: Iterable[Problem]) -> list[str]:
    """Everything a draft lacks; missing words are told once for each language."""
    found, parts = [], dict[str, list[str]]()
    for problem in problems:
        if problem.code == "form.no-words":
            _, tag, part = problem.place.key.split(".")
            parts.setdefault(tag, []).append(say(locale, f"forms.part.{part}"))
        else:
            found.append(lacking(locale, problem))
    missing = [
        say(locale, "forms.lack.no_words_of", language=language(tag), parts=", ".join(said))
        for tag, said in parts.items()
    ]
    return found + missing


def field(locale: str, key: str) -> str:
    """A field by the name people see it under: what they write in their own words is their message."""
    shape = publication.current().policy.fields.get(key)
    return say(locale, "forms.message") if shape and shape.category == "dialogue" else word(locale, "fields", key)


def markets(locale: str, ids: Any) -> str:
    declared = publication.current().policy.markets
    return ", ".join(market(locale, each) for each in (ids or declared) if each in declared)


def market(locale: str, market_id: str) -> str:
    """A market by the name of its country."""
    return country(locale, publication.current().policy.markets[market_id].country)


def language(tag: str) -> str:
    """A language by its own name."""
    return say(tag, "common.own_language")


def _said(draft: Draft, locale: str) -> str:
    said = draft.words.get(locale) or next(iter(draft.words.values()), {})
    return said.get("name", "")
