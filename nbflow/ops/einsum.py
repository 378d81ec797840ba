"""Einstein sums, written in transposes, sums, products and matrix products.

An operand is a tensor with a label for each axis. Labels are letters, or numbers for the axes under an ellipsis, the
last of which is 0; those broadcast.
"""

import itertools
import re
from collections import Counter

from nbflow.errors import InvalidArgumentError
from nbflow.ops.matrices import diagonal
from nbflow.ops.table import TABLE
from nbflow.shapes import Dim

T = TABLE
_UNKNOWN = 64  # what a size that is not known counts as where the order of products is chosen
_FORMAT = re.compile(r"([a-zA-Z]|\.\.\.|,)*(->([a-zA-Z]|\.\.\.)*)?")

Labels = tuple


# --- equations --------------------------------------------------------------------------------------------------------


def parse(equation: str, shapes: list[tuple]) -> tuple[list[Labels], Labels]:
    """The labels of each operand's axes and of the result's.

    Raises:
        InvalidArgumentError: the equation makes no sense, or does not fit the shapes.
    """
    text = equation.replace(" ", "")
    if not _FORMAT.fullmatch(text):
        raise InvalidArgumentError(f"einsum: Subscripts have incorrect format: {equation}")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(shapes):
        raise InvalidArgumentError(
            f'einsum: Got {len(shapes)} inputs for equation "{equation}", expecting {len(parts)}'
        )
    operands = [_labels(part, len(shape), k) for k, (part, shape) in enumerate(zip(parts, shapes, strict=True))]
    stretched = tuple(reversed(range(max((sum(isinstance(l, int) for l in labels) for labels in operands), default=0))))
    if arrow:
        head, dots, tail = right.partition("...")
        if "..." in tail:
            raise InvalidArgumentError(f"einsum: Subscripts have incorrect format: {equation}")
        if stretched and not dots:
            raise InvalidArgumentError(
                f"einsum: the output of {equation} has no ellipsis for the {len(stretched)} broadcasting dimension(s)"
            )
        result = (*head, *(stretched if dots else ()), *tail)
    elif stretched:
        raise InvalidArgumentError(
            f"einsum: {equation} has no output, and an ellipsis for {len(stretched)} broadcasting dimension(s)"
        )
    else:
        counts = Counter(l for labels in operands for l in labels if isinstance(l, str))
        result = tuple(sorted(l for l, count in counts.items() if count == 1))
    letters = [l for l in result if isinstance(l, str)]
    if len(set(letters)) < len(letters):
        raise InvalidArgumentError(f"einsum: Output subscripts contain a label appearing more than once: {equation}")
    for l in letters:
        if not any(l in labels for labels in operands):
            raise InvalidArgumentError(f"einsum: Output subscripts contain the label {l} not present in the input.")
    return operands, result


def _labels(part: str, rank: int, position: int) -> Labels:
    head, dots, tail = part.partition("...")
    count = rank - len(head) - len(tail)
    if "..." in tail or count < 0 or (count and not dots):
        raise InvalidArgumentError(
            f"einsum: Expected input {position} ({part}) to have rank {len(head) + len(tail)} but got: {rank}"
        )
    return (*head, *reversed(range(count)), *tail)


def _sizes(operands: list[tuple]) -> dict:
    """The size of each label.

    Raises:
        InvalidArgumentError: a label has two.
    """
    sizes: dict = {}
    for position, (x, labels) in enumerate(operands):
        for axis, (l, n) in enumerate(zip(labels, x.nbflow_shape, strict=True)):
            known = sizes.setdefault(l, n)
            if known != n and isinstance(l, int) and (n == 1 or known == 1):
                sizes[l] = n if known == 1 else known
            elif known != n and not isinstance(n, Dim) and not isinstance(known, Dim):
                raise InvalidArgumentError(
                    f"einsum: Expected dimension {known} at axis {axis} of input {position} of shape {x.shape}, got {n}"
                )
    return sizes


# --- one operand ------------------------------------------------------------------------------------------------------


def _in_order(x, labels: Labels, wanted: Labels):
    """x with its axes in another order."""
    perm = tuple(labels.index(l) for l in wanted)
    return x if perm == tuple(range(len(perm))) else T["transpose"](x, perm=perm)


def _simple(x, labels: Labels, sizes: dict) -> tuple:
    """The operand with diagonals in place of repeated labels, and without axes that are only there to broadcast."""
    for l, count in Counter(labels).items():
        for _ in range(count - 1):
            first = labels.index(l)
            second = labels.index(l, first + 1)
            rest = [k for k in range(len(labels)) if k not in (first, second)]
            x = diagonal(T["transpose"](x, perm=(*rest, first, second)))
            labels = (*(labels[k] for k in rest), l)
    kept = [k for k, l in enumerate(labels) if not (isinstance(l, int) and x.nbflow_shape[k] == 1 and sizes[l] != 1)]
    if len(kept) < len(labels):
        x = T["reshape"](x, shape=tuple(x.nbflow_shape[k] for k in kept))
    return x, tuple(labels[k] for k in kept)


