"""The loop and the session on the toy world: what is in the files, and what is kept when something goes wrong."""

import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from toy_world import ToyWorld

from airsim_seg.collection import session, surroundings
from airsim_seg.collection.request import Request
from airsim_seg.collection.session import Callbacks, collect
from airsim_seg.errors import (
    CorruptFile,
    DataError,
    Interrupted,
    SimulatorError,
    SimulatorLost,
    StorageError,
    UnknownColours,
    UsageError,
)
from airsim_seg.recordings import RecordingReader
from airsim_seg.simulators.base import Capture, Conditions

SIZE_HW = (30, 40)
SAME = ("rgb", "raw_ids", "time_ns", "position_m", "orientation_wxyz", "segment_start")


class Talk:
    """Callbacks that remember."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.lines: list[str] = []
        self.frames = 0
        self.stop_after = stop_after
        self.callbacks = Callbacks(self.lines.append, self._progress, self._should_stop)

    def _progress(self, what: str, done: int, total: int) -> None:
        assert 0 < done <= total
        self.frames += what == "recording"

    def _should_stop(self) -> bool:
        return self.stop_after is not None and self.frames >= self.stop_after


@pytest.fixture(autouse=True)
def _small_survey(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy needs neither the area nor the grain of the real survey."""
    monkeypatch.setattr(surroundings, "take_survey", lambda *a, **k: take_small(*a, **k))


def take_small(simulator: ToyWorld, **options: object) -> object:
    from airsim_seg.collection.survey import take_survey

    return take_survey(simulator, **{"radius_m": 60.0, "cell_m": 1.0} | options)  # type: ignore[arg-type]


def request(out: Path, **changes: object) -> Request:
    wanted = Request("Neighborhood", ("drone", "car"), 2, 1.0, 0, 25.0, False, out)
    return replace(wanted, **changes)  # type: ignore[arg-type]


def run(wanted: Request, world: ToyWorld | None = None, talk: Talk | None = None) -> list[session.VideoSummary]:
    @contextmanager
    def connect() -> Iterator[ToyWorld]:
        yield world or ToyWorld(size_hw=SIZE_HW)

    return collect(wanted, connect, (talk or Talk()).callbacks)


def contents(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: file[name][:] for name in SAME}


def test_traffic_goes_on_where_it_was_when_a_recording_goes_on(tmp_path: Path) -> None:
    starts: dict[str, list[int]] = {}

    def record_into(folder: str, stop_after: int | None) -> None:
        world = ToyWorld(size_hw=SIZE_HW)
        with contextlib.suppress(Interrupted):
            run(request(tmp_path / folder, vehicles=("drone",), num_videos=1), world, Talk(stop_after))
        starts.setdefault(folder, []).append(world.scenery_ns)

    record_into("whole", None)
    record_into("cut", 10)
    record_into("cut", None)
    [whole], [first, second] = starts["whole"], starts["cut"]
    assert first == whole
    assert second == whole + 10 * 40_000_000
    with h5py.File(tmp_path / "cut" / "Neighborhood" / "drone-s0-000.h5") as file:
        assert json.loads(file.attrs["provenance"])["scenery_ns"] == whole


def test_recordings_hold_what_was_asked_for(tmp_path: Path) -> None:
    summaries = run(request(tmp_path))
    assert [s.path.name for s in summaries] == ["drone-s0-000.h5", "car-s0-000.h5"]
    with h5py.File(summaries[0].path) as file:
        assert file["rgb"].shape == (25, *SIZE_HW, 3)
        assert file.attrs["complete"]
        assert file.attrs["environment"] == "Neighborhood"
        assert np.array_equal(file["time_ns"][:], np.arange(25) * 40_000_000)
        assert np.array_equal(np.diff(file["sim_time_ns"][:]), np.full(24, 40_000_000))
        assert file["segment_start"][:].tolist() == [True] + [False] * 24
        assert [(n.decode(), i) for n, i in file["objects"][:]] == list(ToyWorld().objects())
        assert "depth" not in file


