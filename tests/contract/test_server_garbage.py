"""What must never hurt the server: rubbish, halves, crowds, and clients that never read."""

import asyncio
import contextlib
import logging
import resource
import socket
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import numpy as np
import pytest

from airsim_seg.builtin import wire
from airsim_seg.builtin.server import HOST, MAX_CALLS_IN_FLIGHT, MAX_CONNECTIONS, Server, bind, is_loopback
from airsim_seg.errors import PortInUse

DEADLINE_S = 20.0
MEGABYTE = 2**20
PING = msgpack.packb([0, 1, "ping", []])
PONG = msgpack.packb([1, 1, None, "pong"])


class Served:
    """A server without a world in a thread of its own: it knows a few calls."""

    def __init__(self, **limits: int) -> None:
        self._started, self.made, self.late = threading.Event(), 0, 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(limits)))
        self._thread.start()
        assert self._started.wait(DEADLINE_S)

    async def _serve(self, limits: dict[str, int]) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        self.waiting: asyncio.Future[str] = self._loop.create_future()
        server = Server(self._dispatch, **limits)
        self.port = await server.start(bind(0))
        self._started.set()
        await self._stop.wait()
        await server.close()

    async def _dispatch(self, method: str, _: object) -> object:
        self.made += 1
        if method == "picture":
            return wire.binary(bytes(MEGABYTE))
        if method == "late picture":
            self.late += 1
            await asyncio.shield(self.waiting)
            return wire.binary(bytes(MEGABYTE))
        if method == "wait":
            return await asyncio.shield(self.waiting)
        return {"ping": "pong", "nonsense": object(), "large": 2**70}.get(method, method)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "the server did not end"

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), DEADLINE_S)


@pytest.fixture
def serve(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Served]]:
    """Starts servers; none may have met a fault of its own."""
    caplog.set_level(logging.WARNING)
    running: list[Served] = []

    def start(**limits: int) -> Served:
        running.append(Served(**limits))
        return running[-1]

    yield start
    for served in running:
        served.close()


def is_answered(sock: socket.socket) -> bool:
    """Whether a ping comes back."""
    with contextlib.suppress(ConnectionError):
        sock.sendall(PING)
        return received(sock, len(PONG)) == PONG
    return False


def received(sock: socket.socket, count: int) -> bytes:
    """As many bytes, or all until the end of the connection."""
    found = bytearray()
    with contextlib.suppress(ConnectionError):
        while len(found) < count and (data := sock.recv(count - len(found))):
            found += data
    return bytes(found)


def is_closed_by_peer(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def rubbish(rng: np.random.Generator) -> bytes:
    """Valid messages with bytes changed, cut out and doubled, or bytes of no meaning at all."""
    kinds: list[Any] = [
        [0, int(rng.integers(2**32)), "ping", [1.5, {"x_val": 2}, [None, True]]],
        [2, "ping", ["a" * int(rng.integers(40))]],
        [0, 1, "ping", [[[]] * 5, {"a": {"b": b"c"}}, -(2**63), 2**64 - 1]],
    ]
    message = bytearray(b"".join(msgpack.packb(kinds[k]) for k in rng.integers(0, len(kinds), 3)))
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(len(message)))
        match int(rng.integers(4)):
            case 0:
                message[at] = int(rng.integers(256))
            case 1:
                del message[at : at + int(rng.integers(1, 9))]
            case 2:
                message[at:at] = message[:at]
            case _:
                message[at:at] = rng.bytes(int(rng.integers(1, 30)))
        message = message or bytearray(b"\xc1")
    return bytes(message)


def test_a_thousand_kinds_of_rubbish_disturb_nobody_else(serve, caplog) -> None:
    served, rng = serve(), np.random.default_rng(3)
    with served.connect() as steady:
        for number in range(1000):
            with served.connect() as hostile, contextlib.suppress(ConnectionError):
                hostile.sendall(rubbish(rng))
                if number % 3 == 0:  # vanish with a reset instead of a farewell
                    hostile.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if number % 50 == 0:
                assert is_answered(steady)
        assert is_answered(steady)
    assert not caplog.records, "a fault of ours"


def test_every_half_of_a_message_waits_for_the_other_or_is_forgotten(serve) -> None:
    served = serve()
    message = msgpack.packb([0, 1, "ping", [{"x_val": 1.5, "names": ["a", b"b"]}, -7, None]])
    halves = []
    for cut in range(len(message)):
        with served.connect() as leaver:
            leaver.sendall(message[:cut])
        halves.append(served.connect())
        halves[-1].sendall(message[:cut])
    for cut, sock in reversed(list(enumerate(halves))):
        with sock:
            sock.sendall(message[cut:])
            assert received(sock, len(PONG)) == PONG


