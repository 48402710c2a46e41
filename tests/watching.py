"""An open page of the viewer without a browser: what it gets, and what it sends."""

import asyncio
import json
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from own_loop import run
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from airsim_seg.viewer.serving import ViewerServer, bind
from airsim_seg.viewer.session import Session

DEADLINE_S = 30.0
TOKEN = "the-token"


@dataclass
class Page:
    """One WebSocket to a viewer."""

    socket: WebSocketClientConnection
    last: dict[str, Any]

    async def next(self, kind: str) -> Any:
        """The next message of a kind; those before it are kept in `last`, and frames among them are seen."""
        while True:
            message = await asyncio.wait_for(self.socket.read_message(), DEADLINE_S)
            assert message is not None, f"the viewer hung up before it sent {kind}"
            head = _read(message)
            self.last[head["type"]] = head
            if head["type"] == kind:
                return head
            if head["type"] == "frame":  # two that are not said to be seen are the last that come
                await self.send(type="seen")

    async def frame(self) -> Any:
        """The next frame, and say that it was drawn."""
        frame = await self.next("frame")
        await self.send(type="seen")
        return frame

    async def state_where(self, condition: Callable[[Any], bool]) -> Any:
        """The first state that fulfils a condition; frames on the way are taken."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition(state := await self.next("state")):
                pass
        return state

    async def hold(self, *keys: str, speed_mps: float = 5.0) -> None:
        await self.send(type="hold", keys=list(keys), speed_mps=speed_mps)

    async def hold_until(self, condition: Callable[[Any], bool], *keys: str, speed_mps: float = 5.0) -> Any:
        """Hold keys as a page does, repeating them with each state, until a state fulfils a condition; let go."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                await self.hold(*keys, speed_mps=speed_mps)
                if condition(state := await self.next("state")):
                    await self.hold()
                    return state

    async def send(self, **message: Any) -> None:
        await self.socket.write_message(json.dumps(message))


def _read(message: str | bytes) -> Any:
    if isinstance(message, str):
        return json.loads(message)
    (length,) = struct.unpack("<I", message[:4])
    head, start = json.loads(message[4 : 4 + length]), 4 + length
    head["data"] = []
    for size in head["parts"]:
        head["data"].append(message[start : start + size])
        start += size
    return head


def ids_of(frame: Any) -> np.ndarray:
    """The raw ids of a frame, [H,W]."""
    return np.frombuffer(zlib.decompress(frame["data"][1]), np.uint8).reshape(frame["height"], frame["width"])


@asynccontextmanager
async def viewer(port: int, **options: Any) -> AsyncIterator[ViewerServer]:
    """A viewer of the simulator at a port."""
    async with ViewerServer(Session("127.0.0.1", port, **options), bind(0), TOKEN) as server:
        yield server
        assert not server.running.done(), server.running


@asynccontextmanager
async def page(server: ViewerServer) -> AsyncIterator[Page]:
    """An open page."""
    socket = await websocket_connect(socket_request(server.port), max_message_size=2**26)
    try:
        yield Page(socket, {})
    finally:
        socket.close()


def socket_request(port: int, token: str = TOKEN, **headers: str) -> HTTPRequest:
    return HTTPRequest(f"ws://127.0.0.1:{port}/live?token={token}", headers=headers)


def watch(port: int, story: Callable[[Page], Awaitable[None]], **options: Any) -> None:
    """Run a story with one page of a viewer of the simulator at a port."""

    async def with_page() -> None:
        async with viewer(port, **options) as server, page(server) as one:
            await story(one)

    run(with_page())
