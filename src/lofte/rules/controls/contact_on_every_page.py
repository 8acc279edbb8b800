"""E-mail, switchboard and postal address of the market's data-protection contact stand on every policy page, mail
and receipt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Page, lacking


@dataclass(frozen=True, slots=True)
class ContactShown:
    """Pages, mails and receipts, each with the parts of the contact it lacks.

    ``kinds`` are the kinds that were looked at, ``asked`` those besides page, mail and receipt that there are to look at: letters
    to whoever sent a form of that kind.
    """

    pages: tuple[Page, ...]
    kinds: frozenset[str]
    asked: frozenset[str] = frozenset()


WANTED = frozenset({"page", "mail", "receipt"})


def _judge(seen: ContactShown, parameters: Mapping[str, Any]) -> Verdict:
    if lacks := lacking(seen.pages):
        return broken("lacks", pages=listed(lacks))
    if not seen.kinds >= WANTED | seen.asked:
        return unproved("unseen", pages=len(seen.pages))
    return kept(pages=len(seen.pages))


CONTROL = Control(
    id="contact_on_every_page",
    law=("GDPR 13(1)(a)", "GDPR 13(1)(b)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "publication", "mailbox"}),
    judge=_judge,
)
