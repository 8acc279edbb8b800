"""Data that leaves the area: no country without a tool, no tool past its day."""

from collections.abc import Iterator
from datetime import date

from lofte.kernel.problems import Problem
from lofte.rules.checks.case import Case
from lofte.rules.codes import fault
from lofte.rules.model import MarketId, Recipient, Transfer, TransferTool
from lofte.rules.packs import LawPack, free_area, normal_country, transfer_ground

_UK_INSTRUMENTS = ("uk extension", "idta", "addendum", "si 2023/1028")


def problems(case: Case) -> Iterator[Problem]:
    for key, recipient in case.policy.recipients.items():
        said: set[tuple[str, str]] = set()
        for problem in _of_recipient(case, key, recipient):
            if (problem.code, problem.place.key) not in said:  # one fault, whichever markets it hits
                said.add((problem.code, problem.place.key))
                yield problem


def needs_tool(pack: LawPack, country: str) -> bool:
    """Whether sending to a country needs a transfer tool under a market's law."""
    area = free_area(pack)
    return area is not None and normal_country(country) not in area | {pack.country}


def lawful(pack: LawPack, transfer: Transfer, at: date) -> bool:
    """Whether a declared transfer rests on a tool that is valid on a day."""
    if transfer.valid_to and date.fromisoformat(transfer.valid_to) < at:
        return False
    ground = transfer_ground(pack, transfer.country, transfer.tool, at)
    return ground is not None and not (ground.needs_assessment and transfer.assessed is None)


def markets_of(case: Case, recipient: Recipient) -> list[MarketId]:
    """The declared markets a recipient serves; an empty list means all of them."""
    return [market for market in recipient.markets or case.policy.markets if market in case.policy.markets]


def _of_recipient(case: Case, key: str, recipient: Recipient) -> Iterator[Problem]:
    covered = {normal_country(transfer.country) for transfer in recipient.transfers}
    for market in markets_of(case, recipient):
        pack = case.pack(market)
        if pack is None:
            continue
        country = normal_country(recipient.country)
        if needs_tool(pack, country) and country not in covered:
            detail = f"{recipient.name} is in {country}, outside the area {market} may send to freely"
            place = case.place("recipients", key, "country")
            yield fault("transfer.no-tool", detail, place, expected=f"a `transfers` entry for {country}")
        for index, transfer in enumerate(recipient.transfers):
            if needs_tool(pack, transfer.country):
                yield from _of_transfer(case, key, index, transfer, market, pack)


def _of_transfer(
    case: Case, key: str, index: int, transfer: Transfer, market: MarketId, pack: LawPack
) -> Iterator[Problem]:
    path = ("recipients", key, "transfers", index)
    if transfer.valid_to and date.fromisoformat(transfer.valid_to) < case.at:
        detail = f"the tool for {transfer.country} ended on {transfer.valid_to}"
        yield fault("transfer.expired", detail, case.place(*path, "valid_to"), expected=f"a tool valid on {case.at}")
        return
    ground = transfer_ground(pack, transfer.country, transfer.tool, case.at)
    if ground is None:
        detail = f"no {transfer.tool.value} decision lets {market} send to {transfer.country} on {case.at}"
        yield fault(
            "transfer.no-decision",
            detail,
            case.place(*path, "tool"),
            expected="`scc` with `assessed`, or another ground",
        )
    elif ground.needs_assessment and transfer.assessed is None:
        detail = f"{transfer.tool.value} for {transfer.country} without an assessment"
        yield fault("transfer.not-assessed", detail, case.place(*path), expected="`assessed`")
    elif pack.regime == "gb" and transfer.tool in (TransferTool.DPF, TransferTool.SCC) and not _names_uk(transfer):
        detail = f"{market} sends to {transfer.country} and the reference names no UK instrument"
        yield fault("transfer.uk-instrument", detail, case.place(*path, "reference"), expected=ground.reference)


def _names_uk(transfer: Transfer) -> bool:
    return any(name in transfer.reference.lower() for name in _UK_INSTRUMENTS)
