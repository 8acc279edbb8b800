"""People out of the register as CSV or vCard 4.0, for a purpose that is stated; each of them is a look that is kept."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from lofte.core import actions, approvals, publication
from lofte.features.register import reads, vcard
from lofte.features.register.imports import NOT_BY_LIST
from lofte.features.register.sheets import VCARD, armed
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Purpose

ACT = "people.export"
"""The dangerous act two people decide on, in the console and at the shell; whoever asked carries it out, once."""
_PAGE = 200
_BETWEEN = "; "  # several values of one field in one cell


@dataclass(slots=True)
class Count:
    """``given`` people are in the file; the ``withheld`` ones may not be used for the purpose now."""

    given: int = 0
    withheld: int = 0


def export(purpose: str, form: Literal["csv", "vcard"], *, by: str, count: Count) -> Iterator[str]:
    """The file, piece by piece. ``count`` is filled on the way. Raises Problem for a purpose the policy does not declare."""
    declared, shapes = demand(purpose), publication.current().policy.fields
    fields = [each for each in declared.fields if each in shapes and shapes[each].category not in NOT_BY_LIST]
    if form == "csv":
        yield _line(["person", *fields])
    try:
        for person, values in _people(purpose, fields, by, count):
            if form == "csv":
                yield _line([str(person), *(armed(values.get(field, "")) for field in fields)])
            else:
                yield vcard.write(person, {name: values[field] for name, field in VCARD.items() if field in values})
    finally:  # also when whoever takes it out stops half-way: what left has left
        actions.record("people.exported", by, purpose=purpose, form=form, people=count.given, withheld=count.withheld)


approvals.act(ACT, needs=ACT)


def demand(purpose: str) -> Purpose:
    """The declared purpose of a list. Raises Problem `register.undeclared` for one the policy does not declare for persons."""
    declared = publication.current().policy.purposes.get(purpose)
    if declared is None or declared.scope != "person":
        raise Problem(
            "register.undeclared", "the policy declares no such purpose for persons", Place(key=purpose),
            law="GDPR 5(1)(b)", status=422,
        )  # fmt: skip
    return declared


def _people(purpose: str, fields: list[str], by: str, count: Count) -> Iterator[tuple[UUID, Mapping[str, str]]]:
    last: UUID | None = None
    while people := reads.people_for(purpose, last, _PAGE):
        last = people[-1]
        for person in people:
            if not reads.exists(person):  # nobody has confirmed yet that the address is theirs
                continue
            try:
                held = reads.holdings_of(person, purpose, by=by, fields=fields)
            except Problem as problem:
                if problem.code != "register.denied":
                    raise
                count.withheld += 1
                continue
            values: dict[str, str] = {}
            for each in held:
                values[each.field] = _BETWEEN.join(filter(None, (values.get(each.field), each.value)))
            count.given += 1
            yield person, values


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
