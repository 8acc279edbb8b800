"""A policy that asks before it erases, keeps vouchers by law and brakes."""

from collections.abc import Callable
from typing import Any

import pytest


def careful(policy: dict[str, Any]) -> None:
    policy["clocks"]["inactivity"]["signals"].append("kept")
    policy["clocks"]["inactivity"].update(warn="P30D", grace="P14D")
    policy["purposes"]["accounting"]["record"] = "voucher"
    policy["retention"] = {"brake": {"people": 3, "share": 0.7, "least": 2}}


@pytest.fixture
def asking(published: Any, republish: Callable[..., Any]) -> Any:
    """The publication in force asks, keeps records and brakes."""
    return republish(careful)


@pytest.fixture
def stricter(republish: Callable[..., Any]) -> Callable[..., Any]:
    """The careful policy with one more change: ``stricter(change)``."""

    def again(change: Callable[[dict[str, Any]], object]) -> Any:
        def both(policy: dict[str, Any]) -> None:
            careful(policy)
            change(policy)

        return republish(both, "2026-03")

    return again
