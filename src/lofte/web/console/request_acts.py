"""What can be done with a request now, the likeliest first, each with its form. One entry in `ACTS` is one act.

A form's fields are built from the request; `do` calls one verb. Nothing here decides what is lawful: the verbs do.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django import forms

from lofte.core import approvals, ports
from lofte.core.models import Person
from lofte.core.publication import current
from lofte.features.register import reads as register
from lofte.features.rights import assignment, behalf, letters, requests, restriction, verbs
from lofte.features.rights.cases import Case
from lofte.features.rights.nouns import PlanItem
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.model import Basis
from lofte.rules.packs import find_value, law_pack
from lofte.web import calendar
from lofte.web.console.request_words import DeskNames, waiting_names

CORRECTABLE = ("email", "phone", "name", "text")
LONGEST = 8000  # characters of a letter; a longer one is an attachment


@dataclass(frozen=True, slots=True)
class Desk:
    """One request on the desk of one member of staff, in the console's language."""

    case: Case
    locale: str
    actor: str
    contact: str = ""

    @property
    def is_reachable(self) -> bool:
        """Whether there is an address to mail to."""
        return letters.is_reachable(self.case)

    def say(self, key: str, **slots: object) -> str:
        return say(self.locale, f"requests.{key}", **slots)

    @property
    def language(self) -> str:
        """What the person's language is called in the console's."""
        return self.say(f"language.{self.case.locale}")

    @property
    def is_known(self) -> bool:
        """Whether the request is said to be from somebody in the register."""
        return (
            self.case.person_id is not None
            and not Person.objects.filter(pk=self.case.person_id, provisional=True).exists()
        )


Fields = dict[str, forms.Field]
FieldsOf = Callable[[Desk], Fields]


@dataclass(frozen=True, slots=True)
class Act:
    """``buttons`` are (value, words key); ``letter`` the kind that can be shown beforehand; ``ended`` may follow an ending."""

    fields: FieldsOf
    do: Callable[[Desk, dict[str, Any], str], str]
    permission: str = "requests.work"
    buttons: Sequence[tuple[str, str]] = (("", "button"),)
    letter: Callable[[Desk, dict[str, Any]], Any] | None = None
    lead: Callable[[Desk, str], str] = field(default=lambda desk, name: desk.say(f"act.{name}.lead"))


# --- which ----------------------------------------------------------------------------------------------------------


def offered(desk: Desk, may: frozenset[str]) -> list[str]:
    """The acts that fit now, the likeliest next step first; only those the account may do."""
    found = list(_open(desk.case) if desk.case.is_open else _ended(desk.case))
    return [name for name in dict.fromkeys(found) if ACTS[name].permission in may]


def _open(case: Case) -> Iterator[str]:
    if case.untold:
        yield "told"
    asked = [each.kind for each in case.history if each.kind.startswith("clarification")]
    is_talk, is_sure = case.right in requests.TALKS, case.identified_at is not None
    if asked and asked[-1] == "clarification_asked":
        yield "clarified"
    if not is_talk and not is_sure:
        yield "identify"
    if is_talk and not case.has("replied"):
        yield "reply"
    elif is_talk or case.has("acted"):
        yield "complete"
    if not is_talk and is_sure:
        yield from _rights_own(case)
    if not case.has("acknowledged") and not case.has("acted"):
        yield "acknowledge"
    if is_talk and not is_sure:
        yield "identify"
    yield "reply"
    if not asked or asked[-1] != "clarification_asked":
        yield "clarify"
    if is_sure and case.right in ("access", "portability") and not case.has("acted"):
        yield "otherwise"
    if requests.may_extend(case) and not case.has("acted"):
        yield "extend"
    if requests.refusals_for(case.right) and not case.has("acted"):
        yield "refuse"
    yield "note"
    yield "assign"


_OWN = {
    "access": ("hand_over",), "portability": ("hand_over",), "rectification": ("correct",), "withdrawal": ("stop",),
    "objection": ("stop", "restrict"), "restriction": ("restrict",), "erasure": ("erase",),
}  # fmt: skip
_AGAIN = frozenset({"hand_over", "correct"})
"""What may be done more than once for one request."""


