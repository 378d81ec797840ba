"""Random numbers with parameters as ops: gamma, Poisson, binomial, categorical, bounded normals, candidates.

Like the ops of nbflow.ops.random, each is a pure function of the `words` where its stream starts. Parameters have the
trailing axes of the result's shape.

    random_gamma(words, alpha; shape)                              of alpha's dtype, scale 1; differentiable by alpha
    random_poisson(words, rate; shape, dtype)
    random_binomial(words, counts, probs; shape, dtype)            counts and probs of one shape
    random_categorical(words, logits; samples, dtype)              [rows, samples] of logits [rows, classes]
    random_bounded_normal(words, mean, deviation, low, high; shape)    parameters of one shape; differentiable
    index_shuffle(index, seed, last; rounds)                       index [n], seed [n or 1, 3], last [n]
    candidates(words, true_classes, weights; kind, …)              see nbflow.runtime.candidates

The numbers come from nbflow.runtime.samplers, which says how they equal TensorFlow's.
"""

import math
import os

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB
from nbflow.compiler.op import Op
from nbflow.dtypes import FULL, HALF, float16, float64, int32, int64, uint32, uint64
from nbflow.ops.table import TABLE, elementwise, register
from nbflow.runtime import samplers, vecmath

SAMPLED = (*FULL, float16)  # what TensorFlow has kernels for
SEEDS_OF_SHUFFLE = (int32, uint32, int64, uint64)

# Estimated ns a sample on one thread.
_NS = {"gamma": 90.0, "poisson": 120.0, "binomial": 150.0}


def _converted(value: str, dtype) -> str:
    """Source of a float64 sample as what `store` takes for a dtype; TensorFlow's integers of infinity are 0."""
    if dtype.is_integer:
        return f"to_int({dtype.code}, {value} if abs({value}) < inf else 0.0)"
    return f"f64({value})" if dtype is float64 else f"f32({value})"


# --- one parameter or two, each sample by itself ----------------------------------------------------------------------

_SAMPLES = '''def {{name}}(p, begin, end):
    """random_{distribution}: samples [begin, end) of `number` distributions in turn"""
    words = carray(pointer(u64, word(p, 0)), 3)
    out, number, samples = word(p, 1), word(p, 2), word(p, 3)
    for i in range(begin, end):
        sample, k = i // number, i % number
        output = np.uint64(k * samples + sample)
        value = {distribution}({parameters}, output, words[0], words[1], words[2])
        store({code}, out, i, {value}, 1)
'''


