"""The page behind the button in the letter that asks whether to keep what is held. Opening it does nothing; the button does."""

from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from lofte.features.retention import warnings
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.rules.packs import law_pack
from lofte.web.doors import own_posts_only, stamp
from lofte.web.pages import edition, page


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only("keep")
def keep(request: HttpRequest, market: str, locale: str, code: str) -> HttpResponse:
    here = edition(market, locale)
    if request.method == "POST":
        warnings.keep(code)
        return page(request, "portal/keep.html", here, is_done=True)
    asked = warnings.asked(code)
    if asked is None:
        raise Problem("code.unknown", "the link is used, expired or wrong", status=410)
    names = [here.word("purposes", each, "name") for each in asked.purposes]
    zone = ZoneInfo(law_pack(here.published.policy.markets[here.market].law).zone)
    return page(
        request, "portal/keep.html", here, asked=asked, stamp=stamp("keep"),
        day=values.day(here.locale, asked.until.astimezone(zone).date()), names=values.joined(here.locale, names),
    )  # fmt: skip
