"""Python's collector of reference cycles, and when it need not look often.

It looks at everything that is young whenever seven hundred new objects are there, and now and then at all there is. Where hundreds
of thousands of rows, ids and texts are made and let go of without a cycle among them, that is a fifth of the work, for nothing.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 200_000  # new objects between two looks: some ten megabytes
_held = threading.Lock()
_inside, _before = 0, (700, 10, 10)


@contextmanager
def seldom() -> Iterator[None]:
    """Within it, on whichever threads, the collector looks seldom; what it finds then is bounded as before. May be nested."""
    global _inside, _before
    with _held:
        if _inside == 0:
            _before = gc.get_threshold()
            gc.set_threshold(max(_YOUNG, _before[0]), *_before[1:])
        _inside += 1
    try:
        yield
    finally:
        with _held:
            _inside -= 1
            if _inside == 0:
                gc.set_threshold(*_before)
