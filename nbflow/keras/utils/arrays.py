"""Labels and sequences as arrays."""

import numpy as np

from nbflow.arrays.joining import one_hot
from nbflow.keras.settings import epsilon
from nbflow.linalg.norms import norm
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import normalize_axes
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor


@export("keras.utils.to_categorical")
def to_categorical(x, num_classes=None):
    """Class numbers as rows with a 1 at the class and 0 elsewhere (tf.keras.utils.to_categorical).

    Args:
        x: integers, of a shape whose last size is dropped if it is 1.
        num_classes: the length of the rows, by default the greatest number + 1.

    Returns:
        A float64 array; of a tensor, a float32 tensor.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.utils.to_categorical([0, 2]).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if isinstance(x, TensorProtocol):
        shape = x.nbflow_shape
        return one_hot(TABLE["reshape"](x, shape=shape[:-1]) if len(shape) > 1 and shape[-1] == 1 else x, num_classes)
    x = np.array(x, np.int64)
    shape = x.shape[:-1] if x.ndim > 1 and x.shape[-1] == 1 else x.shape
    x = x.reshape(-1)
    rows = np.zeros((x.size, num_classes or x.max() + 1))
    rows[np.arange(x.size), x] = 1
    return rows.reshape(*shape, -1)


@export("keras.utils.normalize")
def normalize(x, axis=-1, order=2):
    """x / its norms along an axis (tf.keras.utils.normalize).

    Args:
        x: an array, where norms of 0 count as 1, or a tensor, where norms are 1e-7 at least.
        axis: the axis, or for tensors several.
        order: which norm: (Σ |x|ᵒʳᵈᵉʳ)¹ᐟᵒʳᵈᵉʳ.

    Raises:
        ValueError: order is no integer of 1 or more, which it must be for tensors.
    """
    if isinstance(x, np.ndarray):
        norms = np.atleast_1d(np.linalg.norm(x, order, axis))
        norms[norms == 0] = 1
        return x / np.expand_dims(norms, axis or -1)
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    x = to_tensor(x)
    if order != 2:
        return x / TABLE["maximum"](norm(x, order, axis, keepdims=True), epsilon())
    squares = TABLE["reduce_sum"](TABLE["square"](x), axis=normalize_axes("normalize", axis, x.ndim), keepdims=True)
    return x * TABLE["minimum"](TABLE["rsqrt"](squares), 1 / epsilon())


@export("keras.utils.pad_sequences", "keras.preprocessing.sequence.pad_sequences")
def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    """Sequences of several lengths as the rows of one array (tf.keras.utils.pad_sequences).

    Args:
        sequences: a list of lists or arrays.
        maxlen: the length of the rows, by default that of the longest sequence.
        dtype: of the array.
        padding: where `value` is added to shorter sequences, "pre" or "post".
        truncating: where longer sequences are cut, "pre" or "post".
        value: what is added.

    Returns:
        A NumPy array [len(sequences), maxlen, ...].

    Raises:
        ValueError: sequences are no sequences, have elements of different shapes, or an argument is none of these.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.utils.pad_sequences([[1], [2, 3]]).tolist()
        [[0, 1], [2, 3]]
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for sequence in sequences:
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {sequence}")
    if isinstance(value, str) and dtype is not object and np.dtype(dtype).kind not in "SU":
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}. You should set `dtype=object` for "
            f"variable length strings."
        )
    for name, choice in (("Truncating", truncating), ("Padding", padding)):
        if choice not in ("pre", "post"):
            raise ValueError(f'{name} type "{choice}" not understood')
    if maxlen is None:
        maxlen = max(len(s) for s in sequences)
    shape = next((np.shape(s)[1:] for s in sequences if len(s)), ())
    rows = np.full((len(sequences), maxlen, *shape), value, dtype=dtype)
    for k, sequence in enumerate(sequences):
        if not len(sequence):
            continue
        kept = np.asarray(sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen], dtype=dtype)
        if kept.shape[1:] != shape:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {k} is different from expected shape {shape}"
            )
        rows[k, slice(len(kept)) if padding == "post" else slice(-len(kept), None)] = kept
    return rows
