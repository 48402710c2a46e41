"""Exports on disk: a folder with the model's file and, beside it, all that one must know to run it.

exports/<run>-<cell>-<format>/
    model.onnx | model.xml, model.bin
    export.json          schema "airsim-seg/export": see ExportedModel and docs/export.md
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from airsim_seg.benchmark.results import read_json, write_json
from airsim_seg.deploy.signature import FRAME, LOGITS, MOTION, Signature, StateTensor
from airsim_seg.errors import AirsimSegError, CorruptFile

DESCRIPTION = "export.json"
SCHEMA = "airsim-seg/export"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Format:
    """One kind of export.

    Attributes:
        name: for the command line.
        file: of the model.
        backend: the runtime that it is made for.
        precision: "f32" or "bf16", of all that the file does not hold in int8.
        least_agreement: share of pixels whose label must equal PyTorch's in float32; below it nothing is exported.
        packages: that making and checking it takes.
    """

    name: str
    file: str
    backend: Literal["onnxruntime", "openvino"]
    precision: Literal["f32", "bf16"]
    least_agreement: float
    packages: tuple[str, ...]


_ONNX, _OPENVINO = ("onnx", "onnxscript"), ("onnx", "onnxscript", "openvino")
# In float32 only ties may differ: equal up to 1e-5 of the largest logit. bf16 and int8 gave 0.997 and 0.990 for an
# untrained FANet-18, whose margins are the smallest.
FORMATS: dict[str, Format] = {
    export_format.name: export_format
    for export_format in (
        Format("onnx", "model.onnx", "onnxruntime", "f32", 0.999, (*_ONNX, "onnxruntime")),
        Format("openvino", "model.xml", "openvino", "f32", 0.999, _OPENVINO),
        Format("openvino-bf16", "model.xml", "openvino", "bf16", 0.99, _OPENVINO),
        Format("openvino-int8", "model.xml", "openvino", "f32", 0.98, (*_OPENVINO, "nncf")),
    )
}


@dataclass(frozen=True)
class Check:
    """How an export compares with PyTorch in float32, on real frames, streaming from an empty memory.

    Attributes:
        label_agreement: share of pixels with equal labels, 0..1.
        num_frames: compared.
        videos: their names.
        precision: that was computed in: "f32" also for bf16 where the processor has none.
        cpu_ms: median CPU time of a frame on one thread.
        torch_cpu_ms: the same of PyTorch.
    """

    label_agreement: float
    num_frames: int
    videos: tuple[str, ...]
    precision: str
    cpu_ms: float
    torch_cpu_ms: float


@dataclass(frozen=True)
class ExportedModel:
    """What export.json says.

    Attributes:
        format: a name of FORMATS.
        file: of the model, beside export.json.
        backend: see Format.
        precision: see Format.
        signature: inputs, outputs and the memory's tensors.
        classes: names, in the order of the logits' channels.
        mean: of R, G, B in 0..1, taken out of frames.
        std: what they are divided by then.
        model: network, for instance "fanet18".
        tca_depth: N.
        aggregation: see fanet/memory.py.
        motion: where motion came from in training ("flow" or "pose"); None where the memory does not move along it.
        environments: that the network was trained in.
        check: see Check.
        calibration: int8: names of the videos and number of frames that the ranges come from; else nothing.
        source: run, cell and the checkpoint's sha256.
        made_with: versions of packages, processor.
    """

    format: str
    file: str
    backend: Literal["onnxruntime", "openvino"]
    precision: str
    signature: Signature
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    model: str
    tca_depth: int
    aggregation: str
    motion: str | None
    environments: tuple[str, ...]
    check: Check | None
    calibration: dict[str, Any]
    source: dict[str, str]
    made_with: dict[str, Any]


def is_export(folder: Path) -> bool:
    """Whether a folder is an export, of any version."""
    try:
        return bool(read_json(folder / DESCRIPTION)["schema"] == SCHEMA)
    except (AirsimSegError, KeyError, TypeError):
        return False


def save_export(folder: Path, export: ExportedModel) -> None:
    """Write export.json; the memory is listed with the name that each tensor has on its way out."""
    height, width = export.signature.input_hw
    table = vars(export) | {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "check": None if export.check is None else vars(export.check),
        "frame": {"name": FRAME, "shape": [1, 3, height, width], "dtype": "float32"},
        "motion_input": {"name": MOTION, "shape": [1, 2, height, width], "dtype": "float32"}
        if export.signature.takes_motion
        else None,
        "logits": {"name": LOGITS, "shape": list(export.signature.logits_shape), "dtype": "float32"},
        "state": [tensor.as_dict() for tensor in export.signature.state],
    }
    del table["signature"]
    order = ["schema", "schema_version", "format", "file", "frame", "motion_input", "logits", "state"]
    write_json(folder / DESCRIPTION, {key: table[key] for key in [*order, *(k for k in table if k not in order)]})


def load_export(folder: Path) -> ExportedModel:
    """Read export.json.

    Raises:
        CorruptFile: missing, damaged, of another version, or without its model; export again.
    """
    path = folder / DESCRIPTION
    table = read_json(path)
    try:
        if table["schema"] != SCHEMA or table["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"{table['schema']} version {table['schema_version']}")
        export = _from_table(table)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise CorruptFile(f"{path} is not a description that this airsim-seg reads ({error}): export again.") from error
    if not (folder / export.file).is_file():
        raise CorruptFile(f"{folder / export.file} is missing: export again.")
    return export


def _from_table(table: dict[str, Any]) -> ExportedModel:
    height, width = table["frame"]["shape"][2:]
    signature = Signature(
        (height, width),
        tuple(table["logits"]["shape"]),
        tuple(StateTensor.from_dict(row) for row in table["state"]),
        table["motion_input"] is not None,
    )
    checked = table["check"]
    kept = {field.name: table[field.name] for field in fields(ExportedModel) if field.name in table}
    listed = {key: tuple(table[key]) for key in ("classes", "mean", "std", "environments")}
    check = Check(**checked | {"videos": tuple(checked["videos"])}) if checked else None
    return ExportedModel(**kept | listed | {"signature": signature, "check": check})
