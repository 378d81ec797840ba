"""Programs that are derived from others: word for word what all passes would make, or none."""

from types import SimpleNamespace

import numpy as np
import pytest

import nbflow as nf
from nbflow.compiler import derive, kernels, lowering, table
from nbflow.compiler.control import bound_aval
from nbflow.compiler.derive import Derived, Family, Pattern
from nbflow.compiler.formulas import Formulas, apply
from nbflow.compiler.graph import bind
from nbflow.function.concrete import ConcreteFunction

SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 30, 31, 32, 33, 64, 100, 128, 255, 256, 257, 512, 1000, 1024, 5000, 70_000]
ONE, TWO = ((None, 16),), ((None, 16), (None, 16))


def dense(x):
    w = nf.constant(np.linspace(-1, 1, 160).reshape(16, 10), nf.float32)
    with nf.GradientTape() as tape:
        tape.watch(w)
        loss = nf.reduce_mean(nf.nn.softmax(nf.nn.relu(nf.matmul(x, w) + 0.5)))
    return loss, tape.gradient(loss, w)


def columns(x):
    return nf.reduce_sum(x, 0), nf.reduce_max(nf.exp(x), 1), nf.reduce_mean(x * x)


def views(x):
    return nf.transpose(x)[1:, ::2] + 1.0, nf.reshape(x, [-1, 4]) * 2.0, nf.concat([x, x[:1]], 0)


def looked_up(x):
    labels = nf.cast(x[:, 0], nf.int32)
    return nf.gather(x, labels, axis=1, batch_dims=1), nf.one_hot(labels, 16) - x


def several_rows_at_once(x):
    with nf.GradientTape() as tape:
        tape.watch(x)
        p = nf.clip_by_value(nf.nn.softmax(x / 16.0), 1e-7, 1.0 - 1e-7)
        loss = nf.reduce_mean(nf.math.log(p) + 0.5 * nf.math.log(1.0 - p), -1)
    return loss, tape.gradient(loss, x)


def two(x, y):
    return nf.matmul(x, y, transpose_b=True) + 1.0, nf.concat([x, y], 0), nf.reduce_sum(x, 0) * nf.reduce_sum(y, 0)


def joined(x, y):
    return nf.reduce_sum(x[:, None] * y[None], 2), nf.math.cumsum(nf.concat([y, x], 0), 0)


PROGRAMS = [
    (dense, ONE),
    (columns, ONE),
    (views, ONE),
    (looked_up, ONE),
    (several_rows_at_once, ONE),
    (two, TWO),
    (joined, TWO),
]
each_program = pytest.mark.parametrize(("function", "shapes"), PROGRAMS, ids=lambda x: getattr(x, "__name__", ""))


def traced(function, shapes) -> ConcreteFunction:
    return nf.function(function).get_concrete_function(*(nf.TensorSpec(shape, nf.float32) for shape in shapes))


def names(graph) -> list[str]:
    return list(dict.fromkeys(d.name for v in graph.inputs for d in v.shape if not isinstance(d, int)))


@pytest.fixture
def addresses(monkeypatch):
    """Addresses that say what lies there, and not where; kernels are not compiled."""

    def block(nbytes, keep):
        keep.append(nbytes)
        return sum(keep) << 32

    def contents(array):
        return hash(array.tobytes()) >> 1

    def kernel(stem, source):
        return SimpleNamespace(address=hash(source) >> 1)

    for module in (kernels, lowering):
        monkeypatch.setattr(module, "compile_source", kernel)
    monkeypatch.setattr(derive, "block", block)
    monkeypatch.setattr(derive, "_address", lambda array, keep: contents(array))
    monkeypatch.setattr(table.Memory, "array", lambda self, array: contents(array))


def words(pattern, sizes) -> list[int] | None:
    values = pattern._formulas.evaluate({**sizes, derive.BASE: 0, derive.KEEP: []})
    if values is None:
        return None
    found = pattern._words.copy()
    found[pattern._places] = [values[slot] for slot in pattern._slots]
    return [*found.tolist(), values[pattern._arena], *(values[slot] for _, s in pattern._results for slot in s)]


