"""The simulator as a process: how it starts, refuses and ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import airsim
import cv2
import pytest
from click.testing import CliRunner
from msgpackrpc.error import TransportError
from served_world import tiny_scene

from airsim_seg.builtin import environments, server, serving
from airsim_seg.builtin.environments import ENVIRONMENTS
from airsim_seg.builtin.faults import Fault, FaultName
from airsim_seg.builtin.kept import kept_scene
from airsim_seg.builtin.rendering import rasteriser
from airsim_seg.builtin.rendering.gl import context as gl_context
from airsim_seg.builtin.rendering.gl import renderer as gl_renderer
from airsim_seg.builtin.shelf import user_shelf
from airsim_seg.builtin.strict_world import StrictWorld
from airsim_seg.builtin.strictness import STRICT
from airsim_seg.builtin.switches import Switches
from airsim_seg.builtin.world import World
from airsim_seg.cli.main import main
from airsim_seg.errors import UsageError

TINY = [sys.executable, str(Path(__file__).with_name("tiny_simulator.py"))]
DEADLINE_S = 30


def start(command):
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_even_while_a_client_waits(how):
    with start(TINY) as process:
        port = int(process.stdout.readline().split()[1])
        client = airsim.VehicleClient(port=port, timeout_value=DEADLINE_S)
        waiting = client.client.call_async("simContinueForTime", 80_000.0)
        assert client.ping()
        process.send_signal(how)
        assert process.communicate(timeout=DEADLINE_S)[0].strip() == f"ended by {how.name}"
        assert process.returncode == 0
        assert not waiting._set_flag
        client.client.close()
        client.client._loop.dettach_periodic_callback()


def test_it_ends_with_its_parent():
    # A shell between us is the parent that dies; the simulator's output tells when it has noticed.
    script = f'"{TINY[0]}" "{TINY[1]}" $$ & read line; kill -9 $$'
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout.readline().startswith("ready")
        out, _ = shell.communicate("\n", timeout=DEADLINE_S)
        assert out.strip() == "ended by the parent's end"


def test_it_serves_on_the_loopback_only():
    with start(TINY) as process:
        port = int(process.stdout.readline().split()[1])
        listening = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else pytest.skip("not Linux")
        # Column 2 is address:port in hexadecimal, 0100007F is 127.0.0.1; state 0A is LISTEN.
        mine = [row.split() for row in listening.splitlines() if f":{port:04X} " in row and " 0A " in row]
        process.terminate()
        process.communicate(timeout=DEADLINE_S)
        assert [row[1] for row in mine] == [f"0100007F:{port:04X}"]


def test_a_fault_ends_it_as_a_crash_does():
    with start([*TINY, "-", "die-after=2"]) as process:
        port = int(process.stdout.readline().split()[1])
        client = airsim.VehicleClient(port=port, timeout_value=DEADLINE_S)
        assert client.ping()
        assert client.ping()
        with pytest.raises(TransportError):
            client.ping()
        assert process.communicate(timeout=DEADLINE_S)[0] == ""
        assert process.returncode == 139
        client.client.close()
        client.client._loop.dettach_periodic_callback()


def run(*args):
    return CliRunner().invoke(main, ["sim", *args])


def test_a_port_in_use_is_told_at_once_with_the_way_out():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run("--port", str(port))
    assert result.exit_code == 1
    assert str(port) in result.output
    assert "--port" in result.output
    assert "building" not in result.output


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--env", "Mars"], 2, "Neighborhood"),
        (["--vehicle", "boat"], 2, "drone"),
        (["--port", "70000"], 2, "65535"),
        (["--world-seed", "-1"], 2, "--world-seed"),
        (["--host", "203.0.113.7"], 1, "--port or --host"),
        (["--threads", "0"], 2, "--threads"),
        (["--palette", "pink"], 2, "calibrated"),
        (["--fault", "sneeze=3"], 2, "die-after, hang-after"),
        (["--fault", "delay"], 2, "NAME=N"),
        (["--fault", "die-after=-1"], 2, "NAME=N"),
        (["--fault", "die-after=9999999999"], 2, "NAME=N"),
        (["--sheet", "worlds.png"], 2, "--list"),
        (["--list", "--sheet", "worlds.txt"], 2, ".png"),
        (["--list", "--sheet", "no/such/folder/worlds.png"], 1, "no folder"),
        (["--settings", "no/such/settings.json"], 1, "no/such/settings.json"),
        (["--settings", '{"SimMode": "Boat"}'], 1, "--settings: SimMode is 'Boat': make it one of Multirotor, Car"),
        (["--settings", "{"], 1, "--settings is not JSON"),
    ],
)
def test_bad_input_gets_one_sentence_and_its_code(args, code, said):
    result = run(*args)
    assert result.exit_code == code
    assert said in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_who_opens_it_to_others_is_warned(tmp_path, monkeypatch, host, warned):
    bound = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # a world that is kept would not be built, but served

    def no_world(*_):
        raise UsageError("that is enough")

    monkeypatch.setattr(server, "bind", lambda port, host, bind=server.bind: bound.append(bind(port, host)) or bound[0])
    monkeypatch.setattr(environments, "build", no_world)
    result = run("--host", host, "--port", "0")
    bound[0].close()
    assert "that is enough" in result.output
    assert (f"warning: whoever reaches {host} can steer" in result.output) is warned


def test_settings_are_found_as_airsim_finds_them_and_warnings_are_told(tmp_path, monkeypatch):
    launch, home = tmp_path / "launch", tmp_path / "home"
    documents = home / "Documents" / "AirSim"
    for folder, mode in ((launch, "Boat"), (documents, "Plane")):
        folder.mkdir(parents=True)
        (folder / "settings.json").write_text(f'{{"SettingsVersion": 1.2, "SimMode": "{mode}"}}')
    monkeypatch.chdir(launch)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    assert "SimMode is 'Boat'" in run().output
    (launch / "settings.json").unlink()
    assert f"settings from {documents / 'settings.json'}" in run().output
    assert "SimMode is 'Plane'" in run().output
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run("--settings", f'{{"SettingsVersion": 1.2, "ApiServerPort": {port}, "Vehicle": {{}}}}')
    assert "warning: --settings: Vehicle is not known and is ignored; did you mean Vehicles?" in result.output
    assert result.exit_code == 1, "the port is taken, so nothing was built"


def test_help_shows_an_example_and_every_fault():
    result = run("--help")
    assert result.exit_code == 0
    assert "airsim-seg sim --env Neighborhood" in result.output
    assert [name for name in get_args(FaultName) if f"  {name}=N" not in result.output] == []


@pytest.fixture
def served(monkeypatch, tmp_path):
    """What the command would serve, instead of serving it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = {}

    class Painter:
        name = "a painter"

        def __init__(self, *_, **__):
            pass

        def warm_up(self):
            asked["warm"] = ["pinhole"]

        def warm_up_parallel(self):
            asked["warm"].append("parallel")

    async def note(world, renderer, sock, on_ready, parent_pid, switches):  # noqa: ARG001
        asked.update(world=world, switches=switches)
        sock.close()

    def small(environment, seed):
        asked["seed"] = environment, seed
        return tiny_scene()

    monkeypatch.setattr(environments, "build", small)
    monkeypatch.setattr(rasteriser, "Rasteriser", Painter)
    monkeypatch.setattr(serving, "serve_until_stopped", note)
    return asked


