"""docs/rpc.md's tables against the server's names and against what the official client can send."""

import ast
import importlib.util
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from served_world import FormulaRenderer, tiny_scene

from airsim_seg.builtin.api_images import CameraApi
from airsim_seg.builtin.api_recording import Recorder
from airsim_seg.builtin.serving import rpc_methods
from airsim_seg.builtin.settings import default_settings
from airsim_seg.builtin.world import World

DOCS = Path(__file__).parents[2] / "docs" / "rpc.md"
STATES = {"yes", "superset", "kept, not drawn", "refuses as AirSim"}
MODES = {"all": {"Multirotor", "Car", "ComputerVision"}, "drone": {"Multirotor"}, "car": {"Car"}}
# AirSim's server and its C++ client have it; Python has no method for it.
CPP_ONLY = {"setSafety"}


def table():
    """(name, argument count, modes, state, note) of every row."""
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\w+) \| ([^|]+) \|(.*)\|$", DOCS.read_text(encoding="utf-8"), re.M)
    return [(name, int(count), modes, state, note.strip()) for name, count, modes, state, note in rows]


def test_every_name_stands_once_with_a_state_that_is_explained():
    names = [name for name, *_ in table()]
    assert len(names) > 120
    assert len(names) == len(set(names))
    assert {state for _, _, _, state, _ in table()} == STATES
    assert all(f"\n| {state} | " in DOCS.read_text(encoding="utf-8") for state in STATES)
    assert not [name for name, _, _, state, note in table() if state in ("superset", "refuses as AirSim") and not note]


@pytest.mark.parametrize("mode", sorted(MODES["all"]))
def test_the_table_is_the_servers(mode):
    with ThreadPoolExecutor(1) as executor:
        world = World(tiny_scene(), default_settings(mode), paused=True)
        cameras = CameraApi(world, FormulaRenderer(), executor)
        methods = rpc_methods(world, cameras, Recorder(world, cameras))
    served = {name: len(method.converters) for name, method in methods.items()}
    assert served == {name: count for name, count, modes, _, _ in table() if mode in MODES[modes]}


def sent_by_the_client():
    """Name -> argument count of every client.call('name', ...) in airsim's client.py; None where a list is spread."""
    spec = importlib.util.find_spec("airsim")
    if spec is None or spec.origin is None:
        pytest.skip("airsim is not installed")
    tree = ast.parse(Path(spec.origin).with_name("client.py").read_text(encoding="utf-8"))
    sent = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="call" | "call_async"), args=[ast.Constant(value=str(name)), *args]):
                spread = any(isinstance(arg, ast.Starred) for arg in args)
                sent[name] = None if spread else len(args)
    return sent


def test_the_table_is_the_clients():
    sent = sent_by_the_client()
    listed = {name: count for name, count, *_ in table()}
    assert listed.keys() - CPP_ONLY == sent.keys()
    assert {name: count for name, count in sent.items() if count not in (None, listed[name])} == {}
