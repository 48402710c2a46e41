"""Finds the data that travels with the package: label maps and experiment definitions.

In a wheel they lie beside this file (setup.cfg, package_dir); in a checkout they are the top-level folders themselves.
"""

from pathlib import Path
from typing import Literal


def shipped_folder(kind: Literal["label_maps", "benchmarks"]) -> Path:
    """The folder of the package's own label maps or experiments, in a wheel and in a checkout alike."""
    inside = Path(__file__).parent / kind
    return inside if inside.is_dir() else Path(__file__).parents[2] / kind
