"""Runs a coroutine in a loop of its own."""

import asyncio
from collections.abc import Coroutine
from typing import Any


def run(story: Coroutine[Any, Any, None]) -> None:
    """As asyncio.run, but the thread is left as it was: the airsim client wants a thread whose loop nobody unset."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(asyncio.wait_for(story, 120))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
