"""Everyone who looks: the newest of each kind of message for everybody, nothing old for the slow.

A viewer has one place for each kind of message, and a newer message takes the place of one that was not sent yet.
Frames wait further until the page says that it has drawn the ones before. So a slow page sees fewer frames, delays
nobody, and memory does not grow; and where nobody waits for a frame, none is drawn.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from airsim_seg.viewer.messages import FRAME

Message = str | bytes
Send = Callable[[Message], Awaitable[None]]


# One frame on its way while the page draws another.
MAX_FRAMES_IN_FLIGHT = 2
# Keys that a page does not repeat for this long are taken as let go: it hangs or its machine sleeps.
KEYS_LAST_S = 0.7


@dataclass(eq=False)
class Viewer:
    """One open page.

    Attributes:
        held: keys that are down there, by KeyboardEvent.code.
        held_at_s: when the page last said so, on the audience's clock.
        frames_in_flight: sent and not drawn yet.
    """

    held: frozenset[str] = frozenset()
    held_at_s: float = 0.0
    frames_in_flight: int = 0
    _waiting: dict[str, Message] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, kind: str, message: Message) -> None:
        """Have a message sent, unless a newer one of its kind comes before its turn."""
        if kind == FRAME and self.frames_in_flight >= MAX_FRAMES_IN_FLIGHT:
            return
        if kind == FRAME and FRAME not in self._waiting:
            self.frames_in_flight += 1
        self._waiting[kind] = message
        self._news.set()

    async def deliver(self, send: Send) -> None:
        """Send what is offered, one message at a time, until cancelled or until send raises."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                kind = next(iter(self._waiting))
                await send(self._waiting.pop(kind))


class Audience:
    """The open pages."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Nobody yet.

        Args:
            clock_s: any clock that only goes forward.
        """
        self._clock_s = clock_s
        self._viewers: set[Viewer] = set()
        self._standing: dict[str, Message] = {}
        self._wants_frame = asyncio.Event()
        self.keys_changed = asyncio.Event()

    def __len__(self) -> int:
        """How many pages are open."""
        return len(self._viewers)

    def join(self) -> Viewer:
        """A page opened: it gets what stands, and the next frame."""
        viewer = Viewer()
        self._viewers.add(viewer)
        for kind, message in self._standing.items():
            viewer.offer(kind, message)
        self._wants_frame.set()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """A page is gone, and so are its fingers."""
        self._viewers.discard(viewer)
        self.keys_changed.set()

    def tell(self, kind: str, message: Message, *, stands: bool = False) -> None:
        """Offer a message to everybody.

        Args:
            kind: its place.
            message: text or bytes.
            stands: who joins later gets it too.
        """
        if stands:
            self._standing[kind] = message
        for viewer in self._viewers:
            viewer.offer(kind, message)

    def frame_drawn(self, viewer: Viewer) -> None:
        """A page has drawn a frame and can take another."""
        viewer.frames_in_flight = max(0, viewer.frames_in_flight - 1)
        self._wants_frame.set()

    async def frame_wanted(self) -> None:
        """Wait until some page can take a frame."""
        while not any(viewer.frames_in_flight < MAX_FRAMES_IN_FLIGHT for viewer in self._viewers):
            self._wants_frame.clear()
            await self._wants_frame.wait()

    def hold(self, viewer: Viewer, keys: Collection[str]) -> None:
        """A page says which keys are down there; it repeats that while any is."""
        viewer.held, viewer.held_at_s = frozenset(keys), self._clock_s()
        self.keys_changed.set()

    def held(self) -> frozenset[str]:
        """Keys that are down on any page."""
        now_s = self._clock_s()
        return frozenset().union(*(v.held for v in self._viewers if now_s - v.held_at_s <= KEYS_LAST_S))
