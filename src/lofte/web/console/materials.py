"""Materials in the console: written, given their files, offered and taken back. Few people are never told as a number."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.core import links, publication
from lofte.features.outreach.materials import files, letters, reads, shelf, terms
from lofte.features.outreach.materials.models import File, Material
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.rules.catalogue import say
from lofte.rules.values import country
from lofte.web.console import materials_forms as forms
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs


@require_safe
@needs("materials.read")
def materials(request: HttpRequest) -> HttpResponse:
    locale, rows = console_locale(request), reads.listed()
    numbers, known = reads.numbers([row.id for row in rows]), reads.files_of(rows)
    smallest = publication.current().policy.outreach.smallest_group
    shown = [
        _seen(locale, row) | {"files": _kinds(row, known), "numbers": _told(locale, numbers[row.id])} for row in rows
    ]
    return _page(request, "materials", rows=shown, smallest=smallest)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("materials.manage")
def new(request: HttpRequest) -> HttpResponse:
    form = forms.material(console_locale(request), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = shelf.draft(forms.planned(form), by=actor(request))
        except Problem as problem:
            form.tell(problem)
        else:
            return _done(request, "made", made)
    return _page(request, "edit", status=422 if form.errors else 200, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("materials.manage")
def edit(request: HttpRequest, material: UUID) -> HttpResponse:
    locale, row = console_locale(request), shelf.row_of(material)
    form = forms.material(locale, request.POST if request.method == "POST" else None, row)
    if request.method == "POST" and form.is_valid():
        try:
            shelf.change(row.id, forms.planned(form), by=actor(request))
        except Problem as problem:
            form.tell(problem)
        else:
            return _done(request, "saved", row.id)
    return _page(request, "edit", status=422 if form.errors else 200, form=form, material=_seen(locale, row))


@require_safe
@needs("materials.read")
def one(request: HttpRequest, material: UUID) -> HttpResponse:
    return _one(request, shelf.row_of(material))


@require_POST
@needs("materials.manage")
def give(request: HttpRequest, material: UUID) -> HttpResponse:
    """A file was chosen."""
    row = shelf.row_of(material)
    form = forms.file(console_locale(request), row, request.POST, request.FILES)
    if not form.is_valid():
        return _one(request, row, form)
    given = form.cleaned_data["file"]
    try:
        of = form.cleaned_data["language"]
        shelf.give_file(row.id, shelf.EVERY if of == forms.EVERY else of, given.name, given.read(), by=actor(request))
    except Problem as problem:
        form.tell(problem)
        return _one(request, row, form)
    return _done(request, "file", row.id)


@require_POST
@needs("materials.manage")
def act(request: HttpRequest, material: UUID) -> HttpResponse:
    """Do what the button said; what cannot be done is told on the page."""
    row, me = shelf.row_of(material), actor(request)
    try:
        match request.POST.get("do", ""):
            case "publish":
                shelf.publish(row.id, me)
                done = "published"
            case "withdraw":
                shelf.withdraw(row.id, me)
                done = "withdrawn"
            case "take":
                shelf.take_file(row.id, request.POST.get("language", ""), me)
                done = "taken"
            case "discard":
                shelf.discard(row.id, me)
                messages.success(request, say(console_locale(request), "materials.done.discarded"), extra_tags="good")
                return HttpResponseRedirect(reverse("console-materials"))
            case _:
                raise Http404
    except Problem as problem:
        return _one(request, row, error=forms.told(console_locale(request), problem))
    return _done(request, done, row.id)


@require_safe
@needs("materials.read")
def file(request: HttpRequest, material: UUID, digest: str) -> HttpResponse:
    """A file of a material, as a download."""
    found = File.objects.filter(pk=digest).first() if digest in shelf.row_of(material).files.values() else None
    if found is None:
        raise Http404
    answer = HttpResponse(files.content(found), content_type=found.media_type)
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name)}"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


# --- what the pages show --------------------------------------------------------------------------------------------


def _one(request: HttpRequest, row: Material, form: forms.Form | None = None, error: str = "") -> HttpResponse:
    locale = console_locale(request)
    known = reads.files_of([row])
    status = 422 if form is not None and form.errors else 409 if error else 200
    return _page(
        request, "material", status=status, material=_seen(locale, row), form=form or forms.file(locale, row), error=error,
        files=_files(locale, row, known), numbers=_told(locale, reads.numbers([row.id])[row.id]),
        smallest=publication.current().policy.outreach.smallest_group, lacking=_lacking(locale, row), valid=_valid(locale),
        form_name=forms.form_name(locale, row.form), pages=_pages(locale, row),
        texts=[
            {"language": forms.language(locale, each), "locale": each, **row.words.get(each, {})} for each in shelf.locales_of(row)
        ],
    )  # fmt: skip


def _seen(locale: str, row: Material) -> dict[str, Any]:
    """A material as lists and headings show it: in the reader's language, else in the first it is written in."""
    said: Any = row.words.get(locale) or next(iter(row.words.values()), {})
    markets = publication.current().policy.markets
    return {
        "id": row.id, "slug": row.slug, "title": said.get("title") or row.slug, "summary": said.get("summary", ""), "row": row,
        "markets": ", ".join(country(locale, markets[each].country) for each in row.markets if each in markets),
        "state": row.state, "state_name": say(locale, f"materials.console.state.{row.state}"),
    }  # fmt: skip


