"""Whoever takes data outside the European Economic Area has a valid transfer tool on file first."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._recipients import EEA, RecipientOnFile, Recipients, TransferOnFile
from lofte.rules.controls._seen import host_matches

__all__ = ["CONTROL", "Recipients"]


def _judge(seen: Recipients, parameters: Mapping[str, Any]) -> Verdict:
    markets = frozenset(parameters.get("markets", ()))
    meant = [one for one in seen.on_file if not markets or one.markets & markets]
    tools = [(one, tool) for one in meant for tool in one.transfers if tool.country not in EEA]
    abroad = [one for one in meant if one.country not in EEA]
    bare = [one.id for one in abroad if one.country not in {tool.country for tool in one.transfers}]
    if toolless := bare + [f"{one.id} ({tool.country})" for one, tool in tools if not tool.tool]:
        return broken("no-tool", recipients=listed(toolless))
    if expired := [f"{one.id} ({tool.country}, {tool.valid_to})" for one, tool in tools if _is_over(tool, seen)]:
        return broken("expired", recipients=listed(expired))
    denied = [one for one in seen.denied if one.country not in EEA and (not markets or one.markets & markets)]
    if lapsed := [f"{one.recipient} ({one.country})" for one in denied if not one.is_unlisted]:
        return broken("denied", recipients=listed(lapsed))
    gone = [one for one in seen.moved if not one.is_allowed and (not markets or one.market in markets)]
    if gone:
        return broken("moved", recipients=listed(f"{one.recipient} ({one.country}: {one.count})" for one in gone))
    if seen.contacted is None:
        return unproved("declared-only", tools=len(tools))
    contacted = {(market, host) for market, host in seen.contacted if not markets or market in markets}
    if strays := sorted(f"{host} ({market})" for market, host in contacted if not _on_file(meant, host)):
        return broken("contacted", hosts=listed(strays))
    if denied:
        return unproved("unlisted", recipients=listed(f"{one.recipient} ({one.country})" for one in denied))
    return kept(tools=len(tools), hosts=len({host for _, host in contacted}))


def _is_over(tool: TransferOnFile, seen: Recipients) -> bool:
    return tool.valid_to is not None and tool.valid_to < seen.today


def _on_file(recipients: list[RecipientOnFile], host: str) -> bool:
    """Whether a host belongs to a recipient on file; otherwise nobody could say where the data went."""
    return any(host_matches(host, pattern) for one in recipients for pattern in one.hosts)


CONTROL = Control(
    id="transfer_tool_on_file",
    law=("GDPR 44", "GDPR 46", "GDPR 13(1)(f)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"publication", "browser"}),
    judge=_judge,
)
