"""Finds a simulator: the AirSim that answers already, else the built-in one as a child process of our own."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airsim_seg.errors import SimulatorUnreachable, UsageError
from airsim_seg.simulators.airsim import DEFAULT_PORT, AirSimSimulator, load_client
from airsim_seg.simulators.rpc import port_answers

LOCALHOST = "127.0.0.1"
SETTINGS = '{"SettingsVersion": 1.2, "SimMode": "ComputerVision"}'
# Building a world and compiling its kernels for the first time takes 15-30 s on two cores; a busy machine needs more.
START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 5.0
_READY = "ready "
_KEPT_LINES = 5

Say = Callable[[str], None]


@contextmanager
def connect_or_start(environment: str, address: str | None, say: Say, world_seed: int = 0) -> Iterator[AirSimSimulator]:
    """Connect to the AirSim at an address; without one, to what answers on AirSim's own port, else to our own child.

    The child gets a port of its own, so that two collections at once never move one another's camera. It ends with
    the block, and with this process however that ends.

    Args:
        environment: which world the built-in simulator builds. What a running AirSim shows is taken on trust.
        address: "HOST:PORT" or None.
        say: called with a line about what is used and how its start goes.
        world_seed: which world of its kind that is; for our own child alone.

    Raises:
        UsageError: the address is no HOST:PORT.
        ClientMissing: airsim is not installed.
        SimulatorUnreachable: nothing answers at the address, or the built-in simulator did not start.
    """
    load_client()  # before anything is started: without it nothing can be done
    if address is not None:
        host, port = parse_address(address)
        with _guest(AirSimSimulator(host, port)) as simulator:
            say(f"using the AirSim at {host}:{port}")
            yield simulator
        return
    found = _try_default_port(say)
    if found is not None:
        with _guest(found) as simulator:
            yield simulator
        return
    say(f"no AirSim answers at {LOCALHOST}:{DEFAULT_PORT}: starting the built-in simulator")
    with _child(environment, world_seed, say) as port:
        simulator = AirSimSimulator(LOCALHOST, port)
        try:
            yield simulator
        finally:
            simulator.close()


def parse_address(text: str) -> tuple[str, int]:
    """ "HOST:PORT" or "HOST" (port 41451) as a pair.

    Raises:
        UsageError: neither.
    """
    host, colon, port_text = text.rpartition(":")
    if not colon:
        host, port_text = text, str(DEFAULT_PORT)
    if not host or not port_text.isdecimal() or not 0 < int(port_text) < 65536:
        raise UsageError(f"--sim takes HOST:PORT, for example {LOCALHOST}:{DEFAULT_PORT}, not {text!r}.")
    return host.strip("[]"), int(port_text)


def _try_default_port(say: Say) -> AirSimSimulator | None:
    if not port_answers(LOCALHOST, DEFAULT_PORT):
        return None
    try:
        simulator = AirSimSimulator(LOCALHOST, DEFAULT_PORT)
    except SimulatorUnreachable as error:
        say(f"not used: {error}")
        return None
    say(f"using the AirSim that answers at {LOCALHOST}:{DEFAULT_PORT}")
    return simulator


@contextmanager
def _guest(simulator: AirSimSimulator) -> Iterator[AirSimSimulator]:
    """Leave a simulator that is not ours running, as it was found."""
    try:
        yield simulator
    finally:
        simulator.resume()
        simulator.close()


@contextmanager
def _child(environment: str, world_seed: int, say: Say) -> Iterator[int]:
    """Run `airsim-seg sim` until the block ends; gives its port."""
    # Settings of its own: a settings.json for AirSim that lies about must not change what is collected.
    command = [sys.executable, "-m", "airsim_seg", "sim", "--env", environment, "--port", "0", "--settings", SETTINGS]
    process = subprocess.Popen(
        [*command, "--world-seed", str(world_seed), "--paused", "--parent-pid", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # Ctrl-C is ours to answer: the frame in hand is still drawn
    )
    try:
        yield _wait_until_ready(process, say)
    finally:
        _stop(process)


def _wait_until_ready(process: "subprocess.Popen[str]", say: Say) -> int:
    """Pass the child's lines on until it says ready; returns its port."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        # To the very end, also after "ready": a full pipe would stop the child.
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                lines.put(line.rstrip())
        lines.put(None)

    threading.Thread(target=read, name="simulator-output", daemon=True).start()
    deadline = time.monotonic() + START_TIMEOUT_S
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise SimulatorUnreachable(
                f"the built-in simulator was not ready after {START_TIMEOUT_S:g} s (its last line: "
                f"{last[-1] if last else 'none'}); start it by hand to see why: airsim-seg sim --vehicle camera"
            ) from None
        if line is None:
            told = last[-1] if last else "it said nothing"
            raise SimulatorUnreachable(f"the built-in simulator ended during its start: {told}")
        if line.startswith(_READY):
            return int(line.rpartition(":")[2])
        if line:
            last.append(line)
            say(f"simulator: {line}")


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
