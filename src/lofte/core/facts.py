"""What core does when others report."""

from lofte.core import obligations

SUBSCRIPTIONS = {
    "obligation.verified": obligations.note_evidence,
    "consent.withdrawn": obligations.on_withdrawal,
    "consent.objected": obligations.on_withdrawal,
}
