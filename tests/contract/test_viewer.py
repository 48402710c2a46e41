"""The viewer against a served world: what pages get, what keys do, who is kept out, and what a loss looks like."""

import asyncio
import math

import airsim
import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from own_loop import run
from served_world import FormulaRenderer, painted, tiny_scene
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.websocket import websocket_connect
from watching import TOKEN, Page, ids_of, page, socket_request, viewer, watch

from airsim_seg.builtin.scene import View
from airsim_seg.builtin.server import bind
from airsim_seg.builtin.serving import Simulator
from airsim_seg.builtin.settings import default_settings
from airsim_seg.builtin.strictness import STRICT
from airsim_seg.builtin.world import World
from airsim_seg.cli.main import main
from airsim_seg.palette import id_from_name
from airsim_seg.types import Pose
from airsim_seg.viewer.rpc import connect


def test_a_page_gets_who_it_is_the_legend_a_map_the_state_and_exact_ids(serve):
    running = serve("ComputerVision")
    official = running.client()
    official.simSetVehiclePose(airsim.Pose(airsim.Vector3r(3, -2, -7), airsim.to_quaternion(0.1, 0, 0.5)), True)
    [mask] = official.simGetImages([airsim.ImageRequest("0", airsim.ImageType.Segmentation, False, False)])
    truth = np.frombuffer(mask.image_data_uint8, np.uint8).reshape(mask.height, mask.width, 3)[..., ::-1]

    async def story(one: Page) -> None:
        link = await one.next("link")
        assert (link["ok"], link["kind"], link["environment"]) == (True, "camera", "Tiny")
        assert link["vehicle"] == "ComputerVision"
        frame = await one.frame()
        colours = np.array(
            (await one.next("legend"))["colours"] if "legend" not in one.last else one.last["legend"]["colours"]
        )
        np.testing.assert_array_equal(colours[ids_of(frame)], truth)
        painting = painted(View(Pose.from_euler((103, 48, -2)), (frame["height"], frame["width"]), 90.0)).rgb
        shown = cv2.imdecode(np.frombuffer(frame["data"][0], np.uint8), cv2.IMREAD_COLOR_RGB)
        assert np.abs(shown.astype(int) - painting).mean() < 12  # JPEG of sawtooth ramps
        state = await one.next("state")
        assert state["position_m"] == pytest.approx([3, -2, -7])
        assert state["angles_deg"] == pytest.approx([math.degrees(0.5), math.degrees(0.1), 0], abs=1e-4)
        assert state["paused"] is True
        legend = one.last["legend"]
        assert legend["kinds"][str(id_from_name("Tree_1"))] == ["Tree", "tree"]
        assert legend["counts"][str(id_from_name("Tree_1"))] == 3
        assert "Tiny" in legend["note"]

    watch(running.port, story)


def test_the_map_is_taken_from_above_and_leaves_camera_and_vehicle_where_they_were(serve):
    running = serve("Multirotor")
    official = running.client()
    official.simSetVehiclePose(airsim.Pose(airsim.Vector3r(5, 6, -20), airsim.to_quaternion(0, 0, 2.0)), True)
    before = official.simGetCameraInfo("4").pose, official.simGetVehiclePose()

    async def story(one: Page) -> None:
        shown = await one.next("map")
        assert (shown["north_m"], shown["east_m"]) == pytest.approx((5, 6), abs=1e-6)
        assert shown["span_m"] > 0
        assert cv2.imdecode(np.frombuffer(shown["data"][0], np.uint8), cv2.IMREAD_COLOR).shape[0] > 500

    watch(running.port, story)

    from_above = [view for view in running.renderer.views if view.pose.position_m[2] < -200]
    assert len(from_above) == 1
    np.testing.assert_allclose(from_above[0].pose.rotation()[:, 0], [0, 0, 1], atol=1e-6)
    after = official.simGetCameraInfo("4").pose, official.simGetVehiclePose()
    for one, other in zip(before, after, strict=True):
        assert one.position.distance_to(other.position) < 1e-6
        assert _same_turn(one, other)


