"""What nature made of Country: rolling hills, and ponds in hollows. Places as in ground.py: north and west, metres."""

from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.environments.roads import smoothstep
from airsim_seg.types import Float64Array

SHORE_M = 2.5  # so far beyond a shore the sheet of water reaches, under the bank


@dataclass(frozen=True)
class Hills:
    """Natural ground.

    Attributes:
        phases: of its waves, radians.
    """

    phases: tuple[float, float, float, float]

    def up_m(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Its height; slopes reach 0.2."""
        a, b, c, d = self.phases
        broad = 6.5 * np.sin(x / 63 + a) * np.cos(y / 71 + b) + 3.8 * np.sin((x + 1.3 * y) / 52 + c)
        return np.asarray(broad + 1.1 * np.sin((x - 0.8 * y) / 24 + d) + 0.35 * np.sin(x / 9 + y / 11), np.float64)

    def up_at(self, x: float, y: float) -> float:
        """up_m of one place."""
        return float(self.up_m(np.array(x), np.array(y)))

    def mean_up_m(self, x: float, y: float) -> float:
        """Height of the ground around a place, averaged."""
        around = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        return float(self.up_m(x + 12 * np.cos(around), y + 12 * np.sin(around)).mean())

    def far_up_m(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """The same, and higher hills at the horizon."""
        a, b, c, d = self.phases
        far = np.hypot(x, y)
        ridge = (
            0.5
            + 0.3 * np.sin(x / 260 + a) * np.cos(y / 240 + c)
            + 0.2 * np.sin((x - y) / 110 + d)
            + 0.1 * np.sin(x / 70 + b)
        )
        return np.asarray(self.up_m(x, y) + smoothstep((far - 380) / 1100) * 105 * ridge, np.float64)


@dataclass(frozen=True)
class Pond:
    """Water in a hollow.

    Attributes:
        x, y: its middle.
        radius_m: of its shore, about.
        up_m: height of the water.
    """

    x: float
    y: float
    radius_m: float
    up_m: float

    def radius_at(self, turn_rad: Float64Array) -> Float64Array:
        """Metres from its middle to the shore in a direction; it is not quite round."""
        waves = 0.16 * np.sin(2 * turn_rad + 1.0) + 0.08 * np.sin(3 * turn_rad)
        return np.asarray(self.radius_m * (1 + waves), np.float64)

    def outside_m(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Distance of places to its shore, about; negative on the water."""
        turn = np.arctan2(y - self.y, x - self.x)
        return np.asarray(np.hypot(x - self.x, y - self.y) - self.radius_at(turn), np.float64)
