"""What this room holds: nothing about anybody."""

from lofte.core.holdings import NotPersonal, declare
from lofte.features.findings.models import Finding

_SITE = NotPersonal("says what our own page tried to load, not who looked at it")

declare(
    Finding,
    seen_by=_SITE,
    kind=_SITE,
    what=NotPersonal("a host name, a cookie's name or the hash of a script on our page; values are never reported"),
    market=_SITE,
    page=NotPersonal("the path of our own page without its query"),
    times=_SITE,
    first_seen=NotPersonal("the hour is that of the page, counted over all visitors"),
    last_seen=NotPersonal("the hour is that of the page, counted over all visitors"),
    settled_at=NotPersonal("when staff looked into it"),
    settled_as=NotPersonal("what staff found it to be"),
)
