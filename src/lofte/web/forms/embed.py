"""A form as a piece of HTML for any site: no script, no cookie, no picture, nothing fetched before it is sent."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from lofte.kernel.problems import Problem
from lofte.web.forms import shape
from lofte.web.pages import Edition, edition


@require_safe
def snippet(request: HttpRequest, market: str, locale: str, form: str) -> HttpResponse:
    """The piece as text: what is pasted into a page, or fetched by the site when it builds its pages."""
    try:
        content = html(edition(market, locale), form)
    except Problem as problem:
        raise Http404 from problem
    answer = HttpResponse(content, content_type="text/plain; charset=utf-8")
    answer["Access-Control-Allow-Origin"] = "*"  # public words, the same for everybody
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer["Cache-Control"] = "public, max-age=300"
    return answer


def html(here: Edition, form: str, page: str = "") -> str:
    """The piece for one edition. It carries the hash of its words: after a change the person reads them here before it counts."""
    shown = shape.shown(here, form, page=page)
    context = {"form": shown, "edition": here, "locale": here.locale, "origin": settings.LOFTE_ORIGIN}
    return render_to_string("lofte/forms/embed.html", context).strip() + "\n"
