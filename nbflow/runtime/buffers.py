"""Memory for results: small blocks from NumPy's own cache, large ones from a pool that keeps what it is given back.

Plain malloc returns a large block to the system at once and takes page faults on every page of the next one. The pool
keeps freed blocks by size class and hands them out again. A block is a one-dimensional uint8 array whose memory
returns when the last Tensor or NumPy view of it is gone.
"""

import mmap
import threading

import numpy as np

from nbflow.errors import ResourceExhaustedError

SMALL = 1 << 16  # bytes; below this malloc keeps its memory anyway
KEEP = 1 << 31  # bytes of idle blocks that the pool holds before it lets the oldest go
_HUGE_PAGE = 1 << 21

_free: dict[int, list[mmap.mmap]] = {}
_lock = threading.RLock()  # a garbage collection inside the lock may give a block back
_idle = 0


def size_class(nbytes: int) -> int:
    """nbytes rounded up so that at most an eighth is wasted: classes are 8 steps to each power of two."""
    step = 1 << max(12, nbytes.bit_length() - 4)
    return -(-nbytes // step) * step


def _give_back(memory: mmap.mmap, lock=_lock, free=_free) -> None:  # defaults outlive the module at exit
    global _idle
    size = len(memory)
    with lock:
        if _idle + size <= KEEP:
            free.setdefault(size, []).append(memory)
            _idle += size


class Block(np.ndarray):
    """A pooled block: its memory goes back to the pool when it dies."""

    def __del__(self, kind=mmap.mmap, give_back=_give_back):
        memory = self.base
        if isinstance(memory, kind):
            give_back(memory)


def _new_memory(size: int) -> mmap.mmap:
    try:
        memory = mmap.mmap(-1, size)
    except (OSError, OverflowError, ValueError) as error:
        release_idle()
        try:
            memory = mmap.mmap(-1, size)
        except (OSError, OverflowError, ValueError):
            raise ResourceExhaustedError(f"cannot allocate {size / 2**20:,.0f} MiB for a tensor: {error}") from error
    if size >= _HUGE_PAGE and hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            memory.madvise(mmap.MADV_HUGEPAGE)
        except OSError:
            return memory  # the kernel offers no huge pages
    return memory


def allocate(nbytes: int) -> np.ndarray:
    """A block of at least nbytes uninitialised bytes.

    Raises:
        ResourceExhaustedError: the system has no memory of that size.
    """
    global _idle
    if nbytes < SMALL:
        return np.empty(nbytes, np.uint8)
    size = size_class(nbytes)
    with _lock:
        blocks = _free.get(size)
        memory = blocks.pop() if blocks else None
        if memory is not None:
            _idle -= size
    if memory is None:
        memory = _new_memory(size)
    return np.ndarray.__new__(Block, (size,), np.uint8, memory)


def release_idle() -> None:
    """Gives all idle blocks back to the system."""
    global _idle
    with _lock:
        _free.clear()
        _idle = 0


def idle_bytes() -> int:
    """How many bytes of idle blocks the pool holds."""
    return _idle
