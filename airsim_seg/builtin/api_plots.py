"""The RPCs that draw into the world: checked here, kept until they end, drawn by rendering/plotted.py.

Source: AirSim's UE WorldSimApi.cpp, which reads beyond the end of lists that are too short; here that is an error.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from airsim_seg.builtin.api import Method, Methods, method, sim_vehicle
from airsim_seg.builtin.arguments import ApiError, boolean, finite, list_of, pose, text, vector
from airsim_seg.builtin.plots import DEFAULT_S, Plot
from airsim_seg.builtin.world import World
from airsim_seg.types import Float64Array


def colour(value: object) -> Float64Array:
    """[red, green, blue, opacity], cut to 0..1 as Unreal does; more than four are ignored."""
    components = list_of(finite)(value)
    if len(components) < 4:
        raise ApiError(f"a colour has four components from 0 to 1, not {len(components)}")
    return np.array([min(1.0, max(0.0, component)) for component in components[:4]])


# The arguments of each simPlot* in order; whatever is not in _CONVERTERS is a number.
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "Points": ("points", "colour", "size", "duration", "persistent"),
    "LineStrip": ("points", "colour", "thickness", "duration", "persistent"),
    "LineList": ("points", "colour", "thickness", "duration", "persistent"),
    "Arrows": ("points", "ends", "colour", "thickness", "head_size", "duration", "persistent"),
    "Strings": ("words", "points", "scale", "colour", "duration"),
    "Transforms": ("poses", "scale", "thickness", "duration", "persistent"),
    "TransformsWithNames": ("poses", "words", "scale", "thickness", "word_scale", "colour", "duration"),
}
_CONVERTERS = {
    "points": list_of(vector),
    "ends": list_of(vector),
    "poses": list_of(pose),
    "words": list_of(text),
    "colour": colour,
    "persistent": boolean,
}
_LISTS = ("points", "ends", "poses", "words")


class PlotApi:
    """Turns calls into Plots."""

    def __init__(self, world: World) -> None:
        """Take the world for its clock and its vehicles."""
        self._world = world
        self.plots = world.plots

    def methods(self) -> Methods:
        """The table of this file."""
        table: dict[str, Method] = {
            f"simPlot{kind}": method(partial(self._plot, kind), *(_CONVERTERS.get(name, finite) for name in names))
            for kind, names in ARGUMENTS.items()
        }
        return {
            **table,
            "simFlushPersistentMarkers": method(self._flush),
            "simSetTraceLine": method(self._trace_line, colour, finite, text),
        }

    def _plot(self, kind: str, *values: object) -> None:
        strokes = dict(zip(ARGUMENTS[kind], values, strict=True))
        lengths = {name: len(value) for name, value in strokes.items() if name in _LISTS and isinstance(value, list)}
        if len(set(lengths.values())) > 1:
            raise ApiError(f"simPlot{kind} takes lists of one length, not of {sorted(lengths.values())}")
        if kind == "LineList" and lengths["points"] % 2:
            raise ApiError(f"a list of lines has two points a line, not {lengths['points']} points")
        duration_s, persistent = strokes["duration"], strokes.get("persistent") is True
        assert isinstance(duration_s, float), "finite makes one"
        # Words without a duration stay, lines do not (UE DrawDebugHelpers.cpp).
        stays = persistent or (kind == "Strings" and duration_s <= 0)
        shown_s = duration_s if duration_s > 0 else DEFAULT_S
        until_ns = None if stays else self._world.now_ns + round(shown_s * 1e9)
        self.plots.add(Plot(kind, strokes, until_ns, persistent))

    def _trace_line(self, rgba: Float64Array, thickness: float, vehicle_name: str) -> None:
        self._world.traces.paint(sim_vehicle(self._world, vehicle_name).name, rgba, thickness)

    def _flush(self) -> None:
        self.plots.flush()
        self._world.traces.flush()