def test_kind_unless_told_otherwise(served):
    result = run("--port", "0")
    assert result.exit_code == 0, result.output
    assert type(served["world"]) is World
    assert served["switches"] == Switches()
    assert served["seed"] == ("Neighborhood", 0)


def test_switches_reach_what_is_served(served, tmp_path):
    settings = tmp_path / "settings.json"
    settings.write_text('{"CameraDefaults": {"CaptureSettings": [{"ImageType": 5, "Width": 64, "Height": 48}]}}')
    args = ["--strict", "--palette", "srgb", "--fault", "delay=3", "--fault", "die-after=9", "--world-seed", "7"]
    result = run("--port", "0", "--settings", str(settings), *args)
    assert result.exit_code == 0, result.output
    assert type(served["world"]) is StrictWorld
    assert served["world"].strictness == STRICT
    assert served["world"].settings.captures[0].size_hw == (144, 256)
    assert served["world"].settings.captures[5].size_hw == (48, 64)
    assert served["switches"] == Switches("srgb", (Fault("delay", 3), Fault("die-after", 9)))
    assert served["seed"] == ("Neighborhood", 7)


def test_what_orthographic_cameras_need_is_compiled_at_the_start_where_there_is_one(served):
    capture = {"ImageType": 5, "ProjectionMode": "orthographic", "OrthoWidth": 100}
    settings = {"SettingsVersion": 1.2, "ExternalCameras": {"map": {"CaptureSettings": [capture]}}}
    for options, kinds in (([], ["pinhole"]), (["--settings", json.dumps(settings)], ["pinhole", "parallel"])):
        result = run("--port", "0", *options)
        assert result.exit_code == 0, result.output
        assert served["warm"] == kinds


