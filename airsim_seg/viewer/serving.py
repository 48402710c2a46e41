"""Puts the viewer behind a port of this machine until told to stop."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Callable

from tornado.httpserver import HTTPServer

from airsim_seg.errors import PortInUse
from airsim_seg.viewer.session import Session
from airsim_seg.viewer.web import application

HOST = "127.0.0.1"
PARENT_CHECK_S = 0.5
_CANCEL_AGAIN_S = 0.2


def bind(port: int) -> socket.socket:
    """Take a port of the loopback interface.

    Args:
        port: 0 takes any that is free.

    Raises:
        PortInUse: it is taken. Choose another.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
        sock.listen()
    except OSError as error:
        sock.close()
        raise PortInUse(
            f"Port {port} on {HOST} cannot serve the viewer's page ({error.strerror}): stop the program that has it, "
            f"or choose another with --page-port."
        ) from error
    sock.setblocking(False)
    return sock


class ViewerServer:
    """A served session; an async context manager, so that nothing of it outlives its block.

    Attributes:
        url: what to open in a browser of this machine.
        running: the session.
    """

    def __init__(self, session: Session, sock: socket.socket, token: str | None = None) -> None:
        """Wire it up; nothing runs yet.

        Args:
            session: what is shown.
            sock: as bind() made it; it belongs to the server from now on.
            token: what pages must know; None makes a new one.
        """
        self._session, self._sock = session, sock
        self._token = secrets.token_urlsafe(16) if token is None else token
        self._http = HTTPServer(application(session, self._token))
        self.port: int = sock.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}/?token={self._token}"

    async def __aenter__(self) -> "ViewerServer":
        """Serve, and look for the simulator."""
        self._http.add_socket(self._sock)
        self.running = asyncio.create_task(self._session.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up on pages and simulator."""
        while not self.running.done():
            # Again and again: a group of tasks that fails at this very moment forgets that it was cancelled.
            self.running.cancel()
            await asyncio.wait([self.running], timeout=_CANCEL_AGAIN_S)
        self._http.stop()
        await self._http.close_all_connections()


async def view_until_stopped(
    session: Session, sock: socket.socket, on_ready: Callable[[str], None], parent_pid: int | None = None
) -> signal.Signals | None:
    """Serve until SIGINT or SIGTERM, or until the parent is gone.

    Args:
        session: what is shown.
        sock: as bind() made it.
        on_ready: called with the address once the page is there.
        parent_pid: the process to end with; None stays.

    Returns:
        The signal that ended it, or None where the parent's end did.
    """
    stopped: asyncio.Future[signal.Signals | None] = asyncio.get_running_loop().create_future()

    def stop(reason: signal.Signals | None) -> None:
        if not stopped.done():
            stopped.set_result(reason)

    def fail(error: BaseException | None) -> None:
        if not stopped.done() and error is not None:
            stopped.set_exception(error)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers: there Ctrl-C raises KeyboardInterrupt as usual.
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
    async with ViewerServer(session, sock) as server:
        # The session never ends by itself: where it does, that is a fault, and it must be seen.
        server.running.add_done_callback(lambda task: None if task.cancelled() else fail(task.exception()))
        on_ready(server.url)
        watch = asyncio.create_task(_watch_parent(parent_pid, lambda: stop(None)))
        try:
            return await stopped
        finally:
            watch.cancel()


async def _watch_parent(pid: int | None, gone: Callable[[], None]) -> None:
    """Call gone() once this process has another parent than that."""
    while pid is not None:
        if os.getppid() != pid:
            gone()
            return
        await asyncio.sleep(PARENT_CHECK_S)