def _kinds(row: Material, known: Any) -> str:
    found = {known[digest].name.rpartition(".")[2].upper() for digest in row.files.values() if digest in known}
    return ", ".join(sorted(found))


def _files(locale: str, row: Material, known: Any) -> list[dict[str, Any]]:
    return [
        {
            "language": forms.language(locale, each) if each else say(locale, "materials.console.every"), "locale": each,
            "file": known[digest], "described": letters.described(locale, known[digest]),
        }
        for each, digest in sorted(row.files.items())
        if digest in known
    ]  # fmt: skip


def _told(locale: str, numbers: reads.Numbers) -> dict[str, str]:
    few = say(locale, "materials.console.few", n=publication.current().policy.outreach.smallest_group)
    return {
        name: few if number is None else str(number)
        for name, number in (("asked", numbers.asked), ("taken", numbers.taken))
    }


def _lacking(locale: str, row: Material) -> list[str]:
    """What must be there before it can be offered, in words."""
    found = []
    for each in shelf.locales_of(row):
        said, name = row.words.get(each, {}), forms.language(locale, each)
        parts = [part for part in shelf.NEEDED if not said.get(part)]
        parts += [] if shelf.file_for(row, each) else ["file"]
        found += [say(locale, f"materials.console.lacks_{part}", language=name) for part in parts]
    return found


def _valid(locale: str) -> str:
    """How long links work, and which promise says so."""
    period = values.period(locale, terms.link_valid())
    promise = next(
        (
            name
            for name, each in publication.current().policy.promises.items()
            if any(one.control == terms.CONTROL and one.parameters.get("link_valid") for one in each.controls)
        ),
        "",
    )
    if promise:
        return say(locale, "materials.console.valid", period=period, promise=promise)
    return say(locale, "materials.console.valid_default", period=period)


def _pages(locale: str, row: Material) -> list[dict[str, str]]:
    """The addresses visitors see."""
    markets = publication.current().policy.markets
    return [
        {"name": country(locale, markets[market].country), "url": links.link("material", market, each, row.slug)}
        for market in row.markets
        if market in markets
        for each in markets[market].locales
    ]


def _done(request: HttpRequest, what: str, material_id: UUID) -> HttpResponse:
    messages.success(request, say(console_locale(request), f"materials.done.{what}"), extra_tags="good")
    return HttpResponseRedirect(reverse("console-material", args=(material_id,)))


def _page(request: HttpRequest, template: str, /, *, status: int = 200, **seen: Any) -> HttpResponse:
    return render(request, f"lofte/console/materials/{template}.html", {"spot": "materials"} | seen, status=status)
