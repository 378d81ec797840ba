"""Images seen through an affine transformation, as tf.raw_ops.ImageProjectiveTransformV3 computes them."""

from nbflow.dtypes import float32, int32
from nbflow.ops.table import TABLE
from nbflow.public import cast
from nbflow.shapes import Dim
from nbflow.tensor.indexing import as_tensor
from nbflow.tensor.tensor import to_tensor


def size_as_float(n):
    """A size as a float, or where it is open as a float32 tensor."""
    return cast(as_tensor(n, to_tensor(0)), float32) if isinstance(n, Dim) else float(n)


def transformed(x, matrix: list, nearest: bool, fill_mode: str, fill_value: float):
    """Pixel (row, column) of the result is that at (b0 column + b1 row + b2, a0 column + a1 row + a2) of the image.

    Args:
        x: images [batch, height, width, channels].
        matrix: a0, a1, a2, b0, b1, b2: numbers, or tensors of one for each image.
        nearest: whether the nearest pixel is taken, or the four around the place are weighted.
        fill_mode: what lies beyond the border: "reflect" (abcd|dcba), "wrap" (abcd|abcd), "nearest" (abcd|dddd) or
            "constant", the fill_value.
    """
    if x.dtype.is_half:
        return cast(transformed(cast(x, float32), matrix, nearest, fill_mode, fill_value), x.dtype)
    batch, height, width, channels = x.nbflow_shape
    zero = to_tensor(0)
    rows, columns = (cast(TABLE["range"](zero, zero + 1, size=n), float32) for n in (height, width))
    rows, columns = TABLE["reshape"](rows, shape=(height, 1)), TABLE["reshape"](columns, shape=(1, width))
    a0, a1, a2, b0, b1, b2 = (m if isinstance(m, float) else TABLE["reshape"](m, shape=(batch, 1, 1)) for m in matrix)
    across = _mapped(columns * a0 + rows * a1 + a2, size_as_float(width), fill_mode)
    down = _mapped(columns * b0 + rows * b1 + b2, size_as_float(height), fill_mode)
    flat = TABLE["reshape"](x, shape=(batch * height * width, channels))
    first = TABLE["reshape"](TABLE["range"](zero, zero + 1, size=batch), shape=(batch, 1, 1))

    def at(row, column):
        """The pixels at whole numbers, or fill_value where there are none."""
        whole, inside = first, None
        for place, n in ((row, height), (column, width)):
            last = size_as_float(n) - 1.0
            within = TABLE["logical_and"](place >= 0.0, place <= last)
            inside = within if inside is None else TABLE["logical_and"](inside, within)
            whole = whole * as_tensor(n, zero) + cast(TABLE["minimum"](TABLE["maximum"](place, 0.0), last), int32)
        inside = TABLE["reshape"](inside, shape=(*inside.nbflow_shape, 1))
        return TABLE["select"](inside, TABLE["gather"](flat, whole, axis=0), cast(to_tensor(fill_value), x.dtype))

    if nearest:
        return at(*(TABLE["select"](p < 0.0, TABLE["ceil"](p - 0.5), TABLE["floor"](p + 0.5)) for p in (down, across)))
    top, left = TABLE["floor"](down), TABLE["floor"](across)

    def share(place):
        return cast(TABLE["reshape"](place, shape=(*place.nbflow_shape, 1)), x.dtype)

    right, below = share(across - left), share(down - top)
    rest, above = share(left + 1.0 - across), share(top + 1.0 - down)
    upper = rest * at(top, left) + right * at(top, left + 1.0)
    lower = rest * at(top + 1.0, left) + right * at(top + 1.0, left + 1.0)
    return above * upper + below * lower


def _mapped(place, n, mode: str):
    """Places along an axis of size n, those beyond the border where fill_mode has them."""
    if mode == "constant":
        return place
    last = n - 1.0
    if mode == "reflect":
        twice = 2.0 * n
        low = twice * TABLE["floor"](TABLE["maximum"](-place, 0.0) / twice) + place
        low = TABLE["select"](low < -n, low + twice, -low - 1.0)
        high = place - twice * TABLE["floor"](TABLE["maximum"](place, 0.0) / twice)
        high = TABLE["select"](high >= n, twice - high - 1.0, high)
        place = TABLE["select"](place < 0.0, low, TABLE["select"](place > last, high, place))
    elif mode == "wrap":
        around = TABLE["maximum"](to_tensor(last, float32), 1.0)  # of an axis of size 1 all places are 0
        low = place + n * (TABLE["floor"](TABLE["maximum"](-place, 0.0) / around) + 1.0)
        high = place - n * TABLE["floor"](TABLE["maximum"](place, 0.0) / around)
        place = TABLE["select"](place < 0.0, low, TABLE["select"](place > last, high, place))
    return TABLE["minimum"](TABLE["maximum"](place, 0.0), last)