def made(graph, sizes) -> list[int]:
    """The words that all passes make for numbers that are known."""
    bound = bind(graph, sizes, [bound_aval(v.aval, sizes) for v in graph.inputs])
    return words(Pattern(bound, {}), {})


@each_program
def test_words_are_those_that_all_passes_make(function, shapes, addresses):
    graph = traced(function, shapes).graph
    random = np.random.default_rng(len(function.__name__))
    patterns, derived = [], 0
    for _ in range(30):
        same = random.integers(3) == 0
        drawn = random.choice(SIZES[:-1] if len(shapes) > 1 else SIZES, len(names(graph))).tolist()
        sizes = {name: drawn[0] if same else size for name, size in zip(names(graph), drawn, strict=True)}
        if np.prod(list(sizes.values())) > 1 << 20:
            continue
        if not patterns or all(words(pattern, sizes) is None for pattern in patterns):
            patterns.append(Pattern(graph, sizes))
        expected = None
        for pattern in patterns:
            found = words(pattern, sizes)
            if found is not None:
                expected = expected or made(graph, sizes)
                assert found == expected, sizes
                derived += 1
    assert derived > 15


@each_program
def test_results_are_those_of_eager_calls(function, shapes):
    compiled = nf.function(function, input_signature=[nf.TensorSpec(shape, nf.float32) for shape in shapes])
    random = np.random.default_rng(5)
    for size in (6, 7, 12, 1, 13, 7):
        arguments = [nf.constant(random.integers(0, 16, (size + k, 16)), nf.float32) for k in range(len(shapes))]
        for found, expected in zip(compiled(*arguments), function(*arguments), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_family_derives_and_shows():
    concrete = traced(dense, ONE)
    for size in (40, 41, 42):
        concrete(nf.ones([size, 16]))
    programs = concrete.programs
    assert all(isinstance(program, Derived) for program in programs)
    assert [program.kernels for program in programs[1:]] == [programs[0].kernels] * 2
    assert programs[2].graph.inputs[0].shape == (42, 16)


def test_bad_input_is_told_for_the_sizes_of_the_call():
    def pick(x, at):
        return nf.gather(x, at)

    concrete = nf.function(pick).get_concrete_function(
        nf.TensorSpec([None], nf.float32), nf.TensorSpec([None], nf.int32)
    )
    for size in (5, 6, 7):
        with pytest.raises(nf.errors.InvalidArgumentError, match=rf"{size}"):
            concrete(nf.ones([size]), nf.constant([0, size]))
        np.testing.assert_array_equal(concrete(nf.ones([size]), nf.constant([0, size - 1])), [1, 1])


def test_sizes_that_a_rule_must_know_are_lowered_each_time():
    def f(x):
        return x + nf.cast(nf.shape(x)[0], nf.float32)

    concrete = traced(f, ONE)
    for size in range(20, 26):
        np.testing.assert_array_equal(concrete(nf.ones([size, 16]))[0], np.full(16, size + 1))
    graph, (name,) = concrete.graph, names(concrete.graph)
    family = Family(graph)
    for size in range(20, 26):
        avals = [bound_aval(v.aval, {name: size}) for v in graph.inputs]
        made = family.program({name: size}, avals, lambda: None)
        assert (made is None) == (size > 21)


def test_steps_that_answer_otherwise_or_fail_make_no_program():
    formulas = Formulas()
    n = formulas.input("n", 6)
    assert n % 2 == 0
    n = 12 // (n - 4)
    whole = apply(np.asarray, n, dtype=np.uint8)
    assert {(n, 3): 1}
    formulas.finish({5})
    evaluated = [formulas.evaluate({"n": size}) for size in (6, 8, 7, 4, -8)]
    assert [values and values[whole.slot] for values in evaluated] == [6, 3, None, None, None]
    assert formulas.evaluate({"n": 6}) is not None