def _rights_own(case: Case) -> Iterator[str]:
    is_restricted = case.person_id is not None and ports.is_restricted(case.person_id)
    for name in _OWN[case.right]:
        if (name in _AGAIN or not case.has("acted")) and not (name == "restrict" and is_restricted):
            yield name
    if is_restricted and case.right in ("restriction", "objection"):
        yield from _restricted(case)


def _ended(case: Case) -> Iterator[str]:
    if case.untold:
        yield "told"
    if case.person_id is not None and ports.is_restricted(case.person_id):
        row = restriction.current(case.person_id)
        if row is not None and row.request == case.id:
            yield from _restricted(case)
    if case.keeps_words:  # of somebody erased nothing is written down again
        yield "note"


def _restricted(case: Case) -> Iterator[str]:
    yield "lift" if case.has("lifting_announced") else "announce"


# --- fields ---------------------------------------------------------------------------------------------------------


def _none(desk: Desk) -> Fields:
    return {}


def _way(desk: Desk) -> Fields:
    """How the person is told: by mail where there is an address, else by what staff does themselves."""
    ways = letters.WAYS if desk.is_reachable else letters.WAYS[1:]
    wrong = desk.say("form.error.way")
    field_ = forms.ChoiceField(
        label=desk.say("tell.label"), choices=[(each, desk.say(f"tell.{each}")) for each in ways],
        help_text="" if desk.is_reachable else desk.say("tell.help"), error_messages={"required": wrong, "invalid_choice": wrong},
    )  # fmt: skip
    field_.initial = ways[0]
    return {"way": field_}


def _way_of(said: dict[str, Any]) -> str:
    return said.get("way") or letters.MAIL


def _both(*made: FieldsOf) -> FieldsOf:
    return lambda desk: {name: each for one in made for name, each in one(desk).items()}


def _assignment(desk: Desk) -> Fields:
    field_ = forms.ChoiceField(
        label=desk.say("act.assign.to"), required=False,
        choices=[("", desk.say("desk.nobody")), *DeskNames(desk.locale).all()],
        error_messages={"invalid_choice": desk.say("form.error.desk")},
    )  # fmt: skip
    field_.initial = desk.case.assignee
    return {"to": field_}


def _telling(desk: Desk) -> Fields:
    ways = [(each, desk.say(f"tell.{each}")) for each in letters.WAYS[1:]]
    return {"way": _choice(desk, desk.say("tell.label"), "way", ways)}


def _words(
    name: str, *, required: bool = True, rows: int = 7, more: FieldsOf = _none, after: FieldsOf = _none
) -> FieldsOf:
    def made(desk: Desk) -> Fields:
        return {
            **more(desk),
            "words": forms.CharField(
                label=desk.say(f"act.{name}.words", language=desk.language), required=required, max_length=LONGEST,
                widget=forms.Textarea(attrs={"rows": rows, "lang": desk.case.locale, "spellcheck": "true"}),
                error_messages={"required": desk.say("form.error.words")},
            ),
            **after(desk),
        }  # fmt: skip

    return made


def _choice(
    desk: Desk, label: str, error: str, choices: Sequence[tuple[str, str]], *, required: bool = True
) -> forms.Field:
    wrong = desk.say(f"form.error.{error}")
    return forms.ChoiceField(
        label=label, choices=[("", "—"), *choices], required=required,
        error_messages={"required": wrong, "invalid_choice": wrong},
    )  # fmt: skip


def _identify_fields(desk: Desk) -> Fields:
    fields: Fields = {}
    if not desk.is_known:
        fields["address"] = forms.EmailField(
            label=desk.say("act.identify.address"), max_length=254, initial=desk.contact,
            widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            error_messages={"required": desk.say("form.error.address"), "invalid": desk.say("form.error.address")},
        )  # fmt: skip
    how = [(each, desk.say(f"how.{each}")) for each in requests.HOW_KNOWN if each != "mailbox"]
    fields["how"] = _choice(desk, desk.say("act.identify.how"), "how", how, required=False)
    return fields


