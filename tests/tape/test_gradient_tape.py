"""GradientTape: what is watched, what gradients are, and TensorFlow's errors for misuse."""

from collections import namedtuple

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError


def test_trainable_variables_are_watched():
    x, w, frozen = nf.Variable(3.0), nf.Variable(2.0), nf.Variable(1.0, trainable=False)
    with nf.GradientTape() as tape:
        y = w * x + frozen
    assert {v.ref() for v in tape.watched_variables()} == {x.ref(), w.ref()}
    assert [None if g is None else float(g) for g in tape.gradient(y, [x, w, frozen])] == [2, 3, None]


def test_constants_are_watched_when_asked():
    x, z = nf.constant(3.0), nf.constant(3.0)
    with nf.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x) is None
    with nf.GradientTape() as tape:
        tape.watch([z, {"x": (x,)}])
        y = x * x * z
    assert [float(g) for g in tape.gradient(y, [x, z])] == [18, 9]
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = x
    assert float(tape.gradient(y, x)) == 1


def test_variables_watched_by_hand():
    x, frozen = nf.Variable(3.0), nf.Variable(2.0, trainable=False)
    with nf.GradientTape(watch_accessed_variables=False) as tape:
        y = x * frozen
    assert tape.gradient(y, [x, frozen]) == [None, None]
    with nf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(frozen)
        y = x * frozen
    gradients = tape.gradient(y, [x, frozen])
    assert gradients[0] is None and float(gradients[1]) == 3


@pytest.mark.parametrize(
    "same",
    [
        lambda x: nf.identity(x),
        lambda x: nf.reshape(x, [2]),
        lambda x: x[:],
        lambda x: nf.broadcast_to(x, [2]),
        lambda x: nf.transpose(nf.expand_dims(x, 0))[:, 0],
    ],
)
def test_tensors_that_share_memory_are_different_tensors(same):
    x = nf.constant([1.0, 2.0])
    with nf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = same(x)
        z = nf.reduce_sum(x * y)
    np.testing.assert_array_equal(tape.gradient(z, x), [2, 4])
    if y is not x:
        np.testing.assert_array_equal(tape.gradient(z, y), [1, 2])


def test_persistent_and_not():
    x = nf.Variable(3.0)
    with nf.GradientTape(persistent=True) as tape:
        y = x * x
        z = y * y
    assert [float(tape.gradient(*pair)) for pair in ((y, x), (z, x), (z, y))] == [6, 108, 18]
    with nf.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    for call in (tape.gradient, tape.jacobian):
        with pytest.raises(RuntimeError, match="A non-persistent GradientTape can only be used to compute one set of"):
            call(y, x)
    with pytest.raises(RuntimeError):
        nf.GradientTape().gradient(y, x)


def test_nested_tapes_to_third_order():
    x = nf.constant(2.0)
    with nf.GradientTape() as third:
        third.watch(x)
        with nf.GradientTape() as second:
            second.watch(x)
            with nf.GradientTape() as first:
                first.watch(x)
                y = x**4
            g1 = first.gradient(y, x)
        g2 = second.gradient(g1, x)
    g3 = third.gradient(g2, x)
    assert [float(g) for g in (g1, g2, g3)] == [32, 48, 48]


def test_gradient_within_its_own_block():
    x = nf.Variable(3.0)
    with nf.GradientTape() as tape:
        y = x * x
        g = tape.gradient(y, x)
        z = y * x
    assert float(g) == 6
    with pytest.raises(RuntimeError):
        tape.gradient(z, x)
    with nf.GradientTape(persistent=True) as tape:
        y = x * x
        g = tape.gradient(y, x)
        z = g * x
    assert float(tape.gradient(z, x)) == 12


def test_stop_recording_reset_and_reentry():
    x = nf.Variable(3.0)
    with nf.GradientTape() as tape:
        y = x * x
        with tape.stop_recording():
            z = x * 2.0
        w = y + z
    assert float(tape.gradient(w, x)) == 6
    with nf.GradientTape() as tape:
        y = x * x
        tape.reset()
        z = x * 2.0 + y
    assert float(tape.gradient(z, x)) == 2
    with pytest.raises(RuntimeError, match="not recording"), nf.GradientTape().stop_recording():
        pass
    tape = nf.GradientTape()
    with tape:
        y = x * x
    with tape:
        z = y * x
    assert float(tape.gradient(z, x)) == 27
    with tape, pytest.raises(ValueError, match="re-enter an already-active tape"), tape:
        pass


