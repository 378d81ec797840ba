"""Variables: making, assigning, slices, sharing of memory, presentation."""

import copy
import pickle

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError


def test_making():
    v = nf.Variable([1.0, 2.0], trainable=False, name="w", dtype=nf.float64)
    assert (v.name, v.dtype, v.shape, v.trainable) == ("w:0", nf.float64, [2], False)
    assert nf.Variable(1.0).trainable and nf.Variable(1.0).name == "Variable:0"
    np.testing.assert_array_equal(nf.Variable(lambda: nf.ones([2])).numpy(), [1, 1])
    np.testing.assert_array_equal(nf.Variable(nf.Variable([3])).numpy(), [3])
    with pytest.raises(AttributeError):
        v.trainable = True


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "initial_value is missing"),
        ({"initial_value": [[1, 2], [3]]}, ValueError, "non-rectangular"),
        ({"initial_value": [1.5], "dtype": nf.int32}, TypeError, "int32"),
        ({"initial_value": 1.0, "constraint": 3}, ValueError, "constraint is 3"),
        ({"initial_value": nf.constant(1.0), "dtype": nf.float64}, ValueError, "requested dtype float64"),
        ({"initial_value": [1.0, 2.0], "shape": (2, 2)}, ValueError, r"initial_value has shape \(2,\)"),
        ({"initial_value": [[1.0]], "shape": (None, 4)}, ValueError, r"not compatible with \(None, 4\)"),
    ],
)
def test_bad_initial_values(arguments, error, message):
    with pytest.raises(error, match=message):
        nf.Variable(**arguments)


def test_assignment():
    v = nf.Variable([1.0, 2.0, 3.0])
    assert v.assign([4, 5, 6]) is v
    assert v.assign_add([1.0, 1.0, 1.0]) is v and v.assign_sub(nf.constant([1.0, 2.0, 3.0])) is v
    np.testing.assert_array_equal(v.numpy(), [4, 4, 4])
    for result in (
        v.assign([1.0, 2.0, 3.0], read_value=False),
        v.assign_add([1.0, 2.0, 3.0], read_value=False),
        v.assign_sub([1.0, 2.0, 3.0], read_value=False),
        v[:1].assign([5.0], read_value=False),
    ):
        assert result is None
    np.testing.assert_array_equal(v.numpy(), [5, 2, 3])
    assert float(nf.Variable(1.0).assign(5.0).assign_add(1.0)) == 6
    v.assign(v[::-1])
    v.assign_add(v)
    np.testing.assert_array_equal(v.numpy(), [6, 4, 10])
    m = nf.Variable([[1, 2], [3, 4]])
    m.assign(nf.transpose(m))
    np.testing.assert_array_equal(m.numpy(), [[1, 3], [2, 4]])


@pytest.mark.parametrize(
    ("method", "value", "error", "message"),
    [
        (
            "assign",
            [1.0, 2.0, 3.0],
            ValueError,
            r"assign: cannot assign value of shape \(3,\) to Variable 'w:0' of shape \(2,\)",
        ),
        ("assign", 3.0, ValueError, r"shape \(\)"),
        ("assign", nf.constant([1, 2]), ValueError, "'w:0' is float32 and value is int32; use nf.cast"),
        ("assign", nf.constant([1.0, 2.0], nf.float64), ValueError, "value is float64"),
        ("assign", None, ValueError, "None"),
        ("assign", "a", ValueError, "'a'"),
        (
            "assign_add",
            [1.0, 2.0, 3.0],
            InvalidArgumentError,
            r"assign_add: Variable 'w:0' has shape \(2,\) and delta \(3,\)",
        ),
        ("assign_add", 1.0, InvalidArgumentError, r"delta \(\); they must be equal"),
        (
            "assign_sub",
            [[1.0, 2.0]],
            InvalidArgumentError,
            r"assign_sub: Variable 'w:0' has shape \(2,\) and delta \(1, 2\)",
        ),
    ],
)
def test_bad_assignments(method, value, error, message):
    v = nf.Variable([1.0, 2.0], name="w")
    with pytest.raises(error, match=message):
        getattr(v, method)(value)
    with pytest.raises(error, match=message):
        nf.function(lambda: getattr(v, method)(value))()
    np.testing.assert_array_equal(v.numpy(), [1, 2])


