"""Windows that slide over the spatial axes of [batch, *spatial, channels]: their geometry and the loops over them.

Convolution, pooling, patches and morphology differ in what they do at a tap, a position within a window. Everything
else is here, for one to three spatial axes alike: kernels see three, of which the first may have size 1.

An attribute `padding` is "SAME", "VALID" or a pair (before, after) for each spatial axis. A negative pair crops.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from textwrap import indent

from nbflow.compiler.graph import Aval, aval
from nbflow.compiler.kernels import SLAB
from nbflow.errors import InvalidArgumentError
from nbflow.shapes import Dim

UNROLLED = 32  # taps of a window that a kernel has written out one by one


# --- sizes ------------------------------------------------------------------------------------------------------------


def span(taps, dilation: int):
    """How far a window reaches: from its first tap to its last, both included."""
    return (taps - 1) * dilation + 1


def _positions(op: str, size, taps, stride: int, dilation: int, pads):
    """How many windows fit an axis."""
    if pads == "SAME":
        return (size + stride - 1) // stride
    before, after = (0, 0) if pads == "VALID" else pads
    room = size + before + after - span(taps, dilation) + stride
    if not isinstance(room, Dim) and room <= -stride:
        raise InvalidArgumentError(
            f"{op}: a window of {taps} taps (dilation {dilation}) does not fit an axis of size {size} "
            f"with padding {pads}: the result would have a negative size"
        )
    return room // stride if isinstance(room, Dim) else max(0, room) // stride


def _each(padding, count: int) -> Sequence:
    return (padding,) * count if isinstance(padding, str) else padding


def positions(op: str, spatial: Sequence, window: Sequence, strides, padding, dilations) -> tuple:
    """The spatial shape of a result that has one element a window.

    Raises:
        InvalidArgumentError: a window does not fit.
    """
    axes = zip(spatial, window, strides, dilations, _each(padding, len(spatial)), strict=True)
    return tuple(_positions(op, n, k, s, d, pads) for n, k, s, d, pads in axes)


def paddings(spatial: Sequence, window: Sequence, strides, padding, dilations) -> tuple:
    """The padding of each axis as a pair, for known sizes."""
    found: list[tuple] = []
    for n, k, s, d, pads in zip(spatial, window, strides, dilations, _each(padding, len(spatial)), strict=True):
        if pads == "SAME":
            total = max(0, (-(-n // s) - 1) * s + span(k, d) - n)
            found.append((total // 2, total - total // 2))
        else:
            found.append((0, 0) if pads == "VALID" else pads)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Windows:
    """The geometry as kernels see it, three of each: sizes of the input, positions, taps, strides, dilations, padding.

    Attributes:
        batch, channels: of the input.
    """

    batch: int
    channels: int
    sizes: tuple
    positions: tuple
    taps: tuple
    strides: tuple
    dilations: tuple
    before: tuple

    @property
    def words(self) -> list[int]:
        """As argument words, in the order of GEOMETRY."""
        rows = (self.sizes, self.positions, self.taps, self.strides, self.dilations, self.before)
        return [*(number for row in rows for number in row), self.channels]

    @property
    def tap_count(self) -> int:
        """Taps of a window."""
        return math.prod(self.taps)

    @property
    def outputs(self) -> int:
        """Windows in all."""
        return self.batch * math.prod(self.positions)

    @property
    def inputs(self) -> int:
        """Spatial positions of the input in all."""
        return self.batch * math.prod(self.sizes)


def windows(shape: tuple, window: Sequence, strides, padding, dilations) -> Windows:
    """The windows over an input of shape [batch, *spatial, channels]."""
    batch, *spatial, channels = shape
    rank = 3 - len(spatial)
    pads = paddings(spatial, window, strides, padding, dilations)
    found = positions("", spatial, window, strides, padding, dilations)
    ones = (1,) * rank
    return Windows(
        batch,
        channels,
        (*ones, *spatial),
        (*ones, *found),
        (*ones, *window),
        (*ones, *strides),
        (*ones, *dilations),
        (0,) * rank + tuple(before for before, _ in pads),
    )


def infer_windows(op: str, x: Aval, window: Sequence, attrs: dict, channels=None, dtype=None) -> Aval:
    """The Aval of a result that has one element a window and channel."""
    batch, *spatial, depth = x.shape
    sizes = positions(op, spatial, window, attrs["strides"], attrs["padding"], attrs["dilations"])
    return aval(dtype or x.dtype, (batch, *sizes, depth if channels is None else channels))


# --- loops ------------------------------------------------------------------------------------------------------------

GEOMETRY = """
    n0, n1, n2, o0, o1, o2 = word(p, {0}), word(p, {1}), word(p, {2}), word(p, {3}), word(p, {4}), word(p, {5})
    k0, k1, k2, s0, s1, s2 = word(p, {6}), word(p, {7}), word(p, {8}), word(p, {9}), word(p, {10}), word(p, {11})
    d0, d1, d2, p0, p1, p2 = word(p, {12}), word(p, {13}), word(p, {14}), word(p, {15}), word(p, {16}), word(p, {17})
    channels = word(p, {18})
