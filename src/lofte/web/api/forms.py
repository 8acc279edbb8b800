"""Forms for programs: what a form asks and says, and sending one in. JSON both ways, refusals as problem documents (RFC 9457).

A page may call it from the markets' own sites and from ours, nowhere else; a server has no origin and may call it from anywhere.
No cookie is read or set.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lofte.core import publication
from lofte.features.outreach.forms import files, intake, specs
from lofte.features.outreach.forms.files import Upload
from lofte.features.outreach.forms.intake import Taken
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words
from lofte.web.doors import caller
from lofte.web.forms import shape, stamps, views
from lofte.web.forms.shape import Shown
from lofte.web.forms.stamps import Read
from lofte.web.pages import Edition

LARGEST_BODY = 64 * 1024  # bytes of JSON; files come as multipart/form-data
_Short = Annotated[str, StringConstraints(max_length=300)]
_Long = Annotated[str, StringConstraints(max_length=2 * intake.LONGEST_MESSAGE)]


class BoxSent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: _Short
    channel: _Short


class Sent(BaseModel):
    """One form as a program sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    values: dict[_Short, _Long] = Field(max_length=50)
    wording: _Short
    boxes: list[BoxSent] = Field(default_factory=list, max_length=20)
    page: _Short = ""
    about: UUID | None = None
    stamp: str = Field("", max_length=400)


# --- the doors ------------------------------------------------------------------------------------------------------

_View = Callable[..., HttpResponseBase]


def door(*methods: str) -> Callable[[_View], _View]:
    """Answers preflights, turns refusals into problem documents, and lets in pages of our own sites only."""

    def over(view: _View) -> _View:
        @wraps(view)
        def opened(request: HttpRequest, **named: str) -> HttpResponseBase:
            origin = request.headers.get("Origin", "")
            is_ours = not origin or views.is_ours(origin)
            answer: HttpResponseBase
            try:
                if not is_ours and request.method not in ("GET", "HEAD"):
                    raise Problem("form.origin", "pages of this site may not send this form", status=403)
                if request.method == "OPTIONS":
                    answer = _preflight(methods)
                elif request.method not in (*methods, "HEAD"):
                    raise Problem("api.method", "this address is not for that", expected=", ".join(methods), status=405)
                else:
                    answer = view(request, **named)
            except Problem as problem:
                answer = refusal(problem, [problem])
            if origin and is_ours:
                answer["Access-Control-Allow-Origin"] = origin
                answer["Cross-Origin-Resource-Policy"] = "cross-origin"
            answer["Vary"] = "Origin"
            return answer

        return csrf_exempt(opened)  # no cookie is read: a browser has nothing a stranger's page could make it send

    return over