def test_the_map_is_no_black_first_picture(serve):
    running = serve("Multirotor", strictness=STRICT)

    async def story(one: Page) -> None:
        shown = await one.next("map")
        assert cv2.imdecode(np.frombuffer(shown["data"][0], np.uint8), cv2.IMREAD_COLOR).std() > 20

    watch(running.port, story)


def _same_turn(one: airsim.Pose, other: airsim.Pose) -> bool:
    a, b = (
        np.array([p.orientation.w_val, p.orientation.x_val, p.orientation.y_val, p.orientation.z_val])
        for p in (one, other)
    )
    return bool(abs(a @ b) > 1 - 1e-12)


def test_keys_fly_a_drone_off_the_ground_and_it_stops_when_they_are_let_go(serve):
    running = serve("Multirotor", paused=False)

    async def story(one: Page) -> None:
        start = (await one.next("state"))["position_m"]
        await one.hold_until(lambda s: s["position_m"][2] < start[2] - 1.5, "Space")
        gone = await one.hold_until(lambda s: s["position_m"][0] > start[0] + 3, "KeyW")
        assert abs(gone["position_m"][1] - start[1]) < 1
        still = await one.state_where(lambda s: s["speed_mps"] < 0.1)
        assert still["position_m"][2] < start[2] - 1
        turned = await one.hold_until(lambda s: s["angles_deg"][0] > 60, "KeyE")
        assert np.hypot(*np.subtract(turned["position_m"], still["position_m"])[:2]) < 0.5
        sideways = await one.hold_until(lambda s: s["position_m"][0] < still["position_m"][0] - 2, "KeyD")
        assert sideways["speed_mps"] > 1

    watch(running.port, story)
    assert running.client(airsim.MultirotorClient).isApiControlEnabled()


def test_a_page_that_falls_silent_lets_go(serve):
    """No more repeats, as of a browser that was stopped: the drone hovers all the same."""
    running = serve("Multirotor", paused=False)

    async def story(one: Page) -> None:
        await one.hold_until(lambda s: s["position_m"][2] < -3, "Space")
        await one.hold("KeyW")
        await one.state_where(lambda s: s["speed_mps"] > 1)
        await one.state_where(lambda s: s["speed_mps"] < 0.1)

    watch(running.port, story)


def test_who_only_looks_takes_no_control_and_no_collision(serve):
    running = serve("Multirotor")
    official = running.client(airsim.MultirotorClient)
    official.enableApiControl(True)
    official.armDisarm(True)
    for move in (official.takeoffAsync, official.landAsync):
        official.simGetCollisionInfo()
        move()
        official.simContinueForTime(12)
    official.enableApiControl(False)

    async def story(one: Page) -> None:
        for _ in range(3):
            assert (await one.next("state"))["hit"] is None

    watch(running.port, story)
    assert not official.isApiControlEnabled()
    assert official.simGetCollisionInfo().has_collided


def test_keys_drive_a_car_brake_it_and_drive_it_back(serve):
    running = serve("Car", paused=False)

    async def story(one: Page) -> None:
        assert (await one.next("link"))["kind"] == "car"
        await one.hold_until(lambda s: s["speed_mps"] > 2 and s["position_m"][0] > 1, "KeyW", speed_mps=8)
        turned = await one.hold_until(lambda s: s["angles_deg"][0] > 5, "KeyW", "KeyD")
        assert turned["gear"] >= 1
        back = await one.hold_until(lambda s: s["speed_mps"] < -0.5, "KeyS")
        assert back["gear"] == -1
        await one.state_where(lambda s: abs(s["speed_mps"]) < 0.05)

    watch(running.port, story)


def test_keys_move_a_camera_even_while_the_clock_stands(serve):
    running = serve("ComputerVision", paused=True)

    async def story(one: Page) -> None:
        await one.hold_until(lambda s: s["position_m"][0] > 2, "ArrowUp", speed_mps=10)
        await one.hold_until(lambda s: s["angles_deg"][0] > 20, "KeyE")
        seen = await one.hold_until(lambda s: s["angles_deg"][1] < -20, "KeyF")
        assert seen["position_m"][2] == pytest.approx(0, abs=1e-9)
        resting = await one.next("state")
        assert (await one.next("state"))["position_m"] == resting["position_m"]

    watch(running.port, story)


