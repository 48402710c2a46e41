"""Batches for training, step after step: prepared here, or by worker processes while the network learns.

What a step sees is drawn from (seed, step) alone (clips.py): with any number of workers the batches are the same.
"""

import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from airsim_seg.benchmark.clips import Batch, ClipSampler, Share
from airsim_seg.errors import AirsimSegError, TrainingError

AHEAD = 2  # batches that each worker prepares before they are wanted


class _Steps(Dataset[Batch | AirsimSegError]):
    """Item i is the batch of step first + i, or the error that its videos gave: raised in a worker, it would arrive
    wrapped in a traceback."""

    def __init__(self, sampler: ClipSampler, first: int, last: int, share: Share) -> None:
        self._sampler, self._first, self._last, self._share = sampler, first, last, share

    def __len__(self) -> int:
        return self._last - self._first

    def __getitem__(self, index: int) -> Batch | AirsimSegError:
        try:
            return self._sampler.sample(self._first + index, self._share)
        except AirsimSegError as error:
            return error


@contextmanager
def load_batches(
    sampler: ClipSampler, first: int, last: int, *, workers: int, share: Share, pin_memory: bool
) -> Iterator[Iterator[Batch]]:
    """Load the batches of steps first .. last - 1, in order.

    Args:
        sampler: says what a step sees; with workers it is sent to each of them, so its videos should be VideoFrames.
        first: step to begin with, counted from 0.
        last: step after the end.
        workers: processes that prepare batches ahead; 0: each is prepared here when it is asked for.
        share: which clips of a step are wanted.
        pin_memory: put batches where a GPU can fetch them by itself.

    Yields:
        An iterator; it raises what ClipSampler.sample does, and TrainingError where a worker died.
    """
    loader = DataLoader(
        _Steps(sampler, first, last, share),
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_become_worker,
        # A forked worker inherits locks of threads that are not there any more, and hangs.
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=AHEAD if workers else None,
        pin_memory=pin_memory,
        # Else each start of workers takes a number from torch's own randomness, and dropout falls otherwise than
        # without workers.
        generator=torch.Generator(),
    )
    batches = _unwrap(iter(loader), workers)
    try:
        yield batches
    finally:
        batches.close()


def _unwrap(items: Iterator[Batch | AirsimSegError], workers: int) -> Generator[Batch, None, None]:
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except RuntimeError as error:
            if not workers:
                raise
            raise TrainingError(
                f"A process that reads the training videos died ({str(error).splitlines()[0]}): it may have run out "
                f"of memory, or of shared memory (/dev/shm). Set workers below {workers}, then run the same command "
                "again to go on."
            ) from error
        if isinstance(item, AirsimSegError):
            raise item
        yield item


def _as_it_is(item: Any) -> Any:
    return item


def _become_worker(_: int) -> None:
    """One thread each; Ctrl-C is for the process that trains, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