"""


def geometry(first: int) -> str:
    """Source that reads the words of a Windows, which start at argument `first`."""
    return GEOMETRY.format(*range(first, first + 19))


# window i: its image, the input position of tap 0 on each axis, and which of its taps lie inside
WINDOW = """c2, rest = i % o2, i // o2
c1, rest = rest % o1, rest // o1
c0, image = rest % o0, rest // o0
t0, t1, t2 = c0 * s0 - p0, c1 * s1 - p1, c2 * s2 - p2
lo0, lo1, lo2 = max(0, -(t0 // d0)), max(0, -(t1 // d1)), max(0, -(t2 // d2))
hi0, hi1, hi2 = min(k0, (n0 - t0 + d0 - 1) // d0), min(k1, (n1 - t1 + d1 - 1) // d1), min(k2, (n2 - t2 + d2 - 1) // d2)
full = (lo0 == 0) & (lo1 == 0) & (lo2 == 0) & (hi0 == k0) & (hi1 == k1) & (hi2 == k2)
"""
# the taps inside; at is the position in the input
TAPS = """for j0 in range(lo0, hi0):
    for j1 in range(lo1, hi1):
        line = ((image * n0 + t0 + j0 * d0) * n1 + t1 + j1 * d1) * n2 + t2
        for j2 in range(lo2, hi2):
            at, tap = line + j2 * d2, (j0 * k1 + j1) * k2 + j2
"""
# input position i, and the windows that it lies in; at is the window, tap the position in it
COVERING = """c2, rest = i % n2, i // n2
c1, rest = rest % n1, rest // n1
c0, image = rest % n0, rest // n0
"""
COVERED = """for j0 in range(k0):
    t0 = c0 + p0 - j0 * d0
    if t0 >= 0 and t0 % s0 == 0 and t0 // s0 < o0:
        for j1 in range(k1):
            t1 = c1 + p1 - j1 * d1
            if t1 >= 0 and t1 % s1 == 0 and t1 // s1 < o1:
                line = ((image * o0 + t0 // s0) * o1 + t1 // s1) * o2
                for j2 in range(k2):
                    t2 = c2 + p2 - j2 * d2
                    if t2 >= 0 and t2 % s2 == 0 and t2 // s2 < o2:
                        at, tap = line + t2 // s2, (j0 * k1 + j1) * k2 + j2
"""


def at_taps(body: str) -> str:
    """A loop over the taps inside the window, with body at each."""
    return TAPS + indent(body, " " * 12)


def at_windows(body: str) -> str:
    """A loop over the windows around input position i, with body at each."""
    return COVERED + indent(body, " " * 24)


def written_out(taps: tuple, code: str, size: int, line: Callable[[str, str], str]) -> tuple[str, str]:
    """Source for a window that lies inside, before and in the loop over channels c, with all taps written out.

    Args:
        line: (tap, the value of the input at it) -> source.
    """
    head, body = [], []
    for j0, j1 in product(range(taps[0]), range(taps[1])):
        name = f"r{j0}_{j1}"
        place = f"((image * n0 + t0 + {j0} * d0) * n1 + t1 + {j1} * d1) * n2 + t2"
        head.append(f"{name} = x + ({place}) * channels * {size}\n")
        for j2 in range(taps[2]):
            tap = (j0 * taps[1] + j1) * taps[2] + j2
            body.append(line(str(tap), f"load({code}, {name}, {j2} * step + c, 0)"))
    return "step = d2 * channels\n" + "".join(head), "".join(body)


def kernel(what: str, words: str, first: int, head: str, body: str) -> str:
    """The source of a kernel over units i, which are windows or input positions.

    Args:
        words: names of the argument words before the geometry.
        first: how many.
        head: WINDOW or COVERING.
    """
    names = ", ".join(f"word(p, {k})" for k in range(first))
    return (
        f'def {{name}}(p, begin, end):\n    """{what}: [begin, end)"""\n    {words} = {names}'
        + geometry(first)
        + "    for i in range(begin, end):\n"
        + indent(head + body, " " * 8)
    )


def lower_windows(node, lowering, stem: str, source: str, geometry_: Windows, units: int, ns: float, more=()) -> None:
    """Adds the call of a kernel that reads dense inputs, writes the result unit by unit, and knows the windows.

    Args:
        ns: estimated time a unit.
        more: further argument words.
    """
    words, touches = [], []
    for value in node.inputs:
        address, touch = lowering.dense(lowering.place(value), value.shape)
        words.append(address)
        touches.append(touch)
    result = node.output
    words += [lowering.address(result), *geometry_.words, *more]
    if not units or not result.aval.size:
        return
    touches.append(lowering.writes(result, SLAB, result.aval.nbytes // units))
    lowering.call(stem, source, words, units, touches, cost=20 + units * ns)