def test_the_renderer_is_chosen_and_told(served, monkeypatch):
    class OnADevice:
        name = "gl: a card"

        def __init__(self, *_, **__):
            pass

        def warm_up(self):
            pass

    monkeypatch.setattr(gl_renderer, "GlRenderer", OnADevice)
    monkeypatch.setattr(gl_context, "open_context", lambda: SimpleNamespace(release=lambda: None))
    for option, told in (("cpu", "drawn by a painter"), ("gl", "drawn by gl: a card")):
        result = run("--port", "0", "--renderer", option)
        assert result.exit_code == 0, result.output
        assert told in result.output
    assert served["seed"] == ("Neighborhood", 0)


@pytest.mark.usefixtures("served")
def test_a_device_without_its_package_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "moderngl", None)
    result = run("--port", "0", "--renderer", "gl")
    assert result.exit_code == 2
    assert "pip install 'airsim-seg[gl]'" in result.output.splitlines()[-1]
    assert "building" not in result.output


def test_list_names_every_environment():
    result = run("--list")
    assert result.exit_code == 0
    assert [name for name in ENVIRONMENTS if name not in result.output] == []


@pytest.mark.slow
def test_sheet_shows_two_pictures_of_every_environment_and_builds_none_that_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "ENVIRONMENTS", {"Neighborhood": ENVIRONMENTS["Neighborhood"]})
    kept_scene("Neighborhood", 3, user_shelf(os.environ, Path.home()), environments.build)
    monkeypatch.setattr(environments, "build", lambda *_: pytest.fail("it was kept"))
    sheet = tmp_path / "worlds.png"
    result = run("--list", "--sheet", str(sheet), "--world-seed", "3")
    assert result.exit_code == 0, result.output
    picture = cv2.imread(str(sheet))
    assert picture.shape == (4 + 240 + 18 + 4, 4 + 2 * 324, 3)
    left, right = picture[4:244, 4:324], picture[4:244, 328:648]
    assert left.std() > 20
    assert right.std() > 20
    assert abs(left.astype(float) - right).mean() > 20


@pytest.mark.slow
def test_the_real_command_serves_its_neighbourhood_and_ctrl_c_is_130(tmp_path):
    small = tmp_path / "settings.json"
    small.write_text(
        '{"SettingsVersion": 1.2, "SimMode": "Car",'
        ' "CameraDefaults": {"CaptureSettings": [{"ImageType": 5, "Width": 64, "Height": 48}]}}'
    )
    command = [sys.executable, "-m", "airsim_seg", "sim", "--port", "0", "--settings", str(small), "--paused"]
    with start([*command, "--parent-pid", str(os.getpid())]) as process:
        lines = []
        while not (lines and lines[-1].startswith("ready ")):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        assert lines[0].startswith("building Neighborhood")
        port = int(lines[-1].rpartition(":")[2])
        client = airsim.CarClient(port=port, timeout_value=120)
        assert len(client.simListSceneObjects()) >= 250
        [mask] = client.simGetImages([airsim.ImageRequest("0", airsim.ImageType.Segmentation, False, False)])
        assert (mask.width, mask.height, len(mask.image_data_uint8)) == (64, 48, 64 * 48 * 3)
        client.enableApiControl(True)
        client.setCarControls(airsim.CarControls(throttle=0.5))
        client.simContinueForTime(2)
        assert client.getCarState().speed > 2
        client.client.close()
        client.client._loop.dettach_periodic_callback()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 130


STARTED = """
import sys
from airsim_seg.builtin import serving
from airsim_seg.cli.main import main

async def look(world, renderer, sock, on_ready, parent_pid, switches):
    sock.close()
    print("LOADED", *sys.modules)

serving.serve_until_stopped = look
main(["sim", "--env", "City", "--port", "0", "--settings", '{"SettingsVersion": 1.2, "SimMode": "Multirotor"}'])
"""


@pytest.mark.slow
def test_the_second_start_loads_nothing_that_it_does_not_need(tmp_path):
    def start() -> tuple[list[str], set[str]]:
        command = [sys.executable, "-c", STARTED]
        environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        [loaded] = [line.split()[1:] for line in said.splitlines() if line.startswith("LOADED")]
        return said.splitlines(), set(loaded)

    first, second = start(), start()
    assert "airsim_seg.builtin.environments.city" in first[1]
    assert [name for name in second[1] if name.startswith("airsim_seg.builtin.environments.city_b")] == []
    heavy = {"torch", "torchvision", "pandas", "scipy.linalg", "matplotlib", "h5py", "moderngl", "fanet", "jinja2"}
    assert second[1] & heavy == set()
    assert [line for line in second[0] if line.startswith("compiling")] == []
    assert [line for line in first[0] if "objects, " in line] == [line for line in second[0] if "objects, " in line]
