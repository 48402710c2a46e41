"""A network as a graph of flat tensors: the same numbers as the network itself, in PyTorch and in what runs exports."""

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from airsim_seg.benchmark.networks import build_network
from airsim_seg.deploy.checking import one_torch_thread
from airsim_seg.deploy.exported import FORMATS
from airsim_seg.deploy.runtimes import OnnxModel, OpenVinoModel, TorchModel
from airsim_seg.deploy.signature import StateTensor
from airsim_seg.deploy.streaming_graph import StreamingGraph
from airsim_seg.deploy.writers import write_int8, write_onnx
from airsim_seg.errors import UsageError
from fanet import FANet

SIZE_HW = (33, 41)  # neither side is a multiple of anything
CLASSES = ("ground", "box", "sky")


@pytest.fixture(autouse=True)
def _one_thread():
    with one_torch_thread():
        yield


def make_net(depth, aggregation, model="fanet18"):
    """A narrow network whose BatchNorms have seen something, and whose memory has left its start."""
    net = build_network(
        model, tca_depth=depth, aggregation=aggregation, num_classes=len(CLASSES), width=0.125, seed=depth
    )
    frames, motion = footage(4, seed=9)
    generator = torch.Generator().manual_seed(8)
    with torch.no_grad():
        for parameter in net.recall.parameters():
            parameter += 0.1 * torch.rand(parameter.shape, generator=generator)
        net.train()(frames, None, None, motion)
    return net.eval()


def footage(count, seed=0):
    """Frames [T,3,h,w] and motion [T,2,h,w] of a few pixels, a third of it unknown."""
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randn(count, 3, *SIZE_HW, generator=generator)
    motion = 6 * torch.randn(count, 2, 1, 1, generator=generator).expand(-1, -1, *SIZE_HW).clone()
    motion[:, :, : SIZE_HW[0] // 3] = torch.nan
    motion[0] = torch.nan
    return frames, motion


@pytest.mark.parametrize("aggregation", ["sum", "mean", "gate", "local", "warped", "netwarp"])
@pytest.mark.parametrize("depth", [0, 2, 4, 6])
def test_the_graph_is_the_network_to_the_bit(depth, aggregation):
    net = make_net(depth, aggregation)
    graph = StreamingGraph(net, SIZE_HW)
    frames, motion = footage(depth + 3)
    state, flat = None, graph.empty_state()
    for index in range(len(frames)):
        frame, moved = frames[index : index + 1], motion[index : index + 1]
        with torch.no_grad():
            expected, state = net(frame, state, None, moved)
            others = (moved, *flat) if graph.signature.takes_motion else flat
            logits, *flat = graph(frame, *others)
        assert torch.equal(logits, expected)
        assert len(flat) == len(graph.signature.state)
        for tensor, value in zip(graph.signature.state, flat, strict=True):
            assert tuple(value.shape) == tensor.shape
            assert str(value.dtype) == f"torch.{tensor.dtype}"


@pytest.mark.parametrize(
    ("model", "aggregation", "names"),
    [
        ("fanet18", "sum", ["remembered_8", "remembered_16", "remembered_32", "remembered_64", "num_valid"]),
        ("fanet18", "gate,scales=16+64,tiles=2,stride=3", ["remembered_16", "remembered_64", "num_valid"]),
        ("fanet18", "local", ["remembered_map", "num_valid"]),
        ("fanet18", "propagate", ["remembered_logits", "num_valid", "flows"]),
        ("fanet18", "netwarp", ["remembered_map", "num_valid", "flows", "picture"]),
        ("enet", "local", ["remembered_map", "num_valid"]),
        ("enet", "netwarp", ["remembered_map", "num_valid", "flows", "picture"]),
        ("enet+fa", "sum", ["remembered_context", "num_valid"]),
    ],
)
def test_the_memory_has_names(model, aggregation, names):
    signature = StreamingGraph(make_net(2, aggregation, model), (64, 64)).signature
    assert [tensor.name for tensor in signature.state] == names
    assert signature.output_names == ["logits", *(f"next_{name}" for name in names)]
    assert signature.takes_motion == ("flows" in names)
    assert signature.logits_shape == (1, 3, 64, 64)
    if "stride=3" in aggregation:
        assert signature.state[0].shape[0] == 6


def test_without_depth_there_is_no_memory():
    signature = StreamingGraph(make_net(0, "warped"), SIZE_HW).signature
    assert signature.input_names == ["frame"]
    assert signature.output_names == ["logits"]


def test_logits_can_stay_at_an_eighth():
    net = make_net(2, "sum")
    graph = StreamingGraph(net, SIZE_HW, full_size=False)
    frames, _ = footage(1)
    with torch.no_grad():
        assert torch.equal(graph(frames, *graph.empty_state())[0], net(frames, full_size=False)[0])
    assert graph.signature.logits_shape == (1, 3, 5, 6)


def test_a_state_tensor_survives_json():
    for tensor in (StateTensor("num_valid", (), "int64"), StateTensor("flows", (2, 2, 4, 5), "float32", float("nan"))):
        again = StateTensor.from_dict(json.loads(json.dumps(tensor.as_dict(), allow_nan=False)))
        assert str(again) == str(tensor)
        np.testing.assert_array_equal(again.empty_array(), tensor.empty_array())


def test_reset_empties_the_memory():
    model = TorchModel(StreamingGraph(make_net(2, "sum"), SIZE_HW), CLASSES)
    frames = [frame[None] for frame in footage(3)[0].numpy()]
    first, second = model.step(frames[0]), model.step(frames[1])
    model.reset()
    np.testing.assert_array_equal(model.step(frames[0]), first)
    np.testing.assert_array_equal(model.step(frames[1]), second)
    model.reset()
    assert not np.array_equal(model.step(frames[1]), second)


def test_what_is_no_frame_of_this_model_is_refused():
    model = TorchModel(StreamingGraph(make_net(2, "warped"), SIZE_HW), CLASSES)
    frame, motion = np.zeros((1, 3, *SIZE_HW), np.float32), np.zeros((1, 2, *SIZE_HW), np.float32)
    with pytest.raises(ValueError, match=r"frame must be float32 \[1, 3, 33, 41\], not uint8"):
        model.step(frame.astype(np.uint8), motion)
    with pytest.raises(ValueError, match=r"not float32 \[1, 3, 33, 40\]"):
        model.step(frame[..., :40], motion)
    with pytest.raises(ValueError, match=r"motion must be .* not nothing"):
        model.step(frame)
    frame.setflags(write=False)
    assert model.step(frame, motion).shape == (1, 3, *SIZE_HW)


needs_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in FORMATS["onnx"].packages), reason="the extra [export] is not installed"
)
needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="the extra [export] is not installed")