def _extension(desk: Desk) -> Fields:
    reasons = [(each, desk.say(f"extension.{each}.name")) for each in requests.EXTENSIONS]
    return {"reason": _choice(desk, desk.say("act.extend.reason"), "reason", reasons)}


def _refusal(desk: Desk) -> Fields:
    reasons = [
        (each, f"{desk.say(f'refusal.{each}.name')} ({requests.law_of(each, desk.case.law)})")
        for each in requests.refusals_for(desk.case.right)
    ]
    return {"reason": _choice(desk, desk.say("act.refuse.reason"), "reason", reasons)}


def _correction(desk: Desk) -> Fields:
    return {
        "what": _choice(desk, desk.say("act.correct.what"), "value", correctable(desk)),
        "value": forms.CharField(
            label=desk.say("act.correct.value"),
            max_length=500,
            error_messages={"required": desk.say("form.error.value")},
        ),
    }


def correctable(desk: Desk) -> list[tuple[str, str]]:
    """What is held that can be put right, once a value; the look is kept."""
    if desk.case.person_id is None:
        return []
    fields = current().policy.fields
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for each in register.holdings_of(desk.case.person_id, "rights", by=desk.actor):
        if (
            each.field in fields
            and fields[each.field].kind in CORRECTABLE
            and fields[each.field].category != "dialogue"
        ):
            name = current().word(desk.locale, "fields", each.field)
            seen.setdefault((each.field, each.value), (str(each.id), f"{name}: {each.value}"))
    return list(seen.values())


def _stopping(desk: Desk) -> Fields:
    purposes = stoppable(desk)
    field_ = _choice(desk, desk.say("act.stop.purpose"), "purpose", purposes)
    field_.initial = desk.case.purpose or (purposes[0][0] if len(purposes) == 1 else "")
    return {"purpose": field_}


def stoppable(desk: Desk) -> list[tuple[str, str]]:
    """Consents that stand, for a withdrawal; uses on legitimate interest that go on, for an objection."""
    if desk.case.person_id is None:
        return []
    said = ports.consents().standings(desk.case.person_id)
    is_withdrawal = desk.case.right == "withdrawal"
    grounds = (Basis.CONSENT,) if is_withdrawal else (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK)
    wanted = [
        key for key, each in current().policy.purposes.items() if each.scope == "person" and each.basis in grounds
    ]
    last = {key: said[key].action if key in said else "" for key in wanted}
    found = []
    for key in wanted:
        if last[key] == "granted" if is_withdrawal else last[key] != "objected":
            found.append((key, current().word(desk.locale, "purposes", key, "name")))
    return found


def _closing(desk: Desk) -> Fields:
    if desk.case.right not in requests.TALKS:
        return {}
    return {"closes": forms.BooleanField(label=desk.say("act.reply.closes"), required=False, initial=True)}


# --- doing ----------------------------------------------------------------------------------------------------------


def _identify(desk: Desk, said: dict[str, Any], button: str) -> str:
    person = desk.case.person_id if desk.is_known else register.person_of("email", said["address"])
    if person is None:
        raise Problem("request.nobody", "nobody has that address", status=422)
    if button == "sure":
        if not said["how"]:
            raise Problem("request.no-how", "say how", status=422)
        requests.identify(desk.case.id, person, desk.actor, said["how"])
        return "act.identify.done"
    if not requests.ask_identity(desk.case.id, person, desk.actor):
        raise Problem("request.no-address", "no address on file", status=422)
    return "act.identify.sent"


def _assign(desk: Desk, said: dict[str, Any], button: str) -> str:
    assignment.assign(desk.case.id, desk.actor if button == "mine" else said["to"], desk.actor)
    return "act.assign.done"


def _told(desk: Desk, said: dict[str, Any], button: str) -> str:
    for each in desk.case.untold:
        requests.told_otherwise(desk.case.id, each.id, said["way"], desk.actor, said["words"])
    return "act.told.done"


def _clarify(desk: Desk, said: dict[str, Any], button: str) -> str:
    requests.ask_clarification(desk.case.id, said["words"], desk.actor, _way_of(said))
    return _sent("act.clarify.done", said)


