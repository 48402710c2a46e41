"""Recordings in AirSim's layout, driven by the simulation's clock, through the unmodified airsim client."""

import errno
import json
import logging
import threading
from dataclasses import replace

import airsim
import cv2
import numpy as np
import pytest
from served_world import FormulaRenderer, Host, painted

from airsim_seg.builtin.clock import DEFAULT_EPOCH_NS
from airsim_seg.builtin.recording_settings import RecordedImage, RecordingSettings
from airsim_seg.builtin.scene import View
from airsim_seg.builtin.settings import CaptureSettings, default_settings, load_settings
from airsim_seg.disk import Disk
from airsim_seg.errors import CorruptFile
from airsim_seg.types import Pose

SIZE_HW = (12, 16)
FIRST_FOLDER = "2020-09-13-12-26-40"  # what the clock shows at first
START_MS = DEFAULT_EPOCH_NS // 10**6
COMMON = "VehicleName TimeStamp POS_X POS_Y POS_Z Q_W Q_X Q_Y Q_Z"
CAR = "Throttle Steering Brake Gear Handbrake RPM Speed"


def small(mode="ComputerVision", **recording):
    """Settings with small pictures."""
    captures = dict.fromkeys(range(10), CaptureSettings(SIZE_HW))
    return replace(default_settings(mode), captures=captures, recording=RecordingSettings(**recording))


def rows_of(folder):
    header, *rows = (folder / "airsim_rec.txt").read_text().splitlines()
    return header.split("\t"), [row.split("\t") for row in rows]


def record(client, seconds):
    client.startRecording()
    client.simContinueForTime(seconds)
    client.stopRecording()


def test_a_recording_has_airsims_files_and_columns(serve, tmp_path):
    client = serve(small("ComputerVision", interval_s=0.1)).client()
    assert client.isRecording() is False
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(0.5, -2, 3.25), airsim.to_quaternion(0, 0, 1.0)), True)
    client.startRecording()
    assert client.isRecording() is True
    client.simContinueForTime(0.35)
    client.stopRecording()
    assert client.isRecording() is False
    folder = tmp_path / "Documents" / "AirSim" / FIRST_FOLDER
    header, rows = rows_of(folder)
    assert header == [*COMMON.split(), "ImageFile"]
    # The first physics step, of 3 ms, at or after each tenth of a second.
    assert [int(row[1]) - START_MS for row in rows] == [0, 102, 201, 300]
    assert {row[0] for row in rows} == {"ComputerVision"}
    assert [float(number) for number in rows[0][2:5]] == [0.5, -2, 3.25]
    assert [float(number) for number in rows[0][5:9]] == pytest.approx([np.cos(0.5), 0, 0, np.sin(0.5)])
    names = [row[9] for row in rows]
    assert names[1] == f"img_ComputerVision__0_{DEFAULT_EPOCH_NS + 102_000_000}.png"
    assert sorted(path.name for path in (folder / "images").iterdir()) == sorted(names)
    view = View(Pose.from_euler((100.5, 48, 8.25)), SIZE_HW, 90.0)
    assert np.array_equal(cv2.imread(str(folder / "images" / names[0])), painted(view).rgb[..., ::-1])


def test_every_format_is_airsims(serve, tmp_path):
    images = {
        "ComputerVision": (
            RecordedImage("0", 0, compress=False),
            RecordedImage("bottom_center", 1, pixels_as_float=True),
            RecordedImage("0", 5),
        )
    }
    client = serve(small(folder=str(tmp_path / "data"), images=images)).client()
    record(client, 0.001)
    folder = tmp_path / "data" / FIRST_FOLDER
    [row] = rows_of(folder)[1]
    ppm, pfm, png = row[-1].split(";")
    assert (ppm, pfm) == (f"img_ComputerVision_0_0_{DEFAULT_EPOCH_NS}.ppm", pfm.replace("_0_1", "_center_1"))
    truth = painted(View(Pose.from_euler((100, 50, 5)), SIZE_HW, 90.0))
    assert (folder / "images" / ppm).read_bytes() == b"P6\n16 12\n255\n" + truth.rgb.tobytes()
    head, floats = (folder / "images" / pfm).read_bytes().split(b"-1\n", 1)
    assert head == b"Pf\n16 12\n"
    assert np.array_equal(np.frombuffer(floats, "<f4").reshape(SIZE_HW), truth.depth_m), "AirSim's top row is first"
    assert png == f"img_ComputerVision_0_5_{DEFAULT_EPOCH_NS}.png"
    assert airsim.read_pfm(str(folder / "images" / pfm))[0].shape[:2] == SIZE_HW


def test_a_cars_rows_say_how_it_is_driven(serve, tmp_path):
    client = serve(small("Car", interval_s=0.5)).client(airsim.CarClient)
    client.enableApiControl(True)
    client.setCarControls(airsim.CarControls(throttle=0.5, steering=-0.25))
    record(client, 1.1)
    header, rows = rows_of(tmp_path / "Documents" / "AirSim" / FIRST_FOLDER)
    assert header == [*COMMON.split(), *CAR.split(), "ImageFile"]
    first, _, last = (dict(zip(header, row, strict=True)) for row in rows)
    assert (first["Throttle"], first["Steering"], first["Brake"], first["Handbrake"]) == ("0.5", "-0.25", "0", "0")
    assert float(first["Speed"]) == 0
    assert float(last["Speed"]) > 0.1
    assert (int(last["Gear"]) >= 0, float(last["RPM"]) > 0) == (True, True)


