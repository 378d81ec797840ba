"""The process that helps to compile, and a cache that two processes fill from both ends."""

import ctypes
import json
import subprocess
import sys

import numpy as np
import pytest

from nbflow.compiler.kernels import namespace
from nbflow.runtime import assistant, native

KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
SOURCE = """def {name}(p, begin, end):
    \"\"\"adds {number}\"\"\"
    x = word(p, 0)
    for i in range(begin, end):
        store(f32, x, i, load(f32, x, i, 1) + f32({number}), 1)
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(native, "_kernels", {})
    monkeypatch.setattr(native, "_waiting", [])
    return tmp_path / "kernels"


def kernels(count):
    sources = [SOURCE.replace("{number}", str(1000 + k)) for k in range(count)]
    return [native.kernel("add", source, namespace(), portable=True) for source in sources]


def run(kernel):
    x = np.zeros(4, np.float32)
    words = np.array([x.ctypes.data], np.int64)
    KERNEL(kernel.address)(words.ctypes.data, 0, 4)
    return x


def test_the_program_fills_the_cache(cache, monkeypatch):
    made = kernels(2)
    pairs = json.dumps([(k.name, k.source) for k in made])
    subprocess.run([sys.executable, "-c", assistant.PROGRAM], input=pairs, text=True, check=True)
    assert all((cache / f"{k.name}.o").read_bytes().startswith(native.MAGIC) for k in made)
    monkeypatch.setattr(native, "cfunc", None)  # nothing is left to compile
    assert [run(k).tolist() for k in made] == [[1000.0] * 4, [1001.0] * 4]


@pytest.mark.parametrize("executable", [sys.executable, "/no/such/python", sys.executable + " "])
def test_with_and_without_a_second_process(cache, monkeypatch, executable):
    monkeypatch.setattr(assistant, "MANY", 2)
    monkeypatch.setattr(assistant, "num_threads", lambda: 2)
    monkeypatch.setattr(sys, "executable", executable)
    assert [float(run(k)[3]) for k in kernels(3)] == [1000, 1001, 1002]
