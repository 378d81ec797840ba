"""A second process that helps to compile many kernels: Python compiles on one core, however many there are."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nbflow.config import num_threads

MANY = 24  # kernels for which a process is worth its start, of about a second
PROGRAM = "from nbflow.compiler.ahead import main; main()"


@contextmanager
def assisted(kernels: Sequence[tuple[str, str]]) -> Iterator[None]:
    """A block during which another process compiles kernels, given as (name, source), from the last one on.

    What it has done is in the cache on disk. Where no process can be started, or the cache cannot be written, the block
    has all the work itself.
    """
    if len(kernels) < MANY or num_threads() < 2 or not sys.executable:
        yield
        return
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
    except OSError:
        yield
        return
    with process:
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(kernels[::-1]).encode())
            process.stdin.close()
        except OSError:  # it has ended already
            pass
        try:
            yield
        finally:
            process.kill()
