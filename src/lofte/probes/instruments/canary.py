"""A made-up person who walks the real paths: signs up, confirms, is written to, looks, downloads, leaves, is erased.

Two of them a round, through the public pages and a real mailbox: one looks at everything and has itself erased, the
other
withdraws by the link in its newsletter and is left to the sweep. They are marked by their address (``canary-...``),
no other
subscriber is written to, and whatever a round leaves behind (a crash, a broken promise) is removed by that round or
the next.
"""

import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core import signing

from lofte.core import blind, clock, evidence, holdings, limits, obligations, systems, vault
from lofte.core.backup import replaying
from lofte.core.keys.models import OwnerKey
from lofte.core.models import Mail, Person
from lofte.evidence.verify import verify_receipt
from lofte.features.consent import reads as consents
from lofte.features.outreach import models as outreach_models
from lofte.features.outreach import verbs as outreach
from lofte.features.register import reads as register
from lofte.features.retention import verbs as retention
from lofte.features.rights import package
from lofte.features.rights import reads as rights
from lofte.features.rights.models import Erasure, Request, Step
from lofte.kernel.problems import Problem
from lofte.probes.instruments import at_large, customer, html, schema, trials
from lofte.probes.instruments.mailbox import Letter, Mailbox
from lofte.probes.instruments.visitor import Seen, Visitor
from lofte.probes.world import World
from lofte.rules.controls.contact_route import Asked
from lofte.rules.controls.erasure_complete import ErasureWalk
from lofte.rules.controls.export_machine_readable import ExportWalk
from lofte.rules.controls.legitimate_interest_balanced import Objection
from lofte.rules.controls.portal_gives_access import PortalWalk
from lofte.rules.controls.withdrawal_at_once import WithdrawalWalk

FORM = "newsletter"
_QUEUE_S = 60.0  # a busy machine looks at its queue every few seconds at best; who is quick does not wait
_ELSEWHERE_S = 20.0  # a connected system that stumbled is asked again after a quarter of a minute
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_NEWEST = 300  # people whose keys are looked for a round
_logger = logging.getLogger("lofte.probes")


@dataclass
class Canary:
    """One made-up person on the way through one market."""

    world: World
    market: str
    locale: str
    mailbox: Mailbox
    address: str
    name: str
    visitor: Visitor = field(init=False)
    person_id: UUID | None = None
    held: list[tuple[str, str]] = field(default_factory=list)
    """What the register was given of it besides what it typed itself."""
    requests: set[UUID] = field(default_factory=set)
    """The requests it left, which are nobody's work."""

    def __post_init__(self) -> None:
        self.visitor = Visitor(self.world.base_url)

    @property
    def tail(self) -> str:
        return f"{self.market.lower()}/{self.locale}/"

    @property
    def values(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys([("email", self.address), ("name", self.name), *self.held]))


@dataclass
class Walked:
    """What a round of canaries saw, as the controls want it.

    ``refused`` names parts of receipts that did not verify.
    """

    before_confirmation: int = 0
    after_confirmation: int = 0
    receipts: int = 0
    refused: list[str] = field(default_factory=list)
    still_there: bool | None = None
    portal: PortalWalk | None = None
    export: ExportWalk | None = None
    erasure: ErasureWalk | None = None
    withdrawal: WithdrawalWalk | None = None
    letters: list[tuple[str, Letter]] = field(default_factory=list)
    receipt_pages: list[tuple[str, str]] = field(default_factory=list)
    in_clear: tuple[str, ...] = ()
    searched: int = 0
    people: int = 0
    keyless: int = 0
    back: int = 0
    """People who were erased and are in the register again."""
    tried: trials.Tried | None = None
    objection: Objection | None = None
    asked: Asked | None = None
    customer_fields: tuple[str, ...] = ()


def walk(world: World) -> Walked:
    """The walk of this round; made once, whoever asks first. Raises Unable without a mailbox or a site."""
    return world.once("canary", lambda: _walk(world))


