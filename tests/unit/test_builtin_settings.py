"""settings.json: what is understood, what is ignored, what is refused with the place of the fault."""

import json
import math

import pytest

from airsim_seg.builtin.camera_settings import GimbalSettings, NoiseSettings
from airsim_seg.builtin.geometry import yaw_of
from airsim_seg.builtin.settings import (
    CaptureSettings,
    default_settings,
    find_settings,
    load_settings,
    read_settings,
)
from airsim_seg.builtin.world_settings import SegmentationSettings, TimeOfDaySettings, WorldSettings
from airsim_seg.errors import CorruptFile, MissingData

ORTHOGRAPHIC = {"ImageType": 0, "ProjectionMode": "orthographic"}


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
    assert nose.captures == {0: CaptureSettings((200, 320), 60), 5: CaptureSettings((480, 640), 90.0)}
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
        ({"SimMode": "car"}, "SimMode"),
        ({"EnableRpc": False}, "EnableRpc"),
        ({"ClockSpeed": "1"}, "ClockSpeed is '1'"),
        ({"ClockSpeed": 0}, "ClockSpeed"),
        ({"ClockType": "WallClock"}, "ClockType"),
        ({"Wind": {"X": True}}, "Wind.X"),
        ({"OriginGeopoint": {"Latitude": 91}}, "OriginGeopoint.Latitude"),
        ({"TimeOfDay": {"StartDateTime": "noon"}}, "TimeOfDay.StartDateTime"),
        ({"SegmentationSettings": {"InitMethod": "Random"}}, "SegmentationSettings.InitMethod"),
        ({"SegmentationSettings": {"MeshNamingMethod": 3}}, "SegmentationSettings.MeshNamingMethod"),
        ({"SettingsVersion": "1.2"}, "SettingsVersion"),
        ({"SettingsVersion": 1, "CaptureSettings": [], "PX4": {}}, "PX4 is Vehicles"),
        ({"Vehicles": {"A": {"VehicleType": "PX4Multirotor"}}}, "Vehicles.A.VehicleType is 'PX4Multirotor'"),
        ({"Vehicles": {"A": {"VehicleType": "PhysXCar"}}}, "SimpleFlight, the one that SimMode Multirotor has"),
        ({"Vehicles": {"A": {"AutoCreate": False}}}, "Vehicles"),
        ({"Vehicles": {"A": {"AutoCreate": 0}}}, "Vehicles.A.AutoCreate"),
        ({"Vehicles": {"A": {"DefaultVehicleState": "Flying"}}}, "Vehicles.A.DefaultVehicleState"),
        ({"Vehicles": {"A": {"EnableCollisions": "no"}}}, "Vehicles.A.EnableCollisions"),
        ({"ExternalCameras": {"E": {"Gimbal": {"Yaw": "north"}}}}, "ExternalCameras.E.Gimbal.Yaw"),
        ({"CameraDefaults": {"NoiseSettings": [{"RandContrib": -1}]}}, "CameraDefaults.NoiseSettings[0].RandContrib"),
        ({"CameraDefaults": {"CaptureSettings": [{"ProjectionMode": "isometric"}]}}, "[0].ProjectionMode"),
        *(
            ({"ExternalCameras": {"map": {"CaptureSettings": [{**ORTHOGRAPHIC, "OrthoWidth": width_m}]}}}, named)
            for width_m in (0, -5, math.nan, math.inf, 1e6, 1e-3, "wide", True, None)
            for named in ("ExternalCameras.map.CaptureSettings[0].OrthoWidth", "a number from 0.01 to 100000")
        ),
        ({"CameraDefaults": {"CaptureSettings": [{"Width": 1.5}]}}, "CaptureSettings[0].Width"),
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


def read(content, mode=None):
    return read_settings(json.dumps({"SettingsVersion": 1.2, **content}), "the text", mode)


def test_an_orthographic_camera_is_as_wide_as_unreals_unless_the_file_says_otherwise():
    settings = read(
        {
            "CameraDefaults": {"CaptureSettings": [{**ORTHOGRAPHIC}, {"ImageType": 1, "OrthoWidth": -1}]},
            "ExternalCameras": {
                "map": {"CaptureSettings": [{"ImageType": 5, "ProjectionMode": "Orthographic", "OrthoWidth": 200}]}
            },
        }
    )
    assert {kind: taken.ortho_width_m for kind, taken in settings.captures.items()} == {0: 5.12, 1: None}
    own = settings.external_cameras["map"].captures
    assert {kind: taken.ortho_width_m for kind, taken in own.items()} == {0: 5.12, 1: None, 5: 200.0}
    assert settings.warnings == ()
    assert settings.has_orthographic
    assert not read({"CameraDefaults": {"CaptureSettings": [{"OrthoWidth": 5.12}]}}).has_orthographic


@pytest.mark.parametrize("place", ["ExternalCameras", "Vehicles"])
def test_orthographic_cameras_are_found_wherever_they_are(place):
    camera = {"map": {"CaptureSettings": [ORTHOGRAPHIC]}}
    content = camera if place == "ExternalCameras" else {"A": {"Cameras": camera}}
    assert read({place: content}).has_orthographic


def test_what_is_about_the_world():
    world = read(
        {
            "ClockType": "ScalableClock",
            "ClockSpeed": 0.5,
            "OriginGeopoint": {"Latitude": -33.9, "Longitude": 18.4},
            "Wind": {"X": 3, "Z": -1},
            "TimeOfDay": {"Enabled": True, "StartDateTime": "2018-02-12 15:20:00", "CelestialClockSpeed": 100},
            "SegmentationSettings": {"InitMethod": "none", "MeshNamingMethod": "staticmeshname"},
        }
    ).world
    assert (world.clock_speed, world.wind_mps) == (0.5, (3, 0, -1))
    assert world.home == (-33.9, 18.4, 122.0), "AirSim's altitude where none is given"
    assert world.time_of_day == TimeOfDaySettings(True, "2018-02-12 15:20:00", speed=100)
    assert world.segmentation == SegmentationSettings(assigned=False, override=True, by_mesh=True)
    assert read({}).world == WorldSettings(), "without the table ids that are there stay"