def test_kinds_of_numbers_that_do_not_fit():
    v = nf.Variable([1, 2], name="n")
    for call in (lambda: v.assign([1.5, 2]), lambda: v.assign_add([1.5, 2]), lambda: v[0].assign(1.5)):
        with pytest.raises(TypeError, match="'n:0' is int32 and .* float32"):
            call()
    with pytest.raises(InvalidArgumentError, match="add: x has dtype bool"):
        nf.Variable([True]).assign_add([True])


def test_augmented_assignment_is_not_assignment():
    for sign in ("+", "-", "*", "/", "**"):
        with pytest.raises(
            RuntimeError, match=f"variable {sign.replace('*', '[*]').replace('+', '[+]')}= value is not supported"
        ):
            exec(f"v {sign}= 1.0", {"v": nf.Variable(1.0)})
    with pytest.raises(TypeError):
        nf.Variable([1.0])[0] = 2.0


SLICES = [
    (1, 10.0), (slice(6, 9), [1.0, 2.0, 3.0]), (slice(None, None, -1), np.arange(10.0)), (slice(None), 5.0),
    (slice(1, 8, 3), [7, 8, 9]), (-1, 4.0), (slice(3, 3), []), (..., 2.0),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), SLICES, ids=repr)
def test_slices_are_assigned(key, value):
    wanted = np.zeros(10, np.float32)
    wanted[key] = value
    eager, traced = nf.Variable(nf.zeros([10])), nf.Variable(nf.zeros([10]))
    before = eager.value()
    assert eager[key].assign(value) is eager
    nf.function(lambda: traced[key].assign(value))()
    np.testing.assert_array_equal(eager.numpy(), wanted)
    np.testing.assert_array_equal(traced.numpy(), wanted)
    np.testing.assert_array_equal(before.numpy(), np.zeros(10))
    eager[key].assign_add(nf.cast(value, nf.float32))
    np.testing.assert_array_equal(eager.numpy(), 2 * wanted)
    eager[key].assign_sub(nf.cast(value, nf.float32))
    np.testing.assert_array_equal(eager.numpy(), wanted)


def test_slices_of_matrices():
    v = nf.Variable(nf.zeros([3, 4]))
    v[1:, ::2].assign([[1, 2], [3, 4]])
    v[0].assign(nf.range(4.0))
    v[..., 1].assign(9.0)
    np.testing.assert_array_equal(v.numpy(), [[0, 9, 2, 3], [1, 9, 2, 0], [3, 9, 4, 0]])
    for key, value in ((slice(1, 3), [1.0, 2.0, 3.0]), (0, [[1.0, 2.0, 3.0, 4.0]] * 2)):
        with pytest.raises(InvalidArgumentError, match="assign to a slice: value of shape .* does not broadcast"):
            v[key].assign(value)
    with pytest.raises(InvalidArgumentError, match="out of bounds"):
        v[9].assign(1.0)
    with pytest.raises(InvalidArgumentError, match="indices must be Python integers"):
        nf.function(lambda i: v[i].assign(1.0))(nf.constant(1))


def test_a_slice_is_a_tensor():
    v = nf.Variable([1.0, 2.0])
    part = v[0]
    assert (
        isinstance(part, nf.Tensor) and float(part) == 1 and part.shape == [] and repr(part).startswith("<nf.Tensor:")
    )
    np.testing.assert_array_equal([part + 1, 2 * part, part * v[1], np.float32(3) - part], [2, 2, 2, 2])
    v.assign([5.0, 5.0])
    assert float(part) == 1
    twice = nf.function(lambda x: x * 2)
    assert float(twice(v[1])) == 10
    with nf.GradientTape() as tape:
        y = v[0] * v[0] * 3 + v[1]
    np.testing.assert_array_equal(tape.gradient(y, v), [30, 1])


def test_partly_unknown_shapes():
    v = nf.Variable(nf.zeros([2, 5]), shape=nf.TensorShape((None, 5)))
    assert v.shape == [None, 5] and v.value().shape == [2, 5]
    v.assign(nf.ones([3, 5]))
    assert v.numpy().shape == (3, 5) and nf.shape(v).numpy().tolist() == [3, 5]
    v.assign_add(nf.ones([3, 5]))
    assert float(nf.reduce_sum(v)) == 30
    with pytest.raises(ValueError, match=r"\(3, 4\) to Variable 'Variable:0' of shape \(None, 5\)"):
        v.assign(nf.ones([3, 4]))
    with pytest.raises(InvalidArgumentError, match="they must be equal"):
        v.assign_add(nf.ones([1, 5]))
    anything = nf.Variable([1.0], shape=nf.TensorShape(None))
    anything.assign([[1.0, 2.0]])
    assert anything.numpy().shape == (1, 2)


