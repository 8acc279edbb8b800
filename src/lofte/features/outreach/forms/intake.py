"""Taking in what people send: only what the form asks for, once, and with the words it was asked with.

Rooms register themselves for kinds of forms; what they do runs in the same transaction as the record of what was shown.
A ticked box never counts by itself: it asks for a mail in which the person confirms.
Raises `Problem`: `form.not-here` (404), `form.changed` (409, its words are others now), `form.unknown-field`, `form.missing-field`,
`form.bad-value`, `form.unknown-box`, `form.missing-box`, `form.too-many-files`, `form.bad-file` (422), `form.too-many` (429).
"""

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from lofte.core import actions, blind, clock, limits, publication
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.forms import forgetting, specs
from lofte.features.outreach.forms.files import Upload, judged
from lofte.features.outreach.forms.models import Arrival, Once
from lofte.features.outreach.forms.specs import BoxWords, FormSpec, Words
from lofte.kernel.problems import Place, Problem

PER_ADDRESS = (20, timedelta(days=1))  # tries, window: nobody's name is used a hundred times
PER_NETWORK = (60, timedelta(hours=1))
KEPT_ONCE = timedelta(days=1)
LONGEST = {"email": 254, "phone": 40, "name": 200, "text": 500, "url": 500}  # characters, by kind of field
LONGEST_MESSAGE = 8_000  # characters of what people write in their own words
_BATCH = 5_000


@dataclass(slots=True)
class Submission:
    """One form as it was sent in, checked. ``boxes`` are those ticked; they wait for the mail to be confirmed.

    ``person`` is set by `arrivals.person_for`, or by a handler that knows the person in its own way.
    """

    id: UUID
    form: FormSpec
    market: str
    locale: str
    values: Mapping[str, str]
    boxes: frozenset[tuple[str, str]]
    wording: str
    page: str
    at: datetime
    key: str
    remote: str
    about: UUID | None = None
    files: tuple[Upload, ...] = ()
    person: UUID | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Taken:
    """``say`` is the catalogue key of the thank-you: ``<say>_title`` and ``<say>_lead``. ``reference`` is a number to quote."""

    say: str = "forms.thanks"
    reference: str = ""


Handler = Callable[[Submission], Taken]
Asker = Callable[[Submission, BoxWords], UUID | None]

_handlers: dict[str, Handler] = {}
_askers: list[Asker] = []


def takes(*kinds: str) -> Callable[[Handler], Handler]:
    """Registers who takes in forms of these kinds. Called inside the transaction; what is mailed there is queued, not sent."""

    def registered(handler: Handler) -> Handler:
        for kind in kinds:
            _handlers[kind] = handler
        return handler

    return registered


def asks(asker: Asker) -> Asker:
    """Registers who asks by mail whether a ticked box is meant; it gives the person the question hangs on, if there is one."""
    _askers[:] = [asker]
    return asker


def is_taken(kind: str) -> bool:
    """Whether some room takes in forms of this kind."""
    return kind in _handlers


def take(
    market: str, locale: str, form_id: str, values: Mapping[str, str], *, wording: str, boxes: Iterable[tuple[str, str]] = (),
    page: str = "", key: str = "", remote: str = "", about: UUID | None = None, files: Iterable[Upload] = (),
) -> Taken:  # fmt: skip
    """Take in one form. Sent twice with the same ``key`` and content it counts once, with the same answer.

    ``wording`` is the hash of the words the person saw, ``page`` the path they were on, ``remote`` the caller's network, used
    only as a keyed hash for the limit.
    """
    spec = specs.find(market, locale, form_id)
    if spec.kind not in _handlers:
        raise specs.not_here()
    said = specs.words(spec, market, locale)
    if wording != said.wording:
        raise Problem(
            "form.changed", "the form says something else now", law="GDPR 7(1)", status=409,
            way_out="Read the form again, and send it.",
        )  # fmt: skip
    ticked, given = frozenset(boxes), tuple(files)
    for fault in faults(spec, said, values, ticked, given):
        raise fault
    checked = Submission(
        id=new_id(), form=spec, market=market, locale=locale, values=clean(spec, values), boxes=ticked, wording=wording,
        page=path_of(page), at=clock.now(), key=key[:64], remote=remote, about=about, files=judged(spec.files, given),
    )  # fmt: skip
    _demand_room(checked)
    return _take(checked, said)


@in_transaction
def _take(sent: Submission, said: Words) -> Taken:
    sent.person = None  # a run before this one may have been undone
    once = _once(sent) if sent.key else ""
    if once and (before := _before(once)):
        return before
    taken = _handlers[sent.form.kind](sent)
    asked = [(box, (box.purpose, box.channel) in sent.boxes) for box in said.boxes]
    for box, is_ticked in asked:
        if is_ticked and _askers and not (box.required and sent.form.kind == "newsletter"):
            asked_as = _askers[0](sent, box)
            sent.person = sent.person or asked_as
    if sent.person is not None:
        _keep(sent, sent.person, asked)
    if once:
        Once.objects.filter(pk=once).update(say=taken.say, reference=taken.reference)
    actions.record("form.arrived", "person", form=sent.form.id, kind=sent.form.kind, market=sent.market)
    return taken


