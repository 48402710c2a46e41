"""The web side: one page and one WebSocket, for this machine's own browsers alone.

A web page from anywhere can make a browser talk to 127.0.0.1. Three things keep it out: what is not addressed to this
very machine by name is refused (a rebound DNS name gives itself away in Host), a WebSocket from another page is refused
(Origin), and nothing but the page's own files is given without the token of the address that the terminal printed.
"""

import asyncio
import contextlib
import secrets
from importlib.resources import files
from typing import Any

from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from airsim_seg.errors import UsageError
from airsim_seg.viewer.audience import Message, Viewer
from airsim_seg.viewer.messages import text
from airsim_seg.viewer.requests import read_request
from airsim_seg.viewer.session import Session

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
CONTENT_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
MAX_REQUEST_BYTES = 4096
PING_S = 20.0
# Everything the page needs is its own: nothing is fetched from elsewhere, nothing of it runs in another page's frame.
SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MISSING_TOKEN = "Open the address that the terminal printed: it ends in ?token=..."


class _Guarded(RequestHandler):
    """Answers whoever addresses this machine by name."""

    def prepare(self) -> None:
        """Refuse what is addressed to another name: it came by DNS rebinding."""
        if not is_local(self.request.host):
            raise HTTPError(403, log_message=None, reason="Only for this machine's own browser")

    def set_default_headers(self) -> None:
        """Nothing is kept, sniffed, framed or told to others."""
        self.set_header("Content-Security-Policy", SECURITY_POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")

    def write_error(self, status_code: int, **_: Any) -> None:
        """One line of text."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: {self._reason}\n")

    def check_token(self, token: str) -> None:
        """Refuse whoever does not know the token."""
        if not secrets.compare_digest(self.get_query_argument("token", "").encode(), token.encode()):
            raise HTTPError(403, reason=MISSING_TOKEN)


class _Page(_Guarded):
    def initialize(self, token: str) -> None:
        self._token = token

    def get(self) -> None:
        self.check_token(self._token)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page_file("index.html"))


class _Part(_Guarded):
    """The page's style and script: the same for everybody, so without token."""

    def get(self, name: str, kind: str) -> None:
        try:
            content = page_file(f"{name}.{kind}")
        except FileNotFoundError:
            raise HTTPError(404) from None
        self.set_header("Content-Type", f"{CONTENT_TYPES[kind]}; charset=utf-8")
        self.finish(content)


class _Socket(_Guarded, WebSocketHandler):
    """One open page."""

    def initialize(self, session: Session, token: str) -> None:
        self._session, self._token = session, token
        self._viewer: Viewer | None = None
        self._sending: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        super().prepare()
        self.check_token(self._token)

    def check_origin(self, origin: str) -> bool:
        """Only a page of ours may open this; a program that is no browser sends no Origin."""
        return origin == f"{self.request.protocol}://{self.request.host}"

    def open(self) -> None:
        """Join the audience."""
        self.set_nodelay(True)
        self._viewer = self._session.audience.join()
        self._sending = asyncio.create_task(self._deliver(self._viewer))

    def on_message(self, message: str | bytes) -> None:
        """Pass on what the page asks, or tell it what is wrong with that."""
        if self._viewer is None:
            return
        try:
            request = read_request(message)
        except UsageError as error:
            self._viewer.offer("error", text("error", text=str(error)))
            return
        self._session.request(self._viewer, request)

    def on_close(self) -> None:
        """Leave the audience."""
        if self._viewer is not None:
            self._session.audience.leave(self._viewer)
        if self._sending is not None:
            self._sending.cancel()

    async def _deliver(self, viewer: Viewer) -> None:
        with contextlib.suppress(WebSocketClosedError):
            await viewer.deliver(self._send)

    async def _send(self, message: Message) -> None:
        await self.write_message(message, binary=isinstance(message, bytes))


def is_local(host: str) -> bool:
    """Whether a Host header names this machine: a name rebound by DNS is none of these."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host) in LOCAL_NAMES


def page_file(name: str) -> bytes:
    """A file of the page.

    Raises:
        FileNotFoundError: it has no such file.
    """
    return files("airsim_seg.viewer").joinpath("page", name).read_bytes()


def application(session: Session, token: str) -> Application:
    """The viewer's web server, not listening yet.

    Args:
        session: what its pages show.
        token: what its pages must know.
    """
    return Application(
        [
            (r"/", _Page, {"token": token}),
            (r"/live", _Socket, {"session": session, "token": token}),
            (r"/([a-z]+)\.(css|js|svg)", _Part),
        ],
        default_handler_class=_NotFound,
        log_function=lambda _: None,
        websocket_ping_interval=PING_S,
        websocket_max_message_size=MAX_REQUEST_BYTES,
        compress_response=True,
    )


class _NotFound(_Guarded):
    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(404)
