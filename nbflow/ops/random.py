"""Random numbers as ops: Philox streams, each op a pure function of where its stream starts.

A stream is a tensor `words` of int64[3]: counter_lo, counter_hi, key, as two's complement (the state of a Generator).
Equal words give equal numbers, so the compiler may merge and recompute these ops like any others. What makes a program
draw new numbers each time is the state that the words are read from, which `philox_skip` moves on (nbflow.random).

    philox_skip(words; blocks)        the words that many blocks later
    stateless_words(seed)             the words of a stateless op, from its int64[2] seed
    random_normal, random_truncated_normal, random_uniform, random_full_int(words; shape, dtype)
    uniform_at_<dtype>(index, lo, hi, key)    one uniform number each, elementwise; what random_uniform is written in
    random_uniform_int(words, minval, maxval; shape, dtype, checked)
    permutation(words; size)          int32: which row goes where in a shuffle

The numbers come from nbflow.runtime.philox, which says how they equal TensorFlow's.

A uniform number follows from its index and the words, so it can be a member of a fused group: a dropout mask is never
stored. Each number then costs a block of its own, four times the work; where nothing else is in the group, the kernel
that makes four of a block does it. Normals come in pairs of one logarithm, and stay alone.
"""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB
from nbflow.compiler.layout import Place, is_virtual
from nbflow.compiler.op import Op
from nbflow.dtypes import FLOATING, float32, float64, int32, int64
from nbflow.ops import seeds
from nbflow.ops.table import TABLE, composite, elementwise, register
from nbflow.runtime import philox

SEEDS = seeds.EagerSeeds()  # the global seed and the eager streams of this process
WORDS = aval(int64, (3,))

# Estimated ns an element on one thread.
_NS = {
    ("normal", float32): 6.5,
    ("normal", float64): 19.0,
    ("truncated_normal", float32): 20.0,
    ("truncated_normal", float64): 35.0,
    ("uniform_int", int32): 4.0,
    ("uniform_int", int64): 3.2,
}
_NS_OTHERS = {2: 1.5, 4: 0.6, 8: 1.1}


# --- words ------------------------------------------------------------------------------------------------------------

# As seeds.skip: the carry is lost where TensorFlow loses it.
_SKIP = '''def {name}(p, begin, end):
    """philox_skip: moves along a stream"""
    before, after = carray(pointer(u64, word(p, 0)), 3), carray(pointer(u64, word(p, 1)), 3)
    blocks = carray(pointer(u64, p), 3)[2]
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    sum_low = (before[0] & low) + (blocks & low)
    sum_high = (before[0] >> half) + (((blocks >> half) + (sum_low >> half)) & low)
    after[0] = ((sum_high & low) << half) | (sum_low & low)
    after[1] = before[1] + (sum_high >> half)
    after[2] = before[2]
'''
_STATELESS = '''def {name}(p, begin, end):
    """stateless_words: the seeds scrambled by Philox, so that either may hold the information"""
    seed, words = carray(pointer(u64, word(p, 0)), 2), carray(pointer(u64, word(p, 1)), 3)
    x0, x1, x2, x3 = philox_block(np.uint64(0), seed[0], seed[1], np.uint64(0x02461E293EC8F720))
    words[0] = np.uint64(0)
    words[1] = (x3 << np.uint64(32)) | x2
    words[2] = (x1 << np.uint64(32)) | x0
'''


def _words_op(name: str, argument: str, source: str, reference) -> None:
    """Enters an op that makes words from one small input.

    Args:
        reference: (input, **attrs) -> the words as ints.
    """

    def lower(node, lowering):
        (value,) = node.inputs
        address, touch = lowering.dense(lowering.place(value), value.shape)
        blocks = seeds.words_state(node.attrs.values())  # modulo 2**64, as int64
        arguments = [address, lowering.address(node.output), *blocks]
        lowering.call(name, source, arguments, 1, [touch, lowering.writes(node.output)], cost=20)

    def words_reference(x, **attrs):
        return np.array(seeds.words_state(reference(x, **attrs)), np.int64)

    register(
        Op(
            name,
            (argument,),
            lambda avals, attrs: WORDS,
            dtypes=(int64,),
            lower=lower,
            reference=words_reference,
        )
    )


_words_op("philox_skip", "words", _SKIP, lambda words, blocks: seeds.skip(seeds.state_words(words), blocks))
_words_op("stateless_words", "seed", _STATELESS, seeds.stateless_words)


