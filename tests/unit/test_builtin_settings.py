"""settings.json: what is understood, what is ignored, what is refused with the place of the fault."""

import json
import math

import pytest

from airsim_seg.builtin.geometry import yaw_of
from airsim_seg.builtin.settings import CaptureSettings, default_settings, load_settings
from airsim_seg.errors import CorruptFile, MissingData


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "settings.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def test_the_documented_example_gives_two_cars_with_cameras(written):
    capture = [{"ImageType": 0, "Width": 320, "Height": 200, "FOV_Degrees": 60}, {"ImageType": -1, "Width": 9}]
    path = written(
        {
            "SettingsVersion": 1.2,
            "SimMode": "Car",
            "ApiServerPort": 41500,
            "ClockSpeed": 1,
            "SubWindows": [],
            "CameraDefaults": {"CaptureSettings": capture},
            "Vehicles": {
                "Car1": {"VehicleType": "PhysXCar", "X": 4, "Y": 0, "Z": -2, "Yaw": 90},
                "Car2": {"Cameras": {"nose": {"X": 0.5, "Pitch": -15, "CaptureSettings": [{"ImageType": 5}]}}},
            },
        }
    )
    settings = load_settings(path)
    assert (settings.mode, settings.port) == ("Car", 41500)
    assert settings.captures[0] == CaptureSettings((200, 320), 60)
    assert settings.vehicles["Car1"].start.position_m.tolist() == [4, 0, -2]
    assert yaw_of(settings.vehicles["Car1"].start) == pytest.approx(math.pi / 2)
    nose = settings.vehicles["Car2"].cameras["nose"]
    assert nose.captures == {5: CaptureSettings((480, 640), 90.0)}
    assert nose.mount.position_m.tolist() == [0.5, 0, 0]
    assert settings.text == path.read_text()


@pytest.mark.parametrize(("mode", "name"), [("Multirotor", "SimpleFlight"), ("Car", "PhysXCar")])
def test_without_vehicles_there_is_airsims_default_one(written, mode, name):
    assert list(load_settings(written({"SimMode": mode})).vehicles) == [name]
    assert list(default_settings(mode).vehicles) == [name]


def test_the_command_line_overrides_the_mode(written):
    assert load_settings(written({"SimMode": "Car"}), "ComputerVision").mode == "ComputerVision"
    assert load_settings(written({})).mode == "Multirotor"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "not JSON"),
        ("{ // a comment\n}", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "the file"),
        ({"SimMode": "Boat"}, "SimMode"),
        ({"SimMode": ["Car"]}, "SimMode"),
        ({"Vehicles": []}, "Vehicles"),
        ({"Vehicles": {"A": 5}}, "Vehicles.A"),
        ({"Vehicles": {"A": {"X": "north"}}}, "Vehicles.A.X"),
        ({"Vehicles": {"A": {"X": float("nan")}}}, "Vehicles.A.X"),
        ({"Vehicles": {"A": {"Cameras": {"c": []}}}}, "Vehicles.A.Cameras.c"),
        ({"ApiServerPort": 70000}, "ApiServerPort"),
        ({"ApiServerPort": True}, "ApiServerPort"),
        ({"CameraDefaults": {"CaptureSettings": {}}}, "CameraDefaults.CaptureSettings"),
        ({"CameraDefaults": {"CaptureSettings": [{"Width": 0}]}}, "CameraDefaults.CaptureSettings[0].Width"),
        ({"CameraDefaults": {"CaptureSettings": [{"Height": 10**9}]}}, "CaptureSettings[0].Height"),
        ({"CameraDefaults": {"CaptureSettings": [{"FOV_Degrees": 180}]}}, "CaptureSettings[0].FOV_Degrees"),
        ({"CameraDefaults": {"CaptureSettings": [{"ImageType": 99}]}}, "CaptureSettings[0].ImageType"),
    ],
)
def test_faults_are_named(written, content, named):
    path = written(content)
    with pytest.raises(CorruptFile) as caught:
        load_settings(path)
    assert named in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(MissingData, match=str(path)):
            load_settings(path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorruptFile):
        load_settings(path)