def _hand_over(desk: Desk, said: dict[str, Any], button: str) -> str:
    behalf.hand_over(desk.case.id, desk.actor, _way_of(said))
    return "act.hand_over.done" if _way_of(said) == letters.MAIL else "act.hand_over.done_print"


def _sent(words: str, said: dict[str, Any]) -> str:
    return words if _way_of(said) == letters.MAIL else "tell.done"


def _acknowledge(desk: Desk, said: dict[str, Any], button: str) -> str:
    if not requests.acknowledge(desk.case.id, desk.actor, _way_of(said)):
        raise Problem("request.nobody-to-write-to", "there is no address to write to", status=409)
    return _sent("act.acknowledge.done", said)


def _complete(desk: Desk, said: dict[str, Any], button: str) -> str:
    if button == "later":
        requests.let_end(desk.case.id, desk.actor)
        return "act.complete.done_later"
    requests.complete(desk.case.id, desk.actor)
    return "act.complete.done"


def _reply(desk: Desk, said: dict[str, Any], button: str) -> str:
    requests.reply(desk.case.id, said["words"], desk.actor, closes=bool(said.get("closes")), way=_way_of(said))
    return _sent("act.reply.done", said)


def _refuse(desk: Desk, said: dict[str, Any], button: str) -> str:
    requests.refuse(desk.case.id, said["reason"], said["words"], desk.actor, said.get("way") or "")
    return "act.refuse.done" if desk.is_reachable and _way_of(said) == letters.MAIL else "act.refuse.done_print"


def _lift(desk: Desk, said: dict[str, Any], button: str) -> str:
    restriction.lift(_person(desk), desk.actor)
    return "act.lift.done"


def _announce(desk: Desk, said: dict[str, Any], button: str) -> str:
    restriction.announce_end(_person(desk), desk.actor, said["words"], _way_of(said))
    return _sent("act.announce.done", said)


def _person(desk: Desk) -> UUID:
    if desk.case.person_id is None:
        raise Problem("request.not-identified", "nobody is known", status=409)
    return desk.case.person_id


def _simple(name: str, verb: Callable[..., object], *keys: str) -> Callable[[Desk, dict[str, Any], str], str]:
    """An act that is one verb: the request, what the form said, and who did it."""

    def do(desk: Desk, said: dict[str, Any], button: str) -> str:
        verb(desk.case.id, *(said[key] for key in keys), desk.actor)
        return f"act.{name}.done"

    return do


def _extend(desk: Desk, said: dict[str, Any], button: str) -> str:
    requests.extend(desk.case.id, said["reason"], desk.actor, said["words"], _way_of(said))
    return _sent("act.extend.done", said)


def _correct(desk: Desk, said: dict[str, Any], button: str) -> str:
    behalf.correct(desk.case.id, UUID(said["what"]), said["value"], desk.actor)
    return "act.correct.done"


# --- letters shown beforehand ---------------------------------------------------------------------------------------


def _letter(kind: str, *, is_extension: bool = False) -> Callable[[Desk, dict[str, Any]], Any]:
    def made(desk: Desk, said: dict[str, Any]) -> Any:
        until = desk.case.deadline.extended_due if is_extension else None
        return letters.compose(
            desk.case, kind, words=said.get("words", ""), reason=said.get("reason", ""), until=until
        )  # fmt: skip

    return made


# --- leads that depend on the request -------------------------------------------------------------------------------


def _clarify_lead(desk: Desk, name: str) -> str:
    return desk.say(f"act.clarify.{'lead_stops' if stops_clock(desk.case) else 'lead'}")


def stops_clock(case: Case) -> bool:
    """Whether the market's law lets the clock stand while the person is asked what they mean."""
    rule = find_value(law_pack(case.law), "rights_pause", case.received_at.date())
    return rule is not None and case.right in rule.value["for"]


def _extend_lead(desk: Desk, name: str) -> str:
    terms = desk.case.deadline
    if terms.notice_by is None or terms.extended_due is None:
        return ""
    day, until = (calendar.day(desk.locale, each) for each in (terms.notice_by, terms.extended_due))
    return desk.say("act.extend.lead", day=day, until=until)


