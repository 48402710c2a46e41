"""The one task that a multirotor has at a time, and who waits for it (MultirotorApiBase.hpp, SingleCall)."""

import asyncio
from collections.abc import Generator

COMMAND_PERIOD_NS = 20_000_000

# A move: it commands at its first step and every 20 ms then, until it returns whether it came to its end.
Task = Generator[None, None, bool]


class Errand:
    """Gives a task its turns, and tells its caller how it ended."""

    def __init__(self) -> None:
        """Begin without one."""
        self._task: Task | None = None
        self._done: asyncio.Future[bool] | None = None
        self._due_ns = 0

    @property
    def is_on(self) -> bool:
        """Whether there is a task."""
        return self._task is not None

    def begin(self, task: Task, time_ns: int) -> asyncio.Future[bool]:
        """Start a task, and give it its first turn; the one that runs ends with False.

        Args:
            task: see Task.
            time_ns: the clock.

        Returns:
            A future of the running event loop: what the task returns, or False where another took its place.

        Raises:
            ApiError: the task refuses what it was given.
        """
        self.cancel()
        self._task, self._done = task, asyncio.get_running_loop().create_future()
        done = self._done
        try:
            self._command(time_ns)
        except Exception:
            self._task = self._done = None
            raise
        return done

    def go_on(self, time_ns: int) -> None:
        """A turn of the task, if it is time to; nobody waits for its exceptions here but the caller of the move."""
        if self._task is None or time_ns < self._due_ns:
            return
        try:
            self._command(time_ns)
        except Exception as error:  # for the dispatcher, which tells refusals from faults
            if self._done is not None and not self._done.done():
                self._done.set_exception(error)
            self._task = self._done = None

    def cancel(self) -> None:
        """End the task with False."""
        self._finish(False)

    def _command(self, time_ns: int) -> None:
        assert self._task is not None
        self._due_ns = time_ns + COMMAND_PERIOD_NS
        try:
            next(self._task)
        except StopIteration as ended:
            self._finish(ended.value)

    def _finish(self, outcome: bool) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(outcome)
        self._task = self._done = None