def _sampler(distribution: str, arguments: tuple[str, ...], compute: str, infer, **options) -> None:
    """Enters random_<distribution>, whose samples have parameters of their own.

    Args:
        compute: the type that the sampler takes its parameters in; "" for their own.
    """

    def _half(kind) -> str:
        return "_float16" if kind == np.float16 and not compute else ""

    def lower(node, lowering):
        result, given = node.output, node.inputs[1:]
        number = math.prod(given[0].shape)
        words, *parameters = (lowering.dense(lowering.place(v), v.shape) for v in node.inputs)
        loads = [f"load({v.dtype.code}, word(p, {4 + k}), k, 0)" for k, v in enumerate(given)]
        source = _SAMPLES.format(
            distribution=f"{distribution}{_half(given[-1].dtype.np)}",
            code=result.dtype.code,
            parameters=", ".join(f"{compute}({load})" if compute else load for load in loads),
            value=_converted("value", result.dtype),
        )
        arguments = [words[0], lowering.address(result), max(number, 1), result.aval.size // max(number, 1)]
        arguments += [address for address, _ in parameters]
        touches = [words[1], lowering.writes(result, SLAB, result.dtype.size), *(touch for _, touch in parameters)]
        cost = 20 + result.aval.size * _NS[distribution]
        lowering.call(node.op.name, source, arguments, result.aval.size, touches, cost)

    def reference(words, *parameters, shape, dtype=None):
        kind = parameters[-1].dtype
        sample_of = samplers.python_callable(getattr(samplers, f"{distribution}{_half(kind)}"))
        number_of = float if compute else np.float32 if kind.itemsize == 2 else kind.type  # as kernels load it
        out = np.empty(shape, dtype.np if dtype else parameters[0].dtype)
        flat, number = out.reshape(-1), max(parameters[0].size, 1)
        for i in range(out.size):
            sample, k = divmod(i, number)
            output = np.uint64(k * (out.size // number) + sample)
            numbers = [x.reshape(-1)[k] for x in parameters]
            flat[i] = sample_of(*map(number_of, numbers), output, *words.view(np.uint64))
        return out

    names = ("words", *arguments)
    register(Op(f"random_{distribution}", names, infer, lower=lower, reference=reference, **options))


def _infer_like_parameter(avals, attrs):
    return aval(avals[1].dtype, attrs["shape"])


def _infer(avals, attrs):
    return aval(attrs["dtype"], attrs["shape"])


def _gamma_slope(alpha, sample):
    log_density = (alpha - 1) * math.log(sample) - sample - math.lgamma(alpha)
    return -vecmath.igamma_grad_a_f64(alpha, sample) * math.exp(-log_density)


gamma_gradient = elementwise(
    "gamma_gradient", "alpha sample", "gamma_gradient(alpha, sample)",
    dtypes=FULL, reference=np.vectorize(_gamma_slope, [float]), tolerance=2**18,
    doc="∂ sample / ∂ alpha of random_gamma",
)  # fmt: skip
_sampler(
    "gamma",
    ("alpha",),
    "f64",
    _infer_like_parameter,
    vjp=lambda k, g, inputs, output, attrs: g * gamma_gradient(inputs[1], output),
    blocked=(0,),
    dtypes=SAMPLED,
)
_sampler("poisson", ("rate",), "f64", _infer, dtypes=(*SAMPLED, int32, int64))
_sampler("binomial", ("counts", "probs"), "", _infer, dtypes=SAMPLED)


# --- categories -------------------------------------------------------------------------------------------------------

_CATEGORICAL = '''def {{name}}(p, begin, end):
    """random_categorical: rows [begin, end)"""
    words = carray(pointer(u64, word(p, 0)), 3)
    out, logits, classes, samples, together = word(p, 1), word(p, 2), word(p, 3), word(p, 4), word(p, 5)
    sums = np.empty(classes, np.float64)
    for row in range(begin, end):
        for k in range(classes):
            sums[k] = f64(load({code}, logits, row * classes + k, 0))
        cumulate(sums)
        first = row // together * together
        n = first * (samples + 3) // 4 * 2 + (row - first) * samples
        for k in range(samples):
            drawn = category(sums, np.uint64(n + k), words[0], words[1], words[2])
            store({out_code}, out, row * samples + k, {out_code}(drawn), 1)
'''


def rows_together(rows: int, cost: int) -> int:
    """How many rows TensorFlow gives to one thread, which are then one sequence of random numbers.

    Args:
        cost: cycles a row, as TensorFlow estimates them.

    Source: Eigen's ThreadPoolDevice::parallelFor and CalculateParallelForBlock.
    """
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if rows <= 1 or threads == 1 or int((rows * cost - 100_000) / 100_000 + 0.9) <= 1:
        return max(rows, 1)
    block = min(rows, max(-(-rows // (4 * threads)), int(40_000 / cost)))
    largest, count = min(rows, 2 * block), -(-rows // block)
    best = count / (-(-count // threads) * threads)
    before = count
    while best < 1 and before > 1:
        coarser = -(-rows // (before - 1))
        if coarser > largest:
            break
        before = -(-rows // coarser)
        efficiency = before / (-(-before // threads) * threads)
        if efficiency + 0.01 >= best:
            block, best = coarser, max(best, efficiency)
    return block


def _categorical_cost(classes: int, samples: int) -> int:
    return int(50 * (samples * math.log(classes) / math.log(2) + classes))


def _lower_categorical(node, lowering):
    result, (words, logits) = node.output, node.inputs
    (rows, classes), samples = logits.shape, node.attrs["samples"]
    (words, touch_words), (address, touch) = (lowering.dense(lowering.place(v), v.shape) for v in node.inputs)
    source = _CATEGORICAL.format(code=logits.dtype.code, out_code=result.dtype.code)
    together = rows_together(rows, _categorical_cost(classes, samples))
    arguments = [words, lowering.address(result), address, classes, samples, together]
    touches = [touch_words, lowering.writes(result, SLAB, samples * result.dtype.size), touch]
    cost = 20 + rows * (10 * classes + samples * (10 + 3 * math.log2(classes)))
    lowering.call(node.op.name, source, arguments, rows if samples else 0, touches, cost)


def _categorical_reference(words, logits, samples, dtype):
    rows, classes = logits.shape
    together = rows_together(rows, _categorical_cost(classes, samples)) if samples else 1
    out = np.empty((rows, samples), dtype.np)
    cumulate, category = (samplers.python_callable(f) for f in (samplers.cumulate, samplers.category))
    for row in range(rows):
        sums = logits[row].astype(np.float64)
        cumulate(sums)
        first = row // together * together
        n = first * (samples + 3) // 4 * 2 + (row - first) * samples
        out[row] = [category(sums, np.uint64(n + k), *words.view(np.uint64)) for k in range(samples)]
    return out


register(
    Op(
        "random_categorical",
        ("words", "logits"),
        lambda avals, attrs: aval(attrs["dtype"], (avals[1].shape[0], attrs["samples"])),
        dtypes=FULL + HALF,
        lower=_lower_categorical,
        reference=_categorical_reference,
    )
)


# --- normals between bounds -------------------------------------------------------------------------------------------

_BOUNDED = '''def {{name}}(p, begin, end):
    """random_bounded_normal {code}: one stream for `number` sets of parameters, one after the other"""
    words = carray(pointer(u64, word(p, 0)), 3)
    out, number, samples = word(p, 1), word(p, 2), word(p, 3)
    drawn = np.empty(samples, np.{compute})
    block = np.uint64(0)
    for k in range(number):
        mean, deviation = load({code}, word(p, 4), k, 0), load({code}, word(p, 5), k, 0)
        low, high = load({code}, word(p, 6), k, 0), load({code}, word(p, 7), k, 0)
        if not (deviation > 0 and low < high and (abs(low) < inf or abs(high) < inf)):
            set_word(word(p, 8), 0, 1)
            set_word(word(p, 8), 1, k)
            return
        block = bounded_normals_{dtype}(drawn, mean, deviation, low, high, block, words[0], words[1], words[2])
        if block == 0 and samples > 0:  # it gave up
            set_word(word(p, 8), 0, 1)
            set_word(word(p, 8), 1, k)
            return
        for i in range(samples):
            store({code}, out, i * number + k, drawn[i], 1)
'''


def _lower_bounded_normal(node, lowering):
    result, dtype = node.output, node.output.dtype
    number = math.prod(node.inputs[1].shape)
    words, *parameters = (lowering.dense(lowering.place(v), v.shape) for v in node.inputs)
    cell, touch = lowering.failure(
        node,
        lambda bad: (
            f"stateless_parameterized_truncated_normal: the parameters of distribution {bad} are invalid: it "
            "needs stddevs > 0, minvals < maxvals, a finite bound, and bounds between which samples are found"
        ),
    )
    compute = "float64" if dtype is float64 else "float32"
    source = _BOUNDED.format(code=dtype.code, dtype=dtype.name, compute=compute)
    arguments = [words[0], lowering.address(result), number, result.aval.size // max(number, 1)]
    arguments += [*(address for address, _ in parameters), cell]
    touches = [words[1], lowering.writes(result), *(touch for _, touch in parameters), touch]
    lowering.call(node.op.name, source, arguments, min(result.aval.size, 1), touches, 20 + 40 * result.aval.size)


def _bounded_normal_reference(words, *parameters, shape):
    number = max(parameters[0].size, 1)
    out = np.empty(shape, parameters[0].dtype)
    columns, block = out.reshape(-1, number), np.uint64(0)
    fill = samplers.python_callable(getattr(samplers, f"bounded_normals_{out.dtype}"))
    computed = np.result_type(out.dtype, np.float32)
    parameters = [x.reshape(-1).astype(computed) for x in parameters]
    for k in range(number if out.size else 0):
        column = np.empty(len(columns), computed)
        block = np.uint64(fill(column, *(x[k] for x in parameters), block, *words.view(np.uint64)))
        columns[:, k] = column
    return out


def _normal_cdf(x):
    """The chance that a standard normal is below x, as TensorFlow's gradient computes it."""
    w = x * math.sqrt(0.5)
    z = TABLE["abs"](w)
    tail = TABLE["erfc"](z)
    outside = TABLE["select"](w > 0, 2 - tail, tail)
    return 0.5 * TABLE["select"](z < math.sqrt(0.5), 1 + TABLE["erf"](w), outside)


def _bounded_normal_vjp(k, g, inputs, output, attrs):
    """By implicit differentiation of the distribution function: Figurnov et al., NeurIPS 2018."""
    _, mean, deviation, low, high = inputs
    z = (output - mean) / deviation
    if k <= 2:
        return g if k == 1 else g * z
    a, b = (low - mean) / deviation, (high - mean) / deviation
    below = (_normal_cdf(z) - _normal_cdf(a)) / (_normal_cdf(b) - _normal_cdf(a))
    info = np.finfo(output.dtype.np)
    below = TABLE["minimum"](TABLE["maximum"](below, float(info.tiny)), float(1 - info.eps))
    if k == 3:
        return g * TABLE["exp"](0.5 * (z * z - a * a) + TABLE["log1p"](-below))
    return g * TABLE["exp"](0.5 * (z * z - b * b) + TABLE["log"](below))


register(
    Op(
        "random_bounded_normal",
        ("words", "mean", "deviation", "low", "high"),
        _infer_like_parameter,
        dtypes=SAMPLED,
        vjp=_bounded_normal_vjp,
        lower=_lower_bounded_normal,
        reference=_bounded_normal_reference,
        blocked=(0,),
    )
)


# --- index_shuffle ----------------------------------------------------------------------------------------------------

_INDEX_SHUFFLE = '''def {{name}}(p, begin, end):
    """index_shuffle: indices [begin, end)"""
    for i in range(begin, end):
        row = i * word(p, 4)
        index, last = load({code}, word(p, 1), i, 0), load({code}, word(p, 3), i, 0)
        if index > last:
            set_word(word(p, 5), 0, 1)
            set_word(word(p, 5), 1, i64(index))
        else:
            k0, k1 = load({seed}, word(p, 2), row, 0), load({seed}, word(p, 2), row + 1, 0)
            k2 = load({seed}, word(p, 2), row + 2, 0)
            low = np.uint64(0xFFFFFFFF)
            keys = np.uint64(k0) & low, np.uint64(k1) & low, np.uint64(k2) & low
            place = index_shuffle(np.uint64(index), keys[0], keys[1], keys[2], np.uint64(last), word(p, 6))
            store({code}, word(p, 0), i, {code}(place), 1)
'''


def _lower_index_shuffle(node, lowering):
    result, (_, seed, _) = node.output, node.inputs
    inputs = [lowering.dense(lowering.place(v), v.shape) for v in node.inputs]
    cell, touch = lowering.failure(node, lambda bad: f"index_shuffle: index {bad} is above max_index")
    source = _INDEX_SHUFFLE.format(code=result.dtype.code, seed=seed.dtype.code)
    step = 0 if seed.shape[0] == 1 else 3
    arguments = [lowering.address(result), *(address for address, _ in inputs), step, cell, node.attrs["rounds"]]
    touches = [lowering.writes(result, SLAB, result.dtype.size), *(t for _, t in inputs), touch]
    lowering.call(node.op.name, source, arguments, result.aval.size, touches, 20 + 30 * result.aval.size)


def _index_shuffle_reference(index, seed, last, rounds):
    place = samplers.python_callable(samplers.index_shuffle)
    keys = np.broadcast_to(seed.astype(np.uint64) & np.uint64(0xFFFFFFFF), (index.size, 3))
    places = [place(np.uint64(i), *k, np.uint64(n), rounds) for i, k, n in zip(index, keys, last, strict=True)]
    return np.array(places).astype(index.dtype)


register(
    Op(
        "index_shuffle",
        ("index", "seed", "last"),
        lambda avals, attrs: aval(avals[0].dtype, avals[0].shape),
        dtypes=SEEDS_OF_SHUFFLE,
        lower=_lower_index_shuffle,
        reference=_index_shuffle_reference,
    )
)
