"""Points, lines, arrows, axes and words that clients draw into the world, each with the time it goes away."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

# Unreal's line batcher keeps lines this long where no duration is given (LineBatchComponent.cpp).
DEFAULT_S = 1.0
# A client that draws for ever loses its oldest strokes.
MAX_PLOTS = 10_000


@dataclass(frozen=True, eq=False)
class Plot:
    """One call's strokes.

    Attributes:
        kind: the RPC without "simPlot": "Points", "LineStrip", "Arrows" ...
        strokes: the call's arguments by name, API world NED, metres; see api_plots.ARGUMENTS.
        until_ns: the clock at which it goes; None stays.
        persistent: whether simFlushPersistentMarkers takes it away.
    """

    kind: str
    strokes: Mapping[str, object]
    until_ns: int | None
    persistent: bool


class Plots:
    """All that was drawn and is not gone."""

    def __init__(self) -> None:
        """Begin with a clean world."""
        self._plots: deque[Plot] = deque(maxlen=MAX_PLOTS)

    def add(self, plot: Plot) -> None:
        """Draw something."""
        self._plots.append(plot)

    def live(self, now_ns: int) -> tuple[Plot, ...]:
        """What is there at a time, oldest first; what has gone is forgotten."""
        self._keep([plot for plot in self._plots if plot.until_ns is None or plot.until_ns > now_ns])
        return tuple(self._plots)

    def flush(self) -> None:
        """Wipe off what is persistent."""
        self._keep([plot for plot in self._plots if not plot.persistent])

    def _keep(self, kept: list[Plot]) -> None:
        self._plots = deque(kept, maxlen=MAX_PLOTS)
