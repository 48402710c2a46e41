"""Ctrl-C between two steps: an optimiser that is stopped half-way leaves weights that belong to no step."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Keep the first Ctrl-C for later: inside, the yielded function says whether it came.

    A second Ctrl-C raises KeyboardInterrupt at once. Outside the main thread nothing changes: signals do not go there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = False

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
