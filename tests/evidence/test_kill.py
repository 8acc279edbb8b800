"""kill -9 at random moments: no acknowledged entry is missing, and no size ever has two roots."""

from collections.abc import Callable
from typing import Any

import pytest

from lofte.evidence.log import Draft

Drill = Callable[[Any, int, int], None]


@pytest.mark.parametrize("seed", [6962])
def test_a_killed_log_keeps_all_it_acknowledged_and_never_signs_two_roots(house: Any, drill: Drill, seed: int) -> None:
    drill(house, 10, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_a_log_killed_a_thousand_times_keeps_all_it_acknowledged(house: Any, drill: Drill, seed: int) -> None:
    drill(house, 100, seed)


def test_a_kill_between_commit_and_answer_gives_the_same_entry_to_the_second_try(
    house: Any, draft: Callable[..., Draft]
) -> None:
    """The entry is durable but its caller never heard: asking again with the same key finds it."""
    log = house.open()
    log._sign_new = _die  # stands for the process ending at this point
    future = log.submit(draft(0))
    assert future.exception(10) is not None
    log.close()

    again = house.open()
    assert again.size() == 1
    assert again.append_and_wait(draft(0)).index == 0
    assert again.size() == 1


def _die(_: object) -> str:
    raise RuntimeError
