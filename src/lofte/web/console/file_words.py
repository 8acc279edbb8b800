"""A person's file in words: relations, places, dialogue, and what is held. Decides nothing."""

from datetime import datetime
from typing import Any

from lofte.features.register.reads import File, Said
from lofte.web.pages import Edition
from lofte.web.person_words import held_in_words, spoken


def file_in_words(here: Edition, seen: File, now: datetime) -> dict[str, Any]:
    """Dialogue stands under its own heading; it is listed among what is held only when there is nothing else."""
    said = {each.id for each in seen.dialogue}
    rest = [each for each in seen.held if each.id not in said]
    names = here.published.words.get(here.locale, {}).get("relations", {})
    return {
        "holdings": held_in_words(here, rest or seen.held, now),
        "relations": [
            {
                "name": names.get(each.relation, {}).get("name", each.relation),
                "market": each.market,
                "since": each.started_at,
                "until": each.ended_at,
            }
            for each in seen.relations
        ],
        "places": seen.places,
        "dialogue": [_said(here, each) for each in seen.dialogue],
    }


def _said(here: Edition, said: Said) -> dict[str, Any]:
    if not said.medium:
        return {"how": here.say("console.file.unnamed"), "way": "", "at": said.at, "text": said.text}
    return {
        "how": spoken(here, "console.file.medium", said.medium),
        "way": spoken(here, "console.file.direction", said.direction),
        "at": said.at,
        "text": said.text,
    }
