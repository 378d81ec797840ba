"""Matrix products: BLAS on the rows that a chunk holds, integers by plain loops."""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB
from nbflow.compiler.layout import Place, is_virtual
from nbflow.compiler.op import Op
from nbflow.dtypes import NUMERIC, int8, int16
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import conj
from nbflow.ops.table import TABLE, check_dtypes, register, shape_text, simplifying
from nbflow.runtime import gemm
from nbflow.shapes import Dim, broadcast

T = TABLE
MATMUL = tuple(d for d in NUMERIC if d not in (int8, int16))  # as TensorFlow: those two it does not multiply
GEMM_NS_PER_FLOP = {"f32": 0.009, "f64": 0.018, "c64": 0.036, "c128": 0.072}
NS_PER_READ = 0.04  # half of what an element of a matrix costs that is read once

_HEAD = """def {{name}}(p, begin, end):
    \"\"\"{what}: rows [begin, end) of the stacked results C = op(A) op(B)\"\"\"
    a, b, c = word(p, 0), word(p, 1), word(p, 2)
    m, n, k, ta, tb, lda, ldb = word(p, 3), word(p, 4), word(p, 5), word(p, 6), word(p, 7), word(p, 8), word(p, 9)
    step_a, step_b = word(p, 10), word(p, 11)
    row_a = {size} if ta else lda * {size}
    while begin < end:
        matrix, row = begin // m, begin % m
        rows = min(end - begin, m - row)
"""
_BLAS = (
    _HEAD
    + """        gemm({code}, ta, tb, rows, n, k, a + matrix * step_a + row * row_a, lda,
             b + matrix * step_b, ldb, c + begin * n * {size}, n)
        begin += rows
"""
)
_COLUMN_OF_TILES = """{indent}i = 0
{indent}while i < rows:
{indent}    if rows >= {tile_rows}:
{indent}        at = min(i, rows - {tile_rows})
{indent}        tile({code}, {tile_rows}, {vectors}, k, left + at * step_i, step_i, step_l, right + j, ldb * {size},
{indent}             c + (begin + at) * n * {size} + j, n * {size})
{indent}        i += {tile_rows}
{indent}    else:
{indent}        tile({code}, 1, {vectors}, k, left + i * step_i, step_i, step_l, right + j, ldb * {size},
{indent}             c + (begin + i) * n * {size} + j, n * {size})
{indent}        i += 1
"""
_TILES = (
    _HEAD
    + """        left, right = a + matrix * step_a + row * row_a, b + matrix * step_b
        step_i, step_l = ({size}, lda * {size}) if ta else (lda * {size}, {size})
        whole = n // {columns} * {columns}
        for first in range(0, whole, {columns}):
            j = first * {size}
{whole_tiles}
        if whole < n:
            j = (n - {last_columns}) * {size}
{last_tiles}
        begin += rows
"""
)
_LOOPS = (
    _HEAD
    + """        left, right = a + matrix * step_a, b + matrix * step_b
        for i in range(rows):
            for j in range(n):
                total = {code}(0)
                for l in range(k):
                    x = load({code}, left, l * lda + row + i if ta else (row + i) * lda + l, 0)
                    y = load({code}, right, j * ldb + l if tb else l * ldb + j, 0)
                    total = {code}(total + x * y)
                store({code}, c, (begin + i) * n + j, total, 1)
        begin += rows
"""
)