def _walk(world: World) -> Walked:
    mailbox = Mailbox(world.mailbox)
    at_large.erase_left_behind(world)
    seen = Walked()
    canaries = [_hatch(world, mailbox), _hatch(world, mailbox)]
    try:
        looks, leaves = canaries
        _subscribe(looks, seen, tries_early=True)
        _subscribe(leaves, seen, tries_early=False)
        _deal_with(looks, seen)
        _look_around(looks, seen)
        _withdraw(leaves, seen)
        _erase(looks, seen)
        _outlive(leaves, seen)
    finally:
        for canary in canaries:
            _remove(canary)
    return seen


def _hatch(world: World, mailbox: Mailbox) -> Canary:
    market, locale = world.editions()[0]
    mark = secrets.token_hex(6)
    return Canary(world, market, locale, mailbox, f"canary-{mark}@{world.canary_domain}", f"Canary {mark.capitalize()}")


# Signing up


def _subscribe(canary: Canary, seen: Walked, *, tries_early: bool) -> None:
    """Through the form and the mailed link, as anybody would.

    On the way: nothing may be sent before the link is used.
    """
    page = canary.visitor.get(f"/news/{canary.tail}")
    form = _demand_form(page, "email", "the newsletter form")
    wanted = {"email": canary.address, "name": canary.name, "consent": "on"}
    offered = {one.name for one in form.inputs}
    canary.visitor.submit(page, form, {key: value for key, value in wanted.items() if key in offered})
    _give_back(canary, "subscribe-from")
    letter = _demand_letter(canary, "/confirm/")
    seen.letters.append((canary.market, letter))
    if tries_early:
        seen.before_confirmation = _send_unconfirmed(canary)
    _press(canary, letter.link_with("/confirm/"))
    canary.person_id = register.person_of("email", canary.address)
    if canary.person_id is None:
        raise Problem("probe.not-confirmed", "the canary used its link and is not in the register", status=502)
    at_large.note(canary.world, canary.person_id)
    seen.after_confirmation += _send(canary, [canary.person_id])


def _send_unconfirmed(canary: Canary) -> int:
    """Try to write to somebody who has only typed an address; returns how many letters with a way out arrived."""
    hashed = blind.blind_hash("email", blind.normalise("email", canary.address))
    waiting = list(outreach_models.SignUp.everyone.filter(hash=hashed).values_list("person_id", flat=True))
    return _send(canary, waiting)


def _send(canary: Canary, people: list[UUID]) -> int:
    """Send an issue to these people alone, wait until the queue is empty, count what arrived that is an issue."""
    before = len(_issues(canary))
    content = outreach.Content("Löfte", "Canary issue.", "<p>Canary issue.</p>")
    contents = dict.fromkeys(canary.world.published.policy.locales(), content)
    issue = outreach.draft_issue(outreach.TOPICS[0], contents, by="canary")
    try:
        outreach.send_issue(issue, only=people)
        _wait_for_queue(people)
        return len(_issues(canary)) - before
    finally:
        outreach_models.Issue.objects.filter(pk=issue).delete()


def _issues(canary: Canary) -> list[Letter]:
    return [letter for letter in canary.mailbox.letters_to(canary.address) if letter.link_with("/unsubscribe/")]


def _wait_for_queue(people: list[UUID]) -> None:
    """Until nothing of theirs waits in the queue: only then does an empty mailbox mean that nothing was sent."""
    waiting = (Mail.State.QUEUED, Mail.State.SENDING)
    if not _eventually(lambda: not any(Mail.objects.of(one).filter(state__in=waiting).exists() for one in people)):
        raise Problem("probe.mail-waits", "letters to the canary stay in the queue", status=504)


def _verify_receipts(canary: Canary, opened: Seen, seen: Walked) -> None:
    """The receipts the portal offers, fetched as the person would and verified without asking us."""
    for link in opened.page.links:
        if "/receipt/" in link and link.endswith(".json"):
            seen.receipts += 1
            seen.refused += _refused(canary.visitor.get(link, accept="application/json").body)
        elif "/receipt/" in link and link.endswith(".html"):
            seen.receipt_pages.append((canary.market, canary.visitor.get(link).markup))


def _refused(receipt: bytes) -> list[str]:
    try:
        verify_receipt(receipt)
    except Problem as problem:
        return [problem.place.key or problem.code]
    return []


