"""What can be done with an inquiry now, the likeliest first, each with its form. One entry in `ACTS` is one act.

A form's fields are built from the inquiry; `do` calls one verb. Nothing here decides what is allowed: the verbs do.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from lofte.core.publication import current
from lofte.features.outreach.forms.files import Upload
from lofte.features.outreach.inquiries import kinds, letters, verbs
from lofte.features.outreach.inquiries.ledger import row_of
from lofte.features.outreach.inquiries.reads import Line
from lofte.features.rights import requests
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.web.console.inquiry_words import DeskNames, country_of
from lofte.web.files import ManyFiles

LONGEST = 10_000
_RIGHTS = ("access", "rectification", "erasure", "portability", "objection", "restriction", "question", "complaint")


@dataclass(frozen=True, slots=True)
class Desk:
    """One inquiry on the desk of one member of staff, in the console's language."""

    line: Line
    locale: str
    actor: str

    def say(self, key: str, **slots: object) -> str:
        return say(self.locale, f"inquiries.{key}", **slots)


Fields = dict[str, forms.Field]


@dataclass(frozen=True, slots=True)
class Act:
    """``buttons`` are (value, words key). ``do`` gives the words for what was done."""

    fields: Callable[[Desk], Fields]
    do: Callable[[Desk, dict[str, Any], str], str]
    buttons: Sequence[tuple[str, str]] = (("", "button"),)
    has_letter: bool = False


# --- which ----------------------------------------------------------------------------------------------------------


def offered(desk: Desk) -> list[str]:
    """The acts that fit now, the likeliest next step first."""
    return list(_open(desk.line) if not desk.line.is_closed else _ended())


def _open(line: Line) -> Iterator[str]:
    if line.state == "answered":
        yield "close"
    yield "reply"
    yield "told"
    yield "heard"
    yield "note"
    yield "assign"
    yield "move"
    yield "hand_over"
    if line.state != "answered":
        yield "close"


def _ended() -> Iterator[str]:
    yield "reopen"
    yield "heard"
    yield "note"


def letter(desk: Desk, said: dict[str, Any]) -> Any:
    """The answer as it will be read."""
    return letters.composed(row_of(desk.line.id), said["words"])


# --- what they do ---------------------------------------------------------------------------------------------------


def _reply(desk: Desk, said: dict[str, Any], button: str) -> str:
    files = [Upload(each.name, each.content_type or "", each.read()) for each in said["files"]]
    verbs.reply(desk.line.id, said["words"], desk.actor, files=files, closes=button == "close")
    return desk.say("done.reply")


def _told(desk: Desk, said: dict[str, Any], button: str) -> str:
    verbs.told(desk.line.id, said["answer"], said["medium"], desk.actor, closes=button == "close")
    return desk.say("done.told")


def _heard(desk: Desk, said: dict[str, Any], button: str) -> str:
    verbs.heard(desk.line.id, said["heard"], said["medium"], desk.actor)
    return desk.say("done.heard")


def _note(desk: Desk, said: dict[str, Any], button: str) -> str:
    verbs.note(desk.line.id, said["note"], desk.actor)
    return desk.say("done.note")


def _assign(desk: Desk, said: dict[str, Any], button: str) -> str:
    verbs.assign(desk.line.id, desk.actor if button == "mine" else said["to"], desk.actor)
    return desk.say("done.assign")


def _move(desk: Desk, said: dict[str, Any], button: str) -> str:
    verbs.move(desk.line.id, said["kind"], said["market"], desk.actor)
    return desk.say("done.move")


def _hand_over(desk: Desk, said: dict[str, Any], button: str) -> str:
    made = verbs.hand_over(desk.line.id, said["right"], desk.actor)
    return desk.say("done.hand_over", reference=requests.one(made).reference)


def _close(desk: Desk, said: dict[str, Any], button: str) -> str:
    verbs.close(desk.line.id, said["outcome"], desk.actor)
    return desk.say("done.close")


def _reopen(desk: Desk, said: dict[str, Any], button: str) -> str:
    verbs.reopen(desk.line.id, desk.actor)
    return desk.say("done.reopen")


