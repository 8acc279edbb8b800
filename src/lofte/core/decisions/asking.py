"""Asks the table with what the rooms know: what the person said, whether they restricted their data, what is on file.

`may_share` is what every way out asks before a disclosure; whoever then discloses writes the evidence first.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from lofte.core import clock, ports, publication
from lofte.core.decisions.deciding import Decision
from lofte.core.decisions.table import Act, Case, Question, Table, compiled
from lofte.core.gates import tools

_known: tuple[tuple[str, str, str], Table] | None = None


def table() -> Table:
    """The table of the publication in force and what is on file now; compiled anew only when one of them changed."""
    global _known
    published, agreements = publication.current(), ports.agreements()
    key = (published.digest, agreements.agreements_version() if agreements else "", tools.version())
    if _known is None or _known[0] != key:
        _known = (key, compiled(published, agreements.agreements() if agreements else (), tools.on_file()))
    return _known[1]


def may_share(
    person_id: UUID, recipient: str, purpose: str, fields: Iterable[str], *,
    market: str = "", country: str = "", case: Case | None = None, at: datetime | None = None,
) -> Decision:  # fmt: skip
    """May these fields of a person leave to a recipient of the policy, for this purpose, now?

    ``market`` is where the person is known (asked of the register when empty). ``country`` narrows to one of the countries the
    recipient takes data to; empty asks all of them. ``case`` is the decision of an authority, or the sale or merger, that asks.
    Writes nothing: whoever lets the data leave writes the evidence first, with the decision's reason, promise and law.
    """
    if not market:
        known = ports.register().market_of(person_id)
        market = known[0] if known else ""
    question = Question(Act.SHARE, purpose, frozenset(fields), recipient, country, market)
    return table().answer(
        question, ports.consents().standings(person_id), ports.is_restricted(person_id), at or clock.now(), case=case
    )
