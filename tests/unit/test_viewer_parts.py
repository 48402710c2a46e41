"""The viewer's parts that need no simulator: keys, pilots' sums, requests, audience, messages, the map's geometry."""

import asyncio
import contextlib
import json
import math
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_loop import run
from toy_world import ToyWorld

from airsim_seg.errors import UsageError
from airsim_seg.palette import palette
from airsim_seg.types import Pose
from airsim_seg.viewer import audience as audiences
from airsim_seg.viewer.audience import Audience
from airsim_seg.viewer.commands import date_with_hour
from airsim_seg.viewer.frames import Frame
from airsim_seg.viewer.keys import IDLE, KEYS, Sticks, sticks_of
from airsim_seg.viewer.legend import kinds, legend
from airsim_seg.viewer.link import on_body
from airsim_seg.viewer.messages import binary, text
from airsim_seg.viewer.overview import SIZE_PX, laid_out
from airsim_seg.viewer.pilots import euler_rad, moved, pedals, steering
from airsim_seg.viewer.requests import Do, Hold, Hour, LookThrough, Seen, Weather, read_request
from airsim_seg.viewer.web import is_local, page_file

ANGLES = st.floats(-1.5, 1.5)


@pytest.mark.parametrize(
    ("held", "sticks"),
    [
        ([], IDLE),
        (["KeyW"], Sticks(forward=1)),
        (["ArrowDown"], Sticks(forward=-1)),
        (["KeyW", "KeyS"], IDLE),
        (["KeyW", "ArrowUp"], Sticks(forward=1)),
        (["KeyA", "Space"], Sticks(right=-1, up=1)),
        (["KeyE", "ShiftRight"], Sticks(turn=1, up=-1)),
        (["ArrowLeft", "KeyR"], Sticks(turn=-1, tilt=1)),
        (["KeyF", "Escape", "w"], Sticks(tilt=-1)),
    ],
)
def test_held_keys_become_sticks(held: list[str], sticks: Sticks) -> None:
    assert sticks_of(held) == sticks
    assert bool(sticks) is (sticks != Sticks())


def test_every_key_that_the_page_sends_means_something() -> None:
    script = page_file("keyboard.js").decode()
    sent = script[script.index("STEERING = new Set([") : script.index("]);")]

    assert {part for part in sent.split('"') if part[:1].isupper() and part.isalpha()} == KEYS


def test_a_car_accelerates_brakes_and_reverses() -> None:
    assert pedals(1, 0.0, 10.0) == (1.0, 0.0)
    throttle, brake = pedals(1, 9.0, 10.0)
    assert 0 < throttle < 1
    assert brake == 0
    assert pedals(1, 12.0, 10.0) == (0.0, 0.0)
    assert pedals(1, -3.0, 10.0) == (0.0, 1.0)  # rolling back: first stop
    assert pedals(-1, 5.0, 10.0) == (0.0, 1.0)  # rolling ahead: first stop
    assert pedals(-1, 0.0, 10.0) == (-1.0, 0.0)
    assert pedals(-1, -5.0, 10.0) == (0.0, 0.0)  # in reverse half as fast
    assert pedals(0, 5.0, 10.0) == (0.0, 0.0)


def test_the_wheel_turns_less_at_speed() -> None:
    assert steering(-1, 0.0) == -steering(1, 0.0)
    assert 0 < steering(1, 20.0) < steering(1, 5.0) < steering(1, 0.0) <= 1
    assert steering(0, 3.0) == 0


def test_a_camera_moves_along_its_heading_and_level() -> None:
    east, down = math.pi / 2, -0.7

    place, yaw, pitch = moved(np.array([1.0, 2.0, -3.0]), east, down, Sticks(forward=1, right=1, up=1), 10.0, 0.1)

    np.testing.assert_allclose(place, [0.0, 3.0, -4.0], atol=1e-12)
    assert (yaw, pitch) == (east, down)


def test_a_camera_cannot_tilt_over() -> None:
    angles = np.zeros(3), 0.0, 0.0
    for _ in range(200):
        angles = moved(*angles, Sticks(tilt=1, turn=1), 5.0, 0.1)

    assert 0 < math.pi / 2 - angles[2] < 0.05
    assert angles[1] == pytest.approx(200 * 0.1 * math.radians(60))


@given(ANGLES, ANGLES, ANGLES)
def test_angles_of_a_pose_are_those_that_made_it(yaw: float, pitch: float, roll: float) -> None:
    pose = Pose.from_euler(np.zeros(3), yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)

    assert euler_rad(pose) == pytest.approx((yaw, pitch, roll), abs=1e-9)