# Products with one vector: BLAS's product of matrices reads the matrix at a fraction of the speed of memory.
_VECTOR = (
    _HEAD
    + """        left, right = a + matrix * step_a + row * row_a, b + matrix * step_b
        if ta and rows < 4:
            for i in range(rows):
                total = {code}(0)
                for l in range(k):
                    x = load({code}, left, l * lda + i, 0)
                    y = load({code}, right, {at}, 0)
                    total = add_any_order(total, {code}(x * y))
                store({code}, c, begin + i, total, 1)
        elif ta:
            for i in range(rows):
                store({code}, c, begin + i, {code}(0), 1)
            for l in range(k):
                y = load({code}, right, {at}, 0)
                for i in range(rows):
                    total = load({code}, c, begin + i, 1)
                    x = load({code}, left, l * lda + i, 0)
                    store({code}, c, begin + i, add_any_order(total, {code}(x * y)), 1)
        else:
            for i in range(rows):
                total = {code}(0)
                for l in range(k):
                    x = load({code}, left, i * lda + l, 0)
                    y = load({code}, right, {at}, 0)
                    total = add_any_order(total, {code}(x * y))
                store({code}, c, begin + i, total, 1)
        begin += rows
"""
)
# A vector and a small matrix whose columns lie side by side: for each of its columns' tiles, one row of such.
_COLUMNS = """def {{name}}(p, begin, end):
    \"\"\"matmul {code}: products [begin, end) of a vector and a matrix with {n} columns\"\"\"
    a, b, c = word(p, 0), word(p, 1), word(p, 2)
    k, step_l, ldb, step_a, step_b = word(p, 3), word(p, 4), word(p, 5), word(p, 6), word(p, 7)
    for matrix in range(begin, end):
        left, right, out = a + matrix * step_a, b + matrix * step_b, c + matrix * {nbytes}
{tiles}
"""
COLUMNS = 64  # of such a matrix at most: the kernel is written for their number
# Many rows times a tiny matrix, which stays in registers: colours, points in space.
_TINY = (
    _HEAD
    + """        left, right = a + matrix * step_a + row * row_a, b + matrix * step_b
{factors}
        for i in range(rows):
{sums}
        begin += rows
"""
)
TINY = 4  # rows and columns of such a matrix at most


def _tiny(names: dict, n: int, k: int, tb: int) -> str:
    """The source of a product with a matrix of k rows and n columns."""
    code, inner, outer = names["code"], range(k), range(n)
    places = {(l, j): f"{j} * ldb + {l}" if tb else f"{l} * ldb + {j}" for l in inner for j in outer}
    factors = [f"        b{l}{j} = load({code}, right, {at}, 0)" for (l, j), at in places.items()]
    loads = [f"            a{l} = load({code}, left, i * {k} + {l}, 0)" for l in inner]
    sums = (" + ".join(f"{code}(a{l} * b{l}{j})" for l in inner) for j in outer)
    stores = [f"            store({code}, c, (begin + i) * {n} + {j}, {code}({s}), 1)" for j, s in enumerate(sums)]
    return _TINY.format(**names, factors="\n".join(factors), sums="\n".join([*loads, *stores]))


def _columns(names: dict, n: int) -> str:
    """The source of products of a vector with n columns."""
    size = names["size"]
    lanes = gemm.VECTOR_BYTES // size
    full = n // lanes
    runs = [(v * lanes, min(gemm.VECTORS, full - v)) for v in range(0, full, gemm.VECTORS)]
    if n % lanes:
        runs.append((n - lanes, 1))  # some columns once more, and alike
    tiles = (
        f"        tile({names['code']}, 1, {vectors}, k, left, 0, step_l, right + {j * size}, ldb, out + {j * size}, 0)"
        for j, vectors in runs
    )
    return _COLUMNS.format(**names, n=n, nbytes=n * size, tiles="\n".join(tiles))


def _matrix_shape(shape: tuple, transpose: bool) -> tuple:
    return (shape[-1], shape[-2]) if transpose else (shape[-2], shape[-1])


