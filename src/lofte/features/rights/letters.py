"""Letters about a request: what we did, what we need, why not and where to complain, in the language of the request.

Every letter says what it is about (right, reference, day) and carries the contact and the authority in its foot.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lofte.core import clock, links, mail, ports, publication
from lofte.features.rights import cases
from lofte.features.rights.cases import Case
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.rules.catalogue import say
from lofte.rules.packs import find_value, law_pack, spoken

NAME = "request"
MAIL = "mail"
WAYS = (MAIL, "post", "phone", "meeting")
"""How people are told: by mail from here, or by staff, who then note it."""


def address_of(case: Case) -> str:
    """Where the person is reached: the address on file, else the one the request came from. Empty when there is neither."""
    if case.person_id is None:
        return ""
    on_file = ports.register().read(case.person_id, "rights", ("email",), by="rights").get("email", "")
    return on_file or cases.contact_of(case)


def is_reachable(case: Case) -> bool:
    """Whether there is an address to mail to; nothing is opened to find out."""
    if case.person_id is None:
        return False
    held = {field for _, field in ports.register().kinds_held(case.person_id)}
    return "email" in held or bool(cases.contact_of(case))


def send(case: Case, kind: str, **said: Any) -> UUID | None:
    """Queue a letter, inside the caller's transaction. None when nobody can be reached: the answer must go another way."""
    to = address_of(case)
    if not to or case.person_id is None:
        return None
    words = compose(case, kind, **said)
    return mail.send(mail.Letter(NAME, case.person_id, to, words, "rights", about=case.id))


def compose(
    case: Case, kind: str, *, words: str = "", reason: str = "", code: str = "", until: date | None = None,
    purpose: str = "", days: int = 0,
) -> mail.Words:  # fmt: skip
    """The letter of a kind, as it would be sent. ``words`` are what staff wrote, ``code`` opens what the button leads to."""
    here, policy = case.locale, publication.current().policy
    slots = {
        "organisation": policy.organisation.name, "reference": case.reference, "purpose": purpose, "days": days,
        "day": values.day(here, until or case.deadline.due),
        "email": policy.controllers[policy.markets[case.market].controller].email,
    }  # fmt: skip
    return mail.compose(
        NAME, case.market, here,
        subject=say(here, f"requests.letter.{kind}.subject", **slots),
        lead=say(here, f"requests.letter.{kind}.lead", **slots),
        because=_because(here, kind, reason), words=_paragraphs(words), after=list(_after(case, kind, slots)),
        button=say(here, f"requests.letter.{kind}.button") if code else "",
        url=links.link("open", case.market, here, code) if code else "",
        facts=list(_facts(case, kind)),
    )  # fmt: skip


def _because(locale: str, kind: str, reason: str) -> str:
    table = {"refused": "refusal", "extended": "extension"}.get(kind)
    return say(locale, f"requests.{table}.{reason}.told") if table and reason else ""


def _paragraphs(words: str) -> list[str]:
    return [each.strip() for each in words.replace("\r\n", "\n").split("\n\n") if each.strip()]


def _facts(case: Case, kind: str) -> Iterator[tuple[str, str]]:
    here = case.locale
    yield say(here, "requests.letter.what"), say(here, f"requests.right.{case.right}")
    yield say(here, "requests.letter.reference"), case.reference
    yield say(here, "requests.letter.received_on"), values.day(here, _local(case))
    if case.is_open and kind in ("received", "identity", "clarification", "extended"):
        yield say(here, "requests.letter.answer_by"), values.day(here, case.deadline.due)


def _local(case: Case) -> date:
    return case.received_at.astimezone(ZoneInfo(case.deadline.zone)).date()


def _after(case: Case, kind: str, slots: dict[str, Any]) -> Iterator[str]:
    """What the law wants said beside it: how to go on, and where to complain (GDPR 12(4), C.R.S. 6-1-1306(3))."""
    if kind == "refused":
        yield from routes(case)
    elif kind == "clarification":
        yield say(case.locale, "requests.letter.clarification.how", **slots)
        if case.deadline.stopped_since:
            yield say(case.locale, "requests.letter.clarification.stands")
    elif kind in ("received", "identity", "erasing", "restricted", "copy"):
        yield say(case.locale, f"requests.letter.{kind}.after", **slots)


def routes(case: Case) -> list[str]:
    """Where somebody whose request was refused can turn, in the words of the request's language."""
    here, pack = case.locale, law_pack(case.law)
    today = clock.now().date()
    found = []
    appeal = find_value(pack, "appeal_deadline", today)
    if appeal and case.right != "appeal":
        email = publication.current().policy.controllers[_controller(case)].email
        period = values.period(here, appeal.value["add"])
        found.append(say(here, "requests.letter.route.appeal", period=period, email=email, reference=case.reference))
    authority = _authority(case)
    if authority:
        found.append(say(here, "requests.letter.route.authority", name=authority[0], web=authority[1]))
    if not appeal:  # Colorado gives no private right of action (C.R.S. 6-1-1310); the Regulation does (GDPR 79)
        found.append(say(here, "requests.letter.route.court"))
    return found


def _controller(case: Case) -> str:
    return publication.current().policy.markets[case.market].controller


def _authority(case: Case) -> tuple[str, str] | None:
    pack, today = law_pack(case.law), clock.now().date()
    try:
        name, web = (find_value(pack, f"authority.{part}", today) for part in ("name", "web"))
    except Problem:
        return None
    if name is None or web is None:
        return None
    return spoken(name.value, case.locale), spoken(web.value, case.locale)
