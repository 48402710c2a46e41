"""The TCP side: many connections, many calls at once on each, replies in any order.

A call may wait for half a minute of flight while others of the same connection are answered: AirSim's rpclib posts
every call to a pool of threads; here every call is a task of one event loop, so the world needs no locks.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence

import msgpack

from airsim_seg.builtin import wire
from airsim_seg.errors import PortInUse

HOST = "127.0.0.1"
READ_BYTES = 2**18
# A client that asks and never reads the answers is left unread at this many: its pictures must not fill the memory.
MAX_CALLS_IN_FLIGHT = 256

Dispatch = Callable[[str, Sequence[object]], Awaitable[object]]

_log = logging.getLogger(__name__)


class RpcError(Exception):
    """A call that ends in an error; the message is the error field of the reply, word for word."""


class HangUp(Exception):
    """A call that ends its connection without an answer, as a server that dies of it would."""


def bind(port: int) -> socket.socket:
    """Take a port of the loopback interface without listening yet, so that no client is fooled while a world is built.

    Args:
        port: 0 takes any that is free.

    Raises:
        PortInUse: another process has it, or it is not ours to take. Choose another with --port.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        raise _port_error(port, error) from error
    return sock


def _port_error(port: int, error: OSError) -> PortInUse:
    return PortInUse(
        f"Port {port} on {HOST} cannot be served ({error.strerror}): stop the program that has it, or choose another "
        f"with --port."
    )


class Server:
    """Serves calls on a bound socket until closed."""

    def __init__(self, dispatch: Dispatch) -> None:
        """Make a server that serves nothing yet.

        Args:
            dispatch: runs one call by name and arguments; raises RpcError for errors that the caller should read.
        """
        self._dispatch = dispatch
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def start(self, sock: socket.socket) -> int:
        """Listen.

        Args:
            sock: as bind() made it; it belongs to the server from now on.

        Returns:
            The port.

        Raises:
            PortInUse: somebody else listens there since.
        """
        port: int = sock.getsockname()[1]
        try:
            self._listener = await asyncio.start_server(self._connection, sock=sock)
        except OSError as error:
            sock.close()
            raise _port_error(port, error) from error
        return port

    async def close(self) -> None:
        """Stop listening, drop every connection and every call that still waits."""
        if self._listener is not None:
            self._listener.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await self._read_calls(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _read_calls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker, slots = wire.new_unpacker(), asyncio.Semaphore(MAX_CALLS_IN_FLIGHT)
        unfinished_bytes = 0
        try:
            while data := await reader.read(READ_BYTES):
                # The decoder's own limit is for one string: it takes arrays apart as they come.
                unfinished_bytes += len(data)
                if unfinished_bytes > wire.MAX_MESSAGE_BYTES:
                    raise wire.ProtocolError("the message is too long")
                unpacker.feed(data)
                for message in unpacker:
                    unfinished_bytes = 0
                    call = wire.read_call(message)
                    await slots.acquire()
                    self._begin(call, writer, slots)
        except (ValueError, msgpack.UnpackException) as error:
            # Nothing marks where the next message would start, so this connection is over; the others go on.
            _log.info("connection closed: %s", error)

    def _begin(self, call: wire.Call, writer: asyncio.StreamWriter, slots: asyncio.Semaphore) -> None:
        task = asyncio.create_task(self._answer(call, writer))
        self._tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            slots.release()

        task.add_done_callback(ended)

    async def _answer(self, call: wire.Call, writer: asyncio.StreamWriter) -> None:
        error, result = None, None
        try:
            result = await self._dispatch(call.method, call.args)
        except RpcError as refused:
            error = str(refused)
        except HangUp:
            writer.close()
            return
        if call.msgid is None or writer.is_closing():
            return
        with contextlib.suppress(ConnectionError):
            writer.writelines(wire.reply(call.msgid, error, result))
            await writer.drain()
