"""What this room holds: nothing about anybody."""

from lofte.core.holdings import NotPersonal, declare
from lofte.features.promises.models import Verdict

_PUBLIC = NotPersonal("verdicts are about the company's promises and are published")

declare(
    Verdict,
    promise=_PUBLIC,
    control=_PUBLIC,
    status=_PUBLIC,
    reason=_PUBLIC,
    facts=NotPersonal(
        "counts and names of pages, hosts, cookies and tables; `verbs.store` refuses what looks personal"
    ),
    publication=_PUBLIC,
    at=_PUBLIC,
    evidence=NotPersonal("a place in the evidence log, which holds commitments only"),
)