def test_ten_thousand_connections_one_after_the_other(serve, caplog) -> None:
    served = serve()
    with served.connect() as steady:
        assert is_answered(steady)
        for number in range(10_000):
            with served.connect() as visitor:
                if number % 100 == 0:
                    assert is_answered(visitor)
        assert is_answered(steady)
    assert not caplog.records


def test_a_crowd_at_once_locks_nobody_out(serve, caplog) -> None:
    served = serve()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    with served.connect() as steady, contextlib.ExitStack() as crowd:
        assert is_answered(steady)
        # Their side and the server's are files of this process.
        for _ in range(min(5_000, most - MAX_CONNECTIONS - 300)):
            crowd.enter_context(served.connect())
        assert is_answered(steady), "who has called is not dropped for who has not"
        with served.connect() as late:
            assert is_answered(late)
    assert not caplog.records


def test_the_most_silent_makes_room_and_who_waits_for_an_answer_does_not(serve) -> None:
    served = serve(max_connections=3)
    with served.connect() as waits, served.connect() as first, served.connect() as second:
        assert is_answered(waits)
        waits.sendall(msgpack.packb([0, 1, "wait", []]))
        assert is_answered(first)
        assert is_answered(second)
        assert is_answered(first)
        with served.connect() as newcomer:
            assert is_answered(newcomer)
            assert is_closed_by_peer(second)
            assert is_answered(first)
        served._loop.call_soon_threadsafe(served.waiting.set_result, "pong")
        assert received(waits, len(PONG)) == PONG


def test_for_who_never_reads_no_more_answers_are_made(serve) -> None:
    served = serve()
    with served.connect() as greedy, served.connect() as patient:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        greedy.sendall(msgpack.packb([0, 1, "picture", []]) * 5000)
        patient.sendall(msgpack.packb([0, 1, "picture", []]) * 40)
        assert len(received(patient, 40 * MEGABYTE)) == 40 * MEGABYTE
        # A few megabytes of 5,000 are in the kernel, and one answer lies with the server.
        assert served.made - 40 < 20
        assert len(received(greedy, 30 * MEGABYTE)) == 30 * MEGABYTE, "who comes round gets what was asked for"


def test_who_leaves_finished_answers_unread_is_cut_off_and_the_memory_is_bounded(serve) -> None:
    served = serve(max_unread_bytes=8 * MEGABYTE)
    with served.connect() as greedy, served.connect() as patient:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        greedy.sendall(msgpack.packb([0, 1, "late picture", []]) * MAX_CALLS_IN_FLIGHT)
        while served.late < MAX_CALLS_IN_FLIGHT:
            assert is_answered(patient)
        served._loop.call_soon_threadsafe(served.waiting.set_result, "")
        assert is_answered(patient)
        assert len(received(greedy, MAX_CALLS_IN_FLIGHT * MEGABYTE)) < 24 * MEGABYTE
        assert is_answered(patient)


def test_large_calls_of_one_client_are_not_all_held_at_once(serve) -> None:
    """Each has 0.6 of the elements that a client's calls may hold together, and none of them ends by itself."""
    served = serve()
    row = [None] * 60_000
    large = msgpack.packb([0, 1, "late picture", [[row] * 10]])
    with served.connect() as greedy, served.connect() as patient:
        greedy.sendall(large * 3)
        while served.late < 1:
            assert is_answered(patient)
        for _ in range(20):
            assert is_answered(patient)
        assert served.late == 1, "the others wait for the first"
        served._loop.call_soon_threadsafe(served.waiting.set_result, "")
        assert len(received(greedy, 3 * MEGABYTE)) == 3 * MEGABYTE
        assert served.late == 3


def test_one_answer_may_be_larger_than_all_that_may_wait(serve) -> None:
    served = serve(max_unread_bytes=1000)
    with served.connect() as client:
        client.sendall(msgpack.packb([0, 1, "picture", []]))
        assert len(received(client, MEGABYTE)) == MEGABYTE
        received(client, 9)  # its header came first
        assert is_answered(client)


def test_names_that_are_no_text_come_back_as_they_were(serve, caplog) -> None:
    with serve().connect() as client:
        client.sendall(b"\x94\x00\x01\xa3\xff\xed\xa0\x90")
        assert received(client, 8) == b"\x94\x01\x01\xc0\xa3\xff\xed\xa0"
    assert not caplog.records


