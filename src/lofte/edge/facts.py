"""What a decision becomes in the log: a fact without any person in it, and sealed apart, whose browser it was."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from lofte.edge.judge import Decision
from lofte.kernel.canonical import canonical_bytes
from lofte.kernel.instants import rfc3339
from lofte.rules.signals import answered_by_signal


def consent_fact(
    *, action: str, at: str, market: str, locale: str, publication: str, wording: str, method: str, gpc: bool,
    choices: Mapping[str, bool], objected: Iterable[str] = (),
) -> bytes:  # fmt: skip
    """The fact of one decision, canonical. ``choices`` names every purpose that can be decided: true is granted.

    ``objected`` are the purposes that Global Privacy Control says no to; ``after_gpc`` marks a grant of one of them although the
    browser sent it: it holds for this site because it is explicit and later (W3C GPC; Colorado 4 CCR 904-3 rule 5.09).
    """
    fact: dict[str, Any] = {
        "action": action, "at": at, "choices": dict(choices), "gpc": gpc, "locale": locale, "market": market,
        "method": method, "publication": publication, "wording": wording,
    }  # fmt: skip
    if gpc and any(choices.get(purpose) for purpose in objected):
        fact["after_gpc"] = True
    return canonical_bytes(fact)


def consent_who(subject: str, token: str, previous: int | None) -> bytes:
    """Whose decision: the subject, and the index of the same browser's decision before this one.

    Written by hand for speed; the parts are base64url and digits, so the bytes are canonical (see test_facts).
    """
    if previous is None:
        return f'{{"subject":"{subject}","token":"{token}"}}'.encode()
    return f'{{"previous":{previous},"subject":"{subject}","token":"{token}"}}'.encode()


class FactBook:
    """Facts of one second: visitors who decide the same in the same second share the same bytes."""

    def __init__(self) -> None:
        self._second = -1
        self._at = ""
        self._made: dict[tuple[object, ...], bytes] = {}

    def fact(self, now_s: int, decision: Decision) -> bytes:
        """The fact of a decision taken at ``now_s`` (Unix seconds, server time)."""
        if now_s != self._second:
            self._second, self._at = now_s, rfc3339(datetime.fromtimestamp(now_s, UTC))
            self._made.clear()
        shown, method, gpc = decision.shown, decision.token.method, decision.gpc
        key = (decision.publication.digest, shown.market, shown.locale, decision.wording, method, decision.action, gpc,
               decision.granted)  # fmt: skip
        made = self._made.get(key)
        if made is None:
            policy = decision.publication.published.policy
            made = self._made[key] = consent_fact(
                action=decision.action, at=self._at, market=shown.market, locale=shown.locale,
                publication=decision.publication.digest, wording=decision.wording, method=method, gpc=gpc,
                choices={purpose: purpose in decision.granted for purpose in shown.decidable},
                objected=answered_by_signal(policy, shown.market) if gpc else (),
            )  # fmt: skip
        return made
