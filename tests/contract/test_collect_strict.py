"""The collector against AirSim's awkward sides, palettes and faults: what it records is right, or it says why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import toy_simulator
from served_world import Running, Serve
from toy_world import NAMES, ToyWorld

from airsim_seg.builtin import serving
from airsim_seg.builtin.faults import Fault, FaultName
from airsim_seg.builtin.segmentation_palettes import PaletteName
from airsim_seg.builtin.settings import CaptureSettings, SimMode, default_settings
from airsim_seg.builtin.strictness import LENIENT, STRICT, Strictness
from airsim_seg.builtin.switches import Switches
from airsim_seg.collection import surroundings
from airsim_seg.collection.request import Request
from airsim_seg.collection.session import Callbacks, collect
from airsim_seg.collection.summary import summarise
from airsim_seg.collection.survey import take_survey
from airsim_seg.errors import SimulatorLost, UnknownColours
from airsim_seg.label_maps import load_label_map
from airsim_seg.palette import id_from_name
from airsim_seg.simulators import airsim as adapter
from airsim_seg.simulators.airsim import AirSimSimulator
from airsim_seg.simulators.base import Camera
from airsim_seg.types import Pose

SIZE_HW = (30, 40)
MODES: tuple[SimMode, ...] = ("ComputerVision", "Car", "Multirotor")


@pytest.fixture(autouse=True)
def _small_survey(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy needs neither the area nor the grain of the real survey."""
    monkeypatch.setattr(surroundings, "take_survey", lambda s, **_: take_survey(s, radius_m=60.0, cell_m=1.0))


def serve_toy(
    serve: Serve, mode: SimMode = "ComputerVision", strictness: Strictness = LENIENT, switches: Switches | None = None
) -> Running:
    settings = replace(default_settings(mode), captures=dict.fromkeys(range(10), CaptureSettings(SIZE_HW)))
    return serve(
        settings,
        scene=toy_simulator.scene(),
        renderer=toy_simulator.ToyRenderer(),
        strictness=strictness,
        switches=switches,
    )


def record(out: Path, port: int, seconds: float = 0.4) -> Path:
    """Collect one drive of ten frames; gives its file."""

    @contextmanager
    def connect() -> Iterator[AirSimSimulator]:
        simulator = AirSimSimulator("127.0.0.1", port)
        try:
            yield simulator
        finally:
            simulator.close()

    wanted = Request("Neighborhood", ("car",), 1, seconds, 0, 25.0, True, out)
    (video,) = collect(wanted, connect, Callbacks(lambda _: None, lambda *_: None, lambda: False))
    return video.path


def check_labels(path: Path) -> int:
    """Every frame's ids and depth are those of exact rays from its own pose; gives how many frames there are."""
    truth = ToyWorld()
    truth.camera = Camera(SIZE_HW, 90.0)
    # The toy's own ids, and the served ones, which follow from the names.
    served_id = np.arange(256, dtype=np.uint8)
    for name, raw_id in NAMES:
        served_id[raw_id] = id_from_name(name)
    with h5py.File(path) as file:
        assert np.array_equal(np.diff(file["time_ns"][:]), np.full(len(file["time_ns"]) - 1, 40_000_000))
        for k, raw_ids in enumerate(file["raw_ids"]):
            truth.set_pose(Pose(file["position_m"][k], file["orientation_wxyz"][k]))
            seen = truth.capture(depth=True)
            true_ids = served_id[seen.raw_ids]
            # Poses travel as float32 there: a ray on an edge may fall on either side.
            assert (raw_ids != true_ids).mean() < 0.005
            assert seen.depth_m is not None
            near = (seen.depth_m < 1000) & (raw_ids == true_ids)
            assert np.allclose(file["depth"][k][near], seen.depth_m[near], rtol=0.01)
        steps_m = np.linalg.norm(np.diff(file["position_m"][:], axis=0), axis=1)
        assert (steps_m > 0.05).all(), "no frame shows the place of the one before"
        return len(file["rgb"])


@pytest.mark.parametrize("mode", MODES)
def test_strict_simulator_gives_right_labels(serve: Serve, tmp_path: Path, mode: SimMode) -> None:
    path = record(tmp_path, serve_toy(serve, mode, STRICT).port)
    assert check_labels(path) == 10
    with h5py.File(path) as file:
        assert all(picture.any() for picture in file["rgb"]), "not the black one"
        assert '\\"Strict\\": true' in file.attrs["provenance"]
        assert [name.decode() for name, _ in file["objects"][:]] == ["House_1", "Landscape", "Road", "Tree_1"]


