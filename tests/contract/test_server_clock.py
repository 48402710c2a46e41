"""The clock and the ids, driven by the unmodified airsim client."""

import json
import math
import time

import airsim
import pytest

from airsim_seg.builtin.clock import DEFAULT_EPOCH_NS
from airsim_seg.palette import id_from_name

STEP_S = 0.04


@pytest.mark.parametrize("mode", ["ComputerVision", "Car", "Multirotor"])
def test_25_steps_of_40_ms_are_40_000_000_ns_each_in_every_mode(serve, mode):
    client = serve(mode).client()
    ask = [airsim.ImageRequest("0", airsim.ImageType.Segmentation, False, False)]
    stamps = [client.simGetImages(ask)[0].time_stamp]
    for _ in range(25):
        client.simContinueForTime(STEP_S)
        assert client.simIsPause()
        stamps.append(client.simGetImages(ask)[0].time_stamp)
    assert stamps == [DEFAULT_EPOCH_NS + 40_000_000 * k for k in range(26)]


def test_frames_are_40_ms(serve):
    client = serve("Car").client(airsim.CarClient)
    client.simContinueForFrames(3)
    assert client.getCarState().timestamp == DEFAULT_EPOCH_NS + 120_000_000


def test_a_minute_passes_faster_than_a_minute_and_pause_ends_it_early(serve):
    running = serve("Multirotor")
    client, other = running.client(airsim.MultirotorClient), running.client(airsim.MultirotorClient)
    before = time.monotonic()
    client.simContinueForTime(60)
    assert time.monotonic() - before < 20
    assert client.getMultirotorState().timestamp == DEFAULT_EPOCH_NS + 60 * 10**9
    pending = client.client.call_async("simContinueForTime", 80_000.0)
    client.ping()
    assert not other.simIsPause()
    other.simPause(True)
    pending.get()
    assert other.simIsPause()
    assert client.getMultirotorState().timestamp < DEFAULT_EPOCH_NS + 80_000 * 10**9


def test_unpaused_the_clock_follows_the_wall_and_pausing_stops_it(serve):
    client = serve("Multirotor", paused=False).client(airsim.MultirotorClient)
    assert not client.simIsPause()
    first, wall = client.getMultirotorState().timestamp, time.monotonic_ns()
    while client.getMultirotorState().timestamp < first + 200_000_000:
        assert time.monotonic_ns() - wall < 20 * 10**9
    assert time.monotonic_ns() - wall > 150_000_000
    client.simPause(True)
    stopped = client.getMultirotorState().timestamp
    assert all(client.getMultirotorState().timestamp == stopped for _ in range(50))
    client.simPause(False)
    while client.getMultirotorState().timestamp == stopped:
        assert time.monotonic_ns() - wall < 20 * 10**9


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, 1e9])
def test_impossible_times_are_refused(serve, seconds):
    client = serve().client()
    with pytest.raises(Exception, match="threw an exception"):
        client.simContinueForTime(seconds)
    assert client.simIsPause()


def test_listing_matches_whole_names_case_sensitively(serve):
    client = serve().client()
    assert client.simListSceneObjects("Tree_.*") == ["Tree_1", "Tree_2"]
    assert client.simListSceneObjects("Tree") == []
    assert len(client.simListSceneObjects()) == 7
    with pytest.raises(Exception, match="no regular expression"):
        client.simListSceneObjects("Tree_(")


def test_ids_start_by_the_name_rule_and_the_getter_takes_any_case(serve):
    client = serve().client()
    # The first two are printed in AirSim's own pull request 2855.
    assert client.simGetSegmentationObjectID("ground") == 148
    assert client.simGetSegmentationObjectID("Orangeball") == 28
    assert client.simGetSegmentationObjectID("Tree_1") == id_from_name("tree")
    assert client.simGetSegmentationObjectID("default_thing") == 0
    assert client.simGetSegmentationObjectID("Ghost") == -1


def test_setting_ids_by_name_and_by_pattern(serve):
    client = serve().client()

    def ids():
        return [client.simGetSegmentationObjectID(name) for name in ("tree_1", "tree_2", "tree_3", "ground")]

    tree = id_from_name("tree")
    assert client.simSetSegmentationObjectID("Tree_1", 7)
    assert not client.simSetSegmentationObjectID("tree_1", 8), "without a pattern the case counts"
    assert not client.simSetSegmentationObjectID("tree", 8, True), "the whole name must match"
    assert ids() == [7, tree, tree, 148]
    assert client.simSetSegmentationObjectID("TREE_[23]", 9, True)
    assert ids() == [7, 9, 9, 148]
    assert client.simSetSegmentationObjectID("Ground", -1)
    assert ids() == [7, 9, 9, 148], "a hidden object keeps its id"
    client.reset()
    assert ids() == [7, 9, 9, 148], "reset leaves ids alone"
    with pytest.raises(Exception, match="no regular expression"):
        client.simSetSegmentationObjectID("*", 1, True)


def test_object_poses_are_in_the_world_whose_origin_is_the_player_start(serve):
    client = serve().client()
    assert client.simGetObjectPose("Tree_2").position.to_numpy_array().tolist() == [2.0, 0.0, 0.0]
    assert client.simGetObjectPose("Ghost").containsNan()


def test_settings_string_tells_what_serves(serve):
    settings = json.loads(serve("Car").client().getSettingsString())
    assert (settings["Simulator"], settings["SimMode"], settings["Environment"]) == ("airsim-seg", "Car", "Tiny")
    assert settings["Renderer"] == "formula"


def test_camera_mode_has_no_vehicle_api(serve):
    client = serve("ComputerVision").client()
    assert client.listVehicles() == ["ComputerVision"]
    for call in (client.enableApiControl, client.armDisarm):
        with pytest.raises(Exception, match="Vehicle API for '' is not available"):
            call(True)
