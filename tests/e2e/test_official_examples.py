"""AirSim's own Python examples, unmodified, against our server: AIRSIM_EXAMPLES=/path/to/AirSim/PythonClient.

They are no part of this repository; without the variable nothing runs. Each gets a server with the settings that its
first lines ask for, on AirSim's port, and Enter wherever it waits for a key. What numpy 2 and a machine without a
screen have no more is stood in for (see STAND_IN); nothing else is. docs/examples.md says what each of them does.
"""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = os.environ.get("AIRSIM_EXAMPLES", "")
PORT = 41451
DEADLINE_S = 240.0
WAITS = (b"ress any key", b"moved. Success", b"about to crash")
STAND_IN = """
import numpy as np
np.fromstring = lambda data, dtype=float, count=-1, sep="": np.frombuffer(data, dtype, count).copy()
np.trapz = getattr(np, "trapz", None) or np.trapezoid
import cv2
cv2.imshow = lambda name, picture: print("shown", name, picture.shape, flush=True)
cv2.waitKey, cv2.destroyAllWindows = lambda delay_ms=0: -1, lambda: None
"""

DRONE, CAR, CAMERA = ({"SimMode": mode} for mode in ("Multirotor", "Car", "ComputerVision"))
LIDAR = {
    "SensorType": 6,
    "Enabled": True,
    "NumberOfChannels": 1,
    "RotationsPerSecond": 10,
    "Range": 12,
    "PointsPerSecond": 8000,
}
ACROSS = LIDAR | {"Z": -1, "Pitch": 90}
LIDARS = {"LidarSensor1": ACROSS, "LidarSensor2": ACROSS | {"Roll": 90}}


def flying(**vehicles: dict[str, object]) -> dict[str, object]:
    return DRONE | {"Vehicles": {name: {"VehicleType": "SimpleFlight"} | own for name, own in vehicles.items()}}


def driving(**vehicles: dict[str, object]) -> dict[str, object]:
    return CAR | {"Vehicles": {name: {"VehicleType": "PhysXCar"} | own for name, own in vehicles.items()}}


@dataclass(frozen=True)
class Example:
    """One script: where, with which settings and arguments, what it must say, and how long one that never ends runs."""

    path: str
    settings: dict[str, object]
    says: str = ""
    args: tuple[str, ...] = ()
    endless_s: float | None = None


EXAMPLES = (
    Example("multirotor/add_drone.py", DRONE),
    Example("multirotor/arm.py", DRONE),
    Example("multirotor/box.py", DRONE, "disarming"),
    Example("multirotor/clock_speed.py", DRONE | {"ClockSpeed": 2}, endless_s=20),
    Example("multirotor/disarm.py", DRONE),
    Example("multirotor/drone_lidar.py", flying(Drone1={"Sensors": LIDARS}), "number_of_points"),
    Example("multirotor/drone_stress_test.py", DRONE, "\n1", endless_s=25),
    Example("multirotor/external_physics_engine.py", DRONE | {"PhysicsEngineName": "ExternalPhysicsEngine"}, "899"),
    Example("multirotor/gimbal.py", DRONE, "Ready"),
    Example("multirotor/hello_drone.py", DRONE),
    Example("multirotor/land.py", DRONE, "already landed"),
    Example("multirotor/line_of_sight.py", DRONE, "world extents"),
    Example("multirotor/multi_agent_drone.py", flying(Drone1={"X": 4, "Z": -2}, Drone2={"X": 8, "Z": -2})),
    Example("multirotor/navigate.py", DRONE, "distance=", endless_s=15),
    Example("multirotor/opencv_show.py", DRONE, "shown Depth", ("segmentation",), 8),
    Example("multirotor/orbit.py", DRONE, "disarming", ("--iterations", "1")),
    Example("multirotor/path.py", DRONE, "done"),
    Example("multirotor/pause_continue_drone.py", DRONE, "Finished cycle", endless_s=80),
    Example("multirotor/point_cloud.py", DRONE, "saved"),
    Example("multirotor/reset_test_drone.py", DRONE, "done"),
    Example("multirotor/sensorframe_lidar_pointcloud.py", flying(Drone1={"Sensors": LIDARS}), endless_s=8),
    Example("multirotor/set_fog.py", DRONE, "Resetting"),
    Example("multirotor/set_trace_line.py", flying(Drone={"EnableTrace": True})),
    Example("multirotor/set_wind.py", DRONE, "Resetting"),
    Example("multirotor/stability_test.py", DRONE, "Results for iteration 1", endless_s=150),
    Example("multirotor/state.py", DRONE, "not ready"),
    Example("multirotor/survey.py", DRONE, "disarming", ("--size", "20")),
    Example("multirotor/takeoff.py", DRONE, "done", ("20",)),
    Example("multirotor/teleport.py", flying(PX4={})),
    Example("car/car_collision.py", driving(PhysXCar={"Yaw": 90}), "penetration"),
    Example("car/car_lidar.py", driving(Car1={"Sensors": {"Lidar": LIDAR}}), "Done", ("-change-time-of-day", "1")),
    Example("car/car_monitor.py", CAR, endless_s=5),
    Example("car/car_stress_test.py", CAR, "Speed", endless_s=15),
    Example(
        "car/distance_sensor_multi.py",
        driving(
            **{
                f"Car{k}": {"X": 10 * (k - 1), "Sensors": {"Distance": {"SensorType": 5, "Enabled": True}}}
                for k in (1, 2)
            }
        ),
        "Car1: 7",
        endless_s=20,
    ),
    Example("car/drive_straight.py", CAR, "car speed: 1", endless_s=12),
    Example("car/hello_car.py", CAR),
    Example("car/multi_agent_car.py", driving(Car1={"X": 4, "Z": -2}, Car2={"X": -4, "Z": -2})),
    Example("car/pause_test.py", CAR, "After pause"),
    Example("car/reset_test_car.py", CAR),
    Example("car/runtime_car.py", CAR),
    Example("car/vehicleframe_lidar_pointcloud.py", driving(Drone1={"Sensors": LIDARS}), "Done", endless_s=8),
    Example("computer_vision/create_ir_segmentation_map.py", CAMERA),
    Example("computer_vision/cv_capture.py", CAMERA, "Type 0", endless_s=15),
    Example("computer_vision/cv_mode.py", CAMERA, "Type 6"),
    Example(
        "computer_vision/external_camera.py",
        CAR | {"ExternalCameras": {"fixed1": {"X": 0, "Y": 0, "Z": -5, "Pitch": -90}}},
        "New FOV: 120",
    ),
    Example("computer_vision/fov_change.py", CAMERA, "New FOV: 120"),
    Example("computer_vision/getpos.py", CAMERA, "pitch="),
    Example("computer_vision/ground_truth.py", CAMERA, "Kinematics", endless_s=4),
    Example("computer_vision/objects.py", CAMERA, "Non-Existent moved. Success: 0"),
    Example("computer_vision/plot_markers.py", CAMERA),
    Example("computer_vision/segmentation.py", CAMERA, "Retrieved images"),
    Example("detection/detection.py", CAMERA, "shown AirSim", endless_s=5),
    Example("environment/change_texture_example.py", DRONE),
    Example("environment/unreal_console_commands.py", DRONE),
    Example("environment/weather.py", CAMERA),
)