def test_structures():
    x, w = nf.Variable(3.0), nf.Variable(2.0)
    pair = namedtuple("pair", "a b")

    def gradient(target, sources, **options):
        with nf.GradientTape() as tape:
            y, z = w * x, x * x
        return tape.gradient(target(y, z), sources, **options)

    found = gradient(lambda y, z: y, {"a": x, "b": (w, [x])})
    assert float(found["a"]) == 2 and float(found["b"][0]) == 3 and float(found["b"][1][0]) == 2
    found = gradient(lambda y, z: y, pair(x, w))
    assert type(found) is pair and float(found.b) == 3
    assert float(gradient(lambda y, z: [y, {"z": z}], x)) == 8
    assert gradient(lambda y, z: y, []) == []
    assert [float(g) for g in gradient(lambda y, z: (y, y), (x, w))] == [4, 6]


def test_output_gradients():
    x = nf.Variable([3.0, 1.0])

    def gradient(target, given):
        with nf.GradientTape() as tape:
            y, z = x * x, x * 3.0
        return tape.gradient(target(y, z), x, output_gradients=given).numpy().tolist()

    assert gradient(lambda y, z: y, nf.constant([1.0, 10.0])) == [6, 20]
    assert gradient(lambda y, z: y, np.array([1.0, 10.0])) == [6, 20]
    assert gradient(lambda y, z: y, [1.0, 10.0]) == [6, 20]
    assert gradient(lambda y, z: [y, z], [nf.constant([1.0, 10.0]), nf.constant([2.0, 2.0])]) == [12, 26]
    assert gradient(lambda y, z: [y, z], [None, nf.constant([2.0, 2.0])]) == [12, 8]
    with pytest.raises(InvalidArgumentError, match=r"output_gradients has shape \(3,\) for a target of shape \(2,\)"):
        gradient(lambda y, z: y, nf.constant([1.0, 10.0, 3.0]))
    with pytest.raises(ValueError, match="output_gradients has 3 tensors and target 2"):
        gradient(lambda y, z: [y, z], [1.0, 2.0, 3.0])


def test_unconnected():
    x, w = nf.Variable(3.0), nf.Variable([2.0, 1.0])

    def gradient(**options):
        with nf.GradientTape() as tape:
            y = x * x
        return tape.gradient(y, [x, w], **options)

    assert gradient()[1] is None
    for zero in (nf.UnconnectedGradients.ZERO, "zero"):
        assert gradient(unconnected_gradients=zero)[1].numpy().tolist() == [0, 0]
    with pytest.raises(ValueError, match="Unknown value for unconnected_gradients: 'nonsense'"):
        gradient(unconnected_gradients="nonsense")


@pytest.mark.parametrize(
    ("target", "sources", "error"),
    [
        ("y", 3.0, ValueError),
        ("y", None, TypeError),
        ("y", ["x", None], TypeError),
        (5.0, "x", ValueError),
        (None, "x", TypeError),
        (["y", None], "x", TypeError),
        (np.float32(2), "x", ValueError),
    ],
)
def test_what_has_no_gradient(target, sources, error):
    x = nf.Variable(3.0)
    with nf.GradientTape() as tape:
        known = {"x": x, "y": x * x}

    def put(value):
        return (
            [put(v) for v in value]
            if isinstance(value, list)
            else known.get(value, value)
            if isinstance(value, str)
            else value
        )

    with pytest.raises(error, match="gradient: (target|sources) holds"):
        tape.gradient(put(target), put(sources))
    assert float(tape.gradient(known["y"], x)) == 6  # the tape is not used up


def test_watching_takes_tensors():
    with nf.GradientTape() as tape:
        for value, error in (
            (3.0, ValueError),
            ("a", ValueError),
            (None, ValueError),
            ([nf.constant(1.0), 2], ValueError),
        ):
            with pytest.raises(error, match="watch: tensor holds"):
                tape.watch(value)


