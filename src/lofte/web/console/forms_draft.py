"""A draft as staff posted it, read into the shape the room keeps."""

from datetime import datetime
from typing import Any

from django.http import QueryDict

from lofte.core import publication
from lofte.features.outreach.forms import building, specs
from lofte.features.outreach.forms.building import Draft
from lofte.features.outreach.forms.models import Built
from lofte.kernel.problems import Problem
from lofte.rules.model import Box, FormField


def read(row: Built, sent: QueryDict) -> Draft:
    """Only what the policy lets this form choose among is read; the rest is as if it had not been sent."""
    before = building.draft_of(row)
    markets = tuple(each for each in publication.current().policy.markets if each in sent.getlist("markets"))
    offered = {f"{box.purpose}-{box.channel}": box for box in building.boxes_for(before.purpose, markets)}
    return Draft(
        before.kind, before.purpose,
        tuple(
            FormField(field=each, required=sent[f"ask.{each}"] == "required")
            for each in building.askable(before.purpose)
            if sent.get(f"ask.{each}")
        ),
        tuple(box for key, box in offered.items() if f"box.{key}" in sent),
        _number(sent.get("files", "")) if before.kind in building.WITH_FILES else 0,
        markets,
        {locale: {part: _text(sent, locale, part) for part in specs.PARTS} for locale in publication.current().policy.locales()},
    )  # fmt: skip


def seen(sent: QueryDict) -> datetime:
    """When the draft was last changed, as the page said that was sent."""
    try:
        return datetime.fromisoformat(sent.get("seen", ""))
    except ValueError:
        raise Problem("form.draft-changed", "the page does not say which draft it showed", status=409) from None


def shown(draft: Draft) -> dict[str, Any]:
    """What the page of a draft offers, with what is chosen."""
    policy = publication.current().policy
    asked = {each.field: each.required for each in draft.fields}
    chosen = {f"{box.purpose}-{box.channel}" for box in draft.boxes}
    offered: list[Box] = building.boxes_for(draft.purpose, draft.markets)
    return {
        "fields": [
            {"field": each, "asked": each in asked, "required": asked.get(each, False)} for each in building.askable(draft.purpose)
        ],
        "boxes": [
            {"key": key, "box": box, "chosen": key in chosen} for box in offered for key in [f"{box.purpose}-{box.channel}"]
        ],
        "markets": [{"market": each, "chosen": each in draft.markets} for each in policy.markets],
        "words": [
            {
                "locale": locale, "needed": locale in building.locales_of(draft.markets),
                "whole": all(draft.words.get(locale, {}).get(part) for part in specs.PARTS),
                "parts": [
                    {"part": part, "value": draft.words.get(locale, {}).get(part, ""), "longest": building.LONGEST[part]}
                    for part in specs.PARTS
                ],
            }
            for locale in policy.locales()
        ],
        "takes_files": draft.kind in building.WITH_FILES, "files": draft.files, "most_files": building.MOST_FILES,
    }  # fmt: skip


def _text(sent: QueryDict, locale: str, part: str) -> str:
    return str(sent.get(f"words.{locale}.{part}", "")).replace("\r\n", "\n").strip()


def _number(text: str) -> int:
    return min(int(text), building.MOST_FILES) if text.isdecimal() else 0