def views(v):
    """Tensors that may share the Variable's memory."""
    return {
        "value": v.value(), "read_value": v.read_value(), "convert": nf.convert_to_tensor(v), "slice": v[1:],
        "reshape": nf.reshape(v, [2, -1]), "reverse": v[::-1], "transpose": nf.transpose(nf.reshape(v, [2, -1])),
        "identity": nf.identity(v), "element": v[1], "twin": nf.Variable(v), "broadcast": nf.broadcast_to(v[:1], [3]),
        "array": np.asarray(v), "slice of value": v.value()[:2],
    }  # fmt: skip


UPDATES = {
    "assign": lambda v: v.assign(v * 10.0),
    "assign_add": lambda v: v.assign_add(v),
    "slice": lambda v: v[0].assign(7.0),
    "function": nf.function(lambda v: v.assign(v * 10.0)),
    "function add": nf.function(lambda v: v.assign_add(v * 3.0)),
    "function slice": nf.function(lambda v: v[1:].assign(5.0)),
}


@pytest.mark.parametrize("size", [4, 40_000])
@pytest.mark.parametrize("update", UPDATES)
def test_what_was_read_keeps_its_value(update, size):
    v = nf.Variable(nf.range(float(size)))
    for name in views(v):
        v.assign(nf.range(float(size)))
        held = views(v)[name]
        wanted = np.array(held)
        for _ in range(2):
            UPDATES[update](v)
        np.testing.assert_array_equal(held, wanted, err_msg=name)
        assert not np.array_equal(v.numpy(), np.arange(size))


def test_memory_is_updated_in_place_when_nobody_looks():
    v = nf.Variable(nf.zeros([100_000]))
    step = nf.function(lambda: v.assign_add(nf.ones([100_000])))
    step()
    address = v.value()._ptr
    for _ in range(3):
        step()
    assert v.value()._ptr == address
    held = v.value()
    step()
    assert v.value()._ptr != address and float(held[0]) == 4 and float(v[0]) == 5


def test_what_tapes_constants_and_closures_hold():
    v = nf.Variable([1.0, 2.0, 3.0])
    step = nf.function(lambda: v.assign(v * 10.0))
    square = nf.function(lambda: v * v)
    with nf.GradientTape() as eager:
        y = v * v
    with nf.GradientTape() as traced:
        z = square()
    captured = v.value()
    add = nf.function(lambda: captured + 0.0)
    add()
    step()
    np.testing.assert_array_equal(eager.gradient(y, v), [2, 4, 6])
    np.testing.assert_array_equal(traced.gradient(z, v), [2, 4, 6])
    np.testing.assert_array_equal(add(), [1, 2, 3])
    np.testing.assert_array_equal(v.numpy(), [10, 20, 30])


def test_the_value_that_was_assigned_is_not_changed():
    v, w = nf.Variable([1.0, 2.0]), nf.Variable([3.0, 4.0])
    c = nf.constant([5.0, 6.0])
    v.assign(w)
    w.assign(c)
    for changed in (v, w):
        nf.function(lambda t=changed: t.assign_add([1.0, 1.0]))()
    np.testing.assert_array_equal([v.numpy(), w.numpy(), c.numpy()], [[4, 5], [6, 7], [5, 6]])


def test_copies_and_pickles():
    v = nf.Variable([[1.0, 2.0]], name="q", trainable=False, shape=nf.TensorShape((None, 2)))
    for twin in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert (twin.name, twin.trainable, twin.shape) == (v.name, False, [None, 2])
        twin.assign([[5.0, 5.0]])
        np.testing.assert_array_equal(v.numpy(), [[1, 2]])
    assert copy.copy(v) is v


def test_reference_and_hash():
    v = nf.Variable([1.0])
    assert v.ref() == v.ref() and v.ref().deref() is v and {v.ref(): 1}[v.ref()] == 1
    with pytest.raises(TypeError, match="Variable is unhashable"):
        hash(v)
    a, b = nf.Variable(1.0), nf.Variable(2.0)
    assert b not in [a] and a in [b, a]


def test_reading_while_iterating():
    v = nf.Variable([1.0, 2.0])
    rows = iter(v)
    next(rows)
    v.assign([7.0, 7.0])
    assert float(next(rows)) == 2