def test_buttons_pause_step_go_on_and_reset(serve):
    running = serve("Multirotor", paused=False)

    async def story(one: Page) -> None:
        await one.next("link")
        await one.send(type="do", action="pause")
        await one.state_where(lambda s: s["paused"])
        before_ns = running.world.now_ns
        await one.send(type="do", action="step")
        async with asyncio.timeout(20):
            while running.world.now_ns == before_ns:
                await one.next("state")
        assert running.world.now_ns == before_ns + 40_000_000
        await one.send(type="do", action="resume")
        await one.state_where(lambda s: not s["paused"])
        await one.hold_until(lambda s: s["position_m"][2] < -1, "Space")
        await one.send(type="do", action="reset")
        await one.state_where(lambda s: s["position_m"] == pytest.approx([0, 0, s["position_m"][2]], abs=1e-6))

    watch(running.port, story)


def test_weather_hour_and_camera_reach_the_world(serve):
    running = serve("Car")
    sky = running.world.sky

    async def story(one: Page) -> None:
        await one.next("link")
        await one.send(type="weather", effect="Snow", value=0.25)
        await one.send(type="hour", hour=6.0)
        await one.send(type="camera", camera="4")
        assert (await one.next("camera"))["camera"] in ("0", "4")
        async with asyncio.timeout(20):
            while sky.weather().snow != 0.25:
                await one.frame()
        async with asyncio.timeout(20):
            while running.renderer.views[-1].pose.rotation()[0, 0] > -0.9:  # behind, where camera 4 looks
                await one.frame()

    watch(running.port, story)


def test_many_pages_share_the_pictures_and_a_slow_one_delays_nobody(serve):
    running = serve("ComputerVision")

    async def story() -> None:
        async with viewer(running.port) as server, page(server) as slow, page(server) as one, page(server) as other:
            await one.next("map")
            drawn = len(running.renderer.views)
            count = 10
            for _ in range(count):
                await asyncio.gather(one.frame(), other.frame())
            assert len(running.renderer.views) - drawn <= count + 3
            assert (await slow.next("frame"))["type"] == "frame"
            await slow.next("frame")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):  # it drew nothing, so nothing more comes
                    await slow.next("frame")

    run(story())


def test_where_nobody_looks_nothing_is_drawn(serve):
    running = serve("ComputerVision")

    async def story() -> None:
        async with viewer(running.port) as server:
            async with page(server) as one:
                await one.next("map")
                await one.frame()
            async with asyncio.timeout(20):
                while len(server._session.audience):
                    await asyncio.sleep(0)
            rpc = await connect("127.0.0.1", running.port)
            await rpc.call(
                "simGetImage", "0", 0, "", False
            )  # pictures are drawn in turn: the viewer's last one is done
            drawn = len(running.renderer.views)
            for _ in range(50):
                await rpc.call("ping")
            assert len(running.renderer.views) == drawn
            await rpc.close()

    run(story())


def test_bad_requests_get_a_sentence_and_the_page_lives_on(serve):
    running = serve("ComputerVision")

    async def story(one: Page) -> None:
        for bad in ("{", '{"type": "do", "action": "format"}', "[" * 3000, b"\x00\xff"):
            await one.socket.write_message(bad, binary=isinstance(bad, bytes))
            while not (error := await one.next("error"))["text"]:
                pass
            assert error["text"].endswith(".")
        if "link" not in one.last:
            await one.next("link")
        await one.send(type="do", action="land")
        while "drone" not in (await one.next("error"))["text"]:
            pass
        await one.next("state")

    watch(running.port, story)


def test_a_lost_simulator_is_told_and_found_again():
    async def story() -> None:
        sock = bind(0)
        port = sock.getsockname()[1]
        world = World(tiny_scene(), default_settings("ComputerVision"), paused=True)
        async with viewer(port) as server, page(server) as one:
            absent = await one.next("link")
            assert not absent["ok"]
            assert str(port) in absent["text"]
            async with Simulator(world, FormulaRenderer(), sock):
                while not (await one.next("link"))["ok"]:
                    pass
                await one.frame()
            gone = await one.next("link")
            assert not gone["ok"]
            assert "closed the connection" in gone["text"]
            async with Simulator(world, FormulaRenderer(), bind(port)):
                while not (await one.next("link"))["ok"]:
                    pass
                await one.frame()

    run(story())


