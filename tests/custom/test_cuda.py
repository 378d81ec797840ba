"""Custom ops on GPUs: cuda_cases.py in numba's simulator, and compiled offline where the toolkit is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nbflow.errors import FailedPreconditionError
from nbflow.runtime import cuda

CASES = Path(__file__).with_name("cuda_cases.py")
ROOT = Path(__file__).parents[2]
TOUCH = "def {name}(x, n):\n    x[n] = exp_f32(x[n])\n"


def run_cases(**environment):
    command = [sys.executable, "-m", "pytest", str(CASES), "-q", "-p", "no:cacheprovider"]
    settings = {k: v for k, v in os.environ.items() if k not in ("NUMBA_ENABLE_CUDASIM", "NUMBA_DISABLE_JIT")}
    done = subprocess.run(command, cwd=ROOT, env=settings | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-4000:]


def test_in_the_simulator():
    run_cases(NUMBA_ENABLE_CUDASIM="1", NUMBA_DISABLE_JIT="1")


def test_offline():
    try:
        cuda.link(cuda.compile_ptx("touch", TOUCH, ["f32*", "u64"]))
    except FailedPreconditionError as error:
        pytest.skip(str(error))
    run_cases()