def _deal_with(canary: Canary, seen: Walked) -> None:
    """From now on a customer too; then the register is asked for what it must refuse."""
    assert canary.person_id is not None
    policy, mark = canary.world.published.policy, canary.address.partition("@")[0].removeprefix("canary-")
    values = customer.sample(mark, canary.address, canary.name)
    canary.held = customer.furnish(policy, canary.person_id, values, canary.market, canary.locale)
    agreement = customer.purposes_of(policy, customer.relation_of(policy))
    held = register.open_all(canary.person_id, "security", by="probe").values()
    seen.customer_fields = tuple(one.field for one in held if one.purpose in agreement)
    seen.tried = trials.misuse(policy, canary.person_id, canary.address, canary.market, canary.locale)


# Looking around


def _look_around(canary: Canary, seen: Walked) -> None:
    """The portal: the same answer for everybody, a link to the address on file, all that is held, the file to take
    along.
    """
    assert canary.person_id is not None
    stranger = Visitor(canary.world.base_url)
    differences = _differences(canary, stranger)
    open_to_all = _is_open_to_all(canary)
    _check_stores(canary, seen)
    letter = canary.mailbox.wait_for(canary.address, "/open/")
    if letter is None:
        seen.portal = PortalWalk(False, len(_held(canary)), (), differences, open_to_all)
        seen.export = ExportWalk(False, 0)
        return
    seen.letters.append((canary.market, letter))
    opened = _press(canary, letter.link_with("/open/"))
    shown = html.squeezed(opened.page.text)
    hidden = sorted({field for field, value in _held(canary) if field in _SPELT and html.squeezed(value) not in shown})
    is_open = opened.status == 200 and canary.name in shown
    _verify_receipts(canary, opened, seen)
    corrected = _correct(canary, opened) if is_open else None
    seen.objection = _object(canary) if is_open else None
    unrestricted = is_open and _stays_in_use(canary)
    seen.asked = _ask_something(canary) if is_open else None
    seen.portal = PortalWalk(
        is_open, len(_held(canary)), tuple(hidden), differences, open_to_all, corrected is not True, unrestricted
    )
    seen.export = _download(canary)


_SPELT = frozenset(("email", "name", "company", "phone", "title", "role"))
"""Fields the portal shows as they are; choices are shown in words."""


def _held(canary: Canary) -> list[tuple[str, str]]:
    """What the register holds, asked past the portal."""
    assert canary.person_id is not None
    return [(one.field, one.value) for one in register.open_all(canary.person_id, "security", by="probe").values()]


def _differences(canary: Canary, stranger: Visitor) -> tuple[str, ...]:
    """How the answers to a known and to an unknown address differ: they may not."""
    nobody = f"canary-{secrets.token_hex(6)}@{canary.world.canary_domain}"
    known, unknown = _ask(canary.visitor, canary, canary.address), _ask(stranger, canary, nobody)
    found = []
    if known.status != unknown.status:
        found.append("status")
    if known.url != unknown.url:
        found.append("address")
    if _plain(known.markup) != _plain(unknown.markup):
        found.append("words")
    return tuple(found)


def _ask(visitor: Visitor, canary: Canary, address: str) -> Seen:
    page = visitor.get(f"/my/{canary.tail}")
    answer = visitor.submit(page, _demand_form(page, "address", "the portal form"), {"address": address})
    _give_back(canary, "link-from")
    return answer


def _plain(markup: str) -> str:
    """A page without what is random in every answer: nonces, stamps, tokens."""
    return re.sub(r'(nonce|value)="[^"]*"', r"\1", markup)


def _is_open_to_all(canary: Canary) -> bool:
    return canary.name in Visitor(canary.world.base_url).get(f"/my/{canary.tail}data/").markup


def _correct(canary: Canary, opened: Seen) -> bool | None:
    """Change the name by the page's own way; None when the page offers none."""
    assert canary.person_id is not None
    names = [
        str(key)
        for key, one in register.open_all(canary.person_id, "security", by="probe").items()
        if one.field == "name"
    ]
    address = next(
        (link for link in opened.page.links if "/correct/" in link and any(one in link for one in names)), ""
    )
    if not address:
        return None
    page = canary.visitor.get(address)
    new = f"{canary.name} Corrected"
    canary.visitor.submit(page, _demand_form(page, "value", "the correction form"), {"value": new})
    if (("name", new)) not in _held(canary):
        return False
    canary.name = new
    return True


