"""The page of a form, and what is sent to it from there or from any other site. No cookie is read or set.

A post from another site is taken as it is when the browser says it comes from the market's own site; from anywhere else the
person checks it over here first and presses once more. A form with faults comes back filled in.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from lofte.core import publication
from lofte.features.outreach.forms import intake, specs
from lofte.features.outreach.forms.files import Upload
from lofte.kernel.problems import Place, Problem
from lofte.rules.catalogue import room_words
from lofte.web.doors import caller
from lofte.web.forms import shape, stamps
from lofte.web.forms.shape import TRAP, Shown
from lofte.web.forms.stamps import Read
from lofte.web.pages import Edition, edition, editions_beside, page
from lofte.web.uploads import TOO_LARGE

HIDDEN = frozenset(("stamp", "wording", "key", "page", "about", TRAP, "send", "files"))
"""What a form carries beside its fields: ours, about nobody."""
_LISTS = {"material": "materials", "event": "events"}
"""Where one finds what a form of these kinds is about."""


@csrf_exempt  # no session hangs on these forms: there is nothing a stranger's page could make a browser do in somebody's name
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest, market: str, locale: str, form: str) -> HttpResponse:
    here = edition(market, locale)
    shown = _shown(request, here, form)
    if request.method != "POST":
        if (
            shown.spec.kind in specs.ABOUT and not shown.about
        ):  # asked for nothing in particular: what there is to choose from
            return HttpResponseRedirect(reverse(_LISTS[shown.spec.kind], args=(here.market.lower(), here.locale)))
        return _page(request, here, shown)
    if request.POST.get(TRAP):  # a program: thanked and forgotten
        return _thanks(here, form, intake.Taken(), ticked=False)
    values, ticked = typed(request.POST), ticked_in(request.POST)
    notice = _hold(request, shown)
    if notice:
        return _page(request, here, shape.filled(shown, here, values, ticked), notice=notice, status=422)
    try:
        demand_readable(request)
        taken = _take(request, here, shown, values, ticked)
    except Problem as problem:
        return _refused(request, here, shown, values, ticked, problem)
    return _thanks(here, form, taken, ticked=bool(ticked) and shown.spec.kind != "newsletter")


@require_safe
def thanks(request: HttpRequest, market: str, locale: str, form: str, token: str) -> HttpResponse:
    """What was done, in words. It names nobody, so that it can be left open."""
    here, said = edition(market, locale), stamps.thanked(token)
    if said is None:
        raise Http404
    say, reference, ticked = said
    room, _, name = say.partition(".")
    key = say if f"{name}_title" in room_words(here.locale, room) else "forms.thanks"
    words = {"title": here.say(f"{key}_title"), "lead": here.say(f"{key}_lead")}
    return page(request, "forms/thanks.html", here, words=words, reference=reference, ticked=ticked)


# --- what was sent --------------------------------------------------------------------------------------------------


def typed(sent: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a post: everything that is neither ours nor a box. What the form does not ask for is refused by `take`."""
    return {
        name: str(value)
        for name, value in ((each, sent[each]) for each in sent)
        if name not in HIDDEN and not name.startswith("box.")
    }


