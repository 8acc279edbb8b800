"""What a person does about their data: correct, withdraw, choose, object, restrict, erase. Each is a POST with a CSRF token."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.core import evidence, systems
from lofte.features.outreach import preferences as preference_centre
from lofte.features.outreach import verbs as news
from lofte.features.rights import reads, restriction, verbs
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words
from lofte.web.pages import Edition, edition, page
from lofte.web.person_words import may_correct, spoken
from lofte.web.portal import session
from lofte.web.portal.routes import address, to
from lofte.web.portal.session import for_a_person, fresh
from lofte.web.receipts import download
from lofte.web.site import choices

ERASED_LINK_AGE_S = 30 * 24 * 3600
"""How long the page with the erasure's receipt opens; the receipt itself is for ever."""


# --- putting right --------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
@fresh("correct", "portal-correct")
def correct(request: HttpRequest, here: Edition, grant: verbs.Grant, holding: UUID) -> HttpResponse:
    held = next((item for item in reads.overview(grant.person_id).holdings if item.id == holding), None)
    if held is None or not may_correct(here, held.field):
        raise Http404
    field_name = here.word("fields", held.field)
    form = _correct_form(here, field_name, request.POST if request.method == "POST" else None, held.value)
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
            return to(here, "portal-data")
    status = 422 if form.errors else 200
    purposes = [here.word("purposes", each, "name") for each in _purposes_of(here, grant, held.field, held.value)]
    return page(
        request, "portal/correct.html", here, form=form, field_name=field_name, status=status, purposes=purposes,
        carried=_names(here, [each for each in systems.names() if systems.takes(each, "correct", "")]),
        is_address=here.published.policy.fields[held.field].kind == "email",
    )  # fmt: skip


def _correct_form(here: Edition, field_name: str, data: Any, held: str) -> forms.Form:
    value = forms.CharField(
        label=field_name,
        max_length=500,
        error_messages={
            "required": here.say("news.error.missing", field=field_name),
            "max_length": here.say("news.error.long", field=field_name),
        },
    )
    form: forms.Form = type("CorrectForm", (forms.Form,), {"value": value, "use_required_attribute": False})(
        data, initial={"value": held}
    )
    return form


def _purposes_of(here: Edition, grant: verbs.Grant, field: str, value: str) -> list[str]:
    """Every declared purpose the same value is held for: it is put right in all of them."""
    held = reads.overview(grant.person_id).holdings
    known = {each.purpose for each in held if (each.field, each.value) == (field, value)}
    return sorted(known & set(here.published.policy.purposes))


def _names(here: Edition, ids: list[str]) -> list[str]:
    declared = here.published.policy.systems
    return [declared[each].name if each in declared else each for each in ids]


# --- consent, objection, restriction --------------------------------------------------------------------------------


