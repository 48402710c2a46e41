"""AirSim's RPC session with manners: lost connections are noticed at once, and every failure is a sentence.

Sources: the error texts are rpclib 2.3.0's (dispatcher.cc), which every AirSim carries; how the client's session fails
was read off the msgpackrpc module of rpc-msgpack 0.6 and msgpack-rpc-python 0.4.1.
"""

import importlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from airsim_seg.errors import SimulatorError, SimulatorLost

# What rpclib says when client and server disagree on a function: an old AirSim.
_DISAGREEMENTS = ("could not find function", "invalid number of arguments", "bad_cast")


class RefusedCall(SimulatorError):
    """The simulator answered a call with an error of its own."""


def port_answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """True where something accepts a TCP connection; the client itself gives up within a millisecond."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


class WatchedSession:
    """A msgpackrpc session that raises this package's errors, and at once.

    Left to itself the session under it connects again when the other side hangs up, and whoever waits for an answer
    waits for the time-out. So it is told not to; then it says that the connection is lost.
    """

    def __init__(self, session: Any, address: str, timeout_s: int) -> None:
        self._session = session
        self._address = address
        self._timeout_s = timeout_s
        self._errors = importlib.import_module("msgpackrpc.error")
        if hasattr(session, "_transport"):
            session._transport._reconnect_limit = 0

    def call(self, method: str, *args: Any) -> Any:
        """Call and wait; see begin."""
        return self.begin(method, *args)()

    def begin(self, method: str, *args: Any) -> Callable[[], Any]:
        """Call and go on.

        Returns:
            What waits for the answer and gives it.

        Raises:
            SimulatorLost: at once or when waited for: no answer in time, or the connection broke.
            RefusedCall: when waited for: the simulator answered with an error.
        """
        with self._telling(method):
            future = self._start(method, *args)

        def wait() -> Any:
            with self._telling(method):
                return future.get()

        return wait

    @contextmanager
    def _telling(self, method: str) -> Iterator[None]:
        """Put the client's errors into words."""
        try:
            yield
        except self._errors.TimeoutError as error:
            raise SimulatorLost(
                f"the simulator at {self._address} did not answer {method} within {self._timeout_s} s: it hangs or "
                f"shows a dialogue; start it again and repeat the command, which goes on where it stopped."
            ) from error
        except (self._errors.TransportError, OSError) as error:
            raise SimulatorLost(
                f"the simulator at {self._address} closed the connection during {method}: it ended or crashed; start "
                f"it again and repeat the command, which goes on where it stopped."
            ) from error
        except self._errors.RPCError as error:
            raise RefusedCall(self._refusal(method, str(error))) from error

    def call_async(self, method: str, *args: Any) -> Any:
        """Start a call; the future's get() raises the client's own errors."""
        return self._start(method, *args)

    def close(self) -> None:
        """Hang up, and stop the clock of the session's time-outs."""
        loop = getattr(self._session, "_loop", None)
        if loop is not None:
            loop.dettach_periodic_callback()
        self._session.close()

    def _start(self, method: str, *args: Any) -> Any:
        future = self._session.call_async(method, *args)
        task = getattr(future, "task", None)  # msgpack-rpc-python has none
        if task is not None:
            task.add_done_callback(self._on_task_done)
        return future

    def _on_task_done(self, task: Any) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._session.on_connect_failed(self._errors.TransportError("connection lost"))

    def _refusal(self, method: str, text: str) -> str:
        if any(part in text for part in _DISAGREEMENTS):
            return (
                f"the simulator at {self._address} does not understand {method} as the airsim 1.8.1 client sends it "
                f"({text}); use AirSim 1.6 or later, or the built-in simulator."
            )
        return f"the simulator at {self._address} refused {method}: {text}"
