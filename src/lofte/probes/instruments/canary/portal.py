"""The portal: the same answer for everybody, a link to the address on file, all that is held, and what may be done about it."""

import re
import secrets

from lofte.features.register import reads as register
from lofte.features.rights.models import Request, Step
from lofte.probes.instruments import customer, html, trials
from lofte.probes.instruments.canary import downloads, person, receipts, stores
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.canary.seen import Walked
from lofte.probes.instruments.visitor import Seen, Visitor
from lofte.rules.controls.contact_route import Asked
from lofte.rules.controls.export_machine_readable import ExportWalk
from lofte.rules.controls.legitimate_interest_balanced import Objection
from lofte.rules.controls.portal_gives_access import PortalWalk


def look_around(canary: Canary, seen: Walked) -> None:
    """The portal: the same answer for everybody, a link to the address on file, all that is held, the file to take
    along.
    """
    assert canary.person_id is not None
    stranger = Visitor(canary.world.base_url)
    differences = _differences(canary, stranger)
    open_to_all = _is_open_to_all(canary)
    stores.look_into(canary, seen)
    letter = canary.mailbox.wait_for(canary.address, "/open/")
    if letter is None:
        seen.portal = PortalWalk(False, len(person.held(canary)), (), differences, open_to_all)
        seen.export = ExportWalk(False, 0)
        return
    opened = person.press(canary, letter.link_with("/open/"))
    shown = html.squeezed(opened.page.text)
    hidden = sorted(
        {field for field, value in person.held(canary) if field in _SPELT and html.squeezed(value) not in shown}
    )
    is_open = opened.status == 200 and canary.name in shown
    receipts.verify(canary, opened, seen)
    corrected = _correct(canary, opened) if is_open else None
    seen.objection = _object(canary) if is_open else None
    unrestricted = is_open and _stays_in_use(canary)
    seen.asked = _ask_something(canary) if is_open else None
    seen.portal = PortalWalk(
        is_open, len(person.held(canary)), tuple(hidden), differences, open_to_all, corrected is not True, unrestricted
    )
    seen.export = downloads.download(canary)


_SPELT = frozenset(("email", "name", "company", "phone", "title", "role"))
"""Fields the portal shows as they are; choices are shown in words."""


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
    answer = visitor.submit(page, person.demand_form(page, "address", "the portal form"), {"address": address})
    person.give_back(canary, "link-from")
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
    canary.visitor.submit(page, person.demand_form(page, "value", "the correction form"), {"value": new})
    if (("name", new)) not in person.held(canary):
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
