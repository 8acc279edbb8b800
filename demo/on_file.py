"""What staff of the demonstration's company would have put on file: the proofs of what its policy says of its recipients.

Made up like everything here: a company looks its recipients up on the list of the Data Privacy Framework itself.
"""

from datetime import timedelta

from lofte.core import clock, publication
from lofte.core.country import Kind
from lofte.core.gates import tools
from lofte.rules.model import TransferTool

_NOT_LISTED = "transfers.not_listed"
_BY = "staff:demonstration"
_PROOF = "https://www.dataprivacyframework.gov/list"


def put_on_file() -> int:
    """Listings of the recipients that the policy in force says are listed and of which no proof is on file; how many."""
    today, count = clock.now().date(), 0
    recipients = publication.current().policy.recipients
    lacking = {(one.recipient, one.country) for one in tools.denied(today) if one.reason == _NOT_LISTED}
    for name, country in sorted(lacking):
        said = next(
            one for one in recipients[name].transfers if one.tool is TransferTool.DPF and one.country == country
        )
        until = today + timedelta(days=300)
        tools.record(
            tools.Wanted(
                Kind.LISTING, today, said.reference or recipients[name].name, name, country, until, proof=_PROOF,
                uk_since=today, uk_until=until,
            ),
            _BY,
        )  # fmt: skip
        count += 1
    return count
