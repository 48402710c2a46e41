"""The optional packages of `pip install "airsim-seg[export]"`, imported where they are needed and nowhere else."""

import sys
from importlib.util import find_spec
from types import ModuleType

from airsim_seg.errors import UsageError

INSTALL = 'pip install "airsim-seg[export]"'


def missing(packages: tuple[str, ...]) -> list[str]:
    """Those of the packages that are not installed."""
    return [name for name in packages if find_spec(name) is None]


def need(packages: tuple[str, ...], purpose: str) -> None:
    """Check before the work begins that packages are installed.

    Raises:
        UsageError: one is not; the message has the command that installs it.
    """
    if absent := missing(packages):
        raise UsageError(f"{purpose} needs {', '.join(absent)}, not installed here: {INSTALL}.")


def import_onnxruntime() -> ModuleType:
    """ONNX Runtime.

    Raises:
        UsageError: not installed.
    """
    need(("onnxruntime",), "Running an ONNX file")
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # the Windows packages have such
    return onnxruntime  # type: ignore[no-any-return]


def import_openvino() -> ModuleType:
    """OpenVINO, kept from reporting its use.

    Raises:
        UsageError: not installed.
    """
    need(("openvino",), "Running an OpenVINO file")
    _without_telemetry()
    import openvino

    return openvino  # type: ignore[no-any-return]


def import_nncf() -> ModuleType:
    """NNCF, kept from reporting its use and from writing to stdout; it needs OpenVINO.

    Raises:
        UsageError: not installed.
    """
    need(("nncf", "openvino"), "Quantising")
    _without_telemetry()
    import nncf

    nncf.set_log_level(40)  # logging.ERROR
    return nncf  # type: ignore[no-any-return]


def _without_telemetry() -> None:
    """Hide openvino_telemetry: `import openvino` alone would send an event to Google Analytics (2026.4, NNCF 3.4).

    Both packages take its absence for a refusal; a process that has imported it before has made its own choice.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