def test_a_mount_is_the_camera_seen_from_its_body() -> None:
    body = Pose.from_euler((10, 20, -5), yaw_rad=0.4, pitch_rad=0.1, roll_rad=-0.2)
    mount = Pose.from_euler((1, 2, 3), yaw_rad=-1.0, pitch_rad=0.3)
    turned = body.rotation() @ mount.rotation()
    yaw, pitch, roll = (
        math.atan2(turned[1, 0], turned[0, 0]),
        -math.asin(turned[2, 0]),
        math.atan2(turned[2, 1], turned[2, 2]),
    )
    where = body.position_m + body.rotation() @ mount.position_m
    camera = Pose.from_euler(where, yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)

    found = on_body(camera, body)

    np.testing.assert_allclose(found.position_m, mount.position_m, atol=1e-9)
    np.testing.assert_allclose(found.rotation(), mount.rotation(), atol=1e-9)


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        ({"type": "seen"}, Seen()),
        ({"type": "hold", "keys": ["KeyW", "Escape", 3], "speed_mps": 5}, Hold(frozenset({"KeyW"}), 5.0)),
        ({"type": "do", "action": "pause"}, Do("pause")),
        ({"type": "weather", "effect": "Fog", "value": 0.5}, Weather(7, 0.5)),
        ({"type": "hour", "hour": 18.25}, Hour(18.25)),
        ({"type": "camera", "camera": "3"}, LookThrough("3")),
    ],
)
def test_requests_are_read(message: dict[str, object], request_: object) -> None:
    assert read_request(json.dumps(message)) == request_


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[",
        "[" * 5000,
        "null",
        "[]",
        "{}",
        '{"type": "fly"}',
        '{"type": "hold", "keys": "KeyW", "speed_mps": 5}',
        '{"type": "hold", "keys": ["KeyW"], "speed_mps": 1e9}',
        '{"type": "hold", "keys": ["KeyW"], "speed_mps": NaN}',
        '{"type": "hold", "keys": ["KeyW"], "speed_mps": true}',
        '{"type": "hold", "keys": ' + json.dumps(["KeyW"] * 1000) + ', "speed_mps": 5}',
        '{"type": "hour", "hour": 1' + "0" * 400 + "}",
        '{"type": "hour", "hour": "noon"}',
        '{"type": "do", "action": "simRunConsoleCommand"}',
        '{"type": "weather", "effect": "Enabled", "value": 1}',
        '{"type": "weather", "effect": "Rain", "value": -0.1}',
        '{"type": "camera", "camera": "front_left"}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_request_is_refused_in_a_sentence(message: str | bytes) -> None:
    with pytest.raises(UsageError, match=r"\.$"):
        read_request(message)


ANYTHING = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({})
FIELDS = ("keys", "speed_mps", "action", "effect", "value", "hour", "camera")


@settings(max_examples=60)
@given(st.sampled_from(["seen", "hold", "do", "weather", "hour", "camera"]), st.tuples(*[ANYTHING] * len(FIELDS)))
def test_any_fields_are_read_or_refused(kind: str, values: tuple[object, ...]) -> None:
    with contextlib.suppress(UsageError):
        read_request(json.dumps({"type": kind, **dict(zip(FIELDS, values, strict=True))}))


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "127.0.0.1", "localhost:1", "localhost", "[::1]:80", "[::1]"])
def test_this_machine_is_local(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "10.0.0.1",
        "127.0.0.1:8000.evil.example",
        "127.0.0.1:",
        "0.0.0.0:80",
        "localhost:80:80",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not is_local(host)


def test_messages_can_be_taken_apart() -> None:
    rgb = np.full((6, 8, 3), (200, 100, 50), np.uint8)
    ids = np.arange(48, dtype=np.uint8).reshape(6, 8)

    message = Frame(rgb, ids, 2**60 + 1).message()

    (length,) = struct.unpack("<I", message[:4])
    head = json.loads(message[4 : 4 + length])
    jpeg, packed = message[4 + length :][: head["parts"][0]], message[4 + length + head["parts"][0] :]
    assert head["parts"] == [len(jpeg), len(packed)]
    assert (head["type"], head["width"], head["height"], head["time_ns"]) == ("frame", 8, 6, str(2**60 + 1))
    assert zlib.decompress(packed) == ids.tobytes()
    seen = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(seen.astype(int) - rgb).max() < 6


def test_nan_never_reaches_the_page() -> None:
    with pytest.raises(ValueError, match="JSON"):
        text("state", speed_mps=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        binary("map", [], north_m=float("inf"))


def test_the_hour_keeps_the_day() -> None:
    noon_ns = 1_600_000_000 * 10**9  # 2020-09-13 12:26:40 UTC

    assert date_with_hour(noon_ns, 6.5) == "2020-09-13 06:30:00"
    assert date_with_hour(noon_ns, 24.0) == "2020-09-13 23:59:59"


def test_the_legend_names_kinds_and_classes() -> None:
    objects = [("Road_1", 171), ("Road_2", 171), ("Path", 171), ("12", 9)]

    found = legend(objects, "Neighborhood")

    assert found["kinds"] == {"171": ["Road", "Path"], "9": ["12"]}
    assert found["counts"] == {"171": 3, "9": 1}
    assert found["classes"]["171"]["name"] == "road"  # type: ignore[index]
    assert found["note"] == ""
    assert legend(objects, "")["note"]
    assert "Nowhere" in str(legend(objects, "Nowhere")["note"])
    assert len(kinds([f"{letter}_{letter}" for letter in "abcdefgh"])) == 4


def test_a_map_shows_the_ground_where_it_is() -> None:
    """The toy world seen askew from high above, laid out, against the toy's own streets."""
    world = ToyWorld(boxes=(), size_hw=(240, 320))
    pose = Pose.from_euler((7.0, -12.0, -150.0), yaw_rad=0.5, pitch_rad=-math.pi / 2 + 0.06, roll_rad=0.04)
    world.set_pose(pose)
    seen = world.capture()

    found = laid_out(seen.rgb, pose, world.camera.fov_deg, 150.0)

    assert (found.north_m, found.east_m) == (7.0, -12.0)
    assert found.span_m == pytest.approx(2 * 150 * 240 / 320)
    pixels = np.arange(0, SIZE_PX, 8)
    cell = (pixels + 0.5) / SIZE_PX - 0.5
    north, east = np.meshgrid(7.0 - cell * found.span_m, -12.0 + cell * found.span_m, indexing="ij")
    inside = (np.abs(north - 7) < 60) & (np.abs(east + 12) < 60)
    on_street = world.on_street(np.stack([north, east], -1))
    street_colour = palette()[171].astype(int)
    looks_street = np.abs(found.rgb[::8, ::8].astype(int) - street_colour).sum(-1) < 120
    assert (looks_street == on_street)[inside].mean() > 0.95


class FakeClock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def _drain(viewer: audiences.Viewer) -> list[audiences.Message]:
    """What is waiting for a viewer, in the order in which it would be sent."""
    sent: list[audiences.Message] = []

    async def send(message: audiences.Message) -> None:
        sent.append(message)

    delivering = asyncio.create_task(viewer.deliver(send))
    for _ in range(3):
        await asyncio.sleep(0)
    delivering.cancel()
    return sent


def test_a_slow_viewer_gets_the_newest_and_no_more_frames_than_it_draws() -> None:
    async def story() -> None:
        audience = Audience()
        viewer = audience.join()
        for number in range(5):
            audience.tell("state", f"state {number}")
            audience.tell("frame", f"frame {number}")
        assert await _drain(viewer) == ["state 4", "frame 4"]
        audience.tell("frame", "frame 5")
        assert await _drain(viewer) == ["frame 5"]
        audience.tell("frame", "frame 6")
        assert await _drain(viewer) == []  # two are on their way
        audience.frame_drawn(viewer)
        audience.tell("frame", "frame 7")
        assert await _drain(viewer) == ["frame 7"]

    run(story())


def test_frames_are_wanted_only_where_somebody_looks() -> None:
    async def story() -> None:
        audience = Audience()
        waiting = asyncio.create_task(audience.frame_wanted())
        await asyncio.sleep(0)
        assert not waiting.done()
        viewer = audience.join()
        await waiting
        for _ in range(2):
            audience.tell("frame", "f")
            await _drain(viewer)
        waiting = asyncio.create_task(audience.frame_wanted())
        await asyncio.sleep(0)
        assert not waiting.done()
        audience.frame_drawn(viewer)
        await waiting

    run(story())


def test_who_joins_late_gets_what_stands() -> None:
    async def story() -> None:
        audience = Audience()
        audience.tell("link", "old", stands=True)
        audience.tell("link", "new", stands=True)
        audience.tell("state", "gone")
        assert await _drain(audience.join()) == ["new"]

    run(story())


def test_keys_of_all_pages_count_until_they_are_let_go_or_their_page_falls_silent() -> None:
    async def story() -> None:
        clock = FakeClock()
        audience = Audience(clock)
        one, other = audience.join(), audience.join()
        audience.hold(one, ["KeyW"])
        audience.hold(other, ["KeyE"])
        assert audience.held() == {"KeyW", "KeyE"}
        clock.now_s = 0.6
        audience.hold(one, ["KeyW"])
        clock.now_s = 1.2
        assert audience.held() == {"KeyW"}
        audience.leave(one)
        assert audience.held() == frozenset()

    run(story())
