"""What clients draw into the world is checked and kept until it ends; what is said to Unreal is answered without it."""

import json
import logging

import airsim
import numpy as np
import pytest

from airsim_seg.builtin import plots
from airsim_seg.builtin.api_plots import PlotApi
from airsim_seg.builtin.plots import Plot, Plots
from airsim_seg.builtin.settings import read_settings

HERE, THERE = airsim.Vector3r(1, 2, 3), airsim.Vector3r(4, 5, 6)
RED = [1.0, 0.0, 0.0, 1.0]


@pytest.fixture
def drawn(serve):
    """A client, and how to see what it has drawn."""
    running = serve()
    return running.client(), lambda: [plot.kind for plot in running.world.plots.live(running.world.now_ns)]


def test_plots_end_when_their_time_is_up(drawn):
    client, kinds = drawn
    client.simPlotPoints([HERE, THERE], RED, 10, duration=2.0)
    client.simPlotLineStrip([HERE, THERE])  # without a duration: Unreal's second
    client.simPlotArrows([HERE], [THERE], is_persistent=True)
    client.simPlotStrings(["here"], [HERE])
    assert kinds() == ["Points", "LineStrip", "Arrows", "Strings"]
    client.simContinueForTime(1.5)
    assert kinds() == ["Points", "Arrows", "Strings"]
    client.simContinueForTime(1.0)
    assert kinds() == ["Arrows", "Strings"]
    client.simFlushPersistentMarkers()
    assert kinds() == ["Strings"]


def test_every_kind_is_taken_with_its_arguments(drawn):
    client, kinds = drawn
    pose = airsim.Pose(HERE)
    client.simPlotLineList([HERE, THERE, THERE, HERE], duration=9)
    client.simPlotTransforms([pose], duration=9)
    client.simPlotTransformsWithNames([pose, pose], ["a", "b"], duration=9)
    assert kinds() == ["LineList", "Transforms", "TransformsWithNames"]


def test_strokes_have_names_and_colours_their_limits(serve):
    api = PlotApi(serve().world)
    strokes = api.methods()["simPlotArrows"]
    values = [[vars(HERE)], [vars(THERE)], [2, -1, 0.5, 1, 9], 3, 4, 5, False]
    strokes.run(*(read(value) for read, value in zip(strokes.converters, values, strict=True)))
    [plot] = api.plots.live(0)
    assert list(plot.strokes) == ["points", "ends", "colour", "thickness", "head_size", "duration", "persistent"]
    assert plot.strokes["colour"].tolist() == [1, 0, 0.5, 1]
    assert np.array_equal(plot.strokes["ends"], [[4, 5, 6]])