def _complete_lead(desk: Desk, name: str) -> str:
    if names := waiting_names(desk.locale, desk.case):
        return desk.say("act.complete.lead_waits", names=names)
    return desk.say("act.complete.lead")


def _reply_lead(desk: Desk, name: str) -> str:
    return desk.say("act.reply.lead", language=desk.language)


def is_decided_elsewhere(case: Case) -> bool:
    """Whether somebody else's approval is waited for. One that was declined or expired can be asked for again."""
    return any(each.act == behalf.ERASE and each.about == case.id for each in approvals.waiting())


def _erase_lead(desk: Desk, name: str) -> str:
    case = desk.case
    key = "approved" if case.has("approved") else "asked" if is_decided_elsewhere(case) else "lead"
    return desk.say(f"act.erase.{key}")


def _hand_over_lead(desk: Desk, name: str) -> str:
    return desk.say(f"act.hand_over.{'lead' if desk.is_reachable else 'lead_print'}")


def _identify_lead(desk: Desk, name: str) -> str:
    return desk.say(f"act.identify.{'lead_known' if desk.is_known else 'lead'}")


def _no_lead(desk: Desk, name: str) -> str:
    return ""


def plan_in_words(desk: Desk, plan: Sequence[PlanItem]) -> dict[str, list[dict[str, Any]]]:
    """What goes and what stays, in the words the person reads too."""
    words = room_words(desk.locale, "portal")
    named = [
        {
            "name": words.get(f"plan.{each.what}", each.what),
            "count": each.count,
            "why": each.stays_under,
            "until": each.until,
        }
        for each in plan
    ]
    return {
        "goes": [each for each in named if not each["why"] and each["count"]], "stays": [each for each in named if each["why"]]
    }  # fmt: skip


def erasure_plan(desk: Desk) -> dict[str, list[dict[str, Any]]] | None:
    if desk.case.person_id is None or desk.case.has("acted"):
        return None
    return plan_in_words(desk, verbs.plan_erasure(desk.case.person_id))


ACTS: dict[str, Act] = {
    "identify": Act(
        _identify_fields, _identify, buttons=(("send", "send"), ("sure", "sure")), lead=_identify_lead
    ),
    "assign": Act(_assignment, _assign, buttons=(("", "button"), ("mine", "mine"))),
    "told": Act(_both(_telling, _words("told", required=False, rows=3)), _told),
    "acknowledge": Act(_way, _acknowledge, letter=_letter("received")),
    "clarify": Act(
        _words("clarify", after=_way), _clarify, letter=_letter("clarification"),
        lead=_clarify_lead,
    ),
    "clarified": Act(_words("clarified"), _simple("clarified", requests.answer_clarification, "words"), lead=_no_lead),
    "note": Act(_words("note", rows=3), _simple("note", requests.note, "words")),
    "reply": Act(_words("reply", rows=10, after=_both(_closing, _way)), _reply, letter=_letter("reply"), lead=_reply_lead),
    "otherwise": Act(_words("otherwise", rows=4), _simple("otherwise", requests.answered_otherwise, "words")),
    "extend": Act(
        _words("extend", required=False, rows=4, more=_extension, after=_way), _extend, permission="requests.decide",
        letter=_letter("extended", is_extension=True), lead=_extend_lead,
    ),
    "refuse": Act(
        _words("refuse", more=_refusal, after=_way), _refuse, permission="requests.decide", letter=_letter("refused")
    ),
    "hand_over": Act(_way, _hand_over, lead=_hand_over_lead),
    "correct": Act(_correction, _correct),
    "stop": Act(_stopping, _simple("stop", behalf.stop, "purpose")),
    "restrict": Act(_none, _simple("restrict", behalf.restrict), letter=_letter("restricted")),
    "announce": Act(_words("announce", rows=4, after=_way), _announce, letter=_letter("lifting"), permission="requests.decide"),
    "lift": Act(_none, _lift, permission="requests.decide"),
    "erase": Act(
        _none, _simple("erase", behalf.ask_to_erase), permission="requests.decide", letter=_letter("erasing"),
        lead=_erase_lead,
    ),
    "complete": Act(_none, _complete, buttons=(("", "button"), ("later", "later")), lead=_complete_lead),
}  # fmt: skip