@pytest.fixture(scope="module", params=["warped", "netwarp"])
def exported(request, tmp_path_factory):
    """The memories with the most operations, in PyTorch and as files; writing takes many seconds."""
    model = TorchModel(StreamingGraph(make_net(2, request.param), SIZE_HW), CLASSES)
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    write_onnx(model.graph, path)
    return model, path


def assert_equal_streams(model, reference):
    """Eight frames and a cut: the first three fill the memory."""
    frames, motion = footage(8)
    for index in range(8):
        if index in (0, 6):
            model.reset()
            reference.reset()
        frame, moved = frames[index : index + 1].numpy(), motion[index : index + 1].numpy()
        logits, expected = model.step(frame, moved), reference.step(frame, moved)
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@needs_onnx
def test_onnx_runtime_streams_as_pytorch_does(exported):
    reference, path = exported
    assert_equal_streams(OnnxModel(path, reference.signature, CLASSES, threads=1), reference)


@needs_onnx
@needs_openvino
def test_openvino_streams_as_pytorch_does(exported):
    reference, path = exported
    model = OpenVinoModel(path, reference.signature, CLASSES, threads=1)
    assert_equal_streams(model, reference)
    assert model.precision == "f32"


@needs_onnx
@pytest.mark.skipif(find_spec("nncf") is None, reason="the extra [export] is not installed")
def test_int8_leaves_places_in_float32(exported):
    """What is not known is NaN, and a place is more than one of 256 steps: flows stay as they are, refined or not."""
    reference, path = exported
    samples = []
    reference.reset()
    for frame, moved in zip(*footage(6), strict=True):
        samples.append(reference.inputs(frame[None].numpy(), moved[None].numpy()))
        reference.step(samples[-1]["frame"], samples[-1]["motion"])
    write_int8(path, path.with_suffix(".xml"), samples)
    model = OpenVinoModel(path.with_suffix(".xml"), reference.signature, CLASSES, threads=1)
    expected, found = reference.run(samples[-1]), model.run(samples[-1])
    assert np.isfinite(expected["next_flows"]).mean() > 0.2
    for name in {"next_flows", "next_picture"} & expected.keys():
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
    assert np.isfinite(found["logits"]).all()
    assert not np.array_equal(found["logits"], expected["logits"])


@needs_onnx
def test_the_file_says_nothing_of_where_it_was_made(exported):
    content = exported[1].read_bytes()
    for word in (b"site-packages", b"fanet/", b".py", b"stack_trace"):
        assert word not in content


class Fickle(FANet):
    """What it computes depends on what it has computed: no graph can say that."""

    def forward(self, frames, state=None, segment_start=None, motion=None, **options):
        logits, state = super().forward(frames, state, segment_start, motion, **options)
        return (logits + 1 if float(logits.sum()) > 0 else logits), state


@needs_onnx
@pytest.mark.filterwarnings("ignore")
def test_a_network_that_onnx_cannot_hold_is_one_sentence_in_plain_letters(tmp_path):
    graph = StreamingGraph(Fickle(len(CLASSES), width=0.125, tca_depth=0), SIZE_HW)
    with pytest.raises(UsageError, match=r"no ONNX form, so no export .*: choose another cell") as caught:
        write_onnx(graph, tmp_path / "model.onnx")
    assert str(caught.value).isprintable()
    assert not list(tmp_path.iterdir())


@needs_openvino
def test_openvino_is_kept_from_reporting_its_use(tmp_path):
    program = (
        "import sys\n"
        "from airsim_seg.deploy.extras import import_openvino\n"
        "print(import_openvino().__name__, sys.modules['openvino_telemetry'])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["openvino", "None"]
    assert list(tmp_path.iterdir()) == []


def test_the_released_graph_can_be_streamed_too():
    net = FANet.released(num_classes=3, tca_depth=2).eval()
    graph = StreamingGraph(net, (64, 96))
    frames = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(graph(frames, *graph.empty_state())[0], net(frames)[0])
