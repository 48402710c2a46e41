"""AirSim's RPC for one event loop: many calls under way on one connection, so that a key never waits for a picture.

The official client blocks its thread for each call, and belongs to the thread that made it; the viewer has pictures,
states and commands to ask for at once. What goes over the wire is the same: a request is [0, id, method, [arguments]],
its reply [1, id, error, result], text and bytes packed as the client packs them (raw strings, no bin).
"""

import asyncio
import contextlib
import itertools
from typing import Any

import msgpack

from airsim_seg.errors import SimulatorLost, SimulatorUnreachable
from airsim_seg.simulators.rpc import RefusedCall

READ_BYTES = 2**20
# Room for the pictures of an 8K camera.
MAX_MESSAGE_BYTES = 2**28
CONNECT_TIMEOUT_S = 3.0
HANDSHAKE_TIMEOUT_S = 5.0
CALL_TIMEOUT_S = 10.0
AIRSIM_RPC_VERSION = 1  # RpcLibServerBase.cpp; the fork Cosys-AirSim answers 4


class RpcClient:
    """One connection. Made by connect(); every method belongs to the loop that made it.

    Attributes:
        address: "HOST:PORT", for messages.
    """

    def __init__(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.address = address
        self._reader, self._writer = reader, writer
        self._ids = itertools.count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._packer = msgpack.Packer(use_bin_type=False)
        self._task = asyncio.create_task(self._read_replies())

    async def call(self, method: str, *args: object, timeout_s: float | None = CALL_TIMEOUT_S) -> Any:
        """Call and wait for the answer.

        Args:
            method: name of the RPC.
            args: exactly those that the server expects.
            timeout_s: None waits for as long as the connection lasts.

        Raises:
            SimulatorLost: no answer in time, or the connection broke.
            RefusedCall: the simulator answered with an error.
        """
        if self._task.done():
            raise self._lost()
        msgid = next(self._ids) % 2**30
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[msgid] = answer
        try:
            self._writer.write(self._packer.pack([0, msgid, method, args]))
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise SimulatorLost(
                f"the simulator at {self.address} did not answer {method} within {timeout_s:g} s: it hangs or shows a "
                f"dialogue; start it again."
            ) from None
        except RefusedCall as error:
            raise RefusedCall(f"the simulator at {self.address} refused {method}: {error}") from None
        finally:
            self._waiting.pop(msgid, None)

    async def close(self) -> None:
        """Hang up; whoever still waits gets SimulatorLost."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read_replies(self) -> None:
        unpacker = msgpack.Unpacker(raw=False, unicode_errors="surrogateescape", max_buffer_size=MAX_MESSAGE_BYTES)
        try:
            while data := await self._reader.read(READ_BYTES):
                unpacker.feed(data)
                for message in unpacker:
                    self._deliver(message)
        except (OSError, ValueError, msgpack.UnpackException):
            pass  # broken off, or not MessagePack: either way nothing more can be read
        finally:
            self._writer.close()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(self._lost())

    def _deliver(self, message: object) -> None:
        match message:
            case [1, int(msgid), error, result]:
                answer = self._waiting.get(msgid)
                if answer is None or answer.done():
                    return
                if error is None:
                    answer.set_result(result)
                else:
                    answer.set_exception(RefusedCall(str(error)))
            case _:
                raise ValueError("not a MessagePack-RPC reply")

    def _lost(self) -> SimulatorLost:
        return SimulatorLost(f"the simulator at {self.address} closed the connection: it ended or crashed.")


async def connect(host: str, port: int) -> RpcClient:
    """Connect and see that AirSim answers.

    Args:
        host: name or address.
        port: AirSim's RPC port.

    Raises:
        SimulatorUnreachable: nobody answers there, or not in AirSim's language, or another version of it.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        raise SimulatorUnreachable(
            f"no simulator answers at {host}:{port}: start one (airsim-seg sim), or name another with --sim HOST:PORT."
        ) from None
    client = RpcClient(f"{host}:{port}", reader, writer)
    try:
        await _shake_hands(client)
    except BaseException:
        await client.close()
        raise
    return client


async def _shake_hands(client: RpcClient) -> None:
    try:
        await client.call("ping", timeout_s=HANDSHAKE_TIMEOUT_S)
        version = await client.call("getServerVersion", timeout_s=HANDSHAKE_TIMEOUT_S)
    except (SimulatorLost, RefusedCall) as error:
        raise SimulatorUnreachable(
            f"something accepts connections at {client.address} but does not speak AirSim's RPC ({error})"
        ) from None
    if version != AIRSIM_RPC_VERSION:
        raise SimulatorUnreachable(
            f"{client.address} speaks interface {version}, the viewer {AIRSIM_RPC_VERSION}: use Microsoft AirSim 1.6 "
            f"to 1.8, or the built-in simulator."
        )
