"""Several processes that train one network, as torchrun starts them; a process alone is a team of one.

    torchrun --nproc-per-node 2 -m airsim_seg train ...        one process a GPU (NCCL), or on the CPU (gloo)

Every rank draws the same clips and reads its own share of them, so that the clips of a step are those that one process
would see. Gradients are averaged, losses divided by the labelled pixels of the whole step: where no layer looks across
frames of different ranks, two ranks do the same step as one process. BatchNorm does look across: on GPUs it is made
to see the whole step (SyncBatchNorm); on the CPU, for which torch has none, each rank normalises by its own share.

The first rank alone writes, validates and reports. All ranks must see the same folders.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from airsim_seg.benchmark.environment import choose_device
from airsim_seg.errors import AirsimSegError, UsageError

PATIENCE = timedelta(hours=2)  # the other ranks wait while the first surveys videos and validates

T = TypeVar("T")


class FirstRankFailed(AirsimSegError):
    """The first process met an error, which it tells itself; this one ends with the same exit code."""

    def __init__(self, message: str = "the first process met an error, and tells it.", exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type["FirstRankFailed"], tuple[str, int]]:
        """Keep the exit code on the way to the other processes."""
        return FirstRankFailed, (str(self), self.exit_code)


@dataclass(frozen=True)
class Team:
    """Who trains together.

    Attributes:
        rank: of this process, 0..size - 1.
        size: number of processes.
        device: of this process.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes, validates and reports."""
        return self.rank == 0

    def check_share(self, clips_per_step: int) -> None:
        """Refuse a step that cannot be shared out.

        Raises:
            UsageError: clips_per_step is no multiple of the number of processes.
        """
        if clips_per_step % self.size:
            raise UsageError(
                f"clips_per_step ({clips_per_step}) cannot be divided among {self.size} processes: "
                f"choose a multiple of {self.size}, or start fewer."
            )

    def wrap(self, net: nn.Module) -> nn.Module:
        """Return what to call in training instead of the network, so that gradients are averaged over the ranks."""
        if self.size == 1:
            return net
        if self.device.type == "cuda":
            # In place, below the network itself: layers are replaced, their tensors stay.
            net = nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
            return DistributedDataParallel(net, device_ids=[self.device])
        return DistributedDataParallel(net)

    def sum(self, value: Tensor) -> Tensor:
        """Add up a tensor over the ranks; no gradient flows through."""
        if self.size == 1:
            return value
        total = value.detach().clone()
        dist.all_reduce(total)
        return total

    def any(self, flag: bool) -> bool:
        """Say whether a flag is up on any rank, so that all do the same."""
        return flag if self.size == 1 else bool(self.sum(torch.tensor(float(flag), device=self.device)) > 0)

    def ask_first(self, make: Callable[[], T]) -> T:
        """Let the first rank make something that can be pickled, and give it to all.

        Raises:
            AirsimSegError: on the first rank, from make.
            FirstRankFailed: on the others, then.
        """
        if self.size == 1:
            return make()
        answer: list[T | FirstRankFailed] = [FirstRankFailed()]
        try:
            if self.is_first:
                answer = [make()]
        except AirsimSegError as error:
            answer = [FirstRankFailed(exit_code=error.exit_code)]
            raise
        finally:
            dist.broadcast_object_list(answer, device=self.device)
        if isinstance(answer[0], FirstRankFailed):
            raise answer[0]
        return answer[0]


def alone(device: torch.device) -> Team:
    """Return the team of one process."""
    return Team(0, 1, device)


@contextmanager
def join_team(environ: Mapping[str, str], init_method: str = "env://") -> Iterator[Team]:
    """Meet the other processes that torchrun started, if any, and part from them at the end.

    Args:
        environ: with torchrun's WORLD_SIZE, RANK and LOCAL_RANK; without WORLD_SIZE the process is alone.
        init_method: where the ranks meet, as torch.distributed has it.

    Raises:
        UsageError: a WORLD_SIZE without the rest, or more processes on a machine than it has GPUs.
    """
    size = _number(environ, "WORLD_SIZE", "1")
    if size == 1:
        yield alone(choose_device())
        return
    rank, local_rank = _number(environ, "RANK"), _number(environ, "LOCAL_RANK")
    device = choose_device()
    if device.type == "cuda":
        if local_rank >= torch.cuda.device_count():
            raise UsageError(
                f"There are {torch.cuda.device_count()} GPUs here, too few for process {local_rank + 1}: "
                "lower --nproc-per-node."
            )
        device = torch.device("cuda", local_rank)
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=init_method, timeout=PATIENCE, rank=rank, world_size=size)
    try:
        yield Team(rank, size, device)
    finally:
        dist.destroy_process_group()


def _number(environ: Mapping[str, str], name: str, default: str = "") -> int:
    text = environ.get(name, default)
    if not text.isdecimal():
        raise UsageError(f"{name} is {text!r} in the environment, no number: start several processes with torchrun.")
    return int(text)