def _keep(sent: Submission, person_id: UUID, asked: list[tuple[BoxWords, bool]]) -> None:
    Arrival.objects.create(
        id=sent.id, person_id=person_id, form=sent.form.id, kind=sent.form.kind, purpose=sent.form.purpose,
        version=sent.form.version, wording=sent.wording, publication=publication.current().digest, market=sent.market,
        locale=sent.locale, page=sent.page, about=sent.about, at=sent.at,
        look_at=forgetting.first_look(sent.form.purpose, sent.at),
        boxes=[
            {"purpose": box.purpose, "channel": box.channel, "shown": box.shown, "wording": box.digest, "ticked": is_ticked}
            for box, is_ticked in asked
        ],
    )  # fmt: skip


# --- once -----------------------------------------------------------------------------------------------------------


def _once(sent: Submission) -> str:
    """Keyed, so that it says nothing of what was sent. Other content under the same number is another form, not a double post."""
    content = json.dumps(
        [
            sent.form.id, sent.market, sent.locale, sent.key, str(sent.about), sorted(sent.values.items()), sorted(sent.boxes),
            [sha256(each.data).hexdigest() for each in sent.files],
        ]
    )  # fmt: skip
    return hmac.new(settings.LOFTE_LIMITS_KEY, b"form\0" + content.encode(), sha256).hexdigest()


def _before(once: str) -> Taken | None:
    """What was answered the first time; None when this is it. The row decides between two that arrive at once."""
    try:
        with transaction.atomic():
            Once.objects.create(hash=once, at=clock.now())
    except IntegrityError:
        row = Once.objects.get(pk=once)
        return Taken(row.say, row.reference)
    return None


@duty("forms.forget_double_posts", every=timedelta(hours=1))
def forget_double_posts(at: datetime) -> int:
    """A page left open longer than a day is a new form."""
    gone, _ = Once.objects.filter(at__lt=at - KEPT_ONCE).delete()
    return gone


# --- checks ---------------------------------------------------------------------------------------------------------


def faults(
    spec: FormSpec, said: Words, values: Mapping[str, str], boxes: frozenset[tuple[str, str]], files: Iterable[Upload]
) -> list[Problem]:
    """Everything that is wrong with a form as it was sent, in the order of the form; an undeclared field comes first."""
    checks: list[Callable[[], object]] = [lambda: _demand_known(spec, values)]
    checks += [partial(clean_one, one.field, values.get(one.field, ""), required=one.required) for one in spec.fields]
    checks += [lambda: judged(spec.files, files), lambda: _demand_boxes(said, boxes)]
    return [problem for check in checks if (problem := _refusal(check))]


def _refusal(check: Callable[[], object]) -> Problem | None:
    try:
        check()
    except Problem as problem:
        return problem
    return None


def clean(spec: FormSpec, values: Mapping[str, str]) -> dict[str, str]:
    """The form's own fields, trimmed and checked, without the empty ones; anything else is refused by name."""
    _demand_known(spec, values)
    found = {one.field: clean_one(one.field, values.get(one.field, ""), required=one.required) for one in spec.fields}
    return {name: value for name, value in found.items() if value}


def _demand_known(spec: FormSpec, values: Mapping[str, str]) -> None:
    if stray := sorted(set(values) - {each.field for each in spec.fields}):
        raise Problem(
            "form.unknown-field", "the form does not ask for this", Place(key=stray[0][:64]), law="GDPR 5(1)(c)", status=422
        )  # fmt: skip


def clean_one(name: str, value: str, *, required: bool) -> str:
    shape = publication.current().policy.fields[name]
    text = value.strip()
    if not text:
        if required:
            raise Problem("form.missing-field", "this field is needed", Place(key=name), status=422)
        return ""
    if len(text) > longest(name):
        raise Problem("form.too-long", "this is too long", Place(key=name), status=422)
    try:
        text = blind.clean(shape.kind, text.replace("\r\n", "\n"))
    except Problem:
        raise Problem("form.bad-value", "this does not look right", Place(key=name), status=422) from None
    return text


def longest(name: str) -> int:
    """Characters a field may have."""
    shape = publication.current().policy.fields[name]
    return LONGEST_MESSAGE if shape.category == "dialogue" else LONGEST.get(shape.kind, 200)


def path_of(page: str) -> str:
    """The path of the page alone: a query may say more about the visitor than anybody asked for."""
    try:
        path = urlsplit(page).path
    except ValueError:
        return ""
    return path[:300] if path.startswith("/") else ""


def _demand_boxes(said: Words, ticked: frozenset[tuple[str, str]]) -> None:
    known = {(each.purpose, each.channel) for each in said.boxes}
    if ticked - known:
        raise Problem("form.unknown-box", "the form has no such box", law="GDPR 7(1)", status=422)
    for box in said.boxes:
        if box.required and (box.purpose, box.channel) not in ticked:
            raise Problem(
                "form.missing-box", "without this consent nothing can be sent", Place(key=f"box.{box.key}"), law="GDPR 6(1)(a)",
                status=422,
            )  # fmt: skip


def _demand_room(sent: Submission) -> None:
    """Counted before anything is kept, whoever the address belongs to."""
    address = sent.values.get("email", "")
    if not (
        (not sent.remote or limits.allow("form-network", sent.remote, *PER_NETWORK))
        and (not address or limits.allow("form-address", blind.normalise("email", address), *PER_ADDRESS))
    ):
        raise Problem("form.too-many", "too many forms within a short time", way_out="Try again later.", status=429)
