"""The TCP side: many connections, many calls at once on each, replies in any order.

A call may wait for half a minute of flight while others of the same connection are answered: AirSim's rpclib posts
every call to a pool of threads; here every call is a task of one event loop, so the world needs no locks.
"""

import asyncio
import contextlib
import ipaddress
import itertools
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgpack

from airsim_seg.builtin import wire
from airsim_seg.errors import PortInUse

HOST = "127.0.0.1"
READ_BYTES = 2**18
# Calls of one client that may wait for their answers; further ones are left unread (AirSim's rpclib works on a few).
MAX_CALLS_IN_FLIGHT = 64
# Answers that no client has taken yet, of all connections together: one that never reads must not fill the memory.
MAX_UNREAD_BYTES = 2**28
# More than any flock of clients needs, and well below the 1,024 files that most systems let a process open.
MAX_CONNECTIONS = 256
_BACKLOG = 256  # that many may come at the same instant
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)

Dispatch = Callable[[str, Sequence[object]], Awaitable[object]]

_log = logging.getLogger(__name__)


class RpcError(Exception):
    """A call that ends in an error; the message is the error field of the reply, word for word."""


class HangUp(Exception):
    """A call that ends its connection without an answer, as a server that dies of it would."""


def bind(port: int, host: str = HOST) -> socket.socket:
    """Take a port without listening yet, so that no client is fooled while a world is built.

    Args:
        port: 0 takes any that is free.
        host: name or address of the interface, IPv4 or IPv6. Whoever reaches it may do all that the RPCs can, and
            there is no password: see is_loopback.

    Raises:
        PortInUse: another process has it, or it is not ours to take. Choose another with --port or --host.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        raise _port_error(port, host, error) from error
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise _port_error(port, host, error) from error
    return sock


def _port_error(port: int, host: str, error: OSError | UnicodeError) -> PortInUse:
    other = "--port" if host == HOST else "--port or --host"
    return PortInUse(
        f"Port {port} on {host} cannot be served ({getattr(error, 'strerror', None) or error}): stop the program that "
        f"has it, or choose another with {other}."
    )


def is_loopback(sock: socket.socket) -> bool:
    """Whether only programs of this machine reach a socket that bind() made."""
    return ipaddress.ip_address(sock.getsockname()[0].partition("%")[0]).is_loopback


@dataclass(eq=False)
class _Client:
    """One connection.

    Attributes:
        writer: to it.
        last_message: the number, among all clients' messages, of its last; 0 while it has sent none that is whole.
        calls: that it waits for, or that wait for it to take its answers.
        slots: for those that it may wait for.
        num_elements: in the arguments of all its calls, see wire.MessageUnpacker.
    """

    writer: asyncio.StreamWriter
    last_message: int = 0
    calls: set[asyncio.Task[None]] = field(default_factory=set)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CALLS_IN_FLIGHT))
    num_elements: int = 0

    @property
    def unread_bytes(self) -> int:
        """Answers that it has not taken yet."""
        return self.writer.transport.get_write_buffer_size()

    async def has_taken_its_answers(self) -> None:
        """Return when there is room for another: who does not take answers gets no new ones made."""
        _, most_bytes = self.writer.transport.get_write_buffer_limits()
        with contextlib.suppress(OSError):
            while self.unread_bytes > most_bytes:  # again, as all who wait wake at once
                await self.writer.drain()

    def acknowledge(self) -> None:
        """Tell its kernel at once that what it sent has come, where the system can (Linux).

        Clients that did not switch off Nagle's algorithm, the official one among them, hold a call back until the one
        before is acknowledged; a kernel that waits 40 ms for an answer to send it with makes pictures as slow.
        """
        if _QUICK_ACK is not None:
            with contextlib.suppress(OSError):  # a connection that is gone
                self.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)

    async def has_room(self, num_elements: int) -> None:
        """Return when a call with so many elements may begin."""
        await self.slots.acquire()
        while self.calls and self.num_elements + num_elements > wire.MAX_MESSAGE_ELEMENTS:
            await asyncio.wait(self.calls, return_when=asyncio.FIRST_COMPLETED)

    def hang_up(self, reason: str) -> None:
        """Close the connection at once; what it has not taken is lost."""
        _log.info("connection closed: %s", reason)
        self.writer.transport.abort()


class Server:
    """Serves calls on a bound socket until closed.

    Where there are as many connections as there may be, a new one takes the place of the one that was silent longest,
    of those that wait for no answer if there are any: forgotten ones never lock anybody out.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        *,
        max_connections: int = MAX_CONNECTIONS,
        max_unread_bytes: int = MAX_UNREAD_BYTES,
    ) -> None:
        """Make a server that serves nothing yet.

        Args:
            dispatch: runs one call by name and arguments; raises RpcError for errors that the caller should read.
            max_connections: open at once.
            max_unread_bytes: answers that wait for all clients together; beyond it whoever has most of them is cut off.
        """
        self._dispatch = dispatch
        self._max_connections, self._max_unread_bytes = max_connections, max_unread_bytes
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: dict[_Client, None] = {}  # in the order of their coming
        self._messages = itertools.count(1)
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
        host, port = sock.getsockname()[:2]
        try:
            self._listener = await asyncio.start_server(self._connection, sock=sock, backlog=_BACKLOG)
        except OSError as error:
            sock.close()
            raise _port_error(port, host, error) from error
        return int(port)

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
        while len(self._clients) >= self._max_connections:
            self._drop_the_most_silent()
        client = _Client(writer)
        self._clients[client] = None
        try:
            # OSError: a peer can be lost in more ways than by a ConnectionError.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._read_calls(reader, client)
                writer.close()
                await writer.wait_closed()  # until then it counts: somebody may not take the rest of the answers
        finally:
            self._clients.pop(client, None)
            self._tasks.discard(task)
            writer.close()

    def _drop_the_most_silent(self) -> None:
        idle = [client for client in self._clients if not client.calls]
        dropped = min(idle or self._clients, key=lambda client: client.last_message)
        del self._clients[dropped]
        dropped.hang_up(f"{self._max_connections} are open, and it was silent longest")

    async def _read_calls(self, reader: asyncio.StreamReader, client: _Client) -> None:
        """Begin what it asks for until it says no more; then let it have the answers, for it may still listen."""
        unpacker = wire.MessageUnpacker()
        unfinished_bytes = 0
        try:
            while data := await reader.read(READ_BYTES):
                client.acknowledge()
                # The decoder's own limit is for one string: it takes arrays apart as they come.
                unfinished_bytes += len(data)
                if unfinished_bytes > wire.MAX_MESSAGE_BYTES:
                    raise wire.ProtocolError("the message is too long")
                unpacker.feed(data)
                for message in unpacker:
                    unfinished_bytes = 0
                    call = wire.read_call(message)
                    client.last_message = next(self._messages)
                    await client.has_room(unpacker.num_elements)
                    self._begin(call, client, unpacker.num_elements)
            # Who has closed its end altogether looks the same, until something is sent to it.
            if client.calls and not client.writer.is_closing():
                await asyncio.wait(client.calls)
        except (ValueError, msgpack.UnpackException) as error:
            # Nothing marks where the next message would start, so this connection is over; the others go on.
            _log.info("connection closed: %s", error)

    def _begin(self, call: wire.Call, client: _Client, num_elements: int) -> None:
        task = asyncio.create_task(self._answer(call, client))
        client.num_elements += num_elements
        self._tasks.add(task)
        client.calls.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            client.calls.discard(task)
            client.num_elements -= num_elements
            client.slots.release()

        task.add_done_callback(ended)

    async def _answer(self, call: wire.Call, client: _Client) -> None:
        error, result = None, None
        await client.has_taken_its_answers()
        try:
            result = await self._dispatch(call.method, call.args)
        except RpcError as refused:
            error = str(refused)
        except HangUp:
            client.writer.close()
            return
        if call.msgid is None or client.writer.is_closing():
            return
        self._forget_the_unread()
        with contextlib.suppress(OSError):
            client.writer.writelines(_packed(call.msgid, error, result))
            await client.writer.drain()

    def _forget_the_unread(self) -> None:
        """Cut off who lets most answers lie, where all that lies there is too much."""
        while sum(client.unread_bytes for client in self._clients) > self._max_unread_bytes:
            dropped = max(self._clients, key=lambda client: client.unread_bytes)
            del self._clients[dropped]
            dropped.hang_up(f"{dropped.unread_bytes} bytes of answers were not read")


def _packed(msgid: int, error: str | None, result: object) -> list[wire.Buffer]:
    """A reply; where a result is nothing that MessagePack has, one that says so: no caller may wait for ever."""
    try:
        return wire.reply(msgid, error, result)
    except (TypeError, ValueError, OverflowError) as fault:
        _log.exception("a result could not be packed")
        return wire.reply(msgid, f"rpclib: the result could not be packed: {fault}", None)
