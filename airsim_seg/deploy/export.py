"""A trained network becomes a file that runs without PyTorch: checked against PyTorch before anyone gets to see it."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from airsim_seg.benchmark import checkpoints
from airsim_seg.benchmark.augmentation import IMAGENET_MEAN, IMAGENET_STD
from airsim_seg.benchmark.cell_training import Progress
from airsim_seg.benchmark.environment import describe_environment
from airsim_seg.deploy.checking import calibration_limit, calibration_samples, check_limit, compare
from airsim_seg.deploy.exported import FORMATS, Check, ExportedModel, Format, is_export, save_export
from airsim_seg.deploy.extras import need
from airsim_seg.deploy.footage import Footage, choose_footage, count_frames
from airsim_seg.deploy.runtimes import TorchModel, open_export
from airsim_seg.deploy.streaming_graph import StreamingGraph
from airsim_seg.deploy.trained import TrainedNetwork
from airsim_seg.deploy.writers import write_int8, write_onnx, write_openvino
from airsim_seg.disk import make_folder
from airsim_seg.errors import QualityRefused, StorageError, UsageError

MINIMUM_SIDE = 32  # pixels, of every network that can be trained here


@dataclass(frozen=True)
class ExportPlan:
    """What is to be exported, checked before the work begins.

    Attributes:
        trained: the network.
        format: what kind of file.
        input_hw: (height, width) of the frames that it will take.
        footage: videos for calibration and check.
        target: the folder to make.
    """

    trained: TrainedNetwork
    format: Format
    input_hw: tuple[int, int]
    footage: Footage
    target: Path


def plan_export(
    trained: TrainedNetwork, format_name: str, videos_folder: Path, out: Path, input_hw: tuple[int, int] | None = None
) -> ExportPlan:
    """Check everything that can be checked without work.

    Args:
        trained: the network.
        format_name: a name of FORMATS.
        videos_folder: as airsim-seg remap writes it.
        out: exports go into folders of this one.
        input_hw: (height, width) in pixels; None: the size that the network was trained for.

    Raises:
        UsageError: a package is missing, the size is too small, or a folder in the way is not an export.
        MissingData, CorruptFile: there are no videos, or one does not read.
    """
    chosen = FORMATS[format_name]
    need(chosen.packages, f"--format {format_name}")
    size = input_hw or trained.input_hw
    if min(size) < MINIMUM_SIDE:
        raise UsageError(f"--size {size[1]}x{size[0]} is too small: each side needs {MINIMUM_SIDE} pixels.")
    target = out / f"{trained.folder.resolve().parent.name}-{trained.cell.name}-{format_name}"
    if target.exists() and not is_export(target):
        raise UsageError(f"{target} is there and is no export: move it away, or choose another --out.")
    return ExportPlan(trained, chosen, size, choose_footage(videos_folder, trained), target)


def export_model(plan: ExportPlan, progress: Progress) -> ExportedModel:
    """Write, run, compare, publish; plan.target holds all of the export afterwards, or what it held before.

    Raises:
        QualityRefused: too few labels equal PyTorch's.
        UsageError: the network has an operation that the format lacks.
        StorageError: the disk refuses.
    """
    reference = TorchModel(StreamingGraph(plan.trained.net, plan.input_hw), plan.trained.classes)
    with _published(plan.target) as draft:
        calibration = _write(plan, draft, reference, progress)
        export = _describe(plan, reference, calibration)
        candidate = open_export(draft, export, threads=1)
        paths = plan.footage.check
        progress.begin("checking against PyTorch", count_frames(paths, check_limit(plan.trained.cell.reach)))
        check = compare(candidate, reference, paths, plan.trained, progress.advance)
        _refuse_if_worse(plan, check)
        export = replace(export, check=check)
        save_export(draft, export)
    return export


def _write(plan: ExportPlan, draft: Path, reference: TorchModel, progress: Progress) -> dict[str, Any]:
    """Write the model's file; returns what export.json says of the calibration."""
    path = draft / plan.format.file
    onnx_path = path.with_suffix(".onnx")
    progress.begin("writing ONNX", 1)
    write_onnx(reference.graph, onnx_path)
    progress.advance()
    if onnx_path == path:
        return {}
    if plan.format.name != "openvino-int8":
        write_openvino(onnx_path, path)
        onnx_path.unlink()
        return {}
    paths = plan.footage.calibration
    progress.begin("streaming for calibration", count_frames(paths, calibration_limit(plan.trained.cell.reach)))
    samples = calibration_samples(reference, paths, plan.trained, progress.advance)
    progress.begin("quantising", 1)
    write_int8(onnx_path, path, samples)
    progress.advance()
    onnx_path.unlink()
    return {"videos": [path.stem for path in paths], "num_frames": len(samples)}


def _describe(plan: ExportPlan, reference: TorchModel, calibration: dict[str, Any]) -> ExportedModel:
    trained, cell = plan.trained, plan.trained.cell
    with (trained.folder / checkpoints.FILE_NAME).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedModel(
        format=plan.format.name,
        file=plan.format.file,
        backend=plan.format.backend,
        precision=plan.format.precision,
        signature=reference.signature,
        classes=trained.classes,
        mean=tuple(round(float(value), 6) for value in IMAGENET_MEAN),
        std=tuple(round(float(value), 6) for value in IMAGENET_STD),
        model=cell.model,
        tca_depth=cell.tca_depth,
        aggregation=cell.aggregation,
        motion=trained.experiment.network.motion if cell.needs_motion else None,
        environments=trained.environments,
        check=None,
        calibration=calibration,
        source={"run": trained.folder.resolve().parent.name, "cell": cell.name, "checkpoint_sha256": sha256},
        made_with=_made_with(plan.format),
    )


def _made_with(chosen: Format) -> dict[str, Any]:
    """Versions and processor: int8 rounds differently on others."""
    environment = describe_environment()
    packages = {name: environment["packages"].get(name) for name in ("airsim-seg", "torch")}
    for name in chosen.packages:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:  # installed under another name, for instance onnxruntime-gpu
            packages[name] = None
    return {"packages": packages} | {key: environment[key] for key in ("python", "platform", "processor", "commit")}


def _refuse_if_worse(plan: ExportPlan, check: Check) -> None:
    if check.label_agreement >= plan.format.least_agreement:
        return
    advice = {
        "openvino-int8": "take --format openvino-bf16 or openvino, or give more and more varied --videos",
        "openvino-bf16": "take --format openvino",
    }.get(plan.format.name, "take another format, and please report this")
    raise QualityRefused(
        f"Only {100 * check.label_agreement:.2f} % of the labels equal PyTorch's (on {check.num_frames} frames of "
        f"{', '.join(check.videos)}), {100 * plan.format.least_agreement:g} % are needed for {plan.format.name}; "
        f"nothing was exported: {advice}."
    )


@contextmanager
def _published(target: Path) -> Iterator[Path]:
    """A folder beside target that takes target's name when all has gone well, and goes when it has not.

    Raises:
        StorageError: the disk refuses.
    """
    make_folder(target.parent)
    draft, old = (target.with_name(f".{target.name}.{word}") for word in ("partial", "old"))
    try:
        for left_over in (draft, old):
            shutil.rmtree(left_over, ignore_errors=True)
        draft.mkdir()
        yield draft
        if target.exists():
            target.rename(old)
        draft.rename(target)
    except OSError as error:
        raise StorageError(f"{target} cannot be written ({error}): free space, or choose another --out.") from error
    finally:
        for left_over in (draft, old):
            shutil.rmtree(left_over, ignore_errors=True)
