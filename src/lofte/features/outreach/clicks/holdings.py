"""What this room holds: addresses and numbers, about nobody."""

from lofte.core.holdings import NotPersonal, declare
from lofte.features.outreach.clicks import models

_LINK = NotPersonal("an address in a letter to many, the same for everybody")

declare(
    models.Link, campaign=NotPersonal("the id of a campaign"), digest=_LINK, address=_LINK,
    count=NotPersonal("how often it was followed, by whomever"),
)  # fmt: skip
