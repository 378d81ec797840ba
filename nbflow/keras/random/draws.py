"""Distributions (tf.keras.random). What they share:

Args:
    shape: of the result.
    dtype: of the result; floatx() by default.
    seed: an int, which gives the same numbers at each call; a SeedGenerator, which gives new ones; by default a
        generator that all share.

Raises:
    ValueError: seed or dtype is something else.
"""

from nbflow.arrays.ordering import argsort
from nbflow.dtypes import as_dtype, bfloat16, float32, int32, int64
from nbflow.keras.random.seeds import draw_seed
from nbflow.keras.settings import floatx
from nbflow.nn.dropouts import stateless_dropout
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, shape_argument
from nbflow.random import stateless
from nbflow.shapes import normalize_axis
from nbflow.tensor.tensor import to_tensor


@export("keras.random.normal")
def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal numbers of a mean and a standard deviation (tf.keras.random.normal).

    Example:
        >>> import nbflow as nf
        >>> bool(nf.reduce_all(nf.keras.random.normal([3], seed=1) == nf.keras.random.normal([3], seed=1)))
        True
    """
    return stateless.stateless_normal(shape, draw_seed(seed), mean, stddev, dtype or floatx())


@export("keras.random.truncated_normal")
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal numbers within two standard deviations of the mean (tf.keras.random.truncated_normal)."""
    return stateless.stateless_truncated_normal(shape, draw_seed(seed), mean, stddev, dtype or floatx())


@export("keras.random.uniform")
def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Floats in [minval, maxval) (tf.keras.random.uniform)."""
    dtype = as_dtype(dtype or floatx())
    if not dtype.is_floating:
        raise ValueError(f"`keras.random.uniform` requires a floating point `dtype`. Received: dtype={dtype.name}")
    low, high = (v if isinstance(v, float) else cast(to_tensor(v), dtype) for v in (minval, maxval))
    return stateless.stateless_uniform(shape, draw_seed(seed), low, high, dtype)


@export("keras.random.randint")
def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Integers from minval to maxval - 1 (tf.keras.random.randint)."""
    dtype = as_dtype(dtype)
    if not dtype.is_integer:
        raise ValueError(f"`keras.random.randint` requires an integer `dtype`. Received: dtype={dtype.name}")
    drawn = dtype if dtype in (int32, int64) else int64
    return cast(stateless.stateless_uniform(shape, draw_seed(seed), minval, maxval, drawn), dtype)


@export("keras.random.categorical")
def categorical(logits, num_samples, dtype="int32", seed=None):
    """Classes drawn with the chances softmax(logits), [batch, classes] -> [batch, num_samples].

    (tf.keras.random.categorical)
    """
    logits = to_tensor(logits)
    if logits.ndim != 2:
        raise ValueError(
            f"`logits` should be a 2-D tensor with shape [batch_size, num_classes]. Received: shape={logits.shape}"
        )
    return cast(stateless.stateless_categorical(logits, num_samples, draw_seed(seed)), dtype)


@export("keras.random.dropout")
def dropout(inputs, rate, noise_shape=None, seed=None):
    """Sets a share of the elements to 0 and scales the others by 1 / (1 - rate) (tf.keras.random.dropout).

    Args:
        inputs: a floating point tensor.
        rate: the share, from 0 to 1.
        noise_shape: of the mask, which broadcasts with inputs; None in it stands for the size of inputs.
    """
    inputs = to_tensor(inputs)
    if isinstance(rate, (int, float)) and rate in (0, 1):
        return TABLE["fill_like"](inputs, shape=tuple(inputs.nbflow_shape), value=0) if rate else inputs
    return stateless_dropout(inputs, rate, draw_seed(seed), noise_shape=noise_shape)


@export("keras.random.shuffle")
def shuffle(x, axis=0, seed=None):
    """A tensor with its slices along an axis in another order (tf.keras.random.shuffle)."""
    x = to_tensor(x)
    axis = normalize_axis("keras.random.shuffle", axis, x.ndim)
    order = argsort(stateless.stateless_uniform([x.nbflow_shape[axis]], draw_seed(seed)))
    return TABLE["gather"](x, order, axis=axis)


def _kernel_dtype(dtype):
    """The dtype asked for, and the one that is drawn for it: there is no kernel for bfloat16."""
    dtype = as_dtype(dtype or floatx())
    return dtype, float32 if dtype is bfloat16 else dtype


@export("keras.random.gamma")
def gamma(shape, alpha, dtype=None, seed=None):
    """Gamma numbers of shape parameter alpha, with which shape ends (tf.keras.random.gamma)."""
    dtype, drawn = _kernel_dtype(dtype)
    return cast(stateless.stateless_gamma(shape, draw_seed(seed), alpha, dtype=drawn), dtype)


@export("keras.random.binomial")
def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """How many of `counts` trials succeed, each with its probability (tf.keras.random.binomial)."""
    dtype, drawn = _kernel_dtype(dtype)
    return cast(stateless.stateless_binomial(shape, draw_seed(seed), counts, probabilities, drawn), dtype)


@export("keras.random.beta")
def beta(shape, alpha, beta, dtype=None, seed=None):
    """Beta numbers: x / (x + y) of gamma numbers x, of alpha, and y, of beta (tf.keras.random.beta)."""
    dtype, drawn = _kernel_dtype(dtype)
    shape, first = shape_argument("keras.random.beta", shape), draw_seed(seed)
    x, y = (
        cast(
            stateless.stateless_gamma(
                shape, key, TABLE["broadcast_to"](to_tensor(parameter, drawn), shape=shape), dtype=drawn
            ),
            dtype,
        )
        for key, parameter in ((first, alpha), (first + 12, beta))
    )
    return x / (x + y)