def seeded(world_seed: int) -> ToyWorld:
    world = ToyWorld(size_hw=SIZE_HW)
    world.info = replace(world.info, kind="built-in", settings=f'{{"Seed": {world_seed}}}')
    return world


def test_worlds_of_other_seeds_have_files_of_their_own(tmp_path: Path) -> None:
    (first,) = run(request(tmp_path, num_videos=1))
    (second,) = run(request(tmp_path, num_videos=1, world_seed=7), seeded(7))
    assert second.path.name == "drone-w7-s0-000.h5"
    assert second.path.parent == first.path.parent
    assert {path.name for path in first.path.parent.glob("survey*")} == {"survey.npz", "survey-w7.npz"}


@pytest.mark.parametrize(("world", "told"), [(seeded(3), "shows world seed 3"), (ToyWorld(), "is not the built-in")])
def test_another_world_seed_is_refused(tmp_path: Path, world: ToyWorld, told: str) -> None:
    with pytest.raises(UsageError, match=rf"--world-seed 7 was asked for.*{told}.*--world-seed 7"):
        run(request(tmp_path, num_videos=1, world_seed=7), world)
    assert not list(tmp_path.rglob("*.h5"))


def test_each_video_has_a_sun_and_weather_of_its_own_and_they_end_with_it(tmp_path: Path) -> None:
    world = ToyWorld(size_hw=SIZE_HW)
    wanted = request(tmp_path, num_videos=6, seconds=0.1, randomise=True)
    videos = [row.path for row in run(wanted, world)]
    set_to, last = world.conditions[:-1], world.conditions[-1]
    assert last is None, "the environment's own are back"
    kept = []
    for path in videos:
        with RecordingReader(path) as reader:
            kept.append(reader.header.provenance["weather"])
    assert kept == [{"date_time": c.date_time, "weather": list(c.weather)} for c in set_to if c is not None]
    assert len({c.date_time for c in set_to if c is not None}) == 6
    plain = [row.path for row in run(request(tmp_path, num_videos=6, seconds=0.1))]
    assert not set(plain) & set(videos), "films in the environment's own light lie beside them"
    for one, other in zip(plain, videos, strict=True):
        assert (contents(one)["position_m"] == contents(other)["position_m"]).all(), "the same ways"


def test_a_video_goes_on_under_its_own_sun(tmp_path: Path) -> None:
    wanted, first, second = (
        request(tmp_path, num_videos=1, randomise=True),
        ToyWorld(size_hw=SIZE_HW),
        ToyWorld(size_hw=SIZE_HW),
    )
    with pytest.raises(Interrupted):
        run(wanted, first, Talk(stop_after=4))
    run(wanted, second)
    assert first.conditions == second.conditions
    assert first.conditions[-1] is None


def test_a_simulator_without_weather_is_told_of_and_leaves_no_frames(tmp_path: Path) -> None:
    class Bare(ToyWorld):
        def set_conditions(self, conditions: Conditions | None) -> None:  # noqa: ARG002
            raise SimulatorError("the toy has no weather: leave --randomise away.")

    with pytest.raises(SimulatorError, match="leave --randomise away"):
        run(request(tmp_path, num_videos=1, randomise=True), Bare(size_hw=SIZE_HW))


def test_depth_on_request(tmp_path: Path) -> None:
    (summary,) = run(request(tmp_path, num_videos=1, depth=True))
    with h5py.File(summary.path) as file:
        assert file["depth"].dtype == np.float32
        assert file["depth"].shape == (25, *SIZE_HW)
        assert (file["depth"][:] > 0).all()


def test_summary_counts(tmp_path: Path) -> None:
    (summary,) = run(request(tmp_path, num_videos=1))
    assert summary.num_frames == 25
    assert summary.sim_rate_hz == pytest.approx(25)
    assert summary.num_unknown == 0
    assert 0 < summary.mean_change < 0.5
    assert "road" in summary.classes
    assert "sky" in summary.classes


