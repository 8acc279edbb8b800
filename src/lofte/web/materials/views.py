"""Materials for visitors. A GET never acts: the mailed link shows a button, and only pressing it gives the file.

Only a person's pressing counts, once a day; see `materials.grants`.
"""

from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from lofte.features.outreach.materials import grants, letters, reads, shelf, terms
from lofte.features.outreach.materials.models import Material
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.web.doors import is_by_hand, own_posts_only, stamp
from lofte.web.events.prose import prose
from lofte.web.forms import shape
from lofte.web.pages import Edition, edition, editions_beside, page

_STAMP = "material"


@require_safe
def listing(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    here = edition(market, locale)
    rows = [shown(here, each) for each in reads.on_offer(here.market, here.locale)]
    return page(request, "materials/list.html", here, route="materials", rows=rows)


@require_safe
def material(request: HttpRequest, market: str, locale: str, slug: str) -> HttpResponse:
    """One material: what it is, how one gets it, and the form to ask for it."""
    here = edition(market, locale)
    row = _material(here, slug)
    try:
        form = shape.shown(here, row.form, page=request.path, about=row.id)
    except Problem as problem:  # the form was retired: there is nothing to ask by
        raise Http404 from problem
    return page(
        request, "materials/material.html", here, material=shown(here, row), form=form,
        text=prose(row.words[here.locale].get("inside", "")), period=values.period(here.locale, terms.link_valid()),
        editions=editions_beside(request, here, "material", [row.slug], row.markets),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only(_STAMP)
def opened(request: HttpRequest, market: str, locale: str, code: str) -> HttpResponse:
    """The mailed link: GET shows the button, POST gives the file."""
    here = edition(market, locale)
    found = grants.open_link(code)
    if found is None:
        return _unstored(page(request, "materials/ended.html", here, status=410))
    if request.method == "POST":
        try:
            return _file(grants.hand_over(code, by_hand=is_by_hand(request)))
        except Problem as problem:
            if problem.status != 410:
                raise
            return _unstored(page(request, "materials/ended.html", here, status=410))
    seen = shown(here, found.material) | {
        "left": found.grant.left, "until": letters.until(here.market, here.locale, found.grant.ends_at),
        "file": letters.described(here.locale, found.file),
    }  # fmt: skip
    return _unstored(page(request, "materials/open.html", here, material=seen, stamp=stamp(_STAMP)))


def shown(here: Edition, row: Material) -> dict[str, Any]:
    """A material in the words of an edition."""
    said, file = row.words.get(here.locale, {}), shelf.file_for(row, here.locale)
    return {
        "slug": row.slug, "title": said.get("title", ""), "summary": said.get("summary", ""),
        "file": letters.described(here.locale, file) if file else "",
    }  # fmt: skip


def _material(here: Edition, slug: str) -> Material:
    try:
        row = grants.offered(here.market, slug=slug)
    except Problem as problem:
        raise Http404 from problem
    if not row.words.get(here.locale, {}).get("title"):
        raise Http404
    return row


def _file(handed: grants.Handed) -> HttpResponse:
    """The file, always as a download: nothing in it is shown or run on our pages."""
    answer = HttpResponse(handed.content, content_type=handed.media_type)
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(handed.name)}"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return _unstored(answer)


def _unstored(answer: HttpResponse) -> HttpResponse:
    """Neither the page nor the file of a personal link stays in a cache on the way."""
    answer["Cache-Control"] = "no-store"
    return answer
