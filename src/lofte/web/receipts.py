"""Receipts and machine-readable copies as files to keep."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse

from lofte.evidence.receipt_page import receipt_page
from lofte.web.pages import Edition


def download(receipt: Mapping[str, Any] | None, form: str, here: Edition) -> HttpResponse:
    """The receipt as JSON, or as one page that checks itself without a network. Raises Http404 for none."""
    if receipt is None or form not in ("json", "html"):
        raise Http404
    name = f"lofte-receipt-{receipt['index']}.{form}"
    if form == "html":
        names = {purpose: here.word("purposes", purpose, "name") for purpose in here.published.policy.purposes}
        body = receipt_page(receipt, here.locale, names, _contact(here))
        return attachment(body, "text/html; charset=utf-8", name)
    return attachment(json.dumps(receipt, ensure_ascii=False, indent=1).encode(), "application/json", name)


def _contact(here: Edition) -> list[str]:
    """Whom to ask about a receipt (P48)."""
    controller = here.controller
    return [controller.name, controller.email, controller.phone, *controller.post]


def attachment(body: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(body, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
