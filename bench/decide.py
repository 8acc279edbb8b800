"""`scripts/bench decide`: what a decision costs in process, once the table of the policy in force is compiled.

Uses, sends and shares of the example policy, with agreements and transfer tools on file; questions drawn by a seeded generator, so
that no single one stays in a cache. Compiling is measured too: it is paid once for each publication, agreement or tool.
"""

import gc
import os
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from bench.case import Case, at_most

if TYPE_CHECKING:
    from lofte.core.decisions import Question, Table

BAR_US = 20.0
_ROUNDS, _QUESTIONS = 20, 5_000
_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
_POLICY = Path(__file__).parents[1] / "policies" / "xledger"
_EEA = ("SE", "NO", "FI")


def run() -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("LOFTE_HOME", home)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lofte.core.settings")
        import django

        django.setup()
        yield from _measured()


def _measured() -> Iterator[Case]:
    from lofte.core.decisions import Act, compiled

    published, agreements, on_file = _house()
    yield Case(
        "decide", "compile a table", round(_best(lambda: compiled(published, agreements, on_file)) / 1e6, 2), "ms"
    )
    table, draw = compiled(published, agreements, on_file), random.Random(20261122)  # a repeatable draw
    for act in Act:
        asked = [_question(draw, published, act) for _ in range(_QUESTIONS)]
        yield from _costs(table, act.value, asked)


def _house() -> tuple[Any, list[Any], list[Any]]:
    from lofte.core.country import Kind, OnFile
    from lofte.core.decisions import Agreement
    from lofte.features.policy.files import read_directory
    from lofte.rules.compile import compile_policy
    from lofte.rules.source import read

    published = compile_policy(read(read_directory(_POLICY)), _AT, None).published
    fields, first, last = frozenset({"name", "email", "phone"}), date(2026, 1, 1), date(2027, 12, 31)
    agreements = [
        Agreement(f"partners-{market.lower()}", frozenset({"contact", "answers"}), fields, market, first, last)
        for market in published.policy.markets
        for _ in range(20)
    ]
    on_file = [
        OnFile(Kind.LISTING, first, date(2026, 12, 31), name, "US", "listed") for name in ("google", "meta", "linkedin")
    ]
    return published, agreements, on_file


def _question(draw: random.Random, published: Any, act: Any) -> "tuple[Question, dict[str, Any], bool]":
    from lofte.core.decisions import Question
    from lofte.core.ports import Standing

    policy = published.policy
    purpose = draw.choice([key for key, each in policy.purposes.items() if each.scope == "person"])
    fields = frozenset(draw.sample(list(policy.fields), draw.randint(1, 4)))
    if draw.random() < 0.7:  # most systems ask for what the purpose has
        fields = frozenset(draw.sample(policy.purposes[purpose].fields, 1))
    recipient = draw.choice([*policy.recipients, "nobody"]) if act.value == "share" else ""
    market = draw.choice(list(policy.markets))
    said = draw.choice(["granted", "withdrawn", "objected", ""])
    standings = {purpose: Standing(purpose, said, _AT)} if said else {}
    approach = _approach(draw) if act.value == "send" and draw.random() < 0.7 else None
    question = Question(act, purpose, fields, recipient, "", market, approach)
    return question, standings, draw.random() < 0.05


def _approach(draw: random.Random) -> Any:
    """What is known of an address, as a campaign builds it anew for each person."""
    from lofte.rules.marketing import Approach, Channel, Who

    bought = draw.random() < 0.3
    return Approach(
        Channel.EMAIL, draw.choice(list(Who)), address_from="sale" if bought else "",
        address_obtained=date(2026, draw.randint(1, 12), draw.randint(1, 28)) if bought else None, own_similar=bought,
        optout_at_collection=bought, optout_in_message=True, sender_shown=True, postal_address=True,
    )  # fmt: skip


def _costs(table: "Table", act: str, asked: "list[tuple[Question, dict[str, Any], bool]]") -> Iterator[Case]:
    answer = table.answer
    taken: list[int] = []
    gc.disable()
    for turn in range(_ROUNDS):
        for question, standings, restricted in asked:
            began = perf_counter_ns()
            answer(question, standings, restricted, _AT)
            taken.append(perf_counter_ns() - began)
        if turn == 0:  # every kind of question has been met once; what came before is the first of its kind
            first, taken = sorted(taken), []
    gc.enable()
    taken.sort()
    yield at_most("decide", f"{act}: a decision, middle", _us(taken, 0.5), "us", BAR_US)
    yield at_most("decide", f"{act}: a decision, 99 of 100 below", _us(taken, 0.99), "us", BAR_US)
    yield Case("decide", f"{act}: of the first round, 99 of 100 below", round(_us(first, 0.99), 2), "us")


def _us(taken: list[int], share: float) -> float:
    return taken[int(share * (len(taken) - 1))] / 1000


def _best(work: Any) -> float:
    best = float("inf")
    for _ in range(5):
        began = perf_counter_ns()
        work()
        best = min(best, perf_counter_ns() - began)
    return best
