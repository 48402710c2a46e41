"""What is done, and when it is looked at, for the golden frames."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from airsim_seg.builtin.settings import SimMode
from airsim_seg.builtin.wire import Encoded

# Ids that nothing else has.
COPY_ID, BODY_ID = 201, 203
# A float of the wire: its tag and its value (wire.float_array).
FLOAT32 = np.dtype([("tag", "u1"), ("value", ">f4")])
Call = Callable[..., Awaitable[Any]]
# look(camera, vehicle, external) keeps a picture.
Look = Callable[..., Awaitable[None]]


def pose(north: float, east: float, down: float, *turn: float) -> dict[str, Any]:
    """A Pose of the wire; turn is w, x, y, z and need not be a unit."""
    w, x, y, z = turn or (1.0, 0.0, 0.0, 0.0)
    return {
        "position": {"x_val": north, "y_val": east, "z_val": down},
        "orientation": {"w_val": w, "x_val": x, "y_val": y, "z_val": z},
    }


async def fly(call: Call, look: Look) -> None:
    """A drone takes off, flies off and turns."""
    await call("enableApiControl", True, "")
    await call("armDisarm", True, "")
    moves: list[tuple[str, Any]] = [
        ("takeoff", (10.0, "")),
        ("moveByVelocityZ", (3.0, 1.5, -6.0, 1.2, 0, {"is_rate": True, "yaw_or_rate": 25.0}, "")),
        ("moveToPosition", (6.0, -4.0, -9.0, 5.0, 9.0, 1, {"is_rate": False, "yaw_or_rate": 0.0}, -1.0, 1.0, "")),
    ]
    for name, arguments in moves:
        move = asyncio.ensure_future(call(name, *arguments))
        await asyncio.sleep(0)
        await call("simContinueForTime", 1.3)
        await look()
        move.cancel()


async def drive(call: Call, look: Look) -> None:
    """A car sets off and steers."""
    await call("enableApiControl", True, "")
    for steering in (0.0, 0.4):
        await call("setCarControls", {"throttle": 0.7, "steering": steering}, "")
        await call("simContinueForTime", 1.7)
        await look()


async def wander(call: Call, look: Look) -> None:
    """A camera looks along, down and over its shoulder, at traffic, at what was moved and at copies, in rain."""
    names = await call("simListSceneObjects", ".*")
    moved = names[len(names) // 3]
    await call("simSetVehiclePose", pose(0.1, 0.2, -2.0, 0.8, 0.05, -0.03, 0.6), True, "")
    await look()
    await call(
        "simSpawnObject",
        "Copy",
        (await call("simListAssets"))[0],
        pose(4, 1, 0),
        {"x_val": 1.3, "y_val": 1, "z_val": 1},
        False,
        False,
    )
    await call("simSetSegmentationObjectID", "Copy", COPY_ID, False)
    await call("simSetObjectPose", moved, pose(7.0, -2.0, 0.3, 0.9, 0.0, 0.1, 0.4), True)
    await call("simSetVehiclePose", pose(-3.0, 0.0, -4.3, 1.0, 0.0, -0.15, 0.02), True, "")
    await look()
    await call("simContinueForTime", 7.7)
    await call("simEnableWeather", True)
    await call("simSetWeatherParameter", 0, 0.6)
    await call("simSetCameraFov", "", 120.0, "", False)
    await call("simSetVehiclePose", pose(-20.0, 5.0, -35.0, 0.75, 0.1, -0.6, 0.1), True, "")
    await look()


async def _see_other(call: Call, look: Look) -> None:
    """The other vehicle, out of the first and from beside the road."""
    await call("simSetSegmentationObjectID", "Other", BODY_ID, False)
    await look("0", "First")
    await look("Beside", "", True)


async def circle(call: Call, look: Look) -> None:
    """Two drones take off; the other one circles before the first, tilted and turning."""
    moves = []
    for name in ("First", "Other"):
        await call("enableApiControl", True, name)
        await call("armDisarm", True, name)
        moves.append(asyncio.ensure_future(call("takeoff", 10.0, name)))
    await asyncio.sleep(0)
    await call("simContinueForTime", 1.3)
    await _see_other(call, look)
    spin = {"is_rate": True, "yaw_or_rate": 40.0}
    moves.append(asyncio.ensure_future(call("moveByVelocity", 0.5, 3.0, -0.5, 5.0, 0, spin, "Other")))
    await asyncio.sleep(0)
    await call("simContinueForTime", 0.6)
    await _see_other(call, look)
    for move in moves:
        move.cancel()


async def read_sensors(call: Call) -> list[float]:
    """Every number that the sensors of the first vehicle tell."""
    kinds = ("Imu", "Gps", "Barometer", "Magnetometer", "DistanceSensor", "Lidar")
    return [number for kind in kinds for number in _numbers(await call(f"get{kind}Data", "", "First"))]


def _numbers(value: Any) -> list[float]:
    match value:
        case dict() | list():
            return [
                number for one in (value.values() if isinstance(value, dict) else value) for number in _numbers(one)
            ]
        case Encoded(buffers=(_, points)):
            return np.frombuffer(points, FLOAT32)["value"].tolist()
        case Encoded():
            return []  # the ids of a lidar's points
    return [float(value)]


async def convoy(call: Call, look: Look) -> None:
    """Two cars set off, and the other one turns away."""
    for name in ("First", "Other"):
        await call("enableApiControl", True, name)
    for throttle, steering in ((0.4, 0.0), (0.7, 0.6)):
        await call("setCarControls", {"throttle": 0.3}, "First")
        await call("setCarControls", {"throttle": throttle, "steering": steering}, "Other")
        await call("simContinueForTime", 1.7)
        await _see_other(call, look)


SCENARIOS: dict[SimMode, Any] = {"Multirotor": fly, "Car": drive, "ComputerVision": wander}
SCENARIOS_OF_TWO: dict[SimMode, Any] = {"Multirotor": circle, "Car": convoy}
