"""docs/settings.md: its tables have every key that the code knows, with what becomes of it; its examples are true."""

import copy
import json
import math
import re
from pathlib import Path

import pytest

from airsim_seg.builtin.camera_settings import CAMERA, CAPTURE, GIMBAL, NOISE
from airsim_seg.builtin.sensor_settings import SENSOR
from airsim_seg.builtin.settings import read_root, read_settings
from airsim_seg.builtin.settings_table import Book, Table
from airsim_seg.builtin.settings_version import OLD_KEYS, check_version
from airsim_seg.errors import CorruptFile

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
HEADINGS = {
    "## The top of the file": "",
    "## Each of Vehicles": "Vehicles.<name>",
    "## Cameras": CAMERA,
    "### Each of CaptureSettings": CAPTURE,
    "### Each of NoiseSettings": NOISE,
    "### Gimbal": GIMBAL,
    "## Sensors": SENSOR,
    "## Recording": "Recording",
    "### Each of its Cameras": "Recording.Cameras[]",
    "## OriginGeopoint": "OriginGeopoint",
    "## TimeOfDay": "TimeOfDay",
    "## Wind": "Wind",
    "## SegmentationSettings": "SegmentationSettings",
}
# One entry of everything, so that the reader asks for every key.
FULL = {
    "SettingsVersion": 1.2,
    "CameraDefaults": {"CaptureSettings": [{}], "NoiseSettings": [{}], "Gimbal": {}},
    "DefaultSensors": {str(kind): {"SensorType": kind, "Enabled": True} for kind in range(1, 7)},
    "Vehicles": {"A": {}},
    "Recording": {"Cameras": [{}]},
}


def documented():
    """State by kind of table and key."""
    states = {}
    for heading, kind in HEADINGS.items():
        section = re.split(r"^#+ ", PAGE.split(f"\n{heading}\n")[1], flags=re.MULTILINE)[0]
        rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
        assert rows, heading
        for keys, state, *_ in rows:
            for key in re.findall(r"`(.+?)`", keys):
                assert (kind, key) not in states, f"{key} stands twice"
                states[kind, key] = state.strip()
    return states


def known():
    book = Book("full")
    root = Table(book, FULL)
    check_version(root)
    read_root(root, "{}")
    return book.states


def test_the_tables_are_the_codes():
    assert documented() == known()


JUNK = (None, True, 10**30, math.nan, "x", [5], {"a": 5})


def places():
    """A file for every key that there is: what stands around it, and where junk is to go."""
    for kind, key in known():
        path = {
            CAMERA: ["CameraDefaults"],
            CAPTURE: ["CameraDefaults", "CaptureSettings", 0],
            NOISE: ["CameraDefaults", "NoiseSettings", 0],
            GIMBAL: ["CameraDefaults", "Gimbal"],
            SENSOR: ["DefaultSensors", "6"],
            "Vehicles.<name>": ["Vehicles", "A"],
            "Recording.Cameras[]": ["Recording", "Cameras", 0],
            "": [],
        }.get(kind, [kind])
        yield path, key


def test_junk_anywhere_is_read_or_refused_by_name():
    refused = []
    for path, key in places():
        for junk in JUNK:
            file = copy.deepcopy(FULL)
            table = file
            for step in path:
                table = table.setdefault(step, {}) if isinstance(table, dict) else table[step]
            table[key] = junk
            try:
                read_settings(json.dumps(file), "the file")
            except CorruptFile as error:
                refused.append((str(error), key))
    assert len(refused) > 400
    assert [said for said, key in refused if not (said.startswith("the file: ") and key in said)] == []


def test_the_example_is_read_without_a_word():
    [example] = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    settings = read_settings(example, "docs/settings.md")
    assert settings.warnings == ()
    assert list(settings.external_cameras) == ["tower"]


def test_the_sentences_are_the_codes():
    with pytest.raises(Exception, match="make it SimpleFlight") as caught:
        read_settings(json.dumps({"Vehicles": {"A": {"VehicleType": "PhysXCar"}}}), "settings.json")
    assert f"error: {caught.value}\n" in PAGE
    [warning] = read_settings('{"SettingsVersion": 1.2, "Vehicles": {"A": {"Camera": {}}}}', "settings.json").warnings
    assert f"warning: {warning}\n" in PAGE


def test_the_keys_of_version_1_are_named():
    assert all(f"`{key}`" in PAGE for key in OLD_KEYS)
