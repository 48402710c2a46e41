"""The command's frame: fast help, exit codes, sentences instead of tracebacks, and options with several values."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from airsim_seg import errors
from airsim_seg.cli.main import _Group, main
from airsim_seg.cli.options import ManyValues, spread

COMMANDS = ["collect", "remap", "import", "benchmark", "train", "export-model", "predict", "live", "sim"]


def _all_errors(base: type[errors.AirsimSegError] = errors.AirsimSegError) -> list[type[errors.AirsimSegError]]:
    return [base] + [e for child in base.__subclasses__() for e in _all_errors(child)]


@pytest.mark.parametrize("error", _all_errors())
def test_an_error_becomes_one_sentence_and_its_exit_code(error: type[errors.AirsimSegError]) -> None:
    @click.group(cls=_Group)
    def group() -> None: ...

    @group.command()
    def fail() -> None:
        raise error("the thing failed because of the cause: do the fix.")

    result = CliRunner().invoke(group, ["fail"])

    assert result.exit_code == error.exit_code
    assert result.output == "airsim-seg: the thing failed because of the cause: do the fix.\n"


def test_exit_codes_are_the_published_ones() -> None:
    codes = {e.exit_code for e in _all_errors()}
    assert codes == {1, 2, 3, 130}
    assert errors.UnmappedIds("").exit_code == 3
    assert errors.Interrupted("").exit_code == 130


def test_ctrl_c_ends_with_130() -> None:
    @click.group(cls=_Group)
    def group() -> None: ...

    @group.command()
    def wait() -> None:
        raise KeyboardInterrupt

    result = CliRunner().invoke(group, ["wait"])

    assert result.exit_code == 130
    assert "interrupted" in result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_a_worked_example(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])

    assert result.exit_code == 0
    assert f"airsim-seg {command}" in result.output.split("Example", 1)[-1]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, airsim_seg.cli.main\n"
        "heavy = {'torch', 'h5py', 'cv2', 'numba', 'pandas', 'matplotlib', 'airsim', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["--n", "0", "2", "4"], ["--n", "0", "--n", "2", "--n", "4"]),
        (["--n", "0"], ["--n", "0"]),
        (["--n", "0", "--n", "2"], ["--n", "0", "--n", "2"]),
        (["--n", "-1", "2"], ["--n", "-1", "--n", "2"]),
        (["--n", "0", "2", "--out", "runs"], ["--n", "0", "--n", "2", "--out", "runs"]),
        (["--out", "runs", "--n", "0", "2"], ["--out", "runs", "--n", "0", "--n", "2"]),
        (["--n=0", "2"], ["--n=0", "2"]),
        (["--n", "0", "--", "2"], ["--n", "0", "--", "2"]),
        ([], []),
    ],
)
def test_a_row_of_values_is_spelt_out(given: list[str], wanted: list[str]) -> None:
    assert spread(given, {"--n"}) == wanted


def test_many_values_reach_the_command() -> None:
    @click.command(cls=ManyValues)
    @click.option("--depths", type=int, multiple=True)
    @click.option("--out", default="x")
    def command(depths: tuple[int, ...], out: str) -> None:
        click.echo(f"{depths} {out}")

    result = CliRunner().invoke(command, ["--depths", "0", "2", "4", "6", "--out", "y"])

    assert result.output == "(0, 2, 4, 6) y\n"