def test_integers_have_no_gradient():
    v, c = nf.Variable(3), nf.constant(3)
    with nf.GradientTape(persistent=True) as tape:
        tape.watch(c)
        y = nf.cast(v, nf.float32) * 2.0
        z = c * c
    assert tape.gradient(y, v) is None and tape.gradient(z, c) is None
    x = nf.Variable(2.5)
    with nf.GradientTape(persistent=True) as tape:
        wide = nf.cast(x, nf.float64) * 2.0
        whole = nf.cast(nf.cast(x, nf.int32), nf.float32) * x
        picked = nf.argmax([x, 2 * x])
        truth = x > 2.0
    gradient = tape.gradient(wide, x)
    assert gradient.dtype == nf.float32 and float(gradient) == 2
    assert float(tape.gradient(whole, x)) == 2
    assert tape.gradient(picked, x) is None and tape.gradient(truth, x) is None


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (lambda x: nf.stop_gradient(x * x) * x, 9),
        (lambda x: nf.stop_gradient(x), None),
        (lambda x: nf.floor(x) + nf.round(x), None),
        (lambda x: nf.floor(x) * x, 3),
        (lambda x: nf.sign(x), 0),
        (lambda x: nf.zeros_like(x) + nf.ones_like(x), None),
        (lambda x: nf.constant(np.square(x)), None),
        (lambda x: nf.convert_to_tensor([x, x * 2.0]), 3),
        (lambda x: nf.constant([1.0, 2.0]) * [x, 2.0], 1),
        (lambda x: np.float32(2) * x, 2),
        (lambda x: x.value(), 1),
        (lambda x: x, 1),
        (lambda x: sum(v * v for v in nf.stack([x, x])), 12),
    ],
)
def test_where_gradients_flow(function, wanted):
    x = nf.Variable(3.0)
    with nf.GradientTape() as tape:
        y = function(x)
    gradient = tape.gradient(y, x)
    assert gradient is None if wanted is None else float(gradient) == wanted


def test_variables_that_change_on_the_way():
    x, u = nf.Variable(3.0), nf.constant(2.0)
    with nf.GradientTape(persistent=True) as tape:
        tape.watch(u)
        y = x * x
        x.assign(u * 5.0)
        z = y + x * 2.0
        x.assign_add(u)
        w = z + x * x
    assert float(tape.gradient(y, x)) == 6
    assert float(tape.gradient(z, x)) == 8
    assert float(tape.gradient(w, x)) == 8 + 24
    assert tape.gradient(w, u) is None  # assignments pass no gradient on, as in TensorFlow


def test_a_tape_that_is_dropped_frees_what_it_holds():
    import gc
    import weakref

    x = nf.Variable(nf.ones([10]))
    with nf.GradientTape() as tape:
        y = x * x
        held = weakref.ref(x * 3.0)
    assert held() is not None
    tape.gradient(y, x)
    gc.collect()
    assert held() is None


def test_jacobian():
    x, w = nf.Variable([1.0, 2.0]), nf.Variable(2.0)

    def jacobian(function, sources, **options):
        with nf.GradientTape() as tape:
            y = function()
        return tape.jacobian(y, sources, **options)

    np.testing.assert_array_equal(jacobian(lambda: x * x, x), [[2, 0], [0, 4]])
    found = jacobian(lambda: x * w, {"x": x, "w": w})
    np.testing.assert_array_equal(found["x"], [[2, 0], [0, 2]])
    np.testing.assert_array_equal(found["w"], [1, 2])
    assert jacobian(lambda: x * x, [x, w])[1] is None
    assert jacobian(lambda: x * x, [x, w], unconnected_gradients="zero")[1].numpy().tolist() == [0, 0]
    assert float(jacobian(lambda: w * w, w)) == 4
    m = nf.Variable([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(jacobian(lambda: nf.reduce_sum(m * m, 1), m), [[[2, 4], [0, 0]], [[0, 0], [6, 8]]])
    with pytest.raises(TypeError, match="jacobian: target is .* it takes one tensor"):
        jacobian(lambda: [x * x, x], x)


def test_hessian():
    x = nf.Variable([1.0, 2.0])
    with nf.GradientTape() as outer:
        with nf.GradientTape() as inner:
            y = nf.reduce_sum(x**3) + x[0] * x[1]
        g = inner.gradient(y, x)
    np.testing.assert_allclose(outer.jacobian(g, x), [[6, 1], [1, 12]], rtol=1e-6)


def test_batch_jacobian():
    x = nf.constant([[1.0, 2.0], [3.0, 4.0]])

    def batch_jacobian(function, **options):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = function()
        return tape.batch_jacobian(y, x, **options)

    np.testing.assert_array_equal(batch_jacobian(lambda: x * x), [[[2, 0], [0, 4]], [[6, 0], [0, 8]]])
    np.testing.assert_array_equal(batch_jacobian(lambda: nf.reduce_sum(x * x, 1, keepdims=True)), [[[2, 4]], [[6, 8]]])
    assert batch_jacobian(lambda: nf.reshape(x * x, [2, 2, 1])).shape == [2, 2, 1, 2]
    np.testing.assert_array_equal(batch_jacobian(lambda: nf.ones([2, 3])), np.zeros((2, 3, 2)))
    for bad in (lambda: x[:1] * 2.0, lambda: nf.reduce_sum(x)):
        with pytest.raises(ValueError, match="Need first dimension of target shape"):
            batch_jacobian(bad)