def test_complete_videos_are_skipped_without_a_simulator(tmp_path: Path) -> None:
    run(request(tmp_path))
    before = [path.read_bytes() for path in sorted(tmp_path.rglob("*.h5"))]
    talk = Talk()
    summaries = collect(request(tmp_path), lambda: pytest.fail("connected"), talk.callbacks)
    assert [path.read_bytes() for path in sorted(tmp_path.rglob("*.h5"))] == before
    assert talk.lines == ["2 of 2 videos are complete already and are skipped"]
    assert summaries[0].num_unknown is None


def test_more_videos_later_only_add(tmp_path: Path) -> None:
    first = contents(run(request(tmp_path))[1].path)
    summaries = run(request(tmp_path, num_videos=3))
    assert [s.path.name for s in summaries] == ["drone-s0-000.h5", "car-s0-000.h5", "drone-s0-001.h5"]
    assert all(np.array_equal(first[name], contents(summaries[1].path)[name]) for name in SAME)


@pytest.mark.parametrize("frames", [1, 30])
def test_interrupted_collection_goes_on_to_the_same_bytes(tmp_path: Path, frames: int) -> None:
    whole = run(request(tmp_path / "whole"))
    with pytest.raises(Interrupted, match="Repeat the command to go on"):
        run(request(tmp_path / "cut"), talk=Talk(stop_after=frames))
    talk = Talk()
    cut = run(request(tmp_path / "cut"), talk=talk)
    assert any("going on at frame" in line for line in talk.lines)
    assert talk.frames == 50 - frames
    for one, other in zip(whole, cut, strict=True):
        assert one.path.name == other.path.name
        for name in SAME:
            assert np.array_equal(contents(one.path)[name], contents(other.path)[name]), name


def test_dying_simulator_keeps_what_was_recorded(tmp_path: Path) -> None:
    world = ToyWorld(size_hw=SIZE_HW)
    run(request(tmp_path, num_videos=1, seconds=0.04), world)
    needed = world.num_captures - 1  # before the only frame
    with pytest.raises(SimulatorLost, match=r"the toy died.* 10 of 25 frames of .*drone-s0-000.h5 are kept"):
        run(request(tmp_path / "b", num_videos=1), ToyWorld(size_hw=SIZE_HW, die_after=needed + 10))
    with h5py.File(tmp_path / "b/Neighborhood/drone-s0-000.h5") as file:
        assert len(file["rgb"]) == 10
        assert not file.attrs["complete"]


class Busy(ToyWorld):
    """Pictures come when they are waited for, as from a simulator that draws in the background."""

    def __init__(self, dies_in_advance: int | None = None) -> None:
        super().__init__(size_hw=SIZE_HW)
        self.asked = self.taken = self.most_waiting = 0
        self._dies_in_advance = dies_in_advance

    def advance(self, duration_ns: int) -> None:
        super().advance(duration_ns)
        if self.asked == self._dies_in_advance:
            raise SimulatorLost("the toy died.")

    def capture_later(self, depth: bool = False) -> Callable[[], Capture]:
        seen, number = self.capture(depth), self.asked
        self.asked += 1
        self.most_waiting = max(self.most_waiting, self.asked - self.taken)

        def take() -> Capture:
            assert number == self.taken
            self.taken += 1
            return seen

        return take


def test_next_frame_is_asked_for_before_the_last_is_taken(tmp_path: Path) -> None:
    busy = Busy()
    (late,) = run(request(tmp_path / "late", num_videos=1), busy)
    (prompt,) = run(request(tmp_path / "prompt", num_videos=1), ToyWorld(size_hw=SIZE_HW))
    assert busy.asked == busy.taken == 25
    assert busy.most_waiting == 2
    with h5py.File(late.path) as one, h5py.File(prompt.path) as other:
        for name in ("rgb", "raw_ids", "position_m", "sim_time_ns", "time_ns", "segment_start"):
            assert np.array_equal(one[name][:], other[name][:]), name


