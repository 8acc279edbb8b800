"""The portal. Every change is a POST with a CSRF token; no address holds anything about a person."""

import json
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.core import clock, evidence
from lofte.features.outreach import reads as outreach
from lofte.features.outreach import verbs as news
from lofte.features.rights import reads, verbs
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words
from lofte.web.doors import caller, own_posts_only, stamp
from lofte.web.pages import Edition, edition, page
from lofte.web.person_words import in_words, spoken
from lofte.web.portal import session
from lofte.web.portal.session import for_a_person
from lofte.web.receipts import attachment, download

ERASED_LINK_AGE_S = 30 * 24 * 3600
"""How long the page with the erasure's receipt opens; the receipt itself is for ever."""


def ask_form(here: Edition, data: Any = None) -> forms.Form:
    address = forms.EmailField(
        label=here.say("portal.address"),
        max_length=254,
        help_text=here.say("portal.address_help"),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"}),
        error_messages={"required": here.say("portal.address_missing"), "invalid": here.say("portal.address_wrong")},
    )
    form: forms.Form = type("AskForm", (forms.Form,), {"address": address, "use_required_attribute": False})(data)
    return form


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only("ask")
def ask(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    here = edition(market, locale)
    form = ask_form(here, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        verbs.ask_for_link(here.market, here.locale, form.cleaned_data["address"], remote=caller(request))
        return _to(here, "portal-asked")
    status = 422 if form.errors else 200
    return page(request, "portal/ask.html", here, route="portal", form=form, stamp=stamp("ask"), status=status)


@require_safe
def asked(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    return page(request, "portal/asked.html", edition(market, locale))


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only("open")
def open_link(request: HttpRequest, market: str, locale: str, code: str) -> HttpResponse:
    here = edition(market, locale)
    if request.method != "POST":
        if reads.open_code(code) is None:
            raise Problem("code.unknown", "the link is used, expired or wrong", status=410)
        return page(request, "portal/open.html", here, stamp=stamp("open"))
    session.begin(request, verbs.open_portal(code))
    return _to(here, "portal-data")


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only("address")
def new_address(request: HttpRequest, market: str, locale: str, code: str) -> HttpResponse:
    """The link that went to a new address: its owner has it, so it is theirs."""
    here = edition(market, locale)
    if request.method != "POST":
        return page(request, "portal/address.html", here, stamp=stamp("address"))
    try:
        verbs.confirm_address(code)
    except Problem as problem:
        if problem.code != "register.taken":
            raise
        return page(request, "portal/address.html", here, is_taken=True, status=409)
    return page(request, "portal/address.html", here, is_done=True)


@require_POST
@for_a_person
def close(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    session.end(request)
    messages.success(request, here.say("portal.signed_out"), extra_tags="good")
    return _to(here, "portal")


@require_safe
@for_a_person
def data(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    def link(kind: str, about: Any) -> str:
        if kind == "correct":
            return _address(here, "portal-correct", about)
        return _address(here, "portal-receipt", about, "html" if kind == "receipt-page" else "json")

    words = in_words(here, reads.overview(grant.person_id), clock.now(), link)
    return page(
        request, "portal/data.html", here, data=words, spot="data", topics=_topics(here, grant, words["consents"])
    )


def _topics(here: Edition, grant: verbs.Grant, consents: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The choice of topics, for somebody whose consent to the newsletter stands."""
    purpose = here.published.policy.forms["newsletter"].purpose if "newsletter" in here.published.policy.forms else ""
    if not any(consent["id"] == purpose and consent["granted"] for consent in consents):
        return None
    chosen = outreach.topics_of(grant.person_id)
    offered = [
        {"id": topic, "name": here.say(f"news.topic.{topic}"), "chosen": topic in chosen} for topic in outreach.topics()
    ]
    return {"purpose": purpose, "offered": offered}


@require_safe
@for_a_person
def download_json(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    package = reads.access_package(grant.person_id)
    return attachment(
        json.dumps(package, ensure_ascii=False, indent=1).encode(),
        "application/json",
        here.say("portal.file") + ".json",
    )


@require_safe
@for_a_person
def download_csv(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    return attachment(
        reads.access_csv(grant.person_id).encode(), "text/csv; charset=utf-8", here.say("portal.file") + ".csv"
    )


@require_safe
@for_a_person
def receipt(request: HttpRequest, here: Edition, grant: verbs.Grant, index: int, form: str) -> HttpResponse:
    """One of the person's own receipts; any other index is as unknown as one that does not exist."""
    return download(reads.receipt_at(grant.person_id, index), form, here)


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
def correct(request: HttpRequest, here: Edition, grant: verbs.Grant, holding: UUID) -> HttpResponse:
    held = next((item for item in reads.overview(grant.person_id).holdings if item.id == holding), None)
    if held is None:
        raise Http404
    field_name = here.word("fields", held.field)
    value = forms.CharField(
        label=field_name,
        max_length=500,
        error_messages={
            "required": here.say("news.error.missing", field=field_name),
            "max_length": here.say("news.error.long", field=field_name),
        },
    )
    form_class = type("CorrectForm", (forms.Form,), {"value": value, "use_required_attribute": False})
    form = form_class(request.POST) if request.method == "POST" else form_class(initial={"value": held.value})
    if request.method == "POST" and form.is_valid():
        try:
            is_done = verbs.correct(grant.person_id, holding, form.cleaned_data["value"])
        except Problem as problem:
            if problem.code != "register.bad-value":
                raise
            form.add_error("value", here.say("news.error.value"))
        else:
            said = "portal.corrected" if is_done else "portal.corrected_address"
            messages.success(request, here.say(said, field=field_name), extra_tags="good")
            return _to(here, "portal-data")
    status = 422 if form.errors else 200
    return page(request, "portal/correct.html", here, form=form, field_name=field_name, status=status)


@require_POST
@for_a_person
def withdraw(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    verbs.withdraw(grant.person_id, request.POST.get("purpose", ""))
    messages.success(request, here.say("portal.withdrawn"), extra_tags="good")
    return HttpResponseRedirect(_address(here, "portal-data") + "#consents")


@require_POST
@for_a_person
def topics(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    """What a subscriber wants to read about (P11)."""
    known = outreach.topics()
    news.choose_topics(grant.person_id, [topic for topic in request.POST.getlist("topics") if topic in known])
    messages.success(request, here.say("portal.topics_saved"), extra_tags="good")
    return HttpResponseRedirect(_address(here, "portal-data") + "#consents")


@require_POST
@for_a_person
def object_to(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    verbs.object_to(grant.person_id, request.POST.get("purpose", ""))
    messages.success(request, here.say("portal.objection_noted"), extra_tags="good")
    return HttpResponseRedirect(_address(here, "portal-data") + "#interests")


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
def erase(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    if request.method != "POST":
        return page(request, "portal/erase.html", here, plan=_plan_in_words(here, verbs.plan_erasure(grant.person_id)))
    done = verbs.erase(grant.person_id, by="person")
    session.end(request)
    token = signing.dumps({"i": done.evidence_index, "c": done.is_complete}, salt="lofte.web.erased")
    return _to(here, "portal-erased", token)


@require_safe
def erased(request: HttpRequest, market: str, locale: str, token: str) -> HttpResponse:
    here = edition(market, locale)
    said = _signed(token)
    links = None
    if said["i"] is not None:
        links = {
            "index": said["i"],
            "page_url": _address(here, "portal-erased-receipt", token, "html"),
            "json_url": _address(here, "portal-erased-receipt", token, "json"),
        }
    return page(request, "portal/erased.html", here, complete=said["c"], receipt=links)


@require_safe
def erased_receipt(request: HttpRequest, market: str, locale: str, token: str, form: str) -> HttpResponse:
    here = edition(market, locale)
    index = _signed(token)["i"]
    return download(evidence.log().receipt(index) if index is not None else None, form, here)


def _signed(token: str) -> dict[str, Any]:
    """What the address of an erasure's page says: the receipt's place in the log. It names nobody."""
    try:
        said: dict[str, Any] = signing.loads(token, salt="lofte.web.erased", max_age=ERASED_LINK_AGE_S)
    except signing.BadSignature as error:
        raise Http404 from error
    return said


def _plan_in_words(here: Edition, plan: list[verbs.PlanItem]) -> dict[str, Any]:
    def named(item: verbs.PlanItem) -> dict[str, Any]:
        name = spoken(here, "portal.plan", item.what)
        return {"name": name, "count": item.count, "why": item.stays_under, "until": item.until}

    order = [key.removeprefix("plan.") for key in room_words(here.locale, "portal") if key.startswith("plan.")]
    plan = sorted(plan, key=lambda item: order.index(item.what) if item.what in order else len(order))
    return {
        "goes": [named(item) for item in plan if not item.stays_under and item.count],
        "stays": [named(item) for item in plan if item.stays_under],
    }


def _address(here: Edition, route: str, *parts: object) -> str:
    return reverse(route, args=(here.market.lower(), here.locale, *parts))


def _to(here: Edition, route: str, *parts: object) -> HttpResponse:
    return HttpResponseRedirect(_address(here, route, *parts))