def ticked_in(sent: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The boxes of a post, as purpose and channel."""
    found = set()
    for name in sent:
        if name.startswith("box."):
            purpose, _, channel = name.removeprefix("box.").rpartition("-")
            found.add((purpose, channel))
    return frozenset(found)


def uploads(request: HttpRequest) -> list[Upload]:
    return [
        Upload(each.name or "", each.content_type or "", each.read())
        for each in request.FILES.getlist("files")
        if each.size
    ]


def demand_readable(request: HttpRequest) -> None:
    """Raises Problem when the files were too large to be read at all."""
    if request.META.get(TOO_LARGE):
        raise Problem("form.file-too-large", "the files are too large together", Place(key="files"), status=413)


def _take(
    request: HttpRequest, here: Edition, shown: Shown, values: Mapping[str, str], ticked: frozenset[tuple[str, str]]
) -> intake.Taken:
    return intake.take(
        here.market, here.locale, shown.spec.id, values, wording=request.POST.get("wording", ""), boxes=ticked, page=shown.page,
        key=request.POST.get("key", ""), remote=caller(request), about=stamps.number_of(request.POST.get("about", "")),
        files=uploads(request),
    )  # fmt: skip


def _hold(request: HttpRequest, shown: Shown) -> str:
    """Why the form is shown once more before anything is done; empty when there is no reason."""
    match stamps.read(request.POST.get("stamp", ""), shown.spec.id):
        case Read.SOON:
            return "forms.too_soon"
        case Read.OLD:
            return "forms.too_old"
        case Read.NONE if not is_from_market(request, shown):
            return "forms.look_over"
    return ""


def is_from_market(request: HttpRequest, shown: Shown) -> bool:
    """Whether the browser says that the form stood on a site of the policy, or on our own."""
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    return is_ours(origin)


def is_ours(origin: str) -> bool:
    host = urlsplit(origin).netloc
    domains = {each for market in publication.current().policy.markets.values() for each in market.domains}
    return bool(host) and host in domains | {urlsplit(settings.LOFTE_ORIGIN).netloc}


# --- pages ----------------------------------------------------------------------------------------------------------


def _shown(request: HttpRequest, here: Edition, form: str) -> Shown:
    sent = request.POST if request.method == "POST" else request.GET
    came_from = sent.get("page", "") or request.headers.get("Referer", "") if request.method == "POST" else request.path
    try:
        return shape.shown(
            here, form, page=intake.path_of(came_from), about=stamps.number_of(sent.get("about", ""))
        )  # fmt: skip
    except Problem as problem:
        if problem.status == 404:
            raise Http404 from problem
        raise


def _refused(
    request: HttpRequest, here: Edition, shown: Shown, values: Mapping[str, str], ticked: frozenset[tuple[str, str]],
    problem: Problem,
) -> HttpResponse:  # fmt: skip
    """The form again, with what was typed in it. A refusal that has no words here is somebody else's to show."""
    if problem.code == "form.changed":
        return _page(request, here, shape.filled(shown, here, values, ticked), notice="forms.changed", status=409)
    if problem.code == "form.too-many":
        return _page(request, here, shape.filled(shown, here, values, ticked), notice="forms.too_many", status=429)
    faults = intake.faults(shown.spec, shown.words, values, ticked, uploads(request)) or [problem]
    filled = shape.filled(shown, here, values, ticked, faults)
    strays = [each for each in faults if each.code in ("form.unknown-field", "form.unknown-box")]
    if not filled.errors and not strays:
        known = problem.code.replace("-", "_").replace(".", "_")
        if f"refused.{known}" not in room_words(here.locale, "forms"):
            raise problem
        return _page(request, here, filled, notice=f"forms.refused.{known}", status=problem.status)
    return _page(request, here, filled, notice="forms.stray" if strays else "", status=422)


def _page(request: HttpRequest, here: Edition, shown: Shown, *, notice: str = "", status: int = 200) -> HttpResponse:
    return page(
        request,
        "forms/page.html",
        here,
        status=status,
        form=shown,
        notice=notice,
        editions=_beside(request, here, shown),
    )


def _beside(request: HttpRequest, here: Edition, shown: Shown) -> list[dict[str, Any]]:
    """The same form in the other markets that have it."""
    return editions_beside(request, here, "form", [shown.spec.id], shown.spec.markets)


def _thanks(here: Edition, form: str, taken: intake.Taken, *, ticked: bool) -> HttpResponse:
    token = stamps.thanks(taken.say, taken.reference, ticked)
    return HttpResponseRedirect(reverse("form-thanks", args=(here.market.lower(), here.locale, form, token)))
