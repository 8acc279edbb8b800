"""The way past the counter of a link in a campaign. It knows which link was followed, and nothing of who follows it."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from lofte.features.outreach.clicks import counting


@require_safe
def go(request: HttpRequest, link: UUID) -> HttpResponse:
    """On to where the link leads. What a program fetches ahead, or only asks about, does not count."""
    is_ahead = "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    address = counting.follow(link, counts=request.method == "GET" and not is_ahead)
    if address is None:
        raise Http404
    return HttpResponse(
        status=302, headers={"Location": address, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    )
