"""The policy that is shown is the one that was signed and logged; earlier versions stay readable."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class PublicationSeen:
    """The current publication as found on disk, in the log and on the site.

    ``altered`` are frozen files whose bytes no longer match; ``served_otherwise`` pages whose served words
    are not the frozen ones; ``unlisted`` versions the public history leaves out.
    """

    version: str
    signed: bool
    logged: bool
    altered: tuple[str, ...] = ()
    served_otherwise: tuple[str, ...] = ()
    undated: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()


def _judge(seen: PublicationSeen, parameters: Mapping[str, Any]) -> Verdict:
    if not seen.version:
        return unproved("not-published")
    if not seen.signed:
        return broken("not-signed", version=seen.version)
    if not seen.logged:
        return broken("not-logged", version=seen.version)
    for reason, found in (
        ("altered", seen.altered),
        ("served-otherwise", seen.served_otherwise),
        ("undated", seen.undated),
        ("unlisted", seen.unlisted),
    ):
        if found:
            return broken(reason, found=listed(found))
    return kept(version=seen.version)


CONTROL = Control(
    id="versions_signed",
    law=("GDPR 5(2)", "GDPR 12(1)", "GDPR 13(3)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "publication", "log"}),
    judge=_judge,
)
