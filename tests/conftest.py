"""Lets every test import the modules beside this file: pytest puts the folder of a conftest.py on the path."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # One process a processor: more threads in each would wait for one another. Read when torch is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

_CACHES = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a cache folder of its own, for the worlds and the paint that its simulators keep (builtin/shelf.py).

    Workers and simulators inherit it with the environment: each world is built once a run, nothing is read that an
    older version left in the user's folder, and nothing is left there. numba's kernels lie beside the sources.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    if sys.platform.startswith("linux"):
        # matplotlib looks there for its list of fonts, which takes it seconds to make.
        fonts = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
        os.environ.setdefault("MPLCONFIGDIR", str(fonts))
    os.environ["XDG_CACHE_HOME"] = config.stash[_CACHES] = tempfile.mkdtemp(prefix="airsim-seg-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Throw the run's cache folder away."""
    if _CACHES in config.stash:
        shutil.rmtree(config.stash[_CACHES], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_arrives() -> Iterator[None]:
    """A shell starts what runs in the background with SIGINT ignored: `make test &` must test Ctrl-C all the same."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
