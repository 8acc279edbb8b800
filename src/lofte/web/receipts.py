"""Receipts and machine-readable copies as files to keep."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse

from lofte.core.publication import current

from lofte.evidence.receipt_page import receipt_page


def download(receipt: Mapping[str, Any] | None, form: str, locale: str) -> HttpResponse:
    """The receipt as JSON, or as one page that checks itself without a network. Raises Http404 for none."""
    if receipt is None or form not in ("json", "html"):
        raise Http404
    name = f"lofte-receipt-{receipt['index']}.{form}"
    if form == "html":
        return attachment(receipt_page(dict(receipt), locale, contact=_contact(receipt)), "text/html; charset=utf-8", name)
    return attachment(json.dumps(receipt, ensure_ascii=False, indent=1).encode(), "application/json", name)


def _contact(receipt: Mapping[str, Any]) -> list[str]:
    """Whom to ask about a receipt (P48): the contact of the market it was made in."""
    policy = current().policy
    market = policy.markets.get(receipt["fact"]["payload"].get("market", ""))
    controller = policy.controllers[market.controller] if market else next(iter(policy.controllers.values()))
    return [controller.name, controller.email, controller.phone, *controller.post]


def attachment(body: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(body, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
