"""How a served world is made awkward on purpose; by default it is not."""

from dataclasses import dataclass

from airsim_seg.builtin.faults import Fault
from airsim_seg.builtin.segmentation_palettes import PaletteName


@dataclass(frozen=True)
class Switches:
    """What differs from the kind simulator; a StrictWorld brings its strictness along.

    Attributes:
        palette: the colours of the Segmentation image.
        faults: what goes wrong.
    """

    palette: PaletteName = "plain"
    faults: tuple[Fault, ...] = ()
