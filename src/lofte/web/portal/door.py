"""The door of the portal: a link to the address on file, its button, the code that proves it again, and the way out."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.features.rights import freshness, reads, verbs
from lofte.kernel.problems import Problem
from lofte.web.doors import caller, own_posts_only, stamp
from lofte.web.pages import Edition, edition, page
from lofte.web.portal import session
from lofte.web.portal.routes import to
from lofte.web.portal.session import for_a_person


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
        return to(here, "portal-asked")
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
    return to(here, "portal-data")


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
    return to(here, "portal")


# --- step-up --------------------------------------------------------------------------------------------------------


def _code_form(here: Edition, data: Any = None) -> forms.Form:
    typed = forms.CharField(
        label=here.say("portal.code.field"),
        max_length=20,
        help_text=here.say("portal.code.help"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}),
        error_messages={"required": here.say("portal.code.missing")},
    )
    form: forms.Form = type("CodeForm", (forms.Form,), {"code": typed, "use_required_attribute": False})(data)
    return form


@require_http_methods(["GET", "HEAD", "POST"])
@for_a_person
def code(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    """Mail a code, then take it: two buttons of one page."""
    if request.method == "POST" and "send" in request.POST:
        return _send(request, here, grant)
    form = _code_form(here, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            session.begin(request, freshness.prove(grant, form.cleaned_data["code"]))
        except Problem as problem:
            if problem.code != "code.wrong":
                raise
            form.add_error("code", here.say("portal.code.wrong"))
        else:
            onward, *about = request.session.pop(session.ONWARD, ["portal-data"])
            messages.success(request, here.say("portal.code.done"), extra_tags="good")
            return to(here, onward, *about)
    is_sent = request.session.get("portal-code") == grant.token[:8]
    status = 422 if form.errors else 200
    return page(request, "portal/code.html", here, form=form, is_sent=is_sent, status=status)


def _send(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    if freshness.mail_code(grant):
        request.session["portal-code"] = grant.token[:8]
        messages.success(request, here.say("portal.code.sent"), extra_tags="good")
    else:
        messages.warning(request, here.say("portal.code.too_many"), extra_tags="warn")
    return to(here, "portal-code")