@door("GET")
def listed(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    """The forms of a market in one of its languages."""
    here = _edition(market, locale)
    found = [
        {
            "id": spec.id,
            "kind": spec.kind,
            "name": specs.words(spec, here.market, here.locale).name,
            "url": address(here, spec.id),
        }
        for spec in specs.every()
        if here.market in spec.markets and intake.is_taken(spec.kind)
    ]
    return JsonResponse({"forms": found})


@door("GET", "POST")
def form(request: HttpRequest, market: str, locale: str, form: str) -> HttpResponse:
    """GET: all that is needed to show the form. POST: one form, sent in."""
    here = _edition(market, locale)
    shown = shape.shown(here, form)
    if request.method != "POST":
        return JsonResponse(described(here, shown))
    sent, uploaded, key = _sent(request)
    _demand_stamp(request, sent, shown)
    boxes = frozenset((box.purpose, box.channel) for box in sent.boxes)
    faults = (
        intake.faults(shown.spec, shown.words, sent.values, boxes, uploaded)
        if sent.wording == shown.words.wording
        else []
    )
    if faults:
        return refusal(faults[0], faults, here, shown)
    taken = intake.take(
        here.market, here.locale, form, sent.values, wording=sent.wording, boxes=boxes, page=sent.page, key=key,
        remote=caller(request), about=sent.about, files=uploaded,
    )  # fmt: skip
    return JsonResponse(_thanks(here, shown, taken, ticked=bool(boxes)), status=202)


# --- what is said ---------------------------------------------------------------------------------------------------


def described(here: Edition, shown: Shown) -> dict[str, Any]:
    """A form in data: its fields, its boxes (never ticked), why it asks, and the hash of its words."""
    spec = shown.spec
    return {
        "id": spec.id, "kind": spec.kind, "market": here.market, "locale": here.locale, "version": spec.version,
        "wording": shown.words.wording, "stamp": shown.stamp, "name": shown.words.name, "lead": shown.words.lead,
        "submit": shown.words.submit,
        "fields": [
            {
                "name": each.name, "label": each.label, "type": "textarea" if each.is_long else each.type,
                "required": each.required, "max_length": each.longest, "autocomplete": each.autocomplete,
            }
            for each in shown.lines
        ],
        "boxes": [
            {"purpose": each.purpose, "channel": each.channel, "text": each.text, "required": each.required, "ticked": False}
            for each in shown.boxes
        ],
        "files": {"most": spec.files, "kinds": sorted(files.KINDS), "largest_bytes": files.LARGEST},
        "purpose": {name: shown.purpose[name] for name in ("id", "name", "why", "basis")} | {"kept": shown.purpose["clock"]},
        "controller": {"name": here.controller.name, "email": here.controller.email},
        "policy_url": here.policy_url,
    }  # fmt: skip


def _thanks(here: Edition, shown: Shown, taken: Taken, *, ticked: bool) -> dict[str, Any]:
    room, _, name = taken.say.partition(".")
    key = taken.say if f"{name}_title" in room_words(here.locale, room) else "forms.thanks"
    found: dict[str, Any] = {
        "title": here.say(f"{key}_title"),
        "lead": here.say(f"{key}_lead"),
        "reference": taken.reference,
    }
    if ticked and shown.spec.kind != "newsletter":
        found["confirm"] = here.say("forms.thanks_box")
    return found


def refusal(
    problem: Problem, faults: list[Problem], here: Edition | None = None, shown: Shown | None = None
) -> JsonResponse:
    """The first fault as a problem document, and every fault by its field in the words of the form."""
    body = problem.document()
    if here is not None and shown is not None:
        body["errors"] = [
            {"field": each.place.key, "code": each.code, "detail": shape.told(here, shown, each)} for each in faults
        ]
    answer = JsonResponse(body, status=problem.status, content_type="application/problem+json")
    if problem.status == 429:
        answer["Retry-After"] = "3600"
    return answer


def address(here: Edition, form: str) -> str:
    return reverse("api-form", args=(here.market.lower(), here.locale, form))


# --- what was sent --------------------------------------------------------------------------------------------------


def _sent(request: HttpRequest) -> tuple[Sent, list[Upload], str]:
    """The form, its files, and the number that makes a second sending the same one. As JSON, or as an HTML form sends it."""
    key = request.headers.get("Idempotency-Key", "")
    if request.content_type == "application/json":
        return _json(request), [], key
    if request.content_type not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        expected = "application/json or multipart/form-data"
        raise Problem("api.not-json", "the form is of another kind", expected=expected, status=415)
    views.demand_readable(request)
    boxes = [BoxSent(purpose=purpose, channel=channel) for purpose, channel in views.ticked_in(request.POST)]
    sent = Sent(
        values=views.typed(request.POST), wording=request.POST.get("wording", ""), boxes=boxes, page=request.POST.get("page", ""),
        about=stamps.number_of(request.POST.get("about", "")), stamp=request.POST.get("stamp", ""),
    )  # fmt: skip
    return sent, views.uploads(request), key or request.POST.get("key", "")


def _json(request: HttpRequest) -> Sent:
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        raise Problem("api.too-large", "the form is too large", expected=f"at most {LARGEST_BODY} bytes", status=413)
    try:
        return Sent.model_validate(json.loads(request.body))
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise Problem("api.unreadable", "the body is not readable JSON", status=400) from None
    except ValidationError as error:
        first: Any = error.errors(include_input=False, include_url=False, include_context=False)[0]
        part = str(first["loc"][0]) if first["loc"] and first["loc"][0] in Sent.model_fields else ""
        raise Problem("api.unfit", f"{part or 'the body'} is not as described", status=422) from None


def _demand_stamp(request: HttpRequest, sent: Sent, shown: Shown) -> None:
    """A page that showed the form sends the stamp it was given; a server, which shows nothing, may leave it out."""
    match stamps.read(sent.stamp, shown.spec.id):
        case Read.SOON:
            raise Problem("form.too-soon", "nobody reads that fast", way_out="Send it again.", status=422)
        case Read.OLD:
            raise Problem("form.too-old", "the form was shown too long ago", way_out="Get it anew.", status=422)


def _preflight(methods: tuple[str, ...]) -> HttpResponse:
    answer = HttpResponse(status=204)
    answer["Access-Control-Allow-Methods"] = ", ".join((*methods, "OPTIONS"))
    answer["Access-Control-Allow-Headers"] = "Content-Type, Idempotency-Key"
    answer["Access-Control-Max-Age"] = "600"
    return answer


def _edition(market: str, locale: str) -> Edition:
    published = publication.current()
    declared = published.policy.markets.get(market.upper())
    if declared is None or market != market.lower() or locale not in declared.locales:
        raise specs.not_here()
    return Edition(market.upper(), locale, published)