def _summed(x, labels: Labels, needed: set) -> tuple:
    """The operand summed over the labels that nothing else needs."""
    gone = tuple(k for k, l in enumerate(labels) if l not in needed)
    if not gone:
        return x, labels
    return T["reduce_sum"](x, axis=gone, keepdims=False), tuple(l for l in labels if l in needed)


# --- two operands -----------------------------------------------------------------------------------------------------


def contract(x, x_labels: Labels, y, y_labels: Labels, needed: set) -> tuple:
    """The product of two operands, summed over the labels that they share and nothing else needs.

    Labels that only one of them has are all needed.
    """
    shared = [l for l in x_labels if l in y_labels]
    batch = tuple(l for l in shared if l in needed)
    inner = tuple(l for l in shared if l not in needed)
    left = tuple(l for l in x_labels if l not in shared)
    right = tuple(l for l in y_labels if l not in shared)
    result = (*batch, *left, *right)
    by_element = batch and not (left and right) and not x.dtype.is_half
    if inner and not by_element:
        product = _matrix_product(x, x_labels, y, y_labels, batch, left, inner, right)
        return T["reshape"](product, shape=_shape(x, x_labels, y, y_labels, result)), result
    axes = (*result, *inner)
    product = _spread(x, x_labels, axes) * _spread(y, y_labels, axes)
    if inner:
        product = T["reduce_sum"](product, axis=tuple(range(len(result), len(axes))), keepdims=False)
    return product, result


def _shape(x, x_labels: Labels, y, y_labels: Labels, labels: Labels) -> tuple:
    sizes = {**dict(zip(y_labels, y.nbflow_shape, strict=True)), **dict(zip(x_labels, x.nbflow_shape, strict=True))}
    return tuple(sizes[l] for l in labels)


def _spread(x, labels: Labels, axes: Labels):
    """x with its axes in the order of `axes`, and axes of size 1 for the others."""
    x = _in_order(x, labels, tuple(l for l in axes if l in labels))
    sizes = iter(x.nbflow_shape)
    return T["reshape"](x, shape=tuple(next(sizes) if l in labels else 1 for l in axes))


def _matrix_product(
    x, x_labels: Labels, y, y_labels: Labels, batch: Labels, left: Labels, inner: Labels, right: Labels
):
    """[batch…, left, right]; operands that lie the other way round are multiplied as their transposes."""

    def matrices(z, labels, rows, columns) -> tuple:
        flip = bool(labels) and labels[-1] in rows and bool(columns)
        rows, columns = (columns, rows) if flip else (rows, columns)
        z = _in_order(z, labels, (*batch, *rows, *columns))
        outer = tuple(z.nbflow_shape[: len(batch)])
        sizes = z.nbflow_shape[len(batch) :]
        return T["reshape"](z, shape=(*outer, _count(sizes[: len(rows)]), _count(sizes[len(rows) :]))), flip

    x, flip_x = matrices(x, x_labels, left, inner)
    y, flip_y = matrices(y, y_labels, inner, right)
    return T["matmul"](x, y, transpose_a=flip_x, transpose_b=flip_y)


def _count(sizes) -> int:
    total = 1
    for n in sizes:
        total = total * n
    return total


# --- all of them ------------------------------------------------------------------------------------------------------


def einsum(equation: str, tensors: list):
    """The Einstein sum of tensors of one dtype, the pair that shrinks most first."""
    labels, result = parse(equation, [tuple(x.nbflow_shape) for x in tensors])
    operands = list(zip(tensors, labels, strict=True))
    sizes = _sizes(operands)
    operands = [_simple(x, l, sizes) for x, l in operands]
    while len(operands) > 1:
        i, j = min(
            itertools.combinations(range(len(operands)), 2), key=lambda pair: _growth(operands, pair, result, sizes)
        )
        needed = _needed(operands, (i, j), result)
        (x, x_labels), (y, y_labels) = operands[i], operands[j]
        x, x_labels = _summed(x, x_labels, needed | set(y_labels))
        y, y_labels = _summed(y, y_labels, needed | set(x_labels))
        operands = [o for k, o in enumerate(operands) if k not in (i, j)]
        operands.append(contract(x, x_labels, y, y_labels, needed))
    x, left = _summed(*operands[0], set(result))
    return _in_order(x, left, result)


def _needed(operands: list[tuple], pair: tuple[int, int], result: Labels) -> set:
    """The labels that a product of two operands must keep."""
    return set(result).union(*(labels for k, (_, labels) in enumerate(operands) if k not in pair))


def _growth(operands: list[tuple], pair: tuple[int, int], result: Labels, sizes: dict) -> int:
    """How much larger the product of two operands is than they are."""

    def elements(labels) -> int:
        return _count(_UNKNOWN if isinstance(sizes[l], Dim) else sizes[l] for l in labels)

    one, two = (operands[k][1] for k in pair)
    kept = {*one, *two} & _needed(operands, pair, result)
    return elements(kept) - elements(one) - elements(two)
