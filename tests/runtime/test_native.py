"""Kernels on disk: hits, damage, folders that cannot be written, several processes at once."""

import os
import subprocess
import sys

import pytest

from nbflow import config
from nbflow.compiler.kernels import namespace
from nbflow.runtime import native

SOURCE = """def {name}(p, begin, end):
    x, y = word(p, 0), word(p, 1)
    for i in range(begin, end):
        store(f32, y, i, load(f32, x, i, 0) + f32(1), 1)
"""
PROGRAM = """
import nbflow as nf
x = nf.constant([1.0, 2.0])
f = nf.function(lambda x: nf.exp(x) * 3 - 1)
assert abs(float(f(x)[0]) - 7.154845) < 1e-5
print([k.origin for k in next(iter(f._concrete.values())).programs[0].kernels])
"""


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    """An empty cache folder, and a process that remembers no kernels."""
    monkeypatch.setenv("NBFLOW_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(native, "_kernels", {})
    return tmp_path / "kernels"


def run(folder, code=PROGRAM, **variables):
    environment = {**os.environ, "NBFLOW_CACHE_DIR": str(folder), **variables}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)


def test_second_process_compiles_nothing(tmp_path):
    assert "'compiled'" in run(tmp_path).stdout
    second = run(tmp_path)
    assert second.stdout.strip() == "['disk']", second.stderr


def test_same_source_is_one_kernel(fresh_cache):
    first = native.kernel("increment", SOURCE, namespace())
    assert native.kernel("increment", SOURCE, namespace()) is first
    assert first.name in first.source
    assert (fresh_cache / f"{first.name}.py").read_text() == first.source


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_damaged_object_is_compiled_again(fresh_cache, monkeypatch, damage):
    first = native.kernel("increment", SOURCE, namespace())
    path = fresh_cache / f"{first.name}.o"
    data = path.read_bytes()
    path.write_bytes(data[:-7] if damage is None else damage)
    monkeypatch.setattr(native, "_kernels", {})
    assert native.kernel("increment", SOURCE, namespace()).origin == "compiled"
    assert path.read_bytes().startswith(native.MAGIC)
    monkeypatch.setattr(native, "_kernels", {})
    assert native.kernel("increment", SOURCE, namespace()).origin == "disk"


def test_a_kernel_that_cannot_be_compiled_does_not_stay_in_the_way_of_others(fresh_cache):
    wrong = native.kernel("wrong", "def {name}(p, begin, end):\n    nobody_knows(p)\n", namespace(), portable=True)
    right = native.kernel("right", "def {name}(p, begin, end):\n    pass\n", namespace(), portable=True)
    with pytest.raises(Exception, match="nobody_knows"):
        _ = wrong.address
    assert right.address


def test_cache_folder_that_cannot_be_made(tmp_path):
    """A file stands where the folder should be: everything works, nothing is kept."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    for _ in range(2):
        result = run(blocked)
        assert "'compiled'" in result.stdout, result.stderr
    assert blocked.read_text() == "not a folder"


def test_two_processes_compile_at_once(tmp_path):
    environment = {**os.environ, "NBFLOW_CACHE_DIR": str(tmp_path)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in both:
        out, error = process.communicate(timeout=120)
        assert process.returncode == 0, error.decode()
        assert b"compiled" in out or b"disk" in out
    assert run(tmp_path).stdout.strip() == "['disk']"
    assert not list((tmp_path / "kernels").glob("*.tmp"))


def test_plain_python_mode(tmp_path):
    """With NUMBA_DISABLE_JIT=1 the same kernels run as Python."""
    result = run(tmp_path, NUMBA_DISABLE_JIT="1")
    assert result.stdout.strip() == "['python']", result.stderr


def test_cache_dir_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NBFLOW_CACHE_DIR", str(tmp_path / "a"))
    assert config.cache_dir() == tmp_path / "a"
    monkeypatch.delenv("NBFLOW_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert config.cache_dir() == tmp_path / "nbflow"
