"""A headless Chromium, driven over its DevTools protocol: one page, its errors, its keys."""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions")
DEADLINE_S = 60.0
POLL_S = 0.05


class Page:
    """An open page. Async context manager.

    Attributes:
        errors: what its console and its scripts complained about.
        fetched: addresses that it asked for.
    """

    def __init__(self, profile: Path, size_wh: tuple[int, int] = (1280, 800)) -> None:
        self.errors: list[str] = []
        self.fetched: list[str] = []
        self._profile, self._size_wh = profile, size_wh
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def __aenter__(self) -> "Page":
        width, height = self._size_wh
        assert BROWSER is not None
        self._process = subprocess.Popen(
            [
                BROWSER,
                *FLAGS,
                f"--user-data-dir={self._profile}",
                "--remote-debugging-port=0",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port_file = self._profile / "DevToolsActivePort"
        await until(lambda: port_file.exists() and port_file.read_text().count("\n") >= 1)
        port = port_file.read_text().split("\n")[0]
        answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")
        target = next(t for t in json.loads(answer.body) if t["type"] == "page")
        self._socket: WebSocketClientConnection = await websocket_connect(
            target["webSocketDebuggerUrl"], max_message_size=2**26
        )
        self._reading = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.command(f"{domain}.enable")
        # A window cannot be as narrow as a phone; what it pretends to be can.
        await self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._socket.close()
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, DEADLINE_S)

    async def command(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.write_message(json.dumps({"id": number, "method": method, "params": params}))
        return await asyncio.wait_for(answer, DEADLINE_S)

    async def open(self, url: str) -> None:
        await self.command("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """What an expression is in the page; a promise is waited for."""
        answer = await self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until an expression is true in the page, and give its value."""
        return await until(lambda: self.value(f"document.readyState === 'complete' && ({expression})"))

    async def key(self, code: str, *, down: bool) -> None:
        kind = "keyDown" if down else "keyUp"
        await self.command("Input.dispatchKeyEvent", type=kind, code=code, key=code.removeprefix("Key").lower())

    async def click(self, selector: str) -> None:
        await self.value(f"document.querySelector({selector!r}).click()")

    async def screenshot(self, path: Path) -> None:
        answer = await self.command("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    async def _read(self) -> None:
        while (text := await self._socket.read_message()) is not None:
            message = json.loads(text)
            if "id" in message:
                future = self._waiting.pop(message["id"], None)
                if future is not None and not future.done():
                    error = message.get("error")
                    future.set_exception(RuntimeError(str(error))) if error else future.set_result(message["result"])
                continue
            self._note(message["method"], message["params"])

    def _note(self, method: str, params: Any) -> None:
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.errors.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            # Reading a canvas again and again is what a test does, not the page.
            if "readback" not in params["entry"]["text"]:
                self.errors.append(str(params["entry"]))
        elif method == "Network.requestWillBeSent":
            self.fetched.append(params["request"]["url"])


async def until(condition: Any, deadline_s: float = DEADLINE_S) -> Any:
    """Ask again and again until the answer is true; a test that waits longer fails."""
    async with asyncio.timeout(deadline_s):
        while True:
            answer = condition()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(POLL_S)
