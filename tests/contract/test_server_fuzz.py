"""No argument that msgpack can carry makes a method fail in a way of its own."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served_world import FormulaRenderer, tiny_scene

from airsim_seg.builtin import arguments
from airsim_seg.builtin.api import Dispatcher
from airsim_seg.builtin.api_images import CameraApi
from airsim_seg.builtin.api_multirotor import drivetrain, seconds
from airsim_seg.builtin.api_recording import Recorder
from airsim_seg.builtin.server import RpcError
from airsim_seg.builtin.serving import rpc_methods
from airsim_seg.builtin.settings import CaptureSettings, default_settings
from airsim_seg.builtin.world import World

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.sampled_from(["", "0", "front_center", "Ground", "Tree.*", "(", "\udcff", "SimpleFlight", "PhysXCar"])
    | st.binary(max_size=4)
)
KEYS = st.sampled_from(
    ["x_val", "y_val", "z_val", "w_val", "position", "orientation", "camera_name", "image_type", "pixels_as_float",
     "compress", "is_rate", "yaw_or_rate", "throttle", "steering", "manual_gear", "is_manual_gear", "extra"]
)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))
# simContinueForFrames of a day would take a minute; its limits have tests of their own.
SLOW = {"simContinueForTime", "simContinueForFrames"}
DRAWN = {
    "simGetImage", "simGetImages", "simGetDetections", "simGetMeshPositionVertexBuffers", "simGetWorldExtents",
    "simCreateVoxelGrid", "startRecording", "stopRecording",
}  # fmt: skip

VECTORS = st.fixed_dictionaries({}, optional=dict.fromkeys(("x_val", "y_val", "z_val", "w_val"), st.floats()))
# What a converter accepts, at its extremes, so that calls get past it; anything at all one time in eight.
TYPED = {
    arguments.boolean: st.booleans(),
    arguments.integer: st.integers(-(2**63), 2**64 - 1),
    arguments.real: st.floats(),
    arguments.finite: st.floats(allow_nan=False, allow_infinity=False),
    arguments.text: st.sampled_from(["", "0", "bottom_center", "fpv", "Ground", "Tree.*", "(", "SimpleFlight"]),
    arguments.vector: VECTORS,
    arguments.pose: st.fixed_dictionaries({}, optional={"position": VECTORS, "orientation": VECTORS}),
    drivetrain: st.integers(0, 1),
    seconds: st.floats(),
}


@st.composite
def calls(draw, methods):
    """One call of each method with arguments that it might believe."""
    drawn = {}
    for name in sorted(set(methods) - SLOW):
        kinds = methods[name].converters
        drawn[name] = [draw(TYPED.get(kind, VALUES) if draw(st.integers(0, 7)) else VALUES) for kind in kinds]
    return drawn


async def make_all(mode, data):
    with ThreadPoolExecutor(1) as executor:
        own = replace(default_settings(mode), captures=dict.fromkeys(range(10), CaptureSettings((6, 8))))
        world = World(tiny_scene(), own, paused=True)
        cameras = CameraApi(world, FormulaRenderer(), executor)
        recorder = Recorder(world, cameras)
        methods = rpc_methods(world, cameras, recorder)
        dispatch = Dispatcher(methods)
        for vehicle in world.vehicles.values():
            if mode != "ComputerVision":
                vehicle.enable_api(True)
        drawn = data.draw(calls(methods))
        for name in data.draw(st.permutations(sorted(drawn))):
            call = asyncio.ensure_future(dispatch(name, drawn[name]))
            # Pictures and files come from another thread and always come; a move only ends when the world goes on.
            await asyncio.wait([call], timeout=None if name in DRAWN else 0)
            world.advance(30_000_000)
            await asyncio.sleep(0)
            call.cancel()
            assert not call.done() or call.cancelled() or isinstance(call.exception(), RpcError | type(None))
            state = world.vehicle("").kinematics
            for array in (state.pose.position_m, state.pose.orientation_wxyz, state.linear_velocity_mps):
                assert np.isfinite(array).all(), (name, drawn[name])
        await recorder.stop()


@pytest.mark.parametrize("mode", ["Multirotor", "Car", "ComputerVision"])
@settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_methods_answer_or_refuse_and_the_world_stays_finite(caplog, tmp_path, monkeypatch, mode, data):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.ERROR)
    asyncio.run(make_all(mode, data))
    assert not caplog.records, "a fault of ours, not of the caller's"