@require_POST
@for_a_person
def withdraw(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    verbs.withdraw(grant.person_id, request.POST.get("purpose", ""))
    messages.success(request, here.say("portal.withdrawn"), extra_tags="good")
    return to(here, "portal-data", part="consents")


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
def topics(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    """What somebody wants to read, over which channels: the same page as by the link of a letter (P11)."""
    if request.method == "POST":
        found = news.prefer_of(grant.person_id, *choices.said(request))
    else:
        found = preference_centre.preferences_of(grant.person_id)
    return choices.page_of(
        request, here, found, lambda receipt: _receipt_links(here, receipt), is_inside=True,
        back_url=address(here, "portal-data"),
    )  # fmt: skip


def _receipt_links(here: Edition, found: Mapping[str, Any]) -> dict[str, Any]:
    index = found["index"]
    forms = {"page_url": "html", "json_url": "json"}
    return {"index": index} | {key: address(here, "portal-receipt", index, form) for key, form in forms.items()}


@require_POST
@for_a_person
def object_to(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    verbs.object_to(grant.person_id, request.POST.get("purpose", ""))
    messages.success(request, here.say("portal.objection_noted"), extra_tags="good")
    return to(here, "portal-data", part="interests")


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
def restrict(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    """Only keep the data until the person says otherwise (GDPR 18)."""
    if request.method == "POST":
        if request.POST.get("decision") == "lift":
            restriction.lift(grant.person_id, "person")
            messages.success(request, here.say("portal.restrict.lifted"), extra_tags="good")
        else:
            restriction.restrict(grant.person_id, "person")
            messages.success(request, here.say("portal.restrict.done"), extra_tags="good")
        return to(here, "portal-data")
    return page(
        request, "portal/restrict.html", here, current=restriction.current(grant.person_id),
        carried=_names(here, [each for each in systems.names() if systems.takes(each, "restrict", "")]),
    )  # fmt: skip


# --- erasure --------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
@fresh("erase", "portal-erase")
def erase(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    if request.method != "POST":
        return page(request, "portal/erase.html", here, plan=_plan_in_words(here, verbs.plan_erasure(grant.person_id)))
    done = verbs.erase(grant.person_id, by="person")
    session.end(request)
    return to(here, "portal-erased", signing.dumps({"o": str(done.id)}, salt="lofte.web.erased"))


def _plan_in_words(here: Edition, plan: list[verbs.PlanItem]) -> dict[str, Any]:
    def named(item: verbs.PlanItem) -> dict[str, Any]:
        name = spoken(here, "portal.plan", item.what)
        why = (
            here.word("purposes", item.stays_under, "name")
            if item.stays_under in here.published.policy.purposes
            else ""
        )
        return {"name": name, "count": item.count, "why": why or item.stays_under, "until": item.until}

    order = [key.removeprefix("plan.") for key in room_words(here.locale, "portal") if key.startswith("plan.")]
    plan = sorted(plan, key=lambda item: order.index(item.what) if item.what in order else len(order))
    elsewhere = [item for item in plan if item.what not in order]
    return {
        "goes": [named(item) for item in plan if not item.stays_under and item.count and item.what in order],
        "elsewhere": [named(item) for item in elsewhere if not item.stays_under],
        "stays": [named(item) for item in plan if item.stays_under],
    }


@require_safe
def erased(request: HttpRequest, market: str, locale: str, token: str) -> HttpResponse:
    """How far the erasure has come, for whoever has the page's address; it names nobody."""
    here = edition(market, locale)
    order = reads.erasure(_order(token))
    if order is None:
        raise Http404
    links = None
    if order.evidence_index is not None:
        links = {
            "index": order.evidence_index,
            "page_url": address(here, "portal-erased-receipt", token, "html"),
            "json_url": address(here, "portal-erased-receipt", token, "json"),
        }
    return page(
        request, "portal/erased.html", here, complete=order.is_done, receipt=links, steps=_steps_in_words(here, order),
        waiting=_names(here, list(order.waiting_for)), started=order.started_at,
    )  # fmt: skip


def _steps_in_words(here: Edition, order: reads.ErasureItem) -> list[dict[str, str]]:
    """Each step of the erasure and whether it is done, under way or to come."""
    found, is_open = [], False
    for step, is_done in order.steps:
        state = "done" if is_done else ("next" if is_open else "now")
        is_open = is_open or not is_done
        found.append(
            {"name": here.say(f"portal.erasing.{step}"), "state": state, "word": here.say(f"portal.erasing.is.{state}")}
        )
    return found


@require_safe
def erased_receipt(request: HttpRequest, market: str, locale: str, token: str, form: str) -> HttpResponse:
    here = edition(market, locale)
    order = reads.erasure(_order(token))
    index = order.evidence_index if order else None
    return download(evidence.log().sealed_receipt(index) if index is not None else None, form, here)


def _order(token: str) -> UUID:
    """Which erasure the address of its page means."""
    try:
        said: dict[str, Any] = signing.loads(token, salt="lofte.web.erased", max_age=ERASED_LINK_AGE_S)
        return UUID(said["o"])
    except (signing.BadSignature, KeyError) as error:
        raise Http404 from error
