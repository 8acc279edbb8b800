"""Questions, complaints and every other request of a person: asking, seeing how far it has come, answering when asked."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from lofte.core import clock, limits
from lofte.features.rights import reads, requests, verbs
from lofte.kernel.problems import Problem
from lofte.web.doors import caller, own_posts_only, stamp
from lofte.web.pages import Edition, edition, page
from lofte.web.portal import inquiries
from lofte.web.portal.request_words import request_in_words
from lofte.web.portal.routes import to
from lofte.web.portal.session import for_a_person

LONGEST = 10_000
ABOUT = ("question", "complaint")


def _form(here: Edition, data: Any = None, *, address: bool = False, kind: bool = True) -> forms.Form:
    fields: dict[str, Any] = {"use_required_attribute": False}
    if kind:
        fields["about"] = forms.ChoiceField(
            label=here.say("portal.write.about"),
            choices=[(each, here.say(f"portal.write.is.{each}")) for each in ABOUT],
            widget=forms.RadioSelect,
            error_messages={name: here.say("portal.write.no_about") for name in ("required", "invalid_choice")},
        )
    fields["words"] = forms.CharField(
        label=here.say("portal.write.words"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={
            "required": here.say("portal.write.no_words"),
            "max_length": here.say("news.error.long", field=here.say("portal.write.words")),
        },
    )
    if address:
        fields["address"] = forms.EmailField(
            label=here.say("portal.write.address"),
            max_length=254,
            help_text=here.say("portal.write.address_help"),
            widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"}),
            error_messages={
                "required": here.say("portal.address_missing"),
                "invalid": here.say("portal.address_wrong"),
            },
        )
    form: forms.Form = type("WriteForm", (forms.Form,), fields)(data, initial={"about": "question"})
    return form


# --- anybody --------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only("write")
def write(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    """Anybody may ask about the policy or voice a concern (P32); nobody is looked up, so nothing is told about anybody."""
    here = edition(market, locale)
    form = _form(here, request.POST if request.method == "POST" else None, address=True)
    if request.method == "POST" and form.is_valid():
        _receive_from_anybody(here, form.cleaned_data, caller(request))
        return to(here, "portal-written")
    status = 422 if form.errors else 200
    return page(
        request, "portal/write.html", here, route="portal-write", form=form, stamp=stamp("write"), status=status
    )


def _receive_from_anybody(here: Edition, said: dict[str, Any], remote: str) -> None:
    """Kept, within limits: a confirmation goes to what was typed, and nobody's mailbox is filled by a stranger."""
    address = said["address"].strip().lower()
    is_allowed = limits.allow("write", address, *verbs.PER_ADDRESS)
    if not is_allowed or (remote and not limits.allow("write-from", remote, *verbs.PER_NETWORK)):
        return
    try:
        received = requests.receive(
            None, said["about"], by="person", channel="portal", market=here.market, locale=here.locale, at=clock.now(),
            words=said["words"], contact=address,
        )  # fmt: skip
    except Problem as problem:
        if problem.code != "register.bad-value":  # an address only a form could think of
            raise
        return
    requests.acknowledge(received, "system")


@require_safe
def written(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    return page(request, "portal/written.html", edition(market, locale))


# --- a person -------------------------------------------------------------------------------------------------------


@require_safe
@for_a_person
def listed(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    found = [request_in_words(here, each) for each in reads.requests_of(grant.person_id, here.locale)]
    return page(
        request, "portal/requests.html", here, spot="requests",
        open=[each for each in found if each["is_open"]], closed=[each for each in found if not each["is_open"]],
        inquiries=inquiries.listed(here, grant.person_id),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
def ask(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    form = _form(here, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        received = requests.receive(
            grant.person_id, form.cleaned_data["about"], by="person", channel="portal", market=here.market, locale=here.locale,
            at=clock.now(), words=form.cleaned_data["words"],
        )  # fmt: skip
        requests.acknowledge(received, "system")
        messages.success(request, here.say("portal.write.done"), extra_tags="good")
        return to(here, "portal-request", received)
    status = 422 if form.errors else 200
    return page(request, "portal/write_in.html", here, form=form, spot="requests", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
def one(request: HttpRequest, here: Edition, grant: verbs.Grant, request_id: UUID) -> HttpResponse:
    """One request, and the person's next word in it."""
    found = next((each for each in reads.requests_of(grant.person_id, here.locale) if each.id == request_id), None)
    if found is None:
        raise Http404
    form = _form(here, request.POST if request.method == "POST" else None, kind=False)
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data["words"]
        if any(each.kind == "clarification_asked" for each in found.history) and "person" in found.waiting_for:
            requests.answer_clarification(request_id, words, "person")
        else:
            requests.note(request_id, words, "person")
        messages.success(request, here.say("portal.request.sent"), extra_tags="good")
        return to(here, "portal-request", request_id)
    status = 422 if form.errors else 200
    return page(
        request,
        "portal/request.html",
        here,
        item=request_in_words(here, found),
        form=form,
        spot="requests",
        status=status,
    )
