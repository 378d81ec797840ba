"""Stacks of matrices shared among Python threads."""

import os
import subprocess
import sys

import numpy as np
import pytest

from nbflow.runtime.pool import ALONE, shared


def squares_and_traces(stack):
    return stack @ stack, np.trace(stack, axis1=-2, axis2=-1)


@pytest.mark.parametrize("work", [0, ALONE])
@pytest.mark.parametrize("outer", [(), (1,), (7,), (3, 5), (0,)])
def test_pieces_are_put_together(outer, work):
    stack = np.random.default_rng(0).normal(size=(*outer, 4, 4))
    for found, wanted in zip(shared(squares_and_traces, stack, work=work), squares_and_traces(stack), strict=True):
        np.testing.assert_array_equal(found, wanted)
        assert found.shape == wanted.shape


def test_errors_reach_the_caller():
    with pytest.raises(np.linalg.LinAlgError):
        shared(np.linalg.inv, np.zeros((8, 2, 2)), work=ALONE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_has_its_own_threads():
    code = """
import os, warnings
import numpy as np
from nbflow.runtime.pool import ALONE, shared
warnings.simplefilter("ignore")
stack = np.ones((8, 4, 4))
shared(np.matmul, stack, stack, work=ALONE)
child = os.fork()
if child == 0:
    os._exit(0 if shared(np.matmul, stack, stack, work=ALONE).shape == (8, 4, 4) else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
