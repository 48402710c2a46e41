"""What colours things come in, as linear RGB factors.

Wide on purpose, and shared between classes (grey walls, roofs, roads and rocks; white walls, fences and clouds): where
a colour alone tells the class, a network that looks at shapes learns nothing that a table of colours does not know.
"""

import numpy as np

Tint = tuple[float, float, float]

WHITE: Tint = (1.0, 1.0, 1.0)
WALLS: tuple[Tint, ...] = (
    (0.62, 0.64, 0.68), (0.30, 0.20, 0.13), (0.78, 0.75, 0.68), (0.24, 0.28, 0.36), (0.52, 0.46, 0.36),
    (0.95, 0.95, 0.93), (0.36, 0.40, 0.34), (0.45, 0.27, 0.17), (0.45, 0.58, 0.72), (0.28, 0.36, 0.20),
    (0.80, 0.70, 0.38), (0.48, 0.10, 0.08), (0.15, 0.15, 0.16), (0.70, 0.50, 0.42),
)  # fmt: skip
ROOFS: tuple[Tint, ...] = (
    (0.23, 0.25, 0.31), (0.17, 0.18, 0.21), (0.30, 0.26, 0.27), (0.42, 0.17, 0.11), (0.26, 0.30, 0.34),
    (0.28, 0.20, 0.13), (0.52, 0.50, 0.47), (0.18, 0.26, 0.19), (0.09, 0.09, 0.10), (0.60, 0.40, 0.28),
)  # fmt: skip
# (walls, roofs) of the two kinds of houses in AirSimNH: dark boards under slate, pale boards under brown shingles.
BUNGALOW: tuple[tuple[Tint, ...], tuple[Tint, ...]] = (
    ((0.10, 0.09, 0.085), (0.17, 0.13, 0.10), (0.44, 0.37, 0.28), (0.20, 0.23, 0.28), (0.58, 0.60, 0.64)),
    ((0.50, 0.53, 0.58), (0.38, 0.41, 0.47), (0.58, 0.58, 0.58), (0.28, 0.30, 0.34)),
)
TALL_HOUSE: tuple[tuple[Tint, ...], tuple[Tint, ...]] = (
    ((0.88, 0.88, 0.90), (0.62, 0.65, 0.70), (0.72, 0.65, 0.52), (0.46, 0.34, 0.20), (0.36, 0.42, 0.52)),
    ((0.30, 0.26, 0.29), (0.36, 0.29, 0.27), (0.22, 0.22, 0.25), (0.42, 0.44, 0.49)),
)
SHUTTERS: tuple[Tint, ...] = (
    (0.10, 0.16, 0.30), (0.35, 0.06, 0.05), (0.08, 0.17, 0.11), (0.72, 0.72, 0.70), (0.05, 0.05, 0.06),
)  # fmt: skip
FENCES: tuple[Tint, ...] = (
    (0.9, 0.9, 0.92), (0.34, 0.38, 0.46), (0.62, 0.48, 0.34), (0.80, 0.78, 0.72), (0.30, 0.22, 0.16),
    (0.22, 0.30, 0.18), (0.15, 0.15, 0.16), (0.46, 0.50, 0.56),
)  # fmt: skip
BOARD_FENCES: tuple[Tint, ...] = ((0.62, 0.48, 0.34), (0.95, 0.85, 0.70), (0.45, 0.45, 0.46), (0.40, 0.28, 0.20))
CARS: tuple[Tint, ...] = (
    (0.42, 0.02, 0.03), (0.03, 0.05, 0.16), (0.55, 0.56, 0.57), (0.03, 0.03, 0.035), (0.22, 0.23, 0.25),
    (0.80, 0.80, 0.78), (0.06, 0.14, 0.22), (0.30, 0.05, 0.05), (0.10, 0.16, 0.11), (0.50, 0.40, 0.26),
    (0.20, 0.35, 0.50), (0.65, 0.50, 0.05), (0.16, 0.10, 0.07),
)  # fmt: skip
PAVING: tuple[Tint, ...] = ((1.0, 1.0, 1.0), (0.55, 0.54, 0.53), (0.95, 0.72, 0.58), (0.75, 0.78, 0.80))
DRIVES: tuple[Tint, ...] = ((1.05, 1.05, 1.03), (0.85, 0.86, 0.87), (1.15, 1.12, 1.05), (0.80, 0.42, 0.33))
WALKS: Tint = (1.1, 1.1, 1.06)
ROCKS: tuple[Tint, ...] = ((1.0, 1.0, 1.0), (0.70, 0.62, 0.52), (0.62, 0.68, 0.56), (1.25, 1.22, 1.18))
# Blue basins, but also dark liners, green ponds and grey water under a cloud.
WATERS: tuple[Tint, ...] = (
    (0.05, 0.42, 0.55), (0.30, 0.60, 0.78), (0.03, 0.12, 0.22), (0.08, 0.20, 0.12), (0.34, 0.40, 0.40),
    (0.10, 0.09, 0.06),
)  # fmt: skip
TREES: tuple[Tint, ...] = ((0.095, 0.125, 0.13), (0.06, 0.09, 0.085), (0.13, 0.16, 0.15), (0.17, 0.17, 0.08))
FIRS: tuple[Tint, ...] = ((0.075, 0.10, 0.08), (0.06, 0.09, 0.10), (0.09, 0.11, 0.06))
BIRCHES: tuple[Tint, ...] = ((0.13, 0.165, 0.09), (0.20, 0.18, 0.07), (0.10, 0.15, 0.07))
HEDGES: tuple[Tint, ...] = ((0.22, 0.28, 0.11), (0.12, 0.18, 0.08), (0.27, 0.30, 0.13), (0.15, 0.19, 0.12))


def varied(tint: Tint, rng: np.random.Generator, amount: float) -> Tint:
    """A tint a little lighter or darker, warmer or colder.

    Args:
        tint: linear RGB.
        rng: of the change.
        amount: largest change of brightness, as a fraction; hue changes by half as much.
    """
    factor = (1 + amount * rng.uniform(-1, 1)) * (1 + 0.5 * amount * rng.uniform(-1, 1, 3))
    red, green, blue = np.asarray(tint) * factor
    return float(red), float(green), float(blue)


def mixed(table: tuple[Tint, ...], rng: np.random.Generator, amount: float = 0.2) -> Tint:
    """A colour from between two of a table, varied: so many that no two houses look the same."""
    first, second = (np.asarray(table[int(k)]) for k in rng.integers(len(table), size=2))
    share = rng.beta(0.4, 0.4)  # mostly near one of the two: mixtures of everything with everything are all grey
    red, green, blue = share * first + (1 - share) * second
    return varied((float(red), float(green), float(blue)), rng, amount)
