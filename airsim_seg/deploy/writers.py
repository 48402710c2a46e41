"""From a graph to files: ONNX, and through it OpenVINO, in float32 or int8."""

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from airsim_seg.deploy.extras import import_nncf, import_openvino
from airsim_seg.deploy.signature import Array
from airsim_seg.deploy.streaming_graph import StreamingGraph
from airsim_seg.errors import UsageError

OPSET = 18  # the one that torch's exporter writes without conversion; grid_sample needs 16


def write_onnx(graph: StreamingGraph, path: Path) -> None:
    """Write a graph as ONNX, weights inside.

    Raises:
        UsageError: the network has an operation that ONNX lacks.
    """
    import onnx

    signature = graph.signature
    try:
        program = torch.onnx.export(
            graph.eval(),
            graph.example_inputs(),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=signature.input_names,
            output_names=signature.output_names,
        )
    except torch.onnx.OnnxExporterError as error:
        raise UsageError(
            f"This network has no ONNX form, so no export ({_root(error)}): choose another cell."
        ) from error
    assert program is not None
    model = program.model_proto
    _forget_origin(model)
    onnx.save(model, path)


def _root(error: BaseException) -> str:
    """What went wrong first: the exporter wraps it in pages of advice with colours for terminals."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def write_openvino(onnx_path: Path, path: Path) -> None:
    """Convert an ONNX file: path is the .xml, the weights go beside it as .bin, in float32."""
    openvino = import_openvino()
    openvino.save_model(openvino.Core().read_model(onnx_path), path, compress_to_fp16=False)


def write_int8(onnx_path: Path, path: Path, samples: Sequence[dict[str, Array]]) -> None:
    """Quantise an ONNX file after training, into OpenVINO's form.

    Args:
        onnx_path: of the float32 model.
        path: the .xml to write.
        samples: inputs by name, the memory among them. Their ranges become the ranges of int8: an empty memory in all
            of them would leave no room for a full one.
    """
    openvino, nncf = import_openvino(), import_nncf()
    model = openvino.Core().read_model(onnx_path)
    # NNCF draws bars on stdout, which is for results.
    with contextlib.redirect_stdout(io.StringIO()):
        quantised = nncf.quantize(
            model,
            nncf.Dataset(list(samples)),
            subset_size=len(samples),
            # LeakyReLU leaves little below zero: activations need ranges that are not symmetric.
            preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=nncf.IgnoredScope(names=_geometry(model), validate=False),
        )
    openvino.save_model(quantised, path, compress_to_fp16=False)


def _geometry(model: Any) -> list[str]:
    """Names of the operations that say where things were, for warped memories.

    They stay in float32: 256 steps are too few for places, and what is not known is NaN, which has no range. They are
    all that leads to the flows and to the places at which GridSample looks; features do not.
    """
    sampled = [node.input_value(1).get_node() for node in model.get_ops() if node.get_type_name() == "GridSample"]
    flows = [output.get_node() for output in model.outputs if "next_flows" in output.get_names()]
    found: dict[str, Any] = {}
    waiting = [*sampled, *flows]
    while waiting:
        node = waiting.pop()
        if node.get_friendly_name() not in found:
            found[node.get_friendly_name()] = node
            waiting += [node.input_value(place).get_node() for place in range(node.get_input_size())]
    return sorted(found)


def _forget_origin(model: Any) -> None:
    """Take out the notes that torch leaves in the file: stack traces with this machine's paths, for each node."""
    graph = model.graph
    noted = [model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in [*noted, *model.functions]:
        del part.metadata_props[:]
