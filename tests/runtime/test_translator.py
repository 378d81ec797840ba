"""Kernels through the translator give what they give as plain Python; what it does not know is left to Numba."""

import ctypes

import numpy as np
import pytest
from numba.core import config as numba_config

from nbflow.compiler.kernels import namespace
from nbflow.runtime import native, translator

pytestmark = pytest.mark.skipif(bool(numba_config.DISABLE_JIT), reason="nothing is compiled")

HEAD = """def {name}(p, begin, end):
    x, y, n = word(p, 0), word(p, 1), word(p, 2)
"""
BODIES = {
    "expressions": """
    x += begin * 4
    y += begin * 4
    for i in range(end - begin):
        v0 = load(f32, x, i, 0)
        v1 = exp_f32(v0) if v0 < f32(0) else tanh_f32(-v0) / f32(3)
        store(f32, y, i, v1, 1)
""",
    "integers": """
    rest = n - 7
    for i in range(begin, end):
        a = i // n
        b = (rest - i) % n
        c = (rest - i) // n
        store(f32, y, i, f32(a + (b << 1) - (c ^ 3) - (~b & 6 | 1)) + f32((-9223372036854775808 + i) % n), 1)
        rest -= 5
""",
    "blocks": """
    for i in range(begin, end):
        v_s = f64(0)
        for k in range(0, n, 3):
            v = f32(0)
            for j in range(k, minimum(k + 3, n)):
                v = add_any_order(v, load(f32, x, i * n + j, 0))
            v_s += f64(v)
        store(f32, y, i, f32(v_s), 1)
""",
    "conditions": """
    for i in range(begin, end):
        v0 = load(f32, x, i, 0)
        v1 = v0 == v0
        v2 = not v1
        store(f32, y, i, f32(v1) + f32(v2) * v0 if v0 >= f32(-1) else f32(-inf), 1)
""",
}
FOREIGN = {
    "while": "    while n > 1:\n        n -= 1\n",
    "if": "    if n > 1:\n        n -= 1\n",
    "types": "    v = n\n    v = f32(n)\n",
    "backwards": "    for i in range(n, 0, -1):\n        set_word(y, i, i)\n",
    "step": "    for i in range(0, n, begin + 1):\n        set_word(y, i, i)\n",
    "after": "    for i in range(n):\n        v = i\n    set_word(y, 0, v)\n",
    "target": "    for i in range(n):\n        i = i + 1\n        set_word(y, 0, i)\n",
    "tuple": "    v = (n, n)\n    set_word(y, 0, v[0])\n",
    "power": "    set_word(y, 0, n**2)\n",
    "unknown": "    set_word(y, 0, no_such_name)\n",
}


def translated(name: str, body: str) -> bytes:
    source = HEAD.replace("{name}", name) + body
    return translator.object_code(name, source, native._define(name, source, namespace()).__globals__)


def arguments(x, y, n):
    return (ctypes.c_int64 * 3)(x.ctypes.data, y.ctypes.data, n)


def run(code: bytes, name: str, x, y, n, begin, end):
    address = native._load(code).get_function_address(name)
    block = arguments(x, y, n)
    ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(address)(ctypes.addressof(block), begin, end)


@pytest.mark.parametrize("name", BODIES)
def test_translated_kernels_compute_what_numba_compiles(name):
    x = np.linspace(-3, 5, 77).astype(np.float32)
    results = []
    source = HEAD.replace("{name}", f"reference_{name}") + BODIES[name]
    reference = native.cfunc(native.KERNEL_SIGNATURE, error_model="numpy")(
        native._define(f"reference_{name}", source, namespace())
    )
    for code, symbol in (
        (translated(f"translated_{name}", BODIES[name]), f"translated_{name}"),
        (reference._library._get_compiled_object(), reference.native_name),
    ):
        y = np.full(11, np.nan, np.float32)
        run(code, symbol, x, y, 7, 1, 10)
        results.append(y)
    assert np.isnan(results[0][[0, 10]]).all() and not np.isnan(results[0][1:10]).any()
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("name", FOREIGN)
def test_other_source_is_left_to_numba(name):
    with pytest.raises(translator.Unsupported):
        translated(f"foreign_{name}", FOREIGN[name])


def test_foreign_kernels_are_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_CACHE_DIR", str(tmp_path))
    kernel = native.kernel("descend", HEAD + "    while n > 1:\n        n -= 3\n    set_word(y, 0, n)\n", namespace())
    x, y = np.zeros(1), np.zeros(1, np.int64)
    block = arguments(x, y, 11)
    ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(kernel.address)(ctypes.addressof(block), 0, 0)
    assert y[0] == -1
