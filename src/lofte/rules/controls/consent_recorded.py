"""Every consent is on record with who, what, when and the exact words shown, proved in the log; no box is ticked
beforehand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class ConsentRecords:
    """Consents on file and what they lack; receipts that were opened and verified; boxes found ticked on the site, and boxes or
    topics that stand there without the consent words the publication has for them.

    ``refused`` names the part of a receipt that did not verify.
    """

    records: int
    without_wording: int
    unlogged: int
    receipts: int
    refused: tuple[str, ...] = ()
    ticked: tuple[str, ...] = ()
    wordless: tuple[str, ...] = ()


def _judge(seen: ConsentRecords, parameters: Mapping[str, Any]) -> Verdict:
    if seen.without_wording:
        return broken("without-wording", count=seen.without_wording, records=seen.records)
    if seen.unlogged:
        return broken("unlogged", count=seen.unlogged, records=seen.records)
    if seen.refused:
        return broken("receipt-refused", parts=listed(seen.refused))
    if seen.ticked:
        return broken("ticked", pages=listed(seen.ticked))
    if seen.wordless:
        return broken("wordless", places=listed(seen.wordless))
    if not seen.records or not seen.receipts:
        return unproved("no-consents")
    return kept(records=seen.records, receipts=seen.receipts)


CONTROL = Control(
    id="consent_recorded",
    law=("GDPR 7(1)", "GDPR 4(11)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "register", "log", "mailbox"}),
    judge=_judge,
)
