"""Bad calls raise one error, of TensorFlow's class, that names the op and what was wrong."""

import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError, InvalidDTypeError, UnimplementedError

I, V, T = InvalidArgumentError, ValueError, TypeError
M = nf.zeros([2, 3])
X = nf.zeros([2])
C = nf.zeros([3])
N = nf.constant([1, 2])
Q = nf.zeros([2, 4])

CALLS = [
    # shapes
    (lambda: nf.reshape(M, [4, 2]), I, r"reshape: tensor has 6 elements \(shape \(2, 3\)\)"),
    (lambda: nf.reshape(M, [-1, -1]), I, r"reshape: shape \[-1, -1\] has more than one -1"),
    (lambda: nf.reshape(M, [-2, 3]), I, "reshape: shape .* negative size"),
    (lambda: nf.reshape(M, [4, -1]), I, "reshape: tensor has 6 elements"),
    (lambda: nf.reshape(M, None), V, "reshape: shape is None"),
    (lambda: nf.reshape(M, [2.0, 3]), I, "reshape: shape is"),
    (lambda: nf.reshape(M, "a"), I, "reshape: shape is 'a'"),
    (lambda: nf.reshape(None, [2]), V, "reshape: tensor: .*None"),
    (lambda: nf.transpose(M, [0, 0]), I, r"transpose: perm \[0, 0\] is no permutation of the 2 axes"),
    (lambda: nf.transpose(M, [0]), I, "transpose: perm"),
    (lambda: nf.transpose(M, 5), I, "transpose: perm"),
    (lambda: nf.squeeze(M, 0), I, "squeeze: axis 0 of input has size 2"),
    (lambda: nf.squeeze(M, 5), I, "squeeze: axis 5 is out of range for rank 2"),
    (lambda: nf.expand_dims(M, 4), I, "expand_dims: axis 4 is out of range"),
    (lambda: nf.expand_dims(M, None), V, "expand_dims: axis must be an integer, got None"),
    (lambda: nf.broadcast_to(M, [2, 4]), I, r"broadcast_to: input of shape \(2, 3\) does not stretch to \(2, 4\)"),
    (lambda: nf.broadcast_to(M, [3]), I, "broadcast_to: input"),
    (lambda: nf.zeros([-1]), I, "zeros: shape has size -1"),
    (lambda: nf.zeros(None), V, "zeros: shape is None"),
    (lambda: nf.ones([2.5]), V, "ones: shape is .2.5."),
    (lambda: nf.fill([2], [1, 2]), I, r"fill: value has shape \(2,\); it takes a scalar"),
    (lambda: nf.fill([-2], 1), I, "fill: dims has size -2"),
    (lambda: nf.eye(-1), I, "eye: num_rows or num_columns has size -1"),
    (lambda: nf.constant([1, 2, 3], shape=(2, 2)), T, "constant: value has 3 elements"),
    # joining and indexing
    (lambda: nf.concat([M, nf.zeros([3, 2])], 0), I, r"concat: values\[0\] has shape \(2, 3\) and values\[1\]"),
    (lambda: nf.concat([X, N], 0), I, r"concat: values\[0\] is float32 and values\[1\] is int32"),
    (lambda: nf.concat([X, X], 1), I, "concat: axis 1 is out of range for rank 1"),
    (lambda: nf.concat([], 0), I, "concat: values is empty"),
    (lambda: nf.concat(None, 0), V, "concat: values is None"),
    (lambda: nf.concat([X, None], 0), V, r"concat: values\[1\]: .*None"),
    (lambda: nf.concat([nf.constant(1.0)] * 2, 0), I, "concat: axis 0 .* scalar"),
    (lambda: nf.stack([X, C]), I, r"stack: values\[0\] has shape \(2,\) and values\[1\] \(3,\)"),
    (lambda: nf.stack([X, X], axis=3), V, "stack: axis 3 is out of range"),
    (lambda: nf.gather(C, [3]), I, "gather: indices has 3, which is out of range for axis 0 of size 3"),
    (lambda: nf.gather(C, [-1]), I, "gather: indices has -1"),
    (lambda: nf.gather(C, [0.5]), I, "gather: indices has dtype float32"),
    (lambda: nf.gather(C, [0], axis=1), I, "gather: axis 1 is out of range"),
    (lambda: nf.gather(None, [0]), V, "gather: params: .*None"),
    (lambda: nf.one_hot([0.5], 3), I, "one_hot: indices has dtype float32"),
    (lambda: nf.one_hot([0], -1), I, "one_hot: depth is -1"),
    (lambda: nf.one_hot([0], "a"), T, "one_hot: depth is 'a'"),
    (lambda: nf.one_hot([0], 3, axis=5), I, "one_hot: axis 5"),
    (lambda: nf.range(0, 5, 0), I, "range: delta is 0"),
    (lambda: nf.range(5, 0), I, "range: start 5, limit 0 and delta 1 go in opposite directions"),
    (lambda: nf.range(None), V, "range: start, limit or delta: .*None"),
    # arithmetic
    (lambda: nf.add(X, C), I, r"add: shapes \(2,\) and \(3,\) do not broadcast"),
    (lambda: nf.add(X, N), I, "add: x is float32 and y is int32; .*nf.cast"),
    (lambda: nf.add(X, None), V, "add: y: .*None"),
    (lambda: nf.add(X, "a"), V, "add: y: .*'a'"),
    (lambda: nf.add([1, [2]], 3), V, "add: x: .*non-rectangular"),
    (lambda: X + [1.0, [2.0]], V, "add: operand: .*non-rectangular"),
    (lambda: nf.multiply(nf.constant(True), True), I, "multiply: x has dtype bool"),
    (lambda: nf.divide(X, N), I, "divide: x is float32 and y is int32"),
    (lambda: nf.sqrt(N), I, "sqrt: x has dtype int32; it takes float32, .* Use nf.cast"),
    (lambda: nf.exp("a"), V, "exp: x: .*'a'"),
    (lambda: nf.math.log([None]), V, "log: x: .*None"),
    (lambda: nf.logical_and(X, X), I, "logical_and: x has dtype float32; it takes bool"),
    (lambda: nf.cast(1, "nonsense"), T, "'nonsense' as an nbflow dtype"),
    (lambda: nf.cast(None, nf.float32), V, "cast: x: .*None"),
    (lambda: nf.where(X, 1.0, 2.0), I, "where: condition has dtype float32"),
    (lambda: nf.where([True, False], X), V, "where: x and y must both be given"),
    (lambda: nf.where([True, False], C, C), I, "where: shapes"),
    (lambda: nf.where([True, False], X, N), I, "where: x is float32 and y is int32"),
    (lambda: nf.matmul(M, M), I, r"matmul: a has shape \(2, 3\) and b has shape \(2, 3\): inner sizes 3 and 2"),
    (lambda: nf.matmul(M, C), I, r"matmul: b has shape \(3,\); it needs two dimensions"),
    (lambda: nf.matmul(M, nf.zeros([3, 2], nf.float64)), I, "matmul: a is float32 and b is float64"),
    (lambda: nf.matmul(nf.zeros([2, 2, 3]), nf.zeros([3, 3, 2])), I, "matmul: shapes .2,. and .3,. do not broadcast"),
    (lambda: nf.matmul(M, None), V, "matmul: b: .*None"),
    # reductions
    (lambda: nf.reduce_sum(M, axis=2), I, "reduce_sum: axis 2 is out of range for rank 2"),
    (lambda: nf.reduce_sum(M, axis=[0, -2]), I, "reduce_sum: axis .* twice"),
    (lambda: nf.reduce_sum(M, axis="a"), I, "reduce_sum: axis must be an integer"),
    (lambda: nf.reduce_mean(None), V, "reduce_mean: input_tensor: .*None"),
    (lambda: nf.reduce_max([[1.0, 2.0], [3.0]]), V, "reduce_max: input_tensor: .*non-rectangular"),
    (lambda: nf.reduce_sum([True]), I, "reduce_sum: input_tensor has dtype bool"),
    (lambda: nf.reduce_all(N), I, "reduce_all: input_tensor has dtype int32"),
    (lambda: nf.argmax(M, axis=2), I, "argmax: axis 2"),
    (lambda: nf.argmax(nf.zeros([0])), I, "argmax: axis 0 of input has size 0"),
    (lambda: nf.argmax(X, output_type=nf.float32), I, "argmax: output_type has dtype float32"),
    # nn
    (lambda: nf.nn.softmax(1.0), V, "softmax: axis -1 is out of range for rank 0"),
    (lambda: nf.nn.softmax(N), I, "softmax: logits has dtype int32"),
    (lambda: nf.nn.relu(None), V, "relu: features: .*None"),
    (
        lambda: nf.nn.softmax_cross_entropy_with_logits(M, Q),
        I,
        "softmax_cross_entropy_with_logits: labels and logits: shapes",
    ),
    (lambda: nf.nn.softmax_cross_entropy_with_logits(None, Q), V, "softmax_cross_entropy_with_logits: labels: .*None"),
    (
        lambda: nf.nn.sparse_softmax_cross_entropy_with_logits([0, 1, 1], Q),
        V,
        r"sparse_softmax_cross_entropy_with_logits: labels has shape \(3,\) and logits \(2, 4\)",
    ),
    (lambda: nf.nn.sparse_softmax_cross_entropy_with_logits([0.5, 1.0], Q), I, "labels has dtype float32"),
    (lambda: nf.nn.sigmoid_cross_entropy_with_logits(X, C), V, "sigmoid_cross_entropy_with_logits: labels has shape"),
    (lambda: nf.nn.sigmoid_cross_entropy_with_logits(logits=C), V, "both labels and logits must be given"),
    (
        lambda: nf.nn.weighted_cross_entropy_with_logits(X, X),
        T,
        "weighted_cross_entropy_with_logits: pos_weight must be given",
    ),
    (lambda: nf.nn.l2_loss(N), I, "l2_loss: t has dtype int32"),
    # devices
    (lambda: nf.device("nonsense").__enter__(), V, "device: 'nonsense' is no device name; use 'CPU:0'"),
    (lambda: nf.device("CPU:7").__enter__(), V, "device: 'CPU:7' does not exist"),
    (lambda: nf.device(3).__enter__(), V, "device: '3' is no device name"),
    (lambda: nf.device("GPU:0").__enter__(), UnimplementedError, "device: 'GPU:0' was asked for"),
]


