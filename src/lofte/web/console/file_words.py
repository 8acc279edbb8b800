"""A person's file in words: relations, places, dialogue, and what is held. Decides nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from lofte.features.register.attachments import Attached
from lofte.features.register.reads import File, Said
from lofte.web.pages import Edition
from lofte.web.person_words import LinkTo, held_in_words, spoken


def file_in_words(
    here: Edition, seen: File, now: datetime, staff: Mapping[str, str] | None = None, link: LinkTo | None = None,
    files: Iterable[Attached] = (),
) -> dict[str, Any]:  # fmt: skip
    """Dialogue stands under its own heading; it is listed among what is held only when there is nothing else.

    ``staff`` names members of staff by actor, ``link`` leads to where a value is corrected, ``files`` came with the dialogue.
    """
    said = {each.id for each in seen.dialogue}
    rest = [each for each in seen.held if each.id not in said]
    names = here.published.words.get(here.locale, {}).get("relations", {})
    came = list(files)
    return {
        "holdings": held_in_words(here, rest or seen.held, now, link),
        "relations": [
            {
                "name": names.get(each.relation, {}).get("name", each.relation),
                "market": each.market,
                "since": each.started_at,
                "until": each.ended_at,
                "id": each.id,
            }
            for each in seen.relations
        ],
        "places": seen.places,
        "dialogue": [
            _said(here, each, staff or {})
            | {
                "files": [file for file in came if file.dialogue == each.id],
                "correct_url": link("correct", each.id) if link else "",
            }
            for each in seen.dialogue
        ],
    }


def _said(here: Edition, said: Said, staff: Mapping[str, str]) -> dict[str, Any]:
    """``by`` is the member of staff it was with; what came by another door has none."""
    common = {"at": said.at, "text": said.text, "by": staff.get(said.by, ""), "id": said.id}
    if not said.medium:
        return common | {"how": here.say("console.file.unnamed"), "way": "", "medium": "other"}
    return common | {
        "how": spoken(here, "console.file.medium", said.medium),
        "way": spoken(here, "console.file.direction", said.direction),
        "medium": said.medium,
    }