def test_vehicles_have_airsims_keys():
    vehicles = read(
        {
            "Vehicles": {
                "A": {"VehicleType": "simpleflight", "DefaultVehicleState": "Inactive", "EnableCollisions": False},
                "B": {"AutoCreate": False, "X": 5},
                "C": {"EnableCollisionPassthrogh": True, "IsFpvVehicle": True, "RC": {"RemoteControlID": 0}},
            }
        }
    ).vehicles
    assert sorted(vehicles) == ["A", "C"], "AutoCreate"
    assert (vehicles["A"].armed, vehicles["A"].collides, vehicles["A"].passes_through) == (False, False, False)
    assert (vehicles["C"].armed, vehicles["C"].collides, vehicles["C"].passes_through) == (True, True, True)
    assert vehicles["C"].is_fpv


def test_the_command_lines_mode_takes_vehicles_of_any_type():
    file = {"SimMode": "Car", "Vehicles": {"A": {"VehicleType": "PhysXCar"}}}
    assert list(read(file, "Multirotor").vehicles) == ["A"]


def test_cameras_take_from_camera_defaults_what_they_do_not_say():
    settings = read(
        {
            "CameraDefaults": {
                "X": 1.0,
                "Pitch": -10,
                "Gimbal": {"Stabilization": 2, "Roll": 0, "Yaw": math.nan},
                "CaptureSettings": [{"ImageType": 0, "Width": 100, "FOV_Degrees": 60, "TargetGamma": 1.0}],
                "NoiseSettings": [{"ImageType": 0, "Enabled": True}, {"ImageType": -1, "Enabled": True}],
            },
            "ExternalCameras": {
                "plain": {},
                "own": {
                    "Y": 2,
                    "Pitch": 0,
                    "Gimbal": {},
                    "NoiseSettings": [{"RandSize": 3}],
                    "CaptureSettings": [{"Height": 50}],
                },
            },
        }
    )
    plain, own = settings.external_cameras["plain"], settings.external_cameras["own"]
    assert plain.captures == settings.captures == {0: CaptureSettings((480, 100), 60, 1.0)}
    assert plain.gimbal == settings.gimbal == GimbalSettings(1.0, None, None, 0)
    assert plain.noises == settings.noises == {0: NoiseSettings(enabled=True)}
    assert plain.mount.position_m.tolist() == [1, 0, 0]
    assert own.mount.position_m.tolist() == [1, 2, 0]
    assert own.mount.orientation_wxyz.tolist() == [1, 0, 0, 0]
    assert own.captures == {0: CaptureSettings((50, 640), 90.0)}, "a type that is listed has that record alone"
    assert own.gimbal == GimbalSettings()
    assert own.noises == {0: NoiseSettings(enabled=False, rand_size=3)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"clockspeed": 2}, "clockspeed is not known and is ignored; did you mean ClockSpeed?"),
        ({"Vehicles": {"A": {"Camera": {}}}}, "Vehicles.A.Camera is not known and is ignored; did you mean Cameras?"),
        ({"Sub": {"Windows": 1}}, "Sub is not known and is ignored"),
        ({"CameraDefaults": {"CaptureSettings": [{"FOV": 9}]}}, "CameraDefaults.CaptureSettings[0].FOV is not known"),
        ({"DefaultSensors": {"L": {"SensorType": 6, "Enabled": True, "Ranges": 3}}}, "did you mean Range?"),
    ],
)
def test_keys_that_nobody_knows_are_warned_of(content, said):
    [warning] = read(content).warnings
    assert said in warning
    assert warning.startswith("the text: ")


def test_what_airsim_has_and_this_has_not_is_ignored_without_a_word():
    ignored = {"SubWindows": [{"WindowID": 0}], "ViewMode": "NoDisplay", "EngineSound": False, "SeeDocsAt": "x"}
    drone = {"VehicleType": "SimpleFlight", "UseSerial": False, "RC": {"RemoteControlID": 0}}
    assert read({**ignored, "Vehicles": {"Drone1": drone}}).warnings == ()


@pytest.mark.parametrize(
    ("content", "warnings"),
    [
        ({}, 0),
        ({"SettingsVersion": 1.2}, 0),
        ({"SettingdVersion": 1.2}, 0),
        ({"SettingsVersion": 2.0}, 0),
        ({"SimMode": "Car"}, 1),
        ({"SettingsVersion": 1.0, "SimMode": "Car"}, 1),
        ({"SettingsVersion": 1.1, "PX4": {}}, 2),
    ],
)
def test_old_versions_are_read_with_a_warning(content, warnings):
    assert len(read_settings(json.dumps(content), "the text").warnings) == warnings


def test_the_search_is_airsims(tmp_path):
    launch, home = tmp_path / "launch", tmp_path / "home"
    (home / "Documents" / "AirSim").mkdir(parents=True)
    launch.mkdir()
    assert find_settings(launch, home) is None
    (home / "Documents" / "AirSim" / "settings.json").write_text("{}")
    assert find_settings(launch, home) == home / "Documents" / "AirSim" / "settings.json"
    (launch / "settings.json").write_text("{}")
    assert find_settings(launch, home) == launch / "settings.json"


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"SettingsVersion": 1.2, "SimMode": "Car"}')
    assert load_settings(path).mode == "Car"
