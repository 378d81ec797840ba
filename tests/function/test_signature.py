"""input_signature: one trace for tensors of unknown sizes."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError

ANY = nf.TensorSpec([None], nf.float32)
ROWS = nf.TensorSpec([None, 3], nf.float32)
TABLE = nf.TensorSpec([None, None], nf.float32)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


CASES = {
    "sum": (lambda x: nf.reduce_sum(x), lambda a: a.sum()),
    "mean": (lambda x: nf.reduce_mean(x, 0), lambda a: a.mean(0)),
    "max": (lambda x: nf.reduce_max(x, 1), lambda a: a.max(1)),
    "argmax": (lambda x: nf.argmax(x, 1), lambda a: a.argmax(1)),
    "center": (lambda x: x - nf.reduce_mean(x, 0), lambda a: a - a.mean(0)),
    "rows": (lambda x: x / nf.reduce_sum(x, 1, keepdims=True), lambda a: a / a.sum(1, keepdims=True)),
    "flat": (lambda x: nf.reshape(x, [-1]), lambda a: a.reshape(-1)),
    "column": (lambda x: nf.reshape(x, [-1, 1]), lambda a: a.reshape(-1, 1)),
    "by shape": (lambda x: nf.reshape(x, [nf.shape(x)[1], nf.shape(x)[0]]), lambda a: a.reshape(a.shape[::-1])),
    "product": (lambda x: nf.reshape(x, [nf.shape(x)[0] * nf.shape(x)[1]]), lambda a: a.reshape(-1)),
    "shape": (lambda x: nf.shape(x), lambda a: a.shape),
    "size": (lambda x: nf.size(x), lambda a: a.size),
    "rank": (lambda x: nf.rank(x), lambda a: a.ndim),
    "scaled": (lambda x: x * nf.cast(nf.shape(x)[0], nf.float32), lambda a: a * len(a)),
    "transpose": (lambda x: nf.transpose(x), lambda a: a.T),
    "gram": (lambda x: nf.matmul(x, x, transpose_b=True), lambda a: a @ a.T),
    "softmax": (lambda x: nf.nn.softmax(x), softmax),
    "zeros": (lambda x: nf.zeros_like(x) + nf.zeros(nf.shape(x)), lambda a: 0 * a),
    "fill": (lambda x: nf.fill([nf.shape(x)[0]], 2.0), lambda a: np.full(len(a), 2.0)),
    "broadcast": (lambda x: nf.broadcast_to(x[:, :1], nf.shape(x)), lambda a: np.broadcast_to(a[:, :1], a.shape)),
    "expand": (lambda x: nf.expand_dims(x, 1), lambda a: a[:, None]),
    "squeeze": (lambda x: nf.squeeze(nf.expand_dims(x, 1), 1), lambda a: a),
    "stack": (lambda x: nf.stack([x, x + 1], 1), lambda a: np.stack([a, a + 1], 1)),
    "concat": (lambda x: nf.concat([x, x[:, :1]], 1), lambda a: np.concatenate([a, a[:, :1]], 1)),
    "concat rows": (lambda x: nf.concat([x, x], 0), lambda a: np.concatenate([a, a])),
    "gather": (lambda x: nf.gather(x, [0, 0]), lambda a: a[[0, 0]]),
    "one hot": (lambda x: nf.one_hot(nf.argmax(x, 1), 3), lambda a: np.eye(3)[a.argmax(1)]),
    "where": (lambda x: nf.where(x > 0.5, x, 0.0), lambda a: np.where(a > 0.5, a, 0)),
    "range": (lambda x: nf.range(nf.shape(x)[0]), lambda a: np.arange(len(a))),
    "range step": (lambda x: nf.range(1, nf.shape(x)[0], 2), lambda a: np.arange(1, len(a), 2)),
    "difference": (lambda x: x[1:] - x[:-1], lambda a: np.diff(a, axis=0)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("spec", [ROWS, TABLE], ids=["rows", "table"])
def test_unknown_sizes(case, spec):
    call, wanted = CASES[case]
    traces = []

    def body(x):
        traces.append(1)
        return call(x)

    f = nf.function(body, input_signature=[spec])
    for rows in (2, 1, 5):
        a = np.random.default_rng(rows).random((rows, 3), np.float32)
        np.testing.assert_allclose(f(a).numpy(), wanted(a), rtol=1e-5, atol=1e-6)
    assert len(traces) == 1


def test_a_training_step_of_any_batch_size():
    w = nf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3) / 10)
    optimizer = nf.optimizers.SGD(0.1)

    def step(x, labels):
        with nf.GradientTape() as tape:
            losses = nf.nn.sparse_softmax_cross_entropy_with_logits(labels, x @ w)
            loss = nf.reduce_mean(losses)
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        return loss

    specs = [nf.TensorSpec([None, 4], nf.float32), nf.TensorSpec([None], nf.int32)]
    fast, losses = nf.function(step, input_signature=specs), {}
    batches = [(np.full((n, 4), 0.5, np.float32), np.arange(n) % 3) for n in (2, 5, 1, 3)]
    for name, function in (("traced", fast), ("eager", step)):
        w.assign(np.arange(12, dtype=np.float32).reshape(4, 3) / 10)
        losses[name] = [float(function(x, nf.constant(y, nf.int32))) for x, y in batches]
    np.testing.assert_allclose(losses["traced"], losses["eager"], rtol=1e-6)
    assert fast.experimental_get_tracing_count() == 1


def test_sizes_that_meet_at_run_time():
    f = nf.function(lambda x, y: x + y, input_signature=[ANY, ANY])
    assert f([1.0, 2.0], [3.0, 4.0]).numpy().tolist() == [4, 6]
    assert f([1.0, 2.0], [3.0]).numpy().tolist() == [4, 5]
    with pytest.raises(InvalidArgumentError, match=r"add: shapes \(2,\) and \(3,\)"):
        f([1.0, 2.0], [1.0, 2.0, 3.0])
    join = nf.function(lambda x, y: nf.concat([x, y], 1), input_signature=[ROWS, ROWS])
    assert join(np.zeros((2, 3)), np.zeros((2, 3))).shape == [2, 6]
    with pytest.raises(InvalidArgumentError, match="concat: values.0. has shape"):
        join(np.zeros((2, 3)), np.zeros((1, 3)))
    pairs = nf.function(lambda x: nf.reshape(x, [-1, 2]), input_signature=[ROWS])
    assert pairs(np.zeros((2, 3))).shape == [3, 2]
    with pytest.raises(InvalidArgumentError, match="reshape: tensor has 3 elements"):
        pairs(np.zeros((1, 3)))


def test_what_a_trace_knows_of_sizes():
    seen = []
    f = nf.function(lambda x: seen.append((x.shape, repr(x))), input_signature=[ROWS])
    f(np.zeros((2, 3)))
    assert seen == [([None, 3], "<nf.Tensor (symbolic): shape=(None, 3), dtype=float32>")]
    for use, message in (
        (lambda x: len(x), r"len\(\) of a tensor of shape \(None, 3\)"),
        (lambda x: list(x), "Cannot iterate over a tensor of shape"),
        (lambda x: nf.zeros([x.shape[0]]), "zeros: shape is .None."),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            nf.function(lambda x, use=use: use(x), input_signature=[ROWS], autograph=False)(np.zeros((2, 3)))


def test_a_new_batch_size_compiles_no_new_kernel():
    f = nf.function(lambda x: nf.nn.softmax(nf.sigmoid(x) @ nf.ones([3, 4])) + nf.reduce_mean(x))
    for rows in (100, 64, 7, 1000):
        f(nf.ones([rows, 3]))
    names = {frozenset(k.name for k in p.kernels) for c in f._concrete.values() for p in c.programs}
    assert f.experimental_get_tracing_count() == 3 and len(names) == 1 and names.pop()


def test_arguments_against_the_signature():
    f = nf.function(
        lambda x, y: x - y, input_signature=[nf.TensorSpec([], nf.float32), nf.TensorSpec([], nf.float32, "y")]
    )
    assert [float(f(3, 1)), float(f(y=nf.constant(1.0), x=5.0)), float(f(np.float64(3), nf.Variable(1.0)))] == [2, 4, 2]
    for wrong, message in (
        (lambda: f([1.0], 2.0), r"argument 0 has shape \(1,\)"),
        (lambda: f(1.0, nf.constant(2)), "argument y has shape .* dtype int32"),
        (lambda: f(1.0), "do not have the structure"),
        (lambda: f(1.0, 2.0, 3.0), r"<lambda>\(x, y\): too many positional arguments"),
    ):
        with pytest.raises(TypeError, match=message):
            wrong()


def test_signatures():
    assert float(nf.function(lambda: 1.0, input_signature=[])()) == 1
    assert float(nf.function(lambda x, k=3.0: x + k, input_signature=[nf.TensorSpec([])])(1.0)) == 4
    nested = nf.function(lambda d: d["a"] * d["b"][0], input_signature=[{"a": ANY, "b": [nf.TensorSpec([])]}])
    assert nested({"a": [1.0, 2.0], "b": [3.0]}).numpy().tolist() == [3, 6]
    for bad in ([3], [nf.float32], [None], 3):
        with pytest.raises(TypeError, match="input_signature"):
            nf.function(lambda x: x, input_signature=bad)


def test_any_rank():
    f = nf.function(lambda x: nf.reduce_sum(x) + nf.rank(x), input_signature=[nf.TensorSpec(None, nf.int32)])
    assert [int(f(x)) for x in (3, [1, 2], [4, 5, 6], [[1]])] == [3, 4, 16, 3]
    assert f.experimental_get_tracing_count() == 3
    with pytest.raises(InvalidArgumentError, match="has no rank to trace for"):
        f.get_concrete_function()


def test_arguments_that_the_signature_leaves_out():
    f = nf.function(lambda x, k=2.0, *, flip=False: -x * k if flip else x * k, input_signature=[nf.TensorSpec([])])
    assert [float(f(1.0)), float(f(1.0, 2.0)), float(f(1.0, flip=False)), float(f(x=1.0, k=2.0))] == [2, 2, 2, 2]
    for wrong in (lambda: f(1.0, 3.0), lambda: f(1.0, flip=True)):
        with pytest.raises(TypeError, match="the input_signature describes the first 1 arguments"):
            wrong()


def test_tensor_specs():
    spec = nf.TensorSpec([None, 3], "int32", name="n")
    assert repr(spec) == "TensorSpec(shape=(None, 3), dtype=nf.int32, name='n')"
    assert spec == nf.TensorSpec((None, 3), nf.int32) and hash(spec) == hash(nf.TensorSpec((None, 3), nf.int32))
    assert spec != nf.TensorSpec((None, 3)) and spec.is_compatible_with(nf.ones([5, 3], nf.int32))
    assert not spec.is_compatible_with(nf.ones([5, 3])) and not spec.is_compatible_with(nf.ones([5, 4], nf.int32))
    assert nf.TensorSpec.from_tensor(nf.ones([2])) == nf.TensorSpec([2])
    assert nf.TensorSpec.from_spec(spec, "m").name == "m" and nf.TensorSpec(None).is_compatible_with(nf.ones([2, 3]))