def test_frame_that_was_asked_for_before_the_end_is_kept(tmp_path: Path) -> None:
    with pytest.raises(SimulatorLost, match="7 of 25 frames"):
        run(request(tmp_path, num_videos=1), Busy(dies_in_advance=7))


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"seconds": 2.0}, "seconds 1.0 instead of 2.0"), ({"rate_hz": 50.0}, "rate_hz"), ({"depth": True}, "depth")],
)
def test_another_video_of_the_same_name_is_refused(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    run(request(tmp_path, num_videos=1))
    before = (tmp_path / "Neighborhood/drone-s0-000.h5").read_bytes()
    with pytest.raises(UsageError, match=told):
        run(request(tmp_path, num_videos=1, **changes))
    assert (tmp_path / "Neighborhood/drone-s0-000.h5").read_bytes() == before


def test_unfinished_video_of_another_trajectory_is_refused(tmp_path: Path) -> None:
    """Without the stored survey another one is taken; in another world it gives another plan."""
    with pytest.raises(Interrupted):
        run(request(tmp_path, num_videos=1), talk=Talk(stop_after=5))
    (tmp_path / "Neighborhood/survey.npz").unlink()
    with pytest.raises(UsageError, match="the trajectory was"):
        run(request(tmp_path, num_videos=1), ToyWorld((), SIZE_HW))


def test_changed_world_is_noticed(tmp_path: Path) -> None:
    run(request(tmp_path, num_videos=1))
    talk = Talk()
    run(request(tmp_path, num_videos=2), ToyWorld((), SIZE_HW), talk)
    assert any("no longer agrees" in line for line in talk.lines)


def test_foreign_and_broken_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "Neighborhood/drone-s0-000.h5"
    path.parent.mkdir()
    path.write_bytes(b"not a recording")
    with pytest.raises(DataError):
        run(request(tmp_path, num_videos=1))
    with h5py.File(path, "w") as file:
        file.attrs["schema"] = "another"
    with pytest.raises(CorruptFile):
        run(request(tmp_path, num_videos=1))


def test_clock_that_runs_backwards_is_a_lost_simulator(tmp_path: Path) -> None:
    class Restarted(ToyWorld):
        def capture(self, depth: bool = False) -> Capture:
            seen = super().capture(depth)
            return replace(seen, sim_time_ns=-self.num_captures)

    with pytest.raises(SimulatorLost, match="ran backwards"):
        run(request(tmp_path, num_videos=1), Restarted(size_hw=SIZE_HW))


def test_refused_colours_keep_what_was_recorded(tmp_path: Path) -> None:
    class Lossy(ToyWorld):
        def advance(self, duration_ns: int) -> None:
            super().advance(duration_ns)
            raise UnknownColours("lossy pictures.")

    with pytest.raises(UnknownColours, match="1 of 25 frames"):
        run(request(tmp_path, num_videos=1), Lossy(size_hw=SIZE_HW))


def test_simulator_that_shows_another_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the simulator shows Blocks, not Neighborhood"):
        run(request(tmp_path), ToyWorld(size_hw=SIZE_HW, environment="Blocks"))


def test_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(session.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StorageError, match="make room"):
        run(request(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_provenance_can_remake_the_video(tmp_path: Path) -> None:
    """Seed, survey and parameters are in the file; the trajectory that they give is the recorded one."""
    import json

    (summary,) = run(request(tmp_path, num_videos=1, seed=3))
    with h5py.File(summary.path) as file:
        provenance = json.loads(file.attrs["provenance"])
    assert provenance["request"]["seed"] == 3
    assert provenance["palette"]["variant"] == "plain"
    (again,) = run(request(tmp_path / "again", num_videos=1, seed=3))
    with h5py.File(again.path) as file:
        assert json.loads(file.attrs["provenance"])["plan"] == provenance["plan"]
    (other,) = run(request(tmp_path, num_videos=1, seed=4))
    with h5py.File(other.path) as file:
        assert json.loads(file.attrs["provenance"])["plan"]["sha256"] != provenance["plan"]["sha256"]
