"""Lets every test import the modules beside this file: pytest puts the folder of a conftest.py on the path."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_arrives() -> Iterator[None]:
    """A shell starts what runs in the background with SIGINT ignored: `make test &` must test Ctrl-C all the same."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