def test_on_move_only_what_has_moved_is_recorded(serve, tmp_path):
    client = serve(small(on_move=True, interval_s=0.1)).client()
    client.startRecording()
    client.simContinueForTime(0.5)
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(1, 0, 0)), True)
    client.simContinueForTime(0.5)
    client.stopRecording()
    _header, rows = rows_of(tmp_path / "Documents" / "AirSim" / FIRST_FOLDER)
    assert [float(row[2]) for row in rows] == [0, 1]


def test_a_paused_clock_records_nothing_more_and_every_recording_has_its_folder(serve, tmp_path):
    client = serve(small()).client()
    client.startRecording()
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(1, 0, 0)), True)
    client.startRecording()
    client.stopRecording()
    client.stopRecording()
    home = tmp_path / "Documents" / "AirSim"
    assert sorted(path.name for path in home.iterdir()) == [FIRST_FOLDER, f"{FIRST_FOLDER}-2"]
    assert [len(rows_of(path)[1]) for path in sorted(home.iterdir())] == [1, 1]


def test_the_clock_waits_for_a_recording_that_cannot_keep_up(serve, tmp_path):
    running = serve(small(interval_s=0.01))
    client = running.client()
    running.renderer.open.clear()
    clock_ns = []

    def draw_again():
        clock_ns.append(running.world.now_ns)
        running.renderer.open.set()

    threading.Timer(0.5, draw_again).start()
    record(client, 2.0)
    assert clock_ns[0] - DEFAULT_EPOCH_NS == 120_000_000, "a slice of simContinueForTime, and then the clock waits"
    _header, rows = rows_of(tmp_path / "Documents" / "AirSim" / FIRST_FOLDER)
    stamps = np.array([int(row[1]) - START_MS for row in rows])
    assert len(rows) == 201
    assert (np.diff(stamps) <= 12).all(), "a row was left out"


def test_the_end_of_the_server_ends_the_recording_with_all_its_rows(tmp_path):
    host = Host(small(interval_s=0.1, enabled=True, folder=str(tmp_path)), FormulaRenderer(), paused=True)
    client = host.running.client()
    assert client.isRecording() is True
    client.simContinueForTime(0.95)
    host.close()
    header, rows = rows_of(tmp_path / FIRST_FOLDER)
    assert len(rows) == 10
    assert all(len(row) == len(header) for row in rows)


class FullDisk(Disk):
    """Takes so many bytes."""

    def __init__(self, room):
        self.room = room

    def write(self, file, offset, data):
        if len(data) > self.room:
            super().write(file, offset, memoryview(data)[: self.room])
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        super().write(file, offset, data)


def test_a_full_disk_ends_the_recording_and_not_the_server(serve, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("airsim_seg.builtin.api_recording.Disk", lambda: FullDisk(1500))
    client = serve(small(interval_s=0.1)).client()
    client.startRecording()
    client.simContinueForTime(3)
    assert client.isRecording() is False
    assert client.ping()
    [said] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "No space left on device" in said
    folder = tmp_path / "Documents" / "AirSim" / FIRST_FOLDER
    header, rows = rows_of(folder)
    assert 0 < len(rows) < 30
    assert all(len(row) == len(header) for row in rows)
    assert sorted(path.name for path in (folder / "images").iterdir()) == sorted(row[-1] for row in rows)


def test_what_cannot_be_recorded_is_said_at_once(serve, tmp_path):
    unknown = {"ComputerVision": (RecordedImage("nose"),)}
    client = serve(small(images=unknown)).client()
    with pytest.raises(Exception, match="there is no camera 'nose'"):
        client.startRecording()
    (tmp_path / "file").write_text("")
    client = serve(small(folder=str(tmp_path / "file" / "folder"))).client()
    with pytest.raises(Exception, match="no recording can be written"):
        client.startRecording()
    assert client.isRecording() is False


def test_settings_json_says_what_is_recorded(tmp_path):
    path = tmp_path / "settings.json"
    cameras = [
        {"CameraName": "front_left", "ImageType": 5, "VehicleName": "B"},
        {"CameraID": 2, "PixelsAsFloat": True, "Compress": False},
    ]
    recording = {"RecordOnMove": True, "RecordInterval": 0.5, "Folder": "~/data", "Cameras": cameras}
    path.write_text(json.dumps({"SimMode": "Car", "Vehicles": {"B": {}, "A": {}}, "Recording": recording}))
    read = load_settings(path).recording
    assert (read.on_move, read.interval_s, read.folder, read.enabled) == (True, 0.5, "~/data", False)
    assert read.images_of("B") == (RecordedImage("front_left", 5),)
    assert read.images_of("A") == (RecordedImage("2", 0, True, False),), "the first by name is the default"
    path.write_text(json.dumps({}))
    assert load_settings(path).recording.images_of("SimpleFlight") == (RecordedImage("", 0, False, True),)


@pytest.mark.parametrize(
    ("recording", "place"),
    [
        ({"RecordInterval": -1}, "Recording.RecordInterval"),
        ({"RecordOnMove": "yes"}, "Recording.RecordOnMove"),
        ({"Folder": 3}, "Recording.Folder"),
        ({"Cameras": {}}, "Recording.Cameras"),
        ({"Cameras": [5]}, r"Recording.Cameras\[0\]"),
        ({"Cameras": [{"ImageType": 10}]}, r"Recording.Cameras\[0\].ImageType"),
    ],
)
def test_faults_in_it_are_named_with_their_place(tmp_path, recording, place):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"Recording": recording}))
    with pytest.raises(CorruptFile, match=place):
        load_settings(path)