def _infer_matmul(avals, attrs):
    check_dtypes("matmul", ("a", "b"), avals, MATMUL)
    a, b = avals
    for name, x in (("a", a), ("b", b)):
        if len(x.shape) < 2:
            raise InvalidArgumentError(f"matmul: {name} has shape {shape_text(x)}; it needs two dimensions or more")
    m, k = _matrix_shape(a.shape, attrs["transpose_a"])
    k2, n = _matrix_shape(b.shape, attrs["transpose_b"])
    if k != k2 and not isinstance(k, Dim) and not isinstance(k2, Dim):
        flags = ", ".join(f"{f}=True" for f in ("transpose_a", "transpose_b") if attrs[f])
        raise InvalidArgumentError(
            f"matmul: a has shape {shape_text(a)} and b has shape {shape_text(b)}{' with ' + flags if flags else ''}: "
            f"inner sizes {k} and {k2} must be equal"
        )
    return aval(a.dtype, (*broadcast("matmul", a.shape[:-2], b.shape[:-2]), m, n))


def _matrix(lowering, value, transpose: int, batch: tuple):
    """How BLAS sees an operand: (address, touch, transpose flag, leading dimension, bytes from matrix to matrix)."""
    place, size = lowering.place(value), value.dtype.size
    rows, columns = value.shape[-2:]
    row_step, column_step = place.strides[-2:]
    outer = place.strides[:-2]
    stack = value.shape[:-2]
    run: int | None = 0  # elements from one matrix of the stack to the next, None where they are not evenly spaced
    if stack == batch and math.prod(batch) > 1:
        run = outer[-1]
        for k in range(len(stack) - 1, 0, -1):
            if outer[k - 1] != outer[k] * stack[k]:
                run = None
    elif math.prod(stack) > 1:
        run = None
    root = place.root
    if run is not None and not is_virtual(root):
        if column_step == 1 and (row_step >= columns or rows == 1):
            return lowering.address(value), lowering.reads(value), transpose, max(row_step, columns, 1), run * size
        if row_step == 1 and (column_step >= rows or columns == 1):
            return lowering.address(value), lowering.reads(value), 1 - transpose, max(column_step, rows, 1), run * size
    shape = (*batch, rows, columns)
    view = T["broadcast_to"].view
    assert view is not None
    _, strides = view(aval(value.dtype, value.shape, place.strides), {"shape": shape})
    address, touch = lowering.dense(Place(root, place.offset, strides), shape)
    return address, touch, transpose, max(columns, 1), (rows * columns if batch else 0) * size