def _object(canary: Canary) -> Objection | None:
    """Object by the page's own button to a use that rests on a legitimate interest; None when there is nothing to object to."""
    assert canary.person_id is not None
    policy = canary.world.published.policy
    held = {one.purpose for one in register.open_all(canary.person_id, "security", by="probe").values()}
    purpose = next((one for one in customer.interests_of(policy) if one in held), "")
    if not purpose:
        return None
    page = canary.visitor.get(f"/my/{canary.tail}data/")
    form = next(
        (one for one in page.page.forms if "object/" in one.action and one.values().get("purpose") == purpose), None
    )
    if form is None:
        return Objection(purpose, is_offered=False)
    canary.visitor.submit(page, form, {})
    return Objection(purpose, is_offered=True, is_honoured=trials.is_refused(canary.person_id, purpose))


def _stays_in_use(canary: Canary) -> bool:
    """Have the data restricted (GDPR 18) where the edition offers it, see whether it is still used, and lift it again."""
    assert canary.person_id is not None
    policy = canary.world.published.policy
    agreement = customer.purposes_of(policy, customer.relation_of(policy))
    page = canary.visitor.get(f"/my/{canary.tail}data/restrict/")
    form = next((one for one in page.page.forms if not one.action and "csrfmiddlewaretoken" in one.values()), None)
    if page.status == 404 or not agreement:
        return False
    if form is None:
        return True
    canary.visitor.submit(page, form, {})
    is_used = not trials.is_refused(canary.person_id, agreement[0])
    page = canary.visitor.get(f"/my/{canary.tail}data/restrict/")
    lifting = next((one for one in page.page.forms if one.values().get("decision") == "lift"), None)
    if lifting is not None:
        canary.visitor.submit(page, lifting, {})
    return is_used or lifting is None


def _ask_something(canary: Canary) -> Asked:
    """A question through the portal: does it land in the market's list with a last day, and is the person told?"""
    page = canary.visitor.get(f"/my/{canary.tail}requests/ask/")
    form = page.page.form_with("words")
    if form is None:
        return Asked(is_taken=False)
    there = set(Request.objects.filter(subject=canary.person_id).values_list("id", flat=True))
    canary.visitor.submit(page, form, {"about": "question", "words": "Do you keep what you promise?"})
    row = Request.objects.filter(subject=canary.person_id, right=Request.Right.QUESTION).exclude(id__in=there).first()
    if row is None:
        return Asked(is_taken=False)
    days = (row.due_on - canary.world.now().date()).days
    is_told = Step.objects.filter(request=row.id, kind="acknowledged").exists()
    return Asked(True, is_in_market=row.market == canary.market, days=days, is_told=is_told)


def _download(canary: Canary) -> ExportWalk:
    """The JSON file: does it fit its schema, and is anything the register holds not in it?"""
    assert canary.person_id is not None
    before = _rows_on_file(canary.person_id)
    answer = canary.visitor.get(f"/my/{canary.tail}data/download.json", accept="application/json")
    try:
        document: Any = json.loads(answer.body) if answer.status == 200 else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return ExportWalk(False, 0)
    held, after = _held(canary), _rows_on_file(canary.person_id)
    # What only passed through is not on file.
    there = {table: len(rows & after.get(table, set())) for table, rows in before.items()}
    wrong = schema.errors(document, package.schema())
    return ExportWalk(True, len(held), tuple(wrong), tuple(_lacking(document, held, there)))


# What each part of the file shows row by row; other tables only need to be named with their number of rows.
_ROW_BY_ROW = {
    "consent_consent": "consents", "core_entry": "evidence", "core_mail": "mails", "register_dialogue": "dialogue",
    "register_holding": "holdings", "register_look": "looks", "register_placement": "places",
    "register_relation": "relations", "rights_request": "requests", "rights_restriction": "restrictions",
}  # fmt: skip


def _lacking(document: dict[str, Any], held: list[tuple[str, str]], on_file: dict[str, int]) -> Iterator[str]:
    """Kinds of data on file about the person that the file leaves out; counted in the tables themselves, before it was made."""
    given = {(one.get("field"), one.get("value")) for one in document.get("holdings", ())}
    yield from sorted({field for field, value in held if (field, value) not in given})
    named = {one.get("table"): one for one in document.get("tables", ())}
    for table, rows in ((table, rows) for table, rows in on_file.items() if rows):
        part = named.get(table, {}).get("part")
        is_short = table in _ROW_BY_ROW and len(document.get(_ROW_BY_ROW[table], ())) < rows
        if not part or part not in document or named[table].get("rows", 0) < rows or is_short:
            yield table