@pytest.mark.parametrize("method", ["nonsense", "large"])
def test_a_result_that_cannot_be_packed_is_an_error_to_the_caller(serve, caplog, method) -> None:
    with serve().connect() as client:
        client.sendall(msgpack.packb([0, 1, method, []]))
        unpacker = msgpack.Unpacker()
        while not (messages := list(unpacker)):
            unpacker.feed(client.recv(4096))
        assert "could not be packed" in messages[0][2]
        caplog.clear()
        client.sendall(PING)
        assert received(client, len(PONG)) == PONG


@pytest.mark.parametrize(("host", "expected"), [(HOST, True), ("localhost", True), ("0.0.0.0", False)])
def test_only_loopback_keeps_others_out(host: str, expected: bool) -> None:
    with bind(0, host) as sock:
        assert is_loopback(sock) is expected


def test_the_default_is_loopback() -> None:
    with bind(0) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["no such host", "203.0.113.7", "a" * 300])
def test_a_host_that_is_not_ours_is_refused_in_one_sentence(host: str) -> None:
    with pytest.raises(PortInUse, match=f"on {host} cannot be served .*--port or --host"):
        bind(0, host)


def test_who_says_no_more_still_gets_all_answers(serve) -> None:
    served = serve()
    with socket.create_connection((HOST, served.port), timeout=DEADLINE_S) as sock:
        sock.sendall(msgpack.packb([0, 7, "wait", []]) + PING)
        sock.shutdown(socket.SHUT_WR)
        assert received(sock, len(PONG)) == PONG, "answered while the other call still runs"
        served._loop.call_soon_threadsafe(served.waiting.set_result, "late")
        late = msgpack.packb([1, 7, None, "late"])
        assert received(sock, len(late)) == late
        assert sock.recv(1) == b"", "and then the connection ends"


def test_who_says_no_more_in_the_middle_of_a_message_gets_the_answers_to_the_others(serve) -> None:
    with socket.create_connection((HOST, serve().port), timeout=DEADLINE_S) as sock:
        sock.sendall(PING + PING[:-2])
        sock.shutdown(socket.SHUT_WR)
        assert received(sock, len(PONG)) == PONG
        assert sock.recv(1) == b""


def test_who_has_hung_up_without_its_answer_makes_room_for_others(serve) -> None:
    served = serve(max_connections=2)
    for _ in range(5):
        with socket.create_connection((HOST, served.port), timeout=DEADLINE_S) as gone:
            gone.sendall(msgpack.packb([0, 7, "wait", []]))
    with socket.create_connection((HOST, served.port), timeout=DEADLINE_S) as sock:
        assert is_answered(sock)


ARRAY, MAP = b"\xdc\xff\xff", b"\xde\xff\xff"


@pytest.mark.parametrize(
    "inside",
    [ARRAY + b"\x90" * 65_535, ARRAY + b"\x80" * 65_535, ARRAY + b"\xe0" * 65_535, ARRAY + b"\x91\xc0" * 65_535],
    ids=["empty arrays", "empty maps", "numbers", "arrays of one"],
)
def test_a_message_takes_little_more_memory_than_a_million_values(serve, inside: bytes) -> None:
    served = serve()
    message = b"\x94\x00\x01\xa4ping" + b"\xdc\x00\xf0" + inside * (wire.MAX_MESSAGE_BYTES // len(inside))
    tracemalloc.start()
    try:
        with socket.create_connection((HOST, served.port), timeout=DEADLINE_S) as sock:
            with contextlib.suppress(OSError):  # the server hangs up before all is said
                sock.sendall(message[: wire.MAX_MESSAGE_BYTES - MEGABYTE])
            assert is_closed_by_peer(sock)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 130 * MEGABYTE, "without the bound it is above 600"
    assert served.made == 0


def test_the_largest_message_that_has_a_meaning_is_taken() -> None:
    pose = {"position": dict.fromkeys(("x_val", "y_val", "z_val"), 1.5), "orientation": dict.fromkeys("wxyz", 0.5)}
    count = wire.MAX_ELEMENTS
    message = [0, 1, "simPlotTransformsWithNames", [[pose] * count, ["a"] * count, 1.0, 1.0, 1.0, [1.0] * 4, 1.0]]
    unpacker = wire.MessageUnpacker()
    packed = msgpack.packb(message)
    for k in range(2):  # the count begins anew with each message
        unpacker.feed(packed)
        [call] = map(wire.read_call, unpacker)
        assert len(call.args[0]) == count, k