def _tiles(names: dict, n: int) -> str:
    """The source of a product without packing, for n columns modulo a tile's."""
    size = names["size"]
    last = gemm.last_vectors(n, size)
    names = {**names, "tile_rows": gemm.ROWS, "indent": " " * 12}
    whole_tiles = _COLUMN_OF_TILES.format(**names, vectors=gemm.VECTORS)
    last_tiles = _COLUMN_OF_TILES.format(**names, vectors=last)
    columns = {"columns": gemm.tile_columns(size), "last_columns": last * gemm.VECTOR_BYTES // size}
    return _TILES.format(**names, **columns, whole_tiles=whole_tiles, last_tiles=last_tiles)


def _lower_matmul(node, lowering):
    a, b = node.inputs
    result, dtype = node.output, node.output.dtype
    *batch, m, n = result.shape
    k = _matrix_shape(a.shape, node.attrs["transpose_a"])[1]
    if k == 0 or result.aval.size == 0:
        lowering.fill(result, 0)
        return
    left, touch_a, ta, lda, step_a = _matrix(lowering, a, int(node.attrs["transpose_a"]), tuple(batch))
    right, touch_b, tb, ldb, step_b = _matrix(lowering, b, int(node.attrs["transpose_b"]), tuple(batch))
    if not batch and not ta and lda == k:
        touch_a = (touch_a[0], SLAB, False, k * dtype.size) if left.offset == 0 else touch_a
    tiled = dtype.is_floating and not tb and gemm.suits(n, k, m, dtype.size)
    names = {"code": dtype.code, "size": dtype.size, "what": f"matmul {dtype.code}"}
    whole, flop = not tiled, GEMM_NS_PER_FLOP.get(dtype.code, 0.5)
    if tiled:
        source = _tiles(names, n)
    elif not dtype.is_differentiable:
        source = _LOOPS.format(**names)
    elif max(n, k) <= TINY and not ta and lda == k:
        source, whole, flop = _tiny(names, n, k, tb), False, NS_PER_READ
    elif n == 1 or m == 1:
        if n != 1:  # Cᵀ = Bᵀ Aᵀ
            left, ta, lda, step_a, right, tb, ldb, step_b = right, 1 - tb, ldb, step_b, left, 1 - ta, lda, step_a
            m, n, touch_a = n, m, lowering.reads(a)
        if ta and dtype.is_floating and m * dtype.size >= gemm.VECTOR_BYTES and m <= COLUMNS:
            step, matrices = dtype.size if tb or ldb == 1 else ldb * dtype.size, math.prod(batch)
            words = [right, left, lowering.address(result), k, step, lda * dtype.size, step_b, step_a]
            touches = [touch_a, touch_b, lowering.writes(result, SLAB, m * dtype.size)]
            cost = 20 + 2 * flop * matrices * m * k
            lowering.call("matmul", _columns(names, m), words, matrices, touches, cost)
            return
        source, whole, flop = _VECTOR.format(**names, at="l" if tb or ldb == 1 else "l * ldb"), False, NS_PER_READ
    else:
        source = _BLAS.format(**names)
    words = [left, right, lowering.address(result), m, n, k, ta, tb, lda, ldb, step_a, step_b]
    touches = [touch_a, touch_b, lowering.writes(result, SLAB, n * dtype.size)]
    rows = math.prod(batch) * m
    cost = 200 + rows * n * k * 2 * flop
    lowering.call("matmul", source, words, rows, touches, cost, whole=whole, multiple=gemm.ROWS)


def _vjp_matmul(k, g, inputs, output, attrs):
    a, b = inputs
    a, b = conj(a), conj(b)
    ta, tb = attrs["transpose_a"], attrs["transpose_b"]

    def product(x, y, transpose_x, transpose_y):
        return T["matmul"](x, y, transpose_a=transpose_x, transpose_b=transpose_y)

    if k == 0:
        return product(b, g, tb, True) if ta else product(g, b, False, not tb)
    return product(g, a, True, ta) if tb else product(a, g, not ta, False)


def _matmul_reference(a, b, transpose_a, transpose_b):
    return np.matmul(a.swapaxes(-1, -2) if transpose_a else a, b.swapaxes(-1, -2) if transpose_b else b)


def _simplify_matmul(a, b, transpose_a, transpose_b):
    """Products of a column and a row, either way, fuse; a stack of matrices times one matrix is one tall product."""
    rows, inner = (a.shape[-1], a.shape[-2]) if transpose_a else a.shape[-2:]
    columns = b.shape[-2 if transpose_b else -1]
    if inner == 1:
        column = T["reshape"](a, shape=(*a.shape[:-2], rows, 1))
        return T["multiply"](column, T["reshape"](b, shape=(*b.shape[:-2], 1, columns)))
    if rows == columns == 1:
        row = T["reshape"](a, shape=(*a.shape[:-2], 1, inner))
        products = T["multiply"](row, T["reshape"](b, shape=(*b.shape[:-2], 1, inner)))
        return T["reduce_sum"](products, axis=(len(products.shape) - 1,), keepdims=True)
    if len(a.shape) > 2 and len(b.shape) == 2 and not transpose_a:
        tall = T["reshape"](a, shape=(math.prod(a.shape[:-1]), a.shape[-1]))
        product = T["matmul"](tall, b, transpose_a=False, transpose_b=transpose_b)
        return T["reshape"](product, shape=(*a.shape[:-1], product.shape[-1]))
    return None


matmul = register(
    Op(
        "matmul",
        ("a", "b"),
        _infer_matmul,
        dtypes=MATMUL,
        wide=True,
        lower=_lower_matmul,
        vjp=_vjp_matmul,
        simplify=simplifying(_simplify_matmul),
        reference=_matmul_reference,
        tolerance=64,
    )
)
