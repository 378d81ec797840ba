"""The tuples that a batch comes in."""

from nbflow.public import export


@export("keras.utils.unpack_x_y_sample_weight")
def unpack_x_y_sample_weight(data) -> tuple:
    """(x, y, sample_weight) of x, (x,), (x, y) or all three, None for what is missing.

    (tf.keras.utils.unpack_x_y_sample_weight)

    Raises:
        ValueError: data is a longer tuple.
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, found: {data!r:.200}"
        )
    return (*data, None, None)[:3]


@export("keras.utils.pack_x_y_sample_weight")
def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """x, (x, y) or (x, y, sample_weight), as far as they are given (tf.keras.utils.pack_x_y_sample_weight)."""
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
