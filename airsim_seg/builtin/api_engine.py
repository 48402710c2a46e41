"""The RPCs that reach into Unreal: what a simulator without Unreal can say to them."""

import logging

from airsim_seg.builtin.api import Methods, method
from airsim_seg.builtin.arguments import BadCast, integer, text

# AirSim's LogDebugLevel: informational, success, failure, unimportant.
_LEVELS = {2: logging.WARNING}
MAX_MESSAGE_CHARS = 1000

_log = logging.getLogger(__name__)


def _print(message: str, parameter: str, severity: int) -> None:
    """A line in the log instead of on the screen."""
    if not 0 <= severity <= 255:
        raise BadCast
    _log.log(_LEVELS.get(severity, logging.INFO), "%.*r %.*r", MAX_MESSAGE_CHARS, message, MAX_MESSAGE_CHARS, parameter)


def engine_methods() -> Methods:
    """The table of this file.

    There is no console, one level, and no material that could be named; AirSim answers False, or with an empty list,
    where it does not find what was named.
    """
    return {
        "simPrintLogMessage": method(_print, text, text, integer),
        "simRunConsoleCommand": method(lambda _: False, text),
        "simLoadLevel": method(lambda _: False, text),
        "simSwapTextures": method(lambda *_: [], text, integer, integer, integer),
        "simSetObjectMaterial": method(lambda *_: False, text, text, integer),
        "simSetObjectMaterialFromTexture": method(lambda *_: False, text, text, integer),
    }
