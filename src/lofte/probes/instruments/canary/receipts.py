"""The receipts the portal offers, fetched as the person would and verified without asking us."""

from lofte.evidence.verify import verify_receipt
from lofte.kernel.problems import Problem
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.canary.seen import Walked
from lofte.probes.instruments.visitor import Seen


def verify(canary: Canary, opened: Seen, seen: Walked) -> None:
    """The receipts the portal offers, fetched as the person would and verified without asking us."""
    for link in opened.page.links:
        if "/receipt/" in link and link.endswith(".json"):
            seen.receipts += 1
            seen.refused += refused(canary.visitor.get(link, accept="application/json").body)
        elif "/receipt/" in link and link.endswith(".html"):
            seen.receipt_pages.append((canary.market, canary.visitor.get(link).markup))


def refused(receipt: bytes) -> list[str]:
    try:
        verify_receipt(receipt)
    except Problem as problem:
        return [problem.place.key or problem.code]
    return []