def _rows_on_file(person_id: UUID) -> dict[str, set[Any]]:
    """Every table that hangs on a person, with the keys of the rows of this one."""
    found = {}
    for model in holdings.our_models():
        names = {one.attname for one in model._meta.concrete_fields}
        column = next((one for one in ("person_id", "subject") if one in names), "")
        if column:
            found[model._meta.db_table] = set(
                model._base_manager.filter(**{column: person_id}).values_list("pk", flat=True)
            )
    return found


def _check_stores(canary: Canary, seen: Walked) -> None:
    """While the canary is on file: is anything of it readable in any table or file?"""
    found = rights.search_for(canary.values)
    seen.searched = found.columns
    people = list(Person.objects.order_by("-pk").values_list("pk", flat=True)[:_NEWEST])
    bare = _without_key(people)
    risen = [one for one in bare if vault.is_erased(one)]
    seen.people, seen.keyless, seen.back = len(people), len(bare) - len(risen), len(risen) + _is_behind_the_log()
    seen.in_clear = tuple(
        sorted({hit.where for hit in found.hits if hit.form in ("raw", "normal", "escaped", "encoded")})
    )


def _without_key(people: list[UUID]) -> list[UUID]:
    """Who stays in the register without a key of their own. Whoever is being erased loses the key first, and then the row."""
    keyed = set(OwnerKey.objects.filter(owner__in=people).values_list("owner", flat=True))
    bare = [one for one in people if one not in keyed]
    leaving = set(Erasure.objects.filter(subject__in=bare).values_list("subject", flat=True)) if bare else set()
    return [one for one in bare if one not in leaving and Person.objects.filter(pk=one).exists()]


def _is_behind_the_log() -> bool:
    """Whether the log knows of an erasure that the register does not: it was put back from a copy, and the erasure was not."""
    try:
        replaying.demand_up_to_date(evidence.log())
    except Problem as problem:
        return problem.code == "restore.behind"
    return False


# Leaving


def _withdraw(canary: Canary, seen: Walked) -> None:
    """By the mail program's one click; opening the link must not be enough, and nothing may come afterwards."""
    assert canary.person_id is not None
    purpose = canary.world.published.policy.forms[FORM].purpose
    letters = _issues(canary)
    if not letters:
        seen.withdrawal = WithdrawalWalk(False)
        return
    letter = letters[0]
    seen.letters.append((canary.market, letter))
    link = letter.link_with("/unsubscribe/")
    one_click = link in letter.list_unsubscribe and "one-click" in letter.list_unsubscribe_post.lower()
    program = Visitor(canary.world.base_url)
    program.get(link)
    acts_on_get = not consents.is_granted(canary.person_id, purpose)
    program.post(link, {"List-Unsubscribe": "One-Click"}, origin=False)
    withdrawn = not consents.is_granted(canary.person_id, purpose)
    sent_after = _send(canary, [canary.person_id])
    seen.withdrawal = WithdrawalWalk(True, bool(link), one_click, withdrawn, sent_after, acts_on_get)


def _outlive(canary: Canary, seen: Walked) -> None:
    """Who withdrew has no reason to be kept: the sweep must take them."""
    assert canary.person_id is not None
    _remember_requests(canary)
    retention.sweep_one(canary.person_id, clock.now())
    seen.still_there = register.person_of("email", canary.address) is not None