# --- numbers ----------------------------------------------------------------------------------------------------------

_FILL = '''def {{name}}(p, begin, end):
    """{what}: elements [begin, end) of a stream"""
    words = carray(pointer(u64, word(p, 0)), 3)
    out = carray(pointer({code}, word(p, 1) + begin * {bytes}), end - begin)
    {fill}(out, begin, words[0], words[1], words[2])
'''
# Numbers that only memory holds are made as float32, a tile at a time.
_FILL_HALF = '''def {{name}}(p, begin, end):
    """{what}: elements [begin, end) of a stream"""
    words = carray(pointer(u64, word(p, 0)), 3)
    tile = np.empty(1024, np.float32)
    for first in range(begin, end, tile.size):
        size = min(tile.size, end - first)
        {fill}(tile[:size], first, words[0], words[1], words[2])
        for i in range(size):
            store({code}, word(p, 1), first + i, tile[i], 1)
'''
_FILL_INT = '''def {{name}}(p, begin, end):
    """random_uniform_int {code}: elements [begin, end) of a stream"""
    words = carray(pointer(u64, word(p, 0)), 3)
    out = carray(pointer({code}, word(p, 1) + begin * {bytes}), end - begin)
    minval, maxval = i64(load({code}, word(p, 2), 0, 0)), i64(load({code}, word(p, 3), 0, 0))
    if maxval > minval:
        fill_uniform_{dtype}(out, begin, words[0], words[1], words[2], minval, np.uint64(maxval - minval))
'''
_FAILURE = """    else:
        set_word(word(p, 4), 0, 1)
        set_word(word(p, 4), 1, maxval)
"""
_PERMUTATION = '''def {name}(p, begin, end):
    """permutation: a Fisher-Yates shuffle of the row numbers"""
    words = carray(pointer(u64, word(p, 0)), 3)
    fill_permutation(carray(pointer(i32, word(p, 1)), word(p, 2)), words[0], words[1], words[2])
'''


def _infer(avals, attrs):
    return aval(attrs["dtype"], attrs["shape"])


def _ends(node, lowering):
    """(address, touch) of the words and of the result."""
    words, result = node.inputs[0], node.output
    return lowering.dense(lowering.place(words), (3,)), (
        lowering.address(result),
        lowering.writes(result, SLAB, result.dtype.size),
    )


def _cost(distribution: str, result) -> float:
    return 20 + result.aval.size * _NS.get((distribution, result.dtype), _NS_OTHERS[result.dtype.size])


def _fill(distribution: str, dtype) -> tuple[str, str]:
    """The fill function of a distribution, and the type of what it writes: integers of the whole range are unsigned."""
    if distribution == "full_int":
        return f"fill_uniform_full_{8 * dtype.size}", f"u{8 * dtype.size}"
    if distribution != "uniform" and dtype.is_half:
        return f"fill_{distribution}_float32", dtype.code
    return f"fill_{distribution}_{dtype.name}", dtype.code


def _filled(fill: str, words, shape: tuple, dtype, *parameters):
    """What a fill function gives as a whole, for references."""
    full = "full" in fill
    made = np.empty(math.prod(shape), f"uint{8 * dtype.size}" if full else (float32 if dtype.is_half else dtype).np)
    getattr(philox, fill)(made, 0, *words.view(np.uint64), *parameters)
    return (made.view(dtype.np) if full else made.astype(dtype.np)).reshape(shape)


def _add_fill(distribution: str, node, lowering, words: tuple) -> None:
    """Adds the kernel that fills a result from a stream.

    Args:
        words: (address, touch) of the stream's words.
    """
    result, dtype = node.output, node.output.dtype
    fill, code = _fill(distribution, dtype)
    template = _FILL_HALF if dtype.is_half else _FILL
    source = template.format(what=f"random_{distribution} {code}", code=code, bytes=dtype.size, fill=fill)
    arguments, touches = [words[0], lowering.address(result)], [words[1], lowering.writes(result, SLAB, dtype.size)]
    cost = _cost(distribution, result)
    lowering.call(f"random_{distribution}", source, arguments, result.aval.size, touches, cost)


def _reference(distribution: str):
    return lambda words, shape, dtype: _filled(_fill(distribution, dtype)[0], words, shape, dtype)


def _lower_fill(distribution: str):
    return lambda node, lowering: _add_fill(
        distribution, node, lowering, lowering.dense(lowering.place(node.inputs[0]), (3,))
    )


