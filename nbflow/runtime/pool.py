"""Python threads that share stacks of small matrices among them; NumPy's functions on them release the lock.

One large matrix is left to the threads of NumPy's own library: two pools at work on the same cores make each other
wait.
"""

import itertools
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from nbflow.config import num_threads

ALONE = 200_000  # multiplications, or as much other work, that are not worth a thread of their own
SMALL = 128 * 128  # elements of a matrix that NumPy's library works on with one thread


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(num_threads(), thread_name_prefix="nbflow-host")


if hasattr(os, "register_at_fork"):  # a forked child has none of its parent's threads: it makes its own
    os.register_at_fork(after_in_child=_threads.cache_clear)


def shared(function: Callable, *stacks: np.ndarray, rank: int = 2, work: float = 0):
    """function(*stacks), computed in pieces of the first axis where that pays.

    Args:
        function: of arrays [n, …] -> an array [n, …], or a tuple of them.
        stacks: arrays whose axes before the last `rank` are equal; they reach function as one axis.
        work: multiplications for each item of the stack.

    Returns:
        What function returns, with the axes of the stacks before those of its results' items.
    """
    outer = stacks[0].shape[: stacks[0].ndim - rank]
    count = math.prod(outer)
    flat = [s.reshape((count, *s.shape[len(outer) :])) for s in stacks]
    small = all(math.prod(s.shape[1:]) <= SMALL for s in flat)
    pieces = min(num_threads(), count, int(count * work // ALONE)) if small else 1
    if pieces < 2:
        return _shaped(function(*flat), outer)
    cuts = [count * k // pieces for k in range(pieces + 1)]
    parts = [[s[a:b] for s in flat] for a, b in itertools.pairwise(cuts)]

    def compute(part: list[np.ndarray]):
        with np.errstate(all="ignore"):  # which each thread has its own of
            return function(*part)

    found = list(_threads().map(compute, parts))
    if isinstance(found[0], tuple):
        return _shaped(tuple(np.concatenate(results) for results in zip(*found, strict=True)), outer)
    return _shaped(np.concatenate(found), outer)


def _shaped(found, outer: tuple):
    if isinstance(found, tuple):
        return tuple(f.reshape((*outer, *f.shape[1:])) for f in found)
    return found.reshape((*outer, *found.shape[1:]))
