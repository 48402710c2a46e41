"""Lets every test import the modules beside this file: pytest puts the folder of a conftest.py on the path."""

import os
import signal
from collections.abc import Iterator

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # One process a processor: more threads in each would wait for one another. Read when torch is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_arrives() -> Iterator[None]:
    """A shell starts what runs in the background with SIGINT ignored: `make test &` must test Ctrl-C all the same."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