@pytest.mark.parametrize(("call", "error", "message"), CALLS)
def test_bad_calls(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert type(caught.value) in (I, InvalidDTypeError, V, T, UnimplementedError)


@pytest.mark.parametrize(("call", "error", "message"), [c for c in CALLS if "gather: indices has" not in c[2]])
def test_bad_calls_while_tracing(call, error, message):
    """The same error, raised at the line of the call; what depends on values is only known when the program runs."""
    with pytest.raises(error, match=message):
        nf.function(lambda: call())()


@pytest.mark.parametrize(
    "device", ["CPU:0", "/CPU:0", "/device:cpu:0", "/job:localhost/replica:0/task:0/device:CPU:0", None]
)
def test_device_names(device):
    with nf.device(device):
        assert nf.ones([2]).device.endswith("CPU:0")


def test_classes():
    error = InvalidArgumentError("what was wrong")
    assert isinstance(error, ValueError) and isinstance(error, nf.errors.OpError) and error.message == "what was wrong"


OP_ERRORS = [
    kind for kind in vars(nf.errors).values() if isinstance(kind, type) and issubclass(kind, nf.errors.OpError)
]


@pytest.mark.parametrize("kind", OP_ERRORS)
def test_messages_and_codes(kind):
    for error in (kind("what"), kind(None, None, "what")):  # as TensorFlow's programs raise them
        assert error.message == str(error) == "what"
        assert isinstance(error.error_code, int)
