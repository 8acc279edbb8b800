"""What a person wrote to us about: one inquiry with our answers, and their next word in it."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from lofte.features.outreach.inquiries import intake
from lofte.features.rights import reads, verbs
from lofte.features.rights.overview import InquiryItem, StepItem
from lofte.web.pages import Edition, page
from lofte.web.portal.routes import to
from lofte.web.portal.session import for_a_person

LONGEST = 10_000
_SHOWN = {
    "received": "mine", "replied": "ours", "told": "ours", "acknowledged": "acknowledged", "handed_over": "handed_over",
    "closed": "closed", "moved": "moved", "undelivered": "undelivered",
}  # fmt: skip
"""The steps a person sees, and their words; whose desk it is on is our own business. The copy of everything has them all."""


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
def one(request: HttpRequest, here: Edition, grant: verbs.Grant, inquiry: UUID) -> HttpResponse:
    found = next((each for each in reads.inquiries_of(grant.person_id, here.locale) if each.id == inquiry), None)
    if found is None:
        raise Http404
    form = _form(here, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        intake.write_in(grant.person_id, inquiry, form.cleaned_data["words"])
        messages.success(request, here.say("inquiries.own.sent"), extra_tags="good")
        return to(here, "portal-inquiry", inquiry)
    status = 422 if form.errors else 200
    item = inquiry_in_words(here, found)
    return page(request, "portal/inquiry.html", here, item=item, form=form, spot="requests", status=status)


def listed(here: Edition, person_id: UUID) -> list[dict[str, Any]]:
    """Everything the person wrote about, for the page of their matters."""
    return [inquiry_in_words(here, each) for each in reads.inquiries_of(person_id, here.locale)]


def inquiry_in_words(here: Edition, item: InquiryItem, *, is_copy: bool = False) -> dict[str, Any]:
    """One inquiry as its writer reads it; a copy of everything has what we noted for ourselves as well."""
    shown = _SHOWN | {"noted": "noted"} if is_copy else _SHOWN
    return {
        "id": item.id, "reference": item.reference, "kind": here.say(f"inquiries.kind.{item.kind}"),
        "state": here.say(f"inquiries.own.state.{item.state}"), "is_closed": item.state == "closed",
        "received_at": item.received_at, "due": item.due, "closed_at": item.closed_at,
        "history": [_step(here, step, shown[step.kind]) for step in item.history if step.kind in shown],
    }  # fmt: skip


def _step(here: Edition, step: StepItem, what: str) -> dict[str, Any]:
    is_other = step.reason == "other_address"
    return {
        "at": step.at, "what": here.say(f"inquiries.own.{'other_address' if is_other else what}"),
        "words": step.words, "mine": step.kind == "received" and not is_other,
        "is_gone": not step.words and step.kind in ("received", "replied", "told"),
    }  # fmt: skip


def _form(here: Edition, data: Any = None) -> forms.Form:
    words = forms.CharField(
        label=here.say("inquiries.own.words"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={
            "required": here.say("inquiries.own.no_words"),
            "max_length": here.say("news.error.long", field=here.say("inquiries.own.words")),
        },
    )  # fmt: skip
    made: forms.Form = type("WriteForm", (forms.Form,), {"words": words, "use_required_attribute": False})(data)
    return made
