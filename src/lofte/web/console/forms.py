"""Forms in the console: building one from declared fields, looking at it in every language, and its HTML for a site."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from lofte.core import publication, roles
from lofte.features.outreach.forms import arrivals, building, specs
from lofte.features.outreach.forms.models import Built
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.web.console import forms_draft, forms_words
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs
from lofte.web.forms import embed, shape
from lofte.web.pages import Edition, page


@require_safe
@needs("forms.read")
def listed(request: HttpRequest) -> HttpResponse:
    """Every form people can send in, and the drafts beside them."""
    locale, policy = console_locale(request), publication.current().policy
    declared = [forms_words.spec_line(locale, each) for each in specs.every() if each.origin == "policy"]
    built = [forms_words.built_line(locale, row) for row in building.listed()]
    counts = arrivals.counts()
    rows = [row | {"count": counts.get(row["id"], 0)} for row in (*declared, *built)]
    return _page(request, "list", rows=rows, unused=[key for key, form in policy.forms.items() if form.kind is None])


@require_http_methods(["GET", "HEAD", "POST"])
@needs("forms.manage")
def new(request: HttpRequest) -> HttpResponse:
    """A name, and what becomes of what is sent in."""
    locale = console_locale(request)
    given = {"name": request.POST.get("form", "").strip(), "use": request.POST.get("use", "")}
    error = ""
    if request.method == "POST":
        kind, _, purpose = given["use"].partition("/")
        try:
            row = building.start(given["name"], kind, purpose, by=actor(request))
        except Problem as problem:
            error = forms_words.lacking(locale, problem)
        else:
            return HttpResponseRedirect(reverse("console-form", args=(row.form,)))
    uses = [
        {
            "value": f"{kind}/{purpose}", "kind": say(locale, f"forms.kind.{kind}"),
            "what": say(locale, f"forms.kind_lead.{kind}"), "purpose": forms_words.word(locale, "purposes", purpose, "name"),
        }
        for kind in specs.KINDS
        for purpose in building.purposes_for(kind)
    ]  # fmt: skip
    return _page(request, "new", status=422 if error else 200, uses=uses, given=given, error=error)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("forms.read")
def form(request: HttpRequest, form: str) -> HttpResponse:
    """One form: of the policy, to be looked at; made here, to be worked on as well."""
    if form in publication.current().policy.forms:
        return _declared(request, form)
    row = building.one(form)
    if request.method != "POST":
        return _draft(request, row)
    roles.demand(request.user, "forms.manage")
    try:
        return _act(request, row)
    except Problem as problem:
        return _draft(request, row, error=forms_words.lacking(console_locale(request), problem), status=problem.status)


def _act(request: HttpRequest, row: Built) -> HttpResponse:
    do, me = request.POST.get("do", ""), actor(request)
    if do in ("save", "publish"):
        building.change(row.form, forms_draft.read(row, request.POST), forms_draft.seen(request.POST), by=me)
    match do:
        case "save":
            done = "saved"
        case "publish":
            building.publish(row.form, building.one(row.form).changed_at, by=me)
            done = "published"
        case "retire":
            building.retire(row.form, by=me)
            done = "retired"
        case _:
            raise Http404
    messages.success(request, say(console_locale(request), f"forms.done.{done}"), extra_tags="good")
    return HttpResponseRedirect(reverse("console-form", args=(row.form,)))


def _draft(request: HttpRequest, row: Built, *, error: str = "", status: int = 200) -> HttpResponse:
    locale, row = console_locale(request), building.one(row.form)
    draft = building.draft_of(row)
    lacking = building.faults(draft)
    return _page(
        request, "form", status=status, row=row, line=forms_words.built_line(locale, row), error=error,
        draft=_named(locale, forms_draft.shown(draft)), lacking=forms_words.all_lacking(locale, lacking),
        previews=_previews(locale, row.form, draft.markets), can_show=bool(draft.fields),
        versions=[forms_words.version_line(locale, each) for each in building.versions_of(row.form)],
    )  # fmt: skip


def _named(locale: str, offered: dict[str, Any]) -> dict[str, Any]:
    """What the draft may choose among, by name."""
    for each in offered["fields"]:
        each["name"] = forms_words.field(locale, each["field"])
    for each in offered["boxes"]:
        each["name"] = forms_words.box(locale, each["box"].purpose, each["box"].channel)
    for each in offered["markets"]:
        each["name"] = forms_words.market(locale, each["market"])
    for each in offered["words"]:
        each["name"] = forms_words.language(each["locale"])
        for part in each["parts"]:
            part["name"] = say(locale, f"forms.part.{part['part']}")
    return offered


def _declared(request: HttpRequest, form: str) -> HttpResponse:
    locale = console_locale(request)
    spec = next((each for each in specs.every() if each.id == form), None)
    if spec is None:
        raise Http404
    declared = publication.current().policy.forms[form]
    return _page(
        request, "declared", line=forms_words.spec_line(locale, spec), fields=forms_words.asked(locale, declared),
        boxes=forms_words.boxes(locale, declared), spec=spec, previews=_previews(locale, form, spec.markets),
    )  # fmt: skip


@require_safe
@needs("forms.read")
def preview(request: HttpRequest, form: str, market: str, locale: str) -> HttpResponse:
    """The form as people will see it, in one language; it cannot be sent from here."""
    here = _edition(market, locale)
    try:
        shown = _shown(here, form)
    except Problem as problem:
        raise Http404 from problem
    return page(request, "forms/preview.html", here, form=shown, preview=True)


def _shown(here: Edition, form: str) -> shape.Shown:
    if form in publication.current().policy.forms:
        return shape.shown(here, form)
    row = building.one(form)
    return shape.drafted(here, building.preview(row), building.draft_of(row).words.get(here.locale, {}))


@require_safe
@needs("forms.read")
def pieces(request: HttpRequest, form: str) -> HttpResponse:
    """The form as HTML to be pasted into a site, one piece for each edition, and its address for other programs."""
    locale = console_locale(request)
    spec = next((each for each in specs.every() if each.id == form), None)
    if spec is None:
        raise Http404
    declared = publication.current().policy.markets
    rows = [
        {
            "name": f"{forms_words.market(locale, market)}, {forms_words.language(tongue)}", "tongue": tongue,
            "id": f"{market}-{tongue}", "page": f"/forms/{market.lower()}/{tongue}/{form}/",
            "html": embed.html(Edition(market, tongue, publication.current()), form),
        }
        for market in spec.markets
        for tongue in declared[market].locales
    ]  # fmt: skip
    return _page(request, "pieces", line=forms_words.spec_line(locale, spec), rows=rows, about=spec.kind in specs.ABOUT)


@require_safe
@needs("forms.read")
def version(request: HttpRequest, digest: str) -> HttpResponse:
    """What a version asked and said, also long after it is gone."""
    row = specs.version(digest)
    return _page(request, "version", version=forms_words.version_line(console_locale(request), row))


def _previews(locale: str, form: str, markets: Any) -> list[dict[str, str]]:
    declared = publication.current().policy.markets
    return [
        {
            "name": f"{forms_words.market(locale, market)}, {forms_words.language(tongue)}",
            "url": reverse("console-form-preview", args=(form, market.lower(), tongue)),
        }
        for market in markets
        if market in declared
        for tongue in declared[market].locales
    ]


def _edition(market: str, locale: str) -> Edition:
    published = publication.current()
    declared = published.policy.markets.get(market.upper())
    if declared is None or locale not in declared.locales:
        raise Http404
    return Edition(market.upper(), locale, published)


def _page(request: HttpRequest, template: str, /, *, status: int = 200, **seen: Any) -> HttpResponse:
    return render(request, f"lofte/console/forms/{template}.html", {"spot": "forms"} | seen, status=status)