@pytest.mark.parametrize(
    ("plot", "said"),
    [
        (lambda client: client.simPlotPoints([HERE], [1.0, 0.0, 0.0]), "four components"),
        (lambda client: client.simPlotLineList([HERE]), "two points a line"),
        (lambda client: client.simPlotArrows([HERE, HERE], [THERE]), r"one length, not of \[1, 2\]"),
        (lambda client: client.simPlotStrings(["a"], []), "one length"),
        (lambda client: client.simPlotTransformsWithNames([], ["a"]), "one length"),
        (lambda client: client.simPlotPoints([airsim.Vector3r(float("nan"), 0, 0)]), "nan"),
        (lambda client: client.simSetTraceLine(RED, 1.0, "Ghost"), "Vehicle Sim-API for 'Ghost'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(drawn, plot, said):
    client, kinds = drawn
    with pytest.raises(Exception, match=said):
        plot(client)
    assert kinds() == []


def test_the_oldest_strokes_go_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(plots, "MAX_PLOTS", 3)
    kept = Plots()
    for kind in "abcde":
        kept.add(Plot(kind, {}, None, False))
    assert [plot.kind for plot in kept.live(0)] == ["c", "d", "e"]


def test_messages_go_to_the_log_on_one_line(serve, caplog):
    caplog.set_level(logging.INFO, "airsim_seg")
    client = serve().client()
    client.simPrintLogMessage("Iteration:", "7\n8", 0)
    client.simPrintLogMessage("fire", "", 2)
    texts = {record.getMessage(): record.levelno for record in caplog.records}
    assert texts == {r"'Iteration:' '7\n8'": logging.INFO, "'fire' ''": logging.WARNING}


def test_there_is_no_unreal_to_ask(serve):
    client = serve().client()
    assert client.simRunConsoleCommand("stat fps") is False
    assert client.simLoadLevel("Blocks") is False
    assert client.simSwapTextures("wall, brick") == []
    assert client.simSetObjectMaterial("Ground", "Gold") is False
    assert client.simSetObjectMaterialFromTexture("Ground", "gold.png") is False


def test_only_the_scene_shows_what_was_drawn_and_only_as_long(serve):
    client = serve().client()
    requests = [airsim.ImageRequest("0", kind, False, False) for kind in (airsim.ImageType.Scene, 5, 2)]

    def pictures():
        return [response.image_data_uint8 for response in client.simGetImages(requests)]

    before = pictures()
    # The painted world is nearer than a metre and a half nowhere.
    client.simPlotPoints([airsim.Vector3r(0.9, 0, 0)], RED, 20, duration=1.0)
    client.simPlotLineStrip([airsim.Vector3r(0.9, -9, 0), airsim.Vector3r(0.9, 9, 0)], RED, 5, is_persistent=True)
    both = pictures()
    assert both[0] != before[0]
    assert both[1:] == before[1:]
    client.simContinueForTime(1.5)
    line = pictures()
    assert line[0] not in (before[0], both[0])
    client.simFlushPersistentMarkers()
    assert pictures() == before


def flying_camera(serve, *, traced):
    """A client of a ComputerVision vehicle, with what its front camera shows: Scene, ids, depth as BGR bytes."""
    own = {"VehicleType": "ComputerVision", "EnableTrace": traced}
    text = json.dumps({"SettingsVersion": 1.2, "SimMode": "ComputerVision", "Vehicles": {"Eye": own}})
    client = serve(read_settings(text, "test")).client()
    requests = [airsim.ImageRequest("0", kind, False, False) for kind in (airsim.ImageType.Scene, 5, 2)]

    def seen() -> list[np.ndarray]:
        answers = client.simGetImages(requests)
        return [np.frombuffer(answer.image_data_uint8, np.uint8).reshape(-1, 3) for answer in answers]

    def across() -> None:
        """There and back, the clock standing, with a line across the view 0.9 m ahead."""
        for place in ((0.9, -0.3, 0), (0.9, 0.3, 0), (0, 0, 0)):
            client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(*place)), True)

    return client, seen, across


def test_a_traced_vehicle_leaves_a_line_that_only_the_scene_shows(serve):
    client, seen, across = flying_camera(serve, traced=True)
    before = seen()
    across()
    after = seen()
    assert (after[0] == (228, 7, 169)).all(-1).sum() > 20, "purple, as Unreal has it"
    assert all((a == b).all() for a, b in zip(after[1:], before[1:], strict=True))
    client.simFlushPersistentMarkers()
    client.simSetTraceLine([0.0, 1.0, 0.0, 1.0], 5.0)
    across()
    green = seen()[0]
    assert (green == (0, 255, 0)).all(-1).sum() > 20
    assert not (green == (228, 7, 169)).all(-1).any()
    client.reset()
    assert (seen()[0] == green).all(), "a reset wipes nothing off"


def test_without_enable_trace_there_is_no_line(serve):
    client, seen, across = flying_camera(serve, traced=False)
    before = seen()
    client.simSetTraceLine(RED, 50.0)
    across()
    assert (seen()[0] == before[0]).all()


def test_what_flies_is_followed_while_the_clock_runs(serve):
    own = {"VehicleType": "SimpleFlight", "EnableTrace": True}
    text = json.dumps({"SettingsVersion": 1.2, "SimMode": "Multirotor", "Vehicles": {"Drone": own}})
    running = serve(read_settings(text, "test"))
    client = running.client(airsim.MultirotorClient)
    client.enableApiControl(True)
    client.moveByVelocityAsync(0, 3, -3, 2)
    client.simContinueForTime(2)
    client.simGetImage("0", airsim.ImageType.Scene)
    places = np.array([point for plot in running.world.traces.plots() for point in plot.strokes["points"]])
    here = client.simGetVehiclePose().position
    assert np.allclose(places[0], 0, atol=0.3)
    assert np.allclose(places[-1], [here.x_val, here.y_val, here.z_val], atol=0.02)
    assert len(places) > 4, "the climb is no straight line"


def test_a_car_leaves_a_line_where_it_is_put_and_none_where_it_drives(serve):
    """PawnSimApi.cpp: setPoseInternal alone draws, from where it put the pawn last; Unreal drives cars without it."""
    own = {"VehicleType": "PhysXCar", "EnableTrace": True}
    text = json.dumps({"SettingsVersion": 1.2, "SimMode": "Car", "Vehicles": {"Car": own}})
    running = serve(read_settings(text, "test"))
    client = running.client(airsim.CarClient)

    def line() -> list[list[float]]:
        return [point.round(3).tolist() for plot in running.world.strokes() for point in plot.strokes["points"]]

    def put(north: float, east: float) -> None:
        client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(north, east, 0)), True)

    client.enableApiControl(True)
    client.setCarControls(airsim.CarControls(throttle=1))
    client.simContinueForTime(4)
    assert client.simGetVehiclePose().position.x_val > 5
    assert line() == []
    put(3, 4)
    assert line() == [[0, 0, 0], [3, 4, 0]], "from its start, not from where it has driven to"
    client.simContinueForTime(2)
    client.reset()
    put(0, 2)
    assert line()[2:] == [[0, 0, 0], [0, 2, 0]], "after a reset again from its start"