def _erase(canary: Canary, seen: Walked) -> None:
    """The button in the portal; then a search of our own, and the receipt verified."""
    assert canary.person_id is not None
    at_large.forget(canary.world, canary.person_id)
    page = canary.visitor.get(f"/my/{canary.tail}data/erase/")
    form = next((one for one in page.page.forms if "csrfmiddlewaretoken" in one.values() and not one.action), None)
    if page.status != 200 or form is None:
        seen.erasure = ErasureWalk(False, 0)
        return
    _remember_requests(canary)
    done = canary.visitor.submit(page, form, {})
    order = _order_of(done)
    if order is not None:
        canary.requests |= set(Step.objects.filter(about=order).values_list("request", flat=True))
        _eventually(lambda: Erasure.objects.filter(pk=order, state=Erasure.State.DONE).exists(), _ELSEWHERE_S)
        done = canary.visitor.get(done.url)
    receipt = next((link for link in done.page.links if link.endswith(".json") and "/erased/" in link), "")
    in_log = bool(receipt) and not _refused(canary.visitor.get(receipt, accept="application/json").body)
    values = [*canary.values, ("name", canary.name.removesuffix(" Corrected"))]
    found = rights.search_for(values, canary.person_id)
    late = [one.system for one in obligations.overdue() if one.what == "erase"]
    seen.erasure = ErasureWalk(
        asked=done.status == 200,
        searched=found.columns,
        residue=tuple(sorted({*(hit.where for hit in found.hits), *_left_elsewhere(values)})),
        obligations_open=tuple(sorted({*(obligations.waiting_for(order) if order else ()), *late})),
        in_log=in_log,
        systems=len(systems.names()),
        back=seen.back,
    )


def _remember_requests(canary: Canary) -> None:
    """What it asked for would stay as a bare record of nobody: noted while it still says whose it is, and removed at the end."""
    canary.requests |= set(Request.objects.filter(subject=canary.person_id).values_list("id", flat=True))


def _order_of(done: Seen) -> UUID | None:
    """The erasure whose page this is: its address names the order, and nobody."""
    token = done.url.rstrip("/").rpartition("/")[2]
    try:
        return UUID(signing.loads(token, salt="lofte.web.erased")["o"])
    except (signing.BadSignature, KeyError, ValueError):
        return None


def _left_elsewhere(values: list[tuple[str, str]]) -> Iterator[str]:
    """Ask every connected system once more, whatever it said of its own erasure."""
    for name in systems.names():
        try:
            left = systems.get(name).search(systems.Who(tuple(values)), systems.Found())
        except Exception as failure:  # one that cannot be asked has not confirmed either: it stands among the open ones
            _logger.info("a system could not be searched", extra={"fields": {"cause": type(failure).__name__}})
            continue
        yield from (f"{name}.{one.where}" for one in left if not one.exemption)


# Cleaning up


def _remove(canary: Canary) -> None:
    """Whatever the walk left of a canary goes, in the register and in the mailbox."""
    try:
        hashed = blind.blind_hash("email", blind.normalise("email", canary.address))
        people = set(outreach_models.SignUp.everyone.filter(hash=hashed).values_list("person_id", flat=True))
        people |= {canary.person_id} if canary.person_id else set()
        _remember_requests(canary)
        at_large.erase(canary.world, people)
        Step.objects.filter(request__in=canary.requests).delete()
        Request.objects.filter(id__in=canary.requests).delete()
        canary.mailbox.forget(canary.address)
    except Exception as failure:  # cleaning may fail where the walk failed; the next round tries again
        _logger.warning("a canary was not removed", extra={"fields": {"cause": type(failure).__name__}})


# Small steps


def _give_back(canary: Canary, limit: str) -> None:
    """Asked from the site's own machine, we must not use up the tries of people there, who are all of them behind a proxy."""
    if (urlsplit(canary.world.base_url).hostname or "") in _HERE:
        for address in ("127.0.0.1", "::1"):
            limits.give_back(limit, address)


def _press(canary: Canary, link: str) -> Seen:
    """Open a mailed link and press the button on the page behind it."""
    page = canary.visitor.get(link)
    form = next((one for one in page.page.forms if one.method == "post"), None)
    if page.status != 200 or form is None:
        return page
    return canary.visitor.submit(page, form, {})


def _demand_form(seen: Seen, name: str, what: str) -> html.Form:
    form = seen.page.form_with(name)
    if seen.status != 200 or form is None:
        raise Problem("probe.no-form", f"{what} was not found", status=502)
    return form


def _demand_letter(canary: Canary, part: str) -> Letter:
    letter = canary.mailbox.wait_for(canary.address, part)
    if letter is None:
        raise Problem("probe.no-letter", "the letter the canary waits for did not come", status=504)
    return letter


def _eventually(is_so: Callable[[], bool], timeout_s: float = _QUEUE_S) -> bool:
    until = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
