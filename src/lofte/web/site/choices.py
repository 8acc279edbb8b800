"""The preference centre as a page: the same for the link of a letter and for somebody who has been let in."""

from collections.abc import Callable, Collection
from typing import Any

from django.http import HttpRequest, HttpResponse

from lofte.core import evidence, outbox
from lofte.features.outreach.preferences import Choice, Preferences
from lofte.features.rights import reads as rights
from lofte.web.pages import Edition, page

_BETWEEN = " "


def said(request: HttpRequest) -> tuple[Collection[str], Collection[str] | None]:
    """What was chosen, and what there was to choose among; everything is left at once by its own button."""
    if "everything" in request.POST:
        return (), None
    shown = request.POST.get("shown")
    return request.POST.getlist("wanted"), None if shown is None else shown.split(_BETWEEN)


def page_of(
    request: HttpRequest, here: Edition, found: Preferences, links: Callable[[dict[str, Any]], dict[str, Any]], **more: Any
) -> HttpResponse:  # fmt: skip
    """All purposes with their topics and channels; after saving also what changed, each with its receipt."""
    is_saved = request.method == "POST"
    return page(
        request, "site/preferences.html", here, is_saved=is_saved, groups=_groups(here, found.choices),
        shown=_BETWEEN.join(each.key for each in found.choices), changed=_changed(here, found, links), **more,
    )  # fmt: skip


def still_wanted(here: Edition, found: Preferences) -> list[str]:
    """What somebody is still written to about, in words."""
    return [f"{_name(here, each)} ({_channel(here, each.channel)})" for each in found.choices if each.is_wanted]


def _groups(here: Edition, found: Collection[Choice]) -> list[dict[str, Any]]:
    """By purpose, then by channel."""
    return [
        {
            "name": _purpose(here, purpose),
            "why": here.word("purposes", purpose, "why"),
            "channels": [
                {"name": here.say(f"news.channel.{channel}"), "choices": [_choice(here, each) for each in some]}
                for channel in dict.fromkeys(each.channel for each in found if each.purpose == purpose)
                if (some := [each for each in found if (each.purpose, each.channel) == (purpose, channel)])
            ],
        }
        for purpose in dict.fromkeys(each.purpose for each in found)
    ]


def _choice(here: Edition, each: Choice) -> dict[str, Any]:
    if not each.topic:
        return {"key": each.key, "is_wanted": each.is_wanted, "name": here.say("news.preferences_whole"), "lead": ""}
    lead = here.word("topics", each.topic, "lead")
    return {"key": each.key, "is_wanted": each.is_wanted, "name": here.word("topics", each.topic, "name"), "lead": lead}


def _changed(
    here: Edition, found: Preferences, links: Callable[[dict[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    if found.changed and evidence.has_log():
        outbox.drain(person_id=found.person_id)  # so that the receipts are there to be handed over
    rows = []
    for each in found.changed:
        receipt = rights.receipt(found.person_id, each.about)
        key = "news.changed_ended" if each.is_end else "news.changed_topics"
        words = here.say(key, purpose=_purpose(here, each.purpose), channel=_channel(here, each.channel))
        rows.append({"words": words, "receipt": links(receipt) if receipt else None})
    return rows


def _name(here: Edition, each: Choice) -> str:
    return here.word("topics", each.topic, "name") if each.topic else _purpose(here, each.purpose)


def _purpose(here: Edition, purpose: str) -> str:
    name = here.word("purposes", purpose, "name")
    return name[:1].upper() + name[1:]


def _channel(here: Edition, channel: str) -> str:
    name = here.say(f"news.channel.{channel}")
    return name[:1].lower() + name[1:]
