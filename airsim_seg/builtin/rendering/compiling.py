"""How the kernels are compiled, and the one lock under which parallel ones run.

numba watches one file a cached kernel: a kernel that calls another file's kernel would keep an old copy of it after
an update. So no kernel here calls a kernel of another file.
"""

import threading
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

# numba's workqueue threading layer dies when two threads enter parallel kernels at once, and which layer a machine
# has is not ours to choose: everything parallel in this process runs under this lock.
PARALLEL_LOCK = threading.RLock()

# No leave to reorder or to fuse arithmetic: numba optimises the body of a parallel loop once when it compiles it and
# once more in what it caches, and with "reassoc" the first process after an install drew other bytes than later ones.
_FASTMATH = {"nnan", "ninf", "nsz"}


def kernel(*, parallel: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function to machine code that releases the GIL, cached on disk where any folder can be written.

    Args:
        parallel: prange loops run on several threads; call only under PARALLEL_LOCK.

    Returns:
        A decorator. Its arithmetic is IEEE's, operation by operation, but for NaN, infinity and -0.
    """
    options: dict[str, Any] = {"parallel": parallel, "nogil": True, "fastmath": _FASTMATH, "error_model": "numpy"}

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            compiled: Callable[..., Any] = njit(cache=True, **options)(function)
        except RuntimeError:  # neither beside the source, nor NUMBA_CACHE_DIR, nor the user's cache can be written
            compiled = njit(**options)(function)
        return compiled

    return decorate


def inline(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that disappears into the kernel that calls it.

    It counts no references (`_nrt`), so it can look into arrays but make none, not even slices: counting them for
    every pixel, in memory that the threads share, took longer than the shading.
    """
    options: dict[str, Any] = {"forceinline": True, "fastmath": _FASTMATH, "error_model": "numpy", "_nrt": False}
    compiled: Callable[..., Any] = njit(**options)(function)
    return compiled


@intrinsic
def next_piece(_typing: Any, counter: Any) -> Any:
    """Take the next number from counter (int64 [1]), as every thread of a kernel may do at once.

    numba deals pieces of work out beforehand, and the thread with the sky waits for the one with the trees.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), build
