"""The collector looks seldom while very much is made, on whichever threads, and as before when all of them are done."""

import gc
import threading

from lofte.core import collector


def test_it_looks_seldom_until_the_last_is_done_and_then_as_before():
    before, both, one_is_done = gc.get_threshold(), threading.Barrier(2), threading.Event()

    def other() -> None:
        with collector.seldom():
            both.wait(10)
            one_is_done.wait(10)
            seen.append(gc.get_threshold()[0])

    seen: list[int] = []
    thread = threading.Thread(target=other)
    with collector.seldom():
        thread.start()
        both.wait(10)
        seen.append(gc.get_threshold()[0])
    one_is_done.set()
    thread.join()

    assert seen == [200_000, 200_000]
    assert gc.get_threshold() == before