def test_what_is_no_airsim_is_told_so():
    async def story() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        other = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with other, viewer(other.sockets[0].getsockname()[1]) as server, page(server) as one:
            assert "does not speak AirSim" in (await one.next("link"))["text"]

    run(story())


def test_an_unknown_vehicle_is_told_with_those_there_are(serve):
    async def story(one: Page) -> None:
        assert "SimpleFlight" in (await one.next("link"))["text"]

    watch(serve("Multirotor").port, story, vehicle="Nobody")


async def get(port: int, path: str, **headers: str) -> HTTPResponse:
    return await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}{path}", headers=headers, raise_error=False)


def test_the_page_is_for_this_machine_and_whoever_knows_the_token(serve):
    running = serve("ComputerVision")

    async def story() -> None:
        async with viewer(running.port) as server:
            port, own = server.port, f"/?token={TOKEN}"
            assert server.url.endswith(own)
            good = await get(port, own)
            assert good.code == 200
            assert b"<canvas" in good.body
            assert "default-src 'none'" in good.headers["Content-Security-Policy"]
            assert "Access-Control-Allow-Origin" not in good.headers
            assert (await get(port, own, Host="localhost:80")).code == 200
            for path, headers, code in (
                ("/", {}, 403),
                ("/?token=", {}, 403),
                ("/?token=the-tokem", {}, 403),
                (own, {"Host": "evil.example"}, 403),
                (own, {"Host": f"evil.example:{port}"}, 403),
                ("/main.js", {"Host": "evil.example"}, 403),
                ("/nothing.js", {}, 404),
                ("/../session.py", {}, 404),
                ("/page/index.html", {}, 404),
                (own, {"Host": "127.0.0.1.evil.example"}, 403),
            ):
                answer = await get(port, path, **headers)
                assert answer.code == code, (path, headers)
                assert b"<canvas" not in answer.body
                assert b"Traceback" not in answer.body
            for part in ("viewer.css", "main.js", "icon.svg"):
                assert (await get(port, f"/{part}")).code == 200

    run(story())


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("wrong", {}),
        (TOKEN, {"Origin": "http://evil.example"}),
        (TOKEN, {"Origin": "null"}),
        (TOKEN, {"Host": "evil.example", "Origin": "http://evil.example"}),
    ],
)
def test_another_page_of_the_browser_cannot_command(serve, token, headers):
    running = serve("ComputerVision")

    async def story() -> None:
        async with viewer(running.port) as server:
            with pytest.raises(HTTPClientError) as refused:
                await websocket_connect(socket_request(server.port, token, **headers))
            assert refused.value.code == 403
            assert len(server._session.audience) == 0

    run(story())


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--sim", "nowhere:x"], 2, "HOST:PORT"),
        (["--sim", "a:1", "--port", "2"], 2, "one of them"),
        (["--rate", "0"], 2, "--rate"),
        (["--page-port", "70000"], 2, "65535"),
    ],
)
def test_bad_input_gets_one_sentence_and_its_code(args, code, said):
    result = CliRunner().invoke(main, ["view", *args])
    assert result.exit_code == code
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_page_port_in_use_is_told_with_the_way_out():
    with bind(0) as other:
        other.listen()
        port = other.getsockname()[1]
        result = CliRunner().invoke(main, ["view", "--page-port", str(port)])
    assert result.exit_code == 1
    assert "--page-port" in result.output
    assert str(port) in result.output


def test_a_pose_that_is_no_number_is_told_and_nothing_ends(serve):
    """A real AirSim's physics can end in NaN; the page must still be there to reset it."""
    running = serve("ComputerVision")
    vehicle = running.world.vehicle("")

    async def story(one: Page) -> None:
        await one.next("state")
        vehicle.place(Pose(np.array([np.nan, 0, 0]), np.array([1.0, 0, 0, 0])))
        while "finite" not in (await one.next("error"))["text"]:
            pass
        await one.send(type="do", action="reset")
        state = await one.next("state")
        assert state["position_m"] == [0, 0, 0]

    watch(running.port, story)
