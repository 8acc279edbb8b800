"""An inquiry that came by telephone, in person or by post: first of which kind and for which country, then who and what.

The second page shows, in the person's language, what the form of that kind would have told them. Nothing personal stands in an
address.
"""

from datetime import datetime, time
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from lofte.core import clock, roles
from lofte.core.publication import current
from lofte.features.outreach.forms import intake, specs
from lofte.features.outreach.inquiries import kinds, noting, reads
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.rules.packs import law_pack
from lofte.web.console.inquiry_acts import LONGEST
from lofte.web.console.inquiry_words import DeskNames, country_of
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs
from lofte.web.pages import Edition, purpose_in_words

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
_TOLD = {
    "inquiry.not-told": "told", "inquiry.no-contact": "contact", "inquiry.no-words": "words", "inquiry.not-yet": "received",
    "form.missing-field": "missing", "form.too-long": "long", "form.bad-value": "bad_value", "register.taken": "taken",
    "inquiry.no-desk": "to",
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@needs("inquiries.work")
def new(request: HttpRequest) -> HttpResponse:
    locale = console_locale(request)
    chosen = _chosen(request)
    if chosen is None:
        return _page(request, first=_first(locale, _kinds(request)))
    kind, here = chosen
    form = _form(locale, kind, here, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = noting.begin(_noted(kind, here, form.cleaned_data), actor(request))
        except Problem as problem:
            if problem.code not in _TOLD:
                raise
            at = problem.place.key if problem.place.key in form.fields else None
            form.add_error(at, say(locale, f"inquiries.new.error.{_TOLD[problem.code]}"))
        else:
            done = say(locale, "inquiries.new.done", reference=reads.one(made).reference)
            messages.success(request, done, extra_tags="good")
            return HttpResponseRedirect(reverse("console-inquiry", args=(made,)))
    spec = noting.form_for(kind, here.market)
    return _page(
        request, status=422 if form.errors else 200, form=form, kind=kind, kind_name=say(locale, f"inquiries.kind.{kind}"),
        here=f"{here.market}/{here.locale}", country=country_of(locale, here.market), there=here,
        purpose=purpose_in_words(here, spec.purpose), notice_locale=here.locale,
    )  # fmt: skip


def _chosen(request: HttpRequest) -> tuple[str, Edition] | None:
    """The kind and edition the address names, where a form of that kind is there and this account may state its purpose."""
    market, _, locale = request.GET.get("edition", "").partition("/")
    declared, kind = current().policy.markets.get(market), request.GET.get("kind", "")
    if declared is None or locale not in declared.locales:
        return None
    try:
        purpose = noting.form_for(kind, market).purpose
    except Problem:
        return None
    return (kind, Edition(market, locale, current())) if purpose in roles.purposes_of(request.user) else None


def _kinds(request: HttpRequest) -> list[str]:
    may_state = roles.purposes_of(request.user)
    return [
        kind for kind in kinds.KINDS if any(each.kind == kind and each.purpose in may_state for each in specs.every())
    ]


def _first(locale: str, offered: list[str]) -> list[dict[str, Any]]:
    """The two choices that decide what is asked for and what the person is told."""
    editions = [
        (f"{market}/{each}", f"{country_of(locale, market)}, {say(each, 'common.own_language')}")
        for market, declared in current().policy.markets.items()
        for each in declared.locales
    ]
    return [
        {"name": "kind", "label": say(locale, "inquiries.field.kind"),
         "choices": [(each, say(locale, f"inquiries.kind.{each}")) for each in offered]},
        {"name": "edition", "label": say(locale, "inquiries.new.edition"), "choices": sorted(editions, key=itemgetter(1)),
         "chosen": next((key for key, _ in editions if key.endswith(f"/{locale}")), "")},
    ]  # fmt: skip


def _form(locale: str, kind: str, here: Edition, data: Any) -> forms.Form:
    def told(key: str) -> str:
        return say(locale, f"inquiries.{key}")

    spec = noting.form_for(kind, here.market)
    fields: dict[str, Any] = {
        "medium": forms.ChoiceField(
            label=told("field.medium"), choices=[(each, told(f"medium.{each}")) for each in noting.MEDIA]
        ),
        "received": forms.DateField(
            label=told("new.received"), initial=_today(here),
            error_messages={"required": told("new.error.received"), "invalid": told("new.error.received")},
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        ),
    }  # fmt: skip
    for name in noting.fields_of(spec):
        is_contact = name in ("email", "phone")
        marks = _PLAIN | ({"type": "tel"} if name == "phone" else {})
        fields[name] = forms.CharField(
            label=current().word(locale, "fields", name), required=name == "name", max_length=intake.longest(name),
            widget=(forms.EmailInput if name == "email" else forms.TextInput)(attrs=marks),
            help_text=told(f"new.{name}_help") if is_contact else "", error_messages={"required": told("new.error.missing")},
        )  # fmt: skip
    fields["words"] = forms.CharField(
        label=told("new.words"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": told("error.words"), "max_length": told("error.long")},
    )  # fmt: skip
    fields["to"] = forms.ChoiceField(
        label=told("field.to"), required=False, choices=[("", told("desk.nobody")), *DeskNames(locale).all()]
    )
    fields["told"] = forms.BooleanField(
        label=told("new.told"), error_messages={"required": told("new.error.told")}
    )  # fmt: skip
    made: forms.Form = type("NewForm", (forms.Form,), {**fields, "use_required_attribute": False})(data)
    return made


def _today(here: Edition) -> Any:
    return kinds.today(here.market, clock.now())


def _noted(kind: str, here: Edition, said: dict[str, Any]) -> noting.Noted:
    asked = noting.fields_of(noting.form_for(kind, here.market))
    zone = ZoneInfo(law_pack(here.published.policy.markets[here.market].law).zone)
    now = clock.now()
    # Noon of that day where the market is: the day counts, not the hour; today counts from now.
    at = now if said["received"] == _today(here) else datetime.combine(said["received"], time(12), zone)
    return noting.Noted(
        kind, here.market, here.locale, said["medium"], at, {name: said[name] for name in asked if said[name]},
        said["words"], told=said["told"], to=said["to"],
    )  # fmt: skip


def _page(request: HttpRequest, *, status: int = 200, **seen: Any) -> HttpResponse:
    return render(request, "lofte/console/inquiry_new.html", {"spot": "inquiries", **seen}, status=status)
