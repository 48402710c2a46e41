"""How the kernels are compiled, and how several threads work on one picture.

numba watches one file a cached kernel, the kernel's own; the files of what kernels share (_SHARED) are watched here. A
kernel that calls another file's kernel would keep an old copy of it after an update: none here does.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numba
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import event
from numba.extending import intrinsic

# Pictures are drawn one after another in a process: two at once would take turns on the same cores.
PARALLEL_LOCK = threading.RLock()

# No leave to reorder or to fuse arithmetic: pictures would differ from machine to machine, and the first process after
# an install might draw other bytes than later ones.
_FASTMATH = {"nnan", "ninf", "nsz"}
# Wrappers are for who calls from C, or from Python: compiling them for nobody took an eighth of the time.
_OPTIONS: dict[str, Any] = {"fastmath": _FASTMATH, "error_model": "numpy", "no_cfunc_wrapper": True}

# What kernels are made of beside their own file.
_SHARED = tuple(
    Path(__file__).with_name(f"{name}.py")
    for name in ("compiling", "lanes", "lane_memory", "albedo", "lighting", "sorting")
)


class Crew:
    """Threads that share the work of a kernel.

    Plain threads and a counter in place of numba's parallel loops: those compile twice as long, deal the work out
    beforehand, and their threads spin while they wait, which on a busy machine costs a fifth of all CPU time.

    Attributes:
        num_threads: how many work, the one that calls among them.
    """

    def __init__(self, num_threads: int | None = None) -> None:
        """Engage the threads; they start with the first work.

        Args:
            num_threads: at most this many; None takes all that numba may use (NUMBA_NUM_THREADS).
        """
        most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        self.num_threads = most if num_threads is None else max(1, min(num_threads, most))
        self._others = ThreadPoolExecutor(max(1, self.num_threads - 1), "draw")

    def run(self, work: Callable[..., None], *arguments: Any) -> None:
        """Have every thread call work(counter, *arguments), and wait for all.

        Args:
            work: a kernel that takes pieces of its work by next_piece(counter) until there are none.
            arguments: of the kernel.
        """
        counter = np.zeros(1, np.int64)
        others = [self._others.submit(work, counter, *arguments) for _ in range(self.num_threads - 1)]
        try:
            work(counter, *arguments)
        finally:
            for other in others:
                other.result()

    def beside(self, work: Callable[..., None], *arguments: Any) -> Callable[[], None]:
        """Have one of the other threads call work(*arguments); where there is none it is called here and now.

        Args:
            work: something that gives no work to the crew itself; most of its time without the GIL.
            arguments: of it.

        Returns:
            What waits until it is done, and raises what it raised.
        """
        if self.num_threads == 1:
            work(*arguments)
            return lambda: None
        done = self._others.submit(work, *arguments)
        return lambda: done.result()


class _Announcer(event.Listener):
    """Tells of every kernel that is compiled, and not of the functions that disappear into it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._inside = say, threading.local()

    def on_start(self, event: event.Event) -> None:
        self._inside.depth = getattr(self._inside, "depth", 0) + 1
        if self._inside.depth == 1:
            self._say(event.data["dispatcher"].py_func.__name__.strip("_"))

    def on_end(self, event: event.Event) -> None:  # noqa: ARG002
        self._inside.depth -= 1


@contextmanager
def announced(say: Callable[[str], None]) -> Iterator[None]:
    """While in it, say(name) is called when the compiling of a kernel begins; not for those that the cache has.

    Args:
        say: called in the thread that compiles.
    """
    with event.install_listener("numba:compile", _Announcer(say)):
        yield


@contextmanager
def without_scipy() -> Iterator[None]:
    """While in it SciPy cannot be imported.

    With its first kernel numba imports SciPy's linear algebra, if it finds it: half a second at every start, for
    functions that no kernel of ours calls. For processes that run our kernels alone.
    """
    before = sys.modules.get("scipy")
    sys.modules["scipy"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if before is None:
            del sys.modules["scipy"]
        else:
            sys.modules["scipy"] = before


def kernel() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function to machine code that releases the GIL, cached on disk where any folder can be written.

    Returns:
        A decorator. Its arithmetic is IEEE's, operation by operation, but for NaN, infinity and -0.
    """
    options = _OPTIONS | {"nogil": True}

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            compiled: Callable[..., Any] = njit(cache=True, **options)(function)
            _watch(compiled, *_SHARED)
        except RuntimeError:  # neither beside the source, nor NUMBA_CACHE_DIR, nor the user's cache can be written
            compiled = njit(**options)(function)
        return compiled

    return decorate


def _watch(compiled: Any, *files: Path) -> None:
    """Have a cached kernel compiled anew when one of the files has changed.

    numba has no door for this; where the room behind is another one, developers clear their cache by hand.
    """
    index: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        stamps = [(file.stat().st_mtime, file.stat().st_size) for file in files]
        index._source_stamp = (index._source_stamp, *stamps)


def is_compiled(compiled: Any) -> bool:
    """Whether the cache on disk holds a kernel as its source is now; True where there is no cache, or nobody knows."""
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    load = getattr(index, "_load_index", None)
    try:
        return load is None or bool(load())
    except Exception:  # a pickle that is cut off can raise anything: numba will compile anew, and so do we
        return False


def inline(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that disappears into the kernel that calls it.

    It counts no references (`_nrt`), so it can look into arrays but make none, not even slices: counting them for
    every pixel, in memory that the threads share, took longer than the shading.
    """
    options = _OPTIONS | {"forceinline": True, "no_cpython_wrapper": True, "_nrt": False}
    compiled: Any = njit(**options)(function)
    template, plain = compiled.get_call_template, cast(Any, types.unliteral)

    def without_literals(kinds: tuple[types.Type, ...], named: dict[str, types.Type]) -> Any:
        return template(tuple(plain(kind) for kind in kinds), named)

    # numba would compile f(x, 0) and f(x, 1) as two functions.
    compiled.get_call_template = without_literals
    inlined: Callable[..., Any] = compiled
    return inlined


@intrinsic
def next_piece(_typing: Any, counter: Any) -> Any:
    """Take the next number from counter (int64 [1]), as every thread of a kernel may do at once."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), build
