"""What `pip install` of a wheel gives: the label maps and experiments inside, and no stray top-level packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's contents, as site-packages would hold them."""
    work = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    source = work / "source"
    # Built from a copy: setuptools leaves build/ and egg-info beside the sources.
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if files.returncode != 0:
        pytest.skip("not a git checkout: the list of source files is unknown")
    for name in filter(None, files.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [*pip, "wheel", str(source), "--no-deps", "--no-build-isolation", "-w", str(work)], check=True, timeout=300
    )
    (wheel,) = work.glob("*.whl")
    target = work / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True, timeout=300)
    return target


def _run(installed: Path, cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run python with the installed wheel first on the path, from a folder that is no checkout."""
    return subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_only_airsim_seg_and_fanet_are_importable(installed: Path) -> None:
    names = {p.name for p in installed.iterdir() if not p.name.endswith(".dist-info")} - {"bin", "__pycache__"}

    assert names == {"airsim_seg", "fanet"}


def test_label_maps_and_experiments_travel_with_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "from airsim_seg.shipped import shipped_folder\n"
        "for kind in ('label_maps', 'benchmarks'):\n"
        "    folder = shipped_folder(kind)\n"
        "    print(folder, *sorted(p.name for p in folder.iterdir()))\n"
    )
    done = _run(installed, tmp_path, "-c", code)

    maps, experiments = done.stdout.splitlines()
    assert maps.startswith(str(installed))
    assert "Neighborhood.toml" in maps
    assert "demo.toml" in experiments
    assert ".py" not in experiments


def test_shaders_travel_with_the_wheel(installed: Path) -> None:
    folder = Path("airsim_seg/builtin/rendering/gl")
    shaders = sorted(p.name for p in (ROOT / folder).glob("*.glsl"))

    assert shaders
    assert sorted(p.name for p in (installed / folder).glob("*.glsl")) == shaders


def test_the_viewers_page_travels_with_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "from airsim_seg.viewer import web\n"
        "print(web.__file__)\n"
        "page = web.page_file('index.html').decode()\n"
        "for part in ('main.js', 'viewer.css', 'icon.svg'):\n"
        "    assert part in page and web.page_file(part)\n"
    )
    done = _run(installed, tmp_path, "-c", code)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))


def test_remap_finds_its_label_map_outside_a_checkout(installed: Path, tmp_path: Path) -> None:
    code = "import airsim_seg.label_maps as m\nprint(m.__file__); print(m.load_label_map('Neighborhood').lut[171])\n"
    done = _run(installed, tmp_path, "-c", code)

    assert done.returncode == 0, done.stderr
    where, road = done.stdout.splitlines()
    assert where.startswith(str(installed))
    assert road == "0"


def test_benchmark_finds_its_experiments_outside_a_checkout(installed: Path, tmp_path: Path) -> None:
    done = _run(installed, tmp_path, "-m", "airsim_seg.cli.main", "benchmark", "--tca-depths", "0", "--config", "demo")

    # The experiment is found; what is missing is the data, and the sentence says how to make it.
    assert done.returncode == 1, done.stderr
    assert "airsim-seg remap" in done.stderr
    assert "Traceback" not in done.stderr
