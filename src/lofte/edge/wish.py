"""A decision as it arrived, before anything in it is believed. JSON from the script, a form from everyone else."""

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from pydantic_core import from_json

from lofte.edge.refusals import Refusal, Refused

DECIDE, WITHDRAW = "decide", "withdraw"
_DECISIONS = {"": DECIDE, "accept": DECIDE, "reject": DECIDE, "save": DECIDE, "withdraw": WITHDRAW}


_ONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Wish(NamedTuple):
    """``choices`` are the purposes named; ``accepts_all`` is the accept button. Purposes not named count as refused.

    ``once`` is random, from the script of a page that is the same for everybody: a decision sent again is the same decision.
    ``gpc``: our script saw Global Privacy Control in the page, where some browsers say it without saying it to the server.
    """

    token: str
    market: str
    locale: str
    publication: str
    wording: str
    action: str
    choices: dict[str, bool]
    accepts_all: bool
    back: str
    once: str = ""
    gpc: bool = False


def read_json(body: bytes) -> Wish:
    """Raises Refused(malformed) unless the body is one JSON object of the documented members and types."""
    try:
        sent = from_json(body, cache_strings="keys")
    except ValueError:
        raise Refused(Refusal.MALFORMED) from None
    if type(sent) is not dict:
        raise Refused(Refusal.MALFORMED)
    action, choices = sent.get("action", DECIDE), sent.get("choices", {})
    if action not in (DECIDE, WITHDRAW) or type(choices) is not dict:
        raise Refused(Refusal.MALFORMED)
    for allowed in choices.values():
        if allowed is not True and allowed is not False:
            raise Refused(Refusal.MALFORMED)
    texts = _texts(sent)
    return Wish(*texts, action, {} if action == WITHDRAW else choices, False, "", _once(sent), sent.get("gpc") is True)


def read_form(body: bytes) -> Wish:
    """As read_json, for `application/x-www-form-urlencoded`; a ticked box is `choice.<purpose>=on`."""
    try:
        sent = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=100, errors="strict"))
    except ValueError:
        raise Refused(Refusal.MALFORMED) from None
    decision = sent.get("decision", "")
    if decision not in _DECISIONS:
        raise Refused(Refusal.MALFORMED)
    ticked = {name.removeprefix("choice."): True for name in sent if name.startswith("choice.")}
    choices = ticked if decision in ("", "save") else {}
    return Wish(*_texts(sent), _DECISIONS[decision], choices, decision == "accept", sent.get("back", ""), _once(sent),
                sent.get("gpc") == "1")  # fmt: skip


def _texts(sent: dict[str, Any]) -> tuple[str, str, str, str, str]:
    get = sent.get
    token, market, locale = get("token"), get("market"), get("locale")
    publication, wording = get("publication"), get("wording")
    if not (type(token) is type(market) is type(locale) is type(publication) is type(wording) is str):
        raise Refused(Refusal.MALFORMED)
    return token, market, locale, publication, wording


def _once(sent: dict[str, Any]) -> str:
    once = sent.get("once", "")
    if type(once) is not str or not (once == "" or _ONCE.fullmatch(once)):
        raise Refused(Refusal.MALFORMED)
    return once
