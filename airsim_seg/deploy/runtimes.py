"""One interface for everything that can run a trained network frame by frame: PyTorch, ONNX Runtime, OpenVINO.

model = open_model(Path("exports/demo-fanet18-n4-sum-mixed-s0-openvino"))
model.reset()                                # at the first frame, and at every cut
for frame in video:
    logits = model.step(frame)               # the memory goes on inside the model's wrapper, not in the file
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch

from airsim_seg.deploy.exported import ExportedModel, is_export, load_export
from airsim_seg.deploy.extras import import_onnxruntime, import_openvino
from airsim_seg.deploy.signature import FRAME, LOGITS, MOTION, Array, Signature
from airsim_seg.deploy.streaming_graph import StreamingGraph
from airsim_seg.deploy.trained import load_trained
from airsim_seg.errors import CorruptFile, UsageError
from airsim_seg.types import Float32Array

Backend = Literal["torch", "onnxruntime", "openvino"]
BACKENDS: tuple[Backend, ...] = ("torch", "onnxruntime", "openvino")


class StreamingModel(Protocol):
    """What predicting needs of a model.

    Attributes:
        signature: its inputs and outputs; signature.input_hw is the frames' size.
        classes: names, in the order of the logits' channels.
    """

    signature: Signature
    classes: tuple[str, ...]

    def step(self, frame: Float32Array, motion: Float32Array | None = None) -> Float32Array:
        """Segment the next frame.

        Args:
            frame: float32 [1,3,H,W], normalised as in training (benchmark.scoring.prepare_frame).
            motion: float32 [1,2,H,W], pixels to the frame before, NaN = unknown; where the signature takes it.

        Returns:
            logits float32 [1,num_classes,H,W].
        """

    def reset(self) -> None:
        """Empty the memory."""


class GraphModel(ABC):
    """A graph of flat tensors, and the memory that goes through it: what all runtimes share."""

    def __init__(self, signature: Signature, classes: tuple[str, ...]) -> None:
        self.signature = signature
        self.classes = classes
        self.reset()

    def reset(self) -> None:
        """See StreamingModel."""
        self._state = self.signature.empty_state()

    def step(self, frame: Float32Array, motion: Float32Array | None = None) -> Float32Array:
        """See StreamingModel.

        Raises:
            ValueError: a frame of another size or dtype, or no motion where it is needed.
        """
        outputs = self.run(self.inputs(frame, motion))
        self._state = {tensor.name: outputs[tensor.next_name] for tensor in self.signature.state}
        return outputs[LOGITS]

    def inputs(self, frame: Float32Array, motion: Float32Array | None = None) -> dict[str, Array]:
        """All that the graph gets to see with this frame, by name: the memory, too."""
        self.signature.check(frame, motion)
        given: dict[str, Array] = {FRAME: frame}
        if self.signature.takes_motion and motion is not None:
            given[MOTION] = motion
        return given | self._state

    @abstractmethod
    def run(self, inputs: dict[str, Array]) -> dict[str, Array]:
        """Compute the graph: arrays by name in and out."""


class TorchModel(GraphModel):
    """The network itself in PyTorch, on the CPU, float32."""

    def __init__(self, graph: StreamingGraph, classes: tuple[str, ...]) -> None:
        super().__init__(graph.signature, classes)
        self.graph = graph

    @torch.inference_mode()
    def run(self, inputs: dict[str, Array]) -> dict[str, Array]:
        """See GraphModel."""
        # torch warns of arrays that may not be written, though it only reads them.
        tensors = [torch.from_numpy(np.require(inputs[name], requirements="W")) for name in self.signature.input_names]
        outputs = self.graph(*tensors)
        return {name: found.numpy() for name, found in zip(self.signature.output_names, outputs, strict=True)}


class OnnxModel(GraphModel):
    """An ONNX file in ONNX Runtime, on the CPU."""

    def __init__(self, path: Path, signature: Signature, classes: tuple[str, ...], threads: int = 0) -> None:
        super().__init__(signature, classes)
        runtime = import_onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no base of their own
            raise _unreadable(path, error) from error

    def run(self, inputs: dict[str, Array]) -> dict[str, Array]:
        """See GraphModel."""
        names = self.signature.output_names
        given = {name: np.asarray(array, order="C") for name, array in inputs.items()}
        return dict(zip(names, self._session.run(names, given), strict=True))


class OpenVinoModel(GraphModel):
    """An OpenVINO (or ONNX) file in OpenVINO, on the CPU.

    Args:
        path: model.xml, with model.bin beside it, or an .onnx file.
        signature: of the model.
        classes: names.
        threads: 0 leaves the choice to OpenVINO.
        precision: "f32" or "bf16", of all that the file does not hold in int8. It is always said: left to itself
            OpenVINO computes float32 files in bf16 on processors that can. Where they cannot, "bf16" is float32.
    """

    def __init__(
        self, path: Path, signature: Signature, classes: tuple[str, ...], threads: int = 0, precision: str = "f32"
    ) -> None:
        super().__init__(signature, classes)
        self._openvino = import_openvino()
        config: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        config |= {"INFERENCE_NUM_THREADS": threads} if threads else {}
        try:
            compiled = self._openvino.Core().compile_model(path, "CPU", config)
        except RuntimeError as error:
            raise _unreadable(path, error) from error
        self.precision = "bf16" if compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "bf16" else "f32"
        self._request = compiled.create_infer_request()

    def run(self, inputs: dict[str, Array]) -> dict[str, Array]:
        """See GraphModel."""
        given = {name: np.asarray(array, order="C") for name, array in inputs.items()}
        outputs = self.signature.new_outputs()
        # It writes straight into these: a copy of its own buffers would cost 2 % of a frame.
        for name, array in outputs.items():
            self._request.set_tensor(name, self._openvino.Tensor(array, shared_memory=True))
        self._request.infer(given, share_inputs=True, share_outputs=True)
        return outputs


def open_model(path: Path, backend: Backend | None = None, threads: int = 0) -> StreamingModel:
    """Open a trained cell or an export, whichever the path is.

    Args:
        path: the folder of a trained cell (or of a run with one), or of an export (or the model file in it).
        backend: None takes what is there: PyTorch for a cell, for an export the runtime that it was made for.
        threads: CPU threads; 0 leaves them as they are. PyTorch has one setting for the whole process.

    Raises:
        UsageError: a backend that cannot run this, or whose package is not installed.
        MissingData, CorruptFile, TrainingError: see load_trained and load_export.
    """
    folder = path.parent if path.is_file() else path
    if is_export(folder):
        export = load_export(folder)
        return open_export(folder, export, backend, threads)
    if backend not in (None, "torch"):
        raise UsageError(
            f"{path} is not an export, so {backend} cannot run it: make one with `airsim-seg export-model {path} "
            f"--format {'onnx' if backend == 'onnxruntime' else 'openvino'}`, or take the torch backend."
        )
    trained = load_trained(path)
    if threads:
        torch.set_num_threads(threads)
    return TorchModel(StreamingGraph(trained.net, trained.input_hw), trained.classes)


def open_export(
    folder: Path, export: ExportedModel, backend: Backend | None = None, threads: int = 0
) -> OnnxModel | OpenVinoModel:
    """Open an export whose description is known; see open_model."""
    path, chosen = folder / export.file, backend or export.backend
    if chosen == "onnxruntime" and path.suffix == ".onnx":
        return OnnxModel(path, export.signature, export.classes, threads)
    if chosen == "openvino":
        return OpenVinoModel(path, export.signature, export.classes, threads, export.precision)
    raise UsageError(f"{folder} is a model for {export.backend}, which {chosen} cannot run: leave --backend out.")


def _unreadable(path: Path, error: Exception) -> CorruptFile:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return CorruptFile(f"{path} cannot be run ({reason}): export it again.")
