"""What is held about a person, on one page, and the receipts that prove what they said."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from lofte.core import clock
from lofte.features.rights import reads, verbs
from lofte.web.pages import Edition, page
from lofte.web.person_words import in_words
from lofte.web.portal.request_words import request_in_words
from lofte.web.portal.routes import address
from lofte.web.portal.session import for_a_person
from lofte.web.receipts import download

_LOOKS_SHOWN = 50  # the copy has them all


@require_safe
@for_a_person
def data(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    def link(kind: str, about: Any) -> str:
        if kind == "correct":
            return address(here, "portal-correct", about)
        return address(here, "portal-receipt", about, "html" if kind == "receipt-page" else "json")

    seen = reads.overview(grant.person_id)
    words = in_words(here, seen, clock.now(), link)
    topics = None if seen.restricted_since else address(here, "portal-topics")
    pending = [request_in_words(here, each) for each in seen.requests if each.closed_at is None]
    return page(
        request, "portal/data.html", here, data=words, spot="data", topics_url=topics,
        pending=pending, looks=words["looks"][:_LOOKS_SHOWN], looks_more=max(0, len(words["looks"]) - _LOOKS_SHOWN),
        own_looks=words["own_looks"][:_LOOKS_SHOWN],
    )  # fmt: skip


@require_safe
@for_a_person
def receipt(request: HttpRequest, here: Edition, grant: verbs.Grant, index: int, form: str) -> HttpResponse:
    """One of the person's own receipts; any other index is as unknown as one that does not exist."""
    return download(reads.receipt_at(grant.person_id, index), form, here)