# --- their forms ----------------------------------------------------------------------------------------------------


def _text(desk: Desk, name: str, rows: int = 8) -> forms.CharField:
    wrong = {"required": desk.say("error.words"), "max_length": desk.say("error.long")}
    widget = forms.Textarea(attrs={"rows": rows, "lang": desk.line.locale if name == "words" else desk.locale})
    return forms.CharField(label=desk.say(f"field.{name}"), max_length=LONGEST, widget=widget, error_messages=wrong)


def _choice(desk: Desk, name: str, choices: Sequence[tuple[str, str]], initial: str = "") -> forms.ChoiceField:
    wrong = {"required": desk.say(f"error.{name}"), "invalid_choice": desk.say(f"error.{name}")}
    offered = list(choices) if initial else [("", "—"), *choices]
    return forms.ChoiceField(label=desk.say(f"field.{name}"), choices=offered, initial=initial, error_messages=wrong)


def _medium(desk: Desk) -> forms.ChoiceField:
    return _choice(desk, "medium", [(each, desk.say(f"medium.{each}")) for each in verbs.MEDIA])


def _files(desk: Desk) -> forms.Field:
    return ManyFiles(label=desk.say("field.files"), required=False, help_text=desk.say("field.files_help"))


def _places(desk: Desk) -> Fields:
    markets = [(each, country_of(desk.locale, each)) for each in current().policy.markets]
    return {
        "kind": _choice(desk, "kind", [(each, desk.say(f"kind.{each}")) for each in kinds.KINDS], desk.line.kind),
        "market": _choice(desk, "market", sorted(markets, key=lambda each: each[1]), desk.line.market),
    }


def _endings(desk: Desk) -> Fields:
    is_answered = desk.line.answered_at is not None and desk.line.due_on is None
    found = [each for each in verbs.ENDINGS if is_answered or each != verbs.Outcome.ANSWERED]
    initial = str(verbs.Outcome.ANSWERED) if is_answered else ""
    return {"outcome": _choice(desk, "outcome", [(str(each), desk.say(f"outcome.{each}")) for each in found], initial)}


def _rights(desk: Desk) -> Fields:
    return {"right": _choice(desk, "right", [(each, say(desk.locale, f"requests.right.{each}")) for each in _RIGHTS])}


_SEND = (("", "button"), ("close", "close_button"))
ACTS = {
    "reply": Act(
        lambda desk: {"words": _text(desk, "words", 10), "files": _files(desk)}, _reply, _SEND, has_letter=True
    ),
    "told": Act(lambda desk: {"medium": _medium(desk), "answer": _text(desk, "answer", 5)}, _told, _SEND),
    "heard": Act(lambda desk: {"medium": _medium(desk), "heard": _text(desk, "heard", 5)}, _heard),
    "note": Act(lambda desk: {"note": _text(desk, "note", 4)}, _note),
    "assign": Act(lambda desk: {"to": _choice(desk, "to", DeskNames(desk.locale).all())}, _assign),
    "move": Act(_places, _move),
    "hand_over": Act(_rights, _hand_over),
    "close": Act(_endings, _close),
    "reopen": Act(lambda desk: {}, _reopen),
}

_TOLD = {
    "inquiry.moved": "moved", "inquiry.closed": "closed", "inquiry.unanswered": "unanswered", "inquiry.restricted": "restricted",
    "inquiry.no-address": "no_address",
    "inquiry.no-words": "words", "inquiry.no-desk": "to", "inquiry.no-medium": "medium", "inquiry.no-outcome": "outcome",
    "inquiry.no-such-kind": "kind", "register.denied": "denied", "form.bad-file": "file",
    "form.file-too-large": "file_too_large", "form.too-many-files": "too_many_files", "register.too-large": "file_too_large",
    "register.too-many": "too_many_files",
}  # fmt: skip


def told(desk: Desk, problem: Problem) -> str:
    """A refusal in words of the console; one we have no words for goes its own way."""
    if problem.code not in _TOLD:
        raise problem
    return desk.say(f"error.{_TOLD[problem.code]}")