def test_strict_recording_follows_the_plan_of_the_kind_one(serve: Serve, tmp_path: Path) -> None:
    paths = [
        record(tmp_path / str(index), serve_toy(serve, "Multirotor", strictness).port)
        for index, strictness in enumerate((LENIENT, STRICT))
    ]
    kind, strict = (h5py.File(path) for path in paths)
    with kind, strict:
        # The survey's heights differ in the last bits, so a plan may, too; it is the same drive.
        assert np.abs(kind["position_m"][:] - strict["position_m"][:]).max() < 0.05


def test_uneven_steps_do_not_add_up(serve: Serve, tmp_path: Path) -> None:
    path = record(tmp_path, serve_toy(serve, "Multirotor", STRICT).port, seconds=2.0)
    with h5py.File(path) as file:
        stamps_ns = file["sim_time_ns"][:]
    off_ns = stamps_ns - stamps_ns[0] - 40_000_000 * np.arange(len(stamps_ns))
    assert len(stamps_ns) == 50
    assert (stamps_ns % 3_000_000 == stamps_ns[0] % 3_000_000).all()
    assert np.abs(off_ns).max() < 6_000_000
    assert summarise(path, load_label_map("Neighborhood")).sim_rate_hz == pytest.approx(25, rel=0.01)


@pytest.mark.parametrize("palette", ["plain", "srgb"])
def test_palettes_of_other_versions_are_told_apart(serve: Serve, tmp_path: Path, palette: PaletteName) -> None:
    path = record(tmp_path, serve_toy(serve, switches=Switches(palette)).port)
    assert check_labels(path) == 10
    with h5py.File(path) as file:
        assert f'"variant": "{palette}"' in file.attrs["provenance"]


def test_colours_off_the_table_are_refused_with_the_way_out(serve: Serve, tmp_path: Path) -> None:
    with pytest.raises(UnknownColours, match=r"come from AirSim 1\.4-1\.5.* use AirSim 1\.6 or later"):
        record(tmp_path, serve_toy(serve, switches=Switches("calibrated")).port)
    assert not list(tmp_path.rglob("*.h5"))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("truncate-image", r"sent 1800 bytes for a Scene picture of 40x30, which has 3600"),
        ("wrong-size", r"sent a picture of 20x15 after pictures of 40x30"),
        ("off-palette", r"24 of 1200 segmentation pixels have a colour of no AirSim palette"),
    ],
)
def test_spoilt_picture_ends_the_video_and_keeps_what_was_right(
    serve: Serve, tmp_path: Path, fault: FaultName, told: str
) -> None:
    before = num_answers(serve, tmp_path / "counted")
    running = serve_toy(serve, switches=Switches(faults=(Fault(fault, before + 4),)))
    with pytest.raises((SimulatorLost, UnknownColours), match=told) as caught:
        record(tmp_path / "spoilt", running.port)
    assert "4 of 10 frames" in str(caught.value)
    assert record(tmp_path / "spoilt", running.port).exists(), "the same command goes on"
    assert check_labels(tmp_path / "spoilt/Neighborhood/car-s0-000.h5") == 10


def num_answers(serve: Serve, out: Path) -> int:
    """How many simGetImages come before the second frame of a video."""
    running, counted = serve_toy(serve), 0
    render = running.renderer.render

    def count(*args: object, **options: object) -> object:
        nonlocal counted
        counted += 1
        return render(*args, **options)

    running.renderer.render = count
    record(out, running.port, seconds=0.04)
    return counted


@pytest.mark.parametrize(("fault", "told"), [("die-after", "closed the connection"), ("hang-after", "did not answer")])
def test_end_of_the_simulator_is_told(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultName, told: str
) -> None:
    monkeypatch.setattr(adapter, "CALL_TIMEOUT_S", 1)
    monkeypatch.setattr(serving, "_crash", lambda: None)  # it would be the end of the tests, too
    running = serve_toy(serve, switches=Switches(faults=(Fault(fault, 40),)))
    with pytest.raises(SimulatorLost, match=told):
        record(tmp_path, running.port)


def test_slow_simulator_is_waited_for(serve: Serve, tmp_path: Path) -> None:
    running = serve_toy(serve, switches=Switches(faults=(Fault("delay", 2),)))
    assert check_labels(record(tmp_path, running.port)) == 10
