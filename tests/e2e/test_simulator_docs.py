"""docs/simulator.md: its Python runs in order and prints what its comments say, its commands parse."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import pytest

from airsim_seg.builtin.environments import ENVIRONMENTS
from airsim_seg.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's code, without the indent of lists."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", PAGE, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def commands() -> list[str]:
    """Every airsim-seg command of the page, in blocks and in lines."""
    written = [line for text in blocks("sh") for line in text.splitlines()]
    return [line for line in [*written, *re.findall(r"`(.+?)`", PAGE)] if line.startswith("airsim-seg ")]


@pytest.mark.parametrize("command", commands())
def test_commands_are_understood(command: str) -> None:
    name, *args = shlex.split(command, comments=True)[1:]
    known = main.get_command(click.Context(main), name)
    assert known is not None
    if "--help" not in args:
        known.make_context(name, args)


def test_the_page_has_what_a_teacher_starts_with() -> None:
    assert len(commands()) > 6
    assert len(blocks("python")) > 6
    assert all(name in ENVIRONMENTS for name in re.findall(r"--env (\w+)", PAGE))


@pytest.fixture
def port() -> Iterator[int]:
    """The simulator as the page starts it."""
    [settings] = blocks("json")  # with a camera that is not asked before its time
    command = [
        sys.executable,
        "-m",
        "airsim_seg",
        "sim",
        "--env",
        "Neighborhood",
        "--port",
        "0",
        "--settings",
        settings,
    ]
    with subprocess.Popen([*command, "--parent-pid", str(os.getpid())], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if line.startswith("ready "))
        yield int(ready.rpartition(":")[2])
        process.terminate()


@pytest.mark.slow
def test_programs_print_what_they_say(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for text in blocks("python"):
        exec(text.replace("41451", str(port)), names)
        wanted = re.findall(r"^print\(.*\)  # (.*)$", text, re.MULTILINE)
        assert capsys.readouterr().out.splitlines() == wanted, text
    picture = cv2.imread("scene.png")
    assert picture is not None
    assert picture.std() > 20
    assert cv2.imread("map.png") is not None
    client = names["client"]
    client.client.close()  # type: ignore[attr-defined]
    client.client._loop.dettach_periodic_callback()  # type: ignore[attr-defined]