TABLE = Path(__file__).parents[2] / "docs" / "examples.md"


def test_the_table_knows_every_example_that_is_run() -> None:
    written = TABLE.read_text(encoding="utf-8")
    assert [own.path for own in EXAMPLES if Path(own.path).name not in written] == []
    assert len({own.path for own in EXAMPLES}) == len(EXAMPLES)


@contextmanager
def simulator(settings: dict[str, object]) -> Iterator[None]:
    """A server on AirSim's own port."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            pytest.fail(f"port {PORT}, where the examples look for AirSim, is taken")
    command = [sys.executable, "-m", "airsim_seg", "sim", "--settings", json.dumps({"SettingsVersion": 1.2} | settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            assert any(line.startswith("ready") for line in server.stdout), "the simulator did not start"
            yield
        finally:
            server.terminate()
            server.communicate()


def run(command: list[str], folder: Path, environment: dict[str, str], limit_s: float) -> tuple[str, int | None]:
    """What a script prints on a terminal whose user presses Enter, and its exit status; None where it was stopped."""
    ours, theirs = pty.openpty()
    said, answered, until, stopped = b"", 0, time.monotonic() + limit_s, False
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as script:
        os.close(theirs)
        while True:
            if not stopped and time.monotonic() > until:
                script.send_signal(signal.SIGINT)
                stopped, until = True, until + 10
            elif stopped and time.monotonic() > until:
                script.kill()
            if not select.select([ours], [], [], 0.5)[0]:
                continue
            try:
                data = os.read(ours, 65536)
            except OSError:  # Linux's way to say that the other end is closed
                break
            if not data:
                break
            said += data
            asked = sum(said.count(wait) for wait in WAITS)
            os.write(ours, b"\n" * (asked - answered))
            answered = max(asked, answered)
    os.close(ours)
    return said.decode(errors="replace"), None if stopped else script.returncode


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER, reason="set AIRSIM_EXAMPLES to AirSim's folder PythonClient")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.path)
def test_it_runs_as_with_airsim(example: Example, tmp_path: Path) -> None:
    script = Path(FOLDER) / example.path
    if not script.exists():
        pytest.skip(f"{script} is not there")
    (tmp_path / "sitecustomize.py").write_text(STAND_IN)
    (tmp_path / "setup_path.py").write_text("")
    (tmp_path / "work" / "c:" / "temp").mkdir(parents=True)
    paths = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", "TMPDIR": str(tmp_path)}
    command = [sys.executable, str(script), *example.args]
    with simulator(example.settings):
        said, code = run(command, tmp_path / "work", environment, example.endless_s or DEADLINE_S)
    assert code == (None if example.endless_s else 0), said[-3000:]
    assert "RPCError" not in said, said[-3000:]
    assert example.says in said.replace("\r", ""), said[-3000:]