for _name in ("normal", "truncated_normal", "full_int"):
    register(
        Op(
            f"random_{_name}", ("words",), _infer, dtypes=(int64,), lower=_lower_fill(_name),
            reference=_reference(_name),
        )
    )  # fmt: skip


# --- uniform numbers, each by itself ----------------------------------------------------------------------------------


def _lower_uniform_at(node, lowering):
    """Where the numbers are all there is to compute: a stream from its start, as `_uniform` asks for it."""
    index, *words = (lowering.place(v) for v in node.inputs)
    lo = words[0]
    if not is_virtual(index.root) or index.offset or aval(int64, node.output.shape, index.strides).strides is not None:
        return NotImplemented
    if words != [Place(lo.root, lo.offset + k, ()) for k in range(3)]:
        return NotImplemented
    return _add_fill("uniform", node, lowering, lowering.dense(Place(lo.root, lo.offset, (1,)), (3,)))


def _uniform_at_reference(dtype):
    def reference(index, lo, hi, key):
        words = np.array([lo, hi, key])
        index = np.asarray(index)
        made = [_filled(_fill("uniform", dtype)[0], words, (i + 1,), dtype)[i] for i in index.reshape(-1).tolist()]
        return np.array(made, dtype.np).reshape(index.shape)

    return reference


for _dtype in FLOATING:
    elementwise(
        f"uniform_at_{_dtype.name}", "index lo hi key", f"uniform_{_dtype.code}(index, lo, hi, key)",
        dtypes=(int64,), result=_dtype, lower=_lower_uniform_at, reference=_uniform_at_reference(_dtype),
    )  # fmt: skip


def _uniform(words, shape, dtype):
    """random_uniform by index, with the words as three numbers."""
    index = TABLE["reshape"](words.iota(math.prod(shape), int64), shape=shape)
    lo, hi, key = (TABLE["strided_slice"](words, begin=(k,), step=(1,), shape=(1,)) for k in range(3))
    return TABLE[f"uniform_at_{dtype.name}"](index, *(TABLE["reshape"](x, shape=()) for x in (lo, hi, key)))


composite("random_uniform", "words", _uniform, _infer, dtypes=(int64,), reference=_reference("uniform"))


# --- uniform integers -------------------------------------------------------------------------------------------------


def _lower_uniform_int(node, lowering):
    result, dtype = node.output, node.output.dtype
    (words, touch_words), (target, touch_target) = _ends(node, lowering)
    (low, touch_low), (high, touch_high) = (lowering.dense(lowering.place(v), ()) for v in node.inputs[1:])
    arguments, touches = [words, target, low, high], [touch_words, touch_target, touch_low, touch_high]
    source = _FILL_INT.format(code=dtype.code, bytes=dtype.size, dtype=dtype.name)
    if not node.attrs["checked"]:
        cell, touch = lowering.failure(
            node,
            lambda bad: f"random_uniform_int: need minval < maxval, but maxval is {bad} and minval is not less",
        )
        arguments.append(cell)
        touches.append(touch)
        source += _FAILURE
    lowering.call(node.op.name, source, arguments, result.aval.size, touches, _cost("uniform_int", result))


def _uniform_int_reference(words, minval, maxval, shape, dtype, checked):
    span = np.uint64(int(maxval) - int(minval))
    return _filled(f"fill_uniform_{dtype.name}", words, shape, dtype, np.int64(minval), span)


# checked: minval < maxval is known, so that the kernel needs no way to report
register(
    Op(
        "random_uniform_int", ("words", "minval", "maxval"), _infer, dtypes=(int32, int64),
        lower=_lower_uniform_int, reference=_uniform_int_reference,
    )
)  # fmt: skip


def _lower_permutation(node, lowering):
    size = node.attrs["size"]
    words, touch = lowering.dense(lowering.place(node.inputs[0]), (3,))
    arguments, touches = [words, lowering.address(node.output), size], [touch, lowering.writes(node.output)]
    lowering.call("permutation", _PERMUTATION, arguments, min(size, 1), touches, 20 + 4 * size)


def _permutation_reference(words, size):
    out = np.empty(size, np.int32)
    philox.fill_permutation(out, *words.view(np.uint64))
    return out


register(
    Op(
        "permutation", ("words",), lambda avals, attrs: aval(int32, (attrs["size"],)), dtypes=(int64,),
        lower=_lower_permutation, reference=_permutation_reference,
    )
)  # fmt: skip
