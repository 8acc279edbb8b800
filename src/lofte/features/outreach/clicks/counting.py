"""Leads the links of a letter past a counter. Everybody's letter has the same link, so the counter cannot tell who follows it."""

import re
from collections.abc import Sequence
from html import escape, unescape
from uuid import UUID

from django.db.models import F

from lofte.core import links
from lofte.core.publication import current
from lofte.features.outreach.clicks.models import Link
from lofte.kernel.canonical import sha256_hex

_LINK = re.compile(r'(<a href=")(https?://[^"]*)(")')  # as the cleaning of letters writes them


def is_on() -> bool:
    """Whether the policy in force says that clicks are counted."""
    return current().policy.outreach.count_clicks


def counted(campaign_id: UUID, html: str) -> str:
    """The letter with its links led past the counter; as it was where the policy says nothing of counting."""
    addresses = list(dict.fromkeys(unescape(found.group(2)) for found in _LINK.finditer(html)))
    if not addresses or not is_on():
        return html
    by_address = _rows(campaign_id, addresses)

    def led(found: re.Match[str]) -> str:
        to = links.link("go", "", "", str(by_address[unescape(found.group(2))]))
        return f"{found.group(1)}{escape(to)}{found.group(3)}"

    return _LINK.sub(led, html)


def _rows(campaign_id: UUID, addresses: Sequence[str]) -> dict[str, UUID]:
    digests = {sha256_hex(each.encode()): each for each in addresses}
    made = [Link(campaign=campaign_id, digest=digest, address=each) for digest, each in digests.items()]
    Link.objects.bulk_create(made, ignore_conflicts=True)  # another stretch of the same campaign may have been first
    rows = Link.objects.filter(campaign=campaign_id, digest__in=list(digests))
    return {digests[digest]: row_id for row_id, digest in rows.values_list("id", "digest")}


def follow(link_id: UUID, *, counts: bool) -> str | None:
    """Where a link leads, and one more on its counter if it ``counts`` and the policy still says so; None for no link of ours."""
    address = Link.objects.filter(pk=link_id).values_list("address", flat=True).first()
    if address is not None and counts and is_on():
        Link.objects.filter(pk=link_id).update(count=F("count") + 1)
    return address


def numbers(campaign_id: UUID) -> list[tuple[str, int]]:
    """Each link of a campaign and how often it was followed, the most followed first."""
    rows = Link.objects.filter(campaign=campaign_id).order_by("-count", "address")
    return list(rows.values_list("address", "count"))
