"""The RPCs that reach into Unreal: what a simulator without Unreal can say to them."""

import logging
import re

from airsim_seg.builtin.api import Methods, method
from airsim_seg.builtin.arguments import BadCast, integer, text
from airsim_seg.builtin.world import World

# AirSim's LogDebugLevel: informational, success, failure, unimportant.
_LEVELS = {2: logging.WARNING}
MAX_MESSAGE_CHARS = 1000
# The one console command there is: AirSim has no call for it, and Unreal passes over commands that it does not know.
SCENERY_TIME = re.compile(r"airsim-seg\.SceneryTime ([0-9]{1,18})")

_log = logging.getLogger(__name__)


def _print(message: str, parameter: str, severity: int) -> None:
    """A line in the log instead of on the screen."""
    if not 0 <= severity <= 255:
        raise BadCast
    _log.log(_LEVELS.get(severity, logging.INFO), "%.*r %.*r", MAX_MESSAGE_CHARS, message, MAX_MESSAGE_CHARS, parameter)


def engine_methods(world: World) -> Methods:
    """The table of this file.

    There is a console of one command, one level, and no material that could be named; AirSim answers False, or with an
    empty list, where it does not find what was named.
    """

    def run(command: str) -> bool:
        said = SCENERY_TIME.fullmatch(command)
        if said is not None:
            world.set_scenery(int(said[1]))
        return said is not None

    return {
        "simPrintLogMessage": method(_print, text, text, integer),
        "simRunConsoleCommand": method(run, text),
        "simLoadLevel": method(lambda _: False, text),
        "simSwapTextures": method(lambda *_: [], text, integer, integer, integer),
        "simSetObjectMaterial": method(lambda *_: False, text, text, integer),
        "simSetObjectMaterialFromTexture": method(lambda *_: False, text, text, integer),
    }
