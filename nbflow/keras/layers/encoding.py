"""Layers that make categories of numbers and strings: CategoryEncoding, Discretization, Hashing, HashedCrossing.

What they share:

Args:
    output_mode: "int" for the numbers of categories; "one_hot" for a vector of each, with a 1 at its number, in place
        of a last axis of size 1 or as a new last axis; "multi_hot" for a vector of each example, with a 1 at each
        category that its values (the axis after the first) have; "count" for how often they have it.
    sparse: not supported: there are no sparse results.
    kwargs: those of Layer.

Values may be tensors, arrays or lists. Those of numbers are part of compiled functions; strings are hashed eagerly.
"""

import numpy as np

from nbflow.arrays.joining import one_hot
from nbflow.arrays.ordering import searchsorted
from nbflow.compiler.graph import aval
from nbflow.dtypes import float32, float64, int32, int64
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.layer import Layer
from nbflow.keras.settings import floatx
from nbflow.keras.symbolic import KerasTensor, symbolic, traced_call
from nbflow.ops.hashing import BUCKET, CROSS, buckets_of, crossed
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.string_tensor import StringTensor, text_or_numbers
from nbflow.tensor.tensor import apply, from_numpy, to_tensor


def encoded(x, mode: str, depth: int, dtype, weights=None):
    """Numbers of categories as output_mode asks; those outside of [0, depth) count as none.

    Args:
        x: an integer tensor.
        weights: of x's shape, for what each counts in the mode "count".
    """
    if mode == "int":
        return cast(x, dtype)
    if not x.ndim:
        x = TABLE["reshape"](x, shape=(1,))
    if mode == "one_hot":
        if x.ndim > 1 and x.shape[-1] == 1:
            x = TABLE["reshape"](x, shape=tuple(x.nbflow_shape[:-1]))
        return one_hot(x, depth, dtype=dtype)
    axis = min(1, x.ndim - 1)
    vectors = one_hot(x, depth, dtype=dtype if weights is None else weights.dtype)
    if weights is not None:
        vectors = vectors * TABLE["reshape"](weights, shape=(*weights.nbflow_shape, 1))
    return TABLE["reduce_max" if mode == "multi_hot" else "reduce_sum"](vectors, axis=(axis,), keepdims=False)


def check_mode(layer: str, mode: str, allowed: tuple[str, ...], sparse: bool) -> None:
    """Raises ValueError for a mode that there is not, NotImplementedError for sparse results."""
    if mode not in allowed:
        raise ValueError(
            f"Unknown value for `output_mode` argument of layer {layer}. Allowed values are: {list(allowed)}. "
            f"Received: output_mode={mode}"
        )
    if sparse and mode == "int":
        raise ValueError(
            f"`sparse` may only be true if `output_mode` is not 'int'. Received: sparse={sparse} and output_mode={mode}"
        )
    if sparse:
        raise NotImplementedError(f"{layer}: sparse results are not supported; leave sparse False")


class Categorical(Configured):
    """Base of layers that take values of any kind, strings too, and give numbers of categories or their encoding."""

    _convert_inputs = False
    _takes_values = True

    def _traced(self, args: tuple, kwargs: dict):
        """What it makes in a model of strings: what it makes of the numbers of their categories."""
        x = args[0] if args else next(iter(kwargs.values()))
        x = x[0] if isinstance(x, (list, tuple)) else x
        if isinstance(x, KerasTensor) and x.dtype == "string":
            return traced_call(self._encoded, (symbolic(aval(int64, self._numbers_shape(x.nbflow_shape))),), {})
        return super()._traced(args, kwargs)

    def _numbers_shape(self, shape: tuple) -> tuple:
        return shape

    def _encoded(self, numbers):
        raise NotImplementedError


@export("keras.layers.CategoryEncoding")
class CategoryEncoding(Categorical):
    """Integers below a known number as vectors (tf.keras.layers.CategoryEncoding).

    Args:
        num_tokens: the number of categories.
        output_mode: "one_hot", "multi_hot", the default, or "count".

    The call takes `count_weights`, of the inputs' shape, in the mode "count".

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.CategoryEncoding(4)([[0, 1], [3, 3]]).numpy()
        array([[1., 1., 0., 0.],
               [0., 0., 0., 1.]], dtype=float32)
    """

    def __init__(self, num_tokens=None, output_mode="multi_hot", sparse=False, **kwargs):
        super().__init__(**kwargs)
        output_mode = "multi_hot" if output_mode == "binary" else output_mode
        check_mode("CategoryEncoding", output_mode, ("count", "one_hot", "multi_hot"), sparse)
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of tokens is not known beforehand, use the "
                "IntegerLookup layer instead."
            )
        if num_tokens < 1:
            raise ValueError(f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}.")
        self._keep({"self": self, "num_tokens": num_tokens, "output_mode": output_mode}, masking=False)

    def call(self, inputs, count_weights=None):
        """The vectors."""
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    f"`count_weights` is not used when `output_mode` is not `'count'`. Received "
                    f"`count_weights={count_weights}`."
                )
            count_weights = cast(to_tensor(count_weights), self.compute_dtype)
        return encoded(cast(to_tensor(inputs), int64), self.output_mode, self.num_tokens, self.dtype, count_weights)


@export("keras.layers.Hashing")
class Hashing(Categorical):
    """Strings and integers sorted into buckets by their hash (tf.keras.layers.Hashing), the same ones as Keras'.

    Args:
        num_bins: the number of buckets.
        mask_value: a value that gets bucket 0 for itself.
        salt: one or two integers, the key of another hash (SipHash instead of FarmHash).

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.Hashing(3)([["A"], ["B"], ["C"], ["D"], ["E"]]).numpy().ravel()
        array([1, 0, 1, 1, 2])
    """

    def __init__(self, num_bins, mask_value=None, salt=None, output_mode="int", sparse=False, **kwargs):
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else floatx()
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                f"The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: num_bins={num_bins}."
            )
        if output_mode == "int" and self.dtype_policy.name not in ("int32", "int64"):
            raise ValueError(
                f"When `output_mode=\"int\"`, `dtype` should be an integer type, 'int32' or 'int64'. Received: "
                f"dtype={kwargs['dtype']}"
            )
        check_mode("Hashing", output_mode, ("int", "one_hot", "multi_hot", "count"), sparse)
        salt = salt_of("Hashing", salt)
        self._keep(
            {
                "num_bins": num_bins,
                "salt": salt,
                "mask_value": mask_value,
                "output_mode": output_mode,
                "sparse": sparse,
            },
            masking=False,
        )

    def call(self, inputs):
        """The buckets, or their encoding."""
        x = text_or_numbers(inputs)
        if self.output_mode == "one_hot" and x.shape[-1] == 1:
            x = TABLE["reshape"](x, shape=tuple(x.nbflow_shape[:-1]))
        masked = self.mask_value is not None and self.num_bins > 1
        mask = (x == self.mask_value) if masked else None
        numbers = hashed(x, self.num_bins - masked, self.salt)
        return self._encoded(TABLE["select"](mask, 0, numbers + 1) if masked else numbers)

    def _numbers_shape(self, shape):
        return shape[:-1] if self.output_mode == "one_hot" and shape[-1] == 1 else shape

    def _encoded(self, numbers):
        return encoded(numbers, self.output_mode, self.num_bins, self.dtype)


def hashed(x, buckets: int, salt):
    """The buckets of a StringTensor, or of numbers as their digits."""
    how, key = ("fast", (0, 0)) if salt is None else ("strong", tuple(salt))
    if isinstance(x, StringTensor):
        array = x._array
        return from_numpy(buckets_of(array.reshape(-1).tolist(), array.shape, how, buckets, key))
    x = cast(x, int64) if x.dtype.is_floating else x
    return apply(BUCKET, (x,), {"how": how, "buckets": buckets, "key": key})


def salt_of(layer: str, salt):
    """A salt argument as a list of two integers, or None."""
    if salt is None or (isinstance(salt, (tuple, list)) and len(salt) == 2):
        return salt and list(salt)
    if isinstance(salt, int):
        return [salt, salt]
    raise ValueError(
        f"The `salt` argument for `{layer}` can only be a tuple of size 2 integers, or a single integer. "
        f"Received: salt={salt}."
    )


@export("keras.layers.HashedCrossing")
class HashedCrossing(Categorical):
    """Combinations of features sorted into buckets by their hash (tf.keras.layers.HashedCrossing), Keras' ones.

    The call takes a list of two or more features, strings or integers, of one shape: (), (batch,) or (batch, 1).

    Args:
        num_bins: the number of buckets.
        output_mode: "int" or "one_hot".

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.HashedCrossing(5)((["A", "B", "A"], [101, 101, 102])).numpy()
        array([1, 4, 3])
    """

    def __init__(self, num_bins, output_mode="int", sparse=False, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype="int64" if output_mode == "int" and dtype is None else dtype)
        check_mode("HashedCrossing", output_mode, ("int", "one_hot"), sparse)
        self._keep({"num_bins": num_bins, "output_mode": output_mode, "sparse": sparse}, masking=False)

    def call(self, inputs):
        """The buckets, or their encoding."""
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(
                f"`HashedCrossing` should be called on a list or tuple of inputs. Received: inputs={inputs!r:.200}"
            )
        if len(inputs) < 2:
            raise ValueError(
                f"`HashedCrossing` should be called on at least two inputs. Received: inputs={inputs!r:.200}"
            )
        columns = [text_or_numbers(x) for x in inputs]
        first = tuple(columns[0].shape)
        if len(first) > 2 or (len(first) == 2 and first[-1] != 1):
            raise ValueError(
                f"All `HashedCrossing` inputs should have shape `()`, `(batch_size)` or `(batch_size, 1)`. "
                f"Received: inputs={inputs!r:.200}"
            )
        if any(tuple(x.shape) != first for x in columns):
            raise ValueError(f"All `HashedCrossing` inputs should have equal shape. Received: inputs={inputs!r:.200}")
        if not all(x.dtype.is_integer or isinstance(x, StringTensor) for x in columns):
            raise ValueError(
                f"All `HashedCrossing` inputs should have an integer or string dtype. Received: inputs={inputs!r:.200}"
            )
        if any(isinstance(x, StringTensor) for x in columns):
            flat = [np.asarray(x).reshape(-1).tolist() for x in columns]
            numbers = from_numpy(crossed(flat, self.num_bins).reshape(first))
        else:
            numbers = apply(CROSS, [cast(x, int64) for x in columns], {"buckets": self.num_bins})
        return self._encoded(numbers)

    def _encoded(self, numbers):
        return encoded(numbers, self.output_mode, self.num_bins, self.compute_dtype)

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return {k: getattr(self, k) for k in ("num_bins", "output_mode", "sparse", "name", "dtype")}


# --- Discretization ---------------------------------------------------------------------------------------------------


@export("keras.layers.Discretization")
class Discretization(Layer):
    """The number of the range that each value lies in (tf.keras.layers.Discretization).

    Args:
        bin_boundaries: where ranges end; a value of a boundary belongs to the range after it. By default adapt finds
            them.
        num_bins: how many ranges adapt makes, each with about as many of the values that it is given.
        epsilon: how exact their quantiles are: that share of all values.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.Discretization([0.0, 1.0])([[-1.5, 1.0, 3.4, 0.5]]).numpy()
        array([[0, 2, 2, 1]], dtype=int32)
    """

    _takes_values = True

    def __init__(
        self,
        bin_boundaries=None,
        num_bins=None,
        epsilon=0.01,
        output_mode="int",
        sparse=False,
        dtype=None,
        name=None,
    ):
        super().__init__(name=name, dtype=dtype)
        check_mode("Discretization", output_mode, ("int", "one_hot", "multi_hot", "count"), sparse)
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`")
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                f"Both `num_bins` and `bin_boundaries` should not be set. Received: `num_bins={num_bins}` and "
                f"`bin_boundaries={bin_boundaries}`"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("You need to set either `num_bins` or `bin_boundaries`.")
        self.bin_boundaries, self.num_bins, self.epsilon = bin_boundaries, num_bins, epsilon
        self.output_mode, self.sparse = output_mode, sparse
        self.reset_state()

    def adapt(self, data, steps=None) -> None:
        """Finds the boundaries from values.

        Args:
            data: an array, or an iterable of batches.
            steps: how many batches are taken, all by default.

        Raises:
            ValueError: the layer was given boundaries.
        """
        if self.num_bins is None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use `num_bins` "
                "instead."
            )
        self.reset_state()
        for batch in batches(data, steps, whole=(np.ndarray, TensorProtocol)):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forgets the values of update_state."""
        self.summary = np.zeros((2, 0), np.float32)  # values, and how many each stands for

    def update_state(self, data) -> None:
        """Takes note of a batch of values: of those in order every n-th stands for n."""
        values = np.sort(np.asarray(data, np.float32), axis=None)
        step = max(values.size * self.epsilon, 1)
        values = values[int(step - 1) :: int(step)]
        merged = np.concatenate([[values, np.full_like(values, step)], self.summary], axis=1)
        self.summary = _compressed(merged[:, np.argsort(merged[0])], self.epsilon)

    def finalize_state(self) -> None:
        """Makes the boundaries of what was noted."""
        if self.num_bins is not None:
            self.bin_boundaries = _compressed(self.summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def call(self, inputs):
        """The numbers of the ranges, or their encoding."""
        if self.bin_boundaries is None:
            raise ValueError(
                "You need to either pass the `bin_boundaries` argument at construction time or call `adapt(dataset)` "
                "before you can start using the `Discretization` layer."
            )
        x = to_tensor(inputs)
        dtype = float64 if x.dtype is float64 else float32
        size = 1
        for n in x.nbflow_shape:
            size = size * n
        ends = from_numpy(np.asarray(self.bin_boundaries, np.float32).astype(dtype.np))
        numbers = searchsorted(ends, TABLE["reshape"](cast(x, dtype), shape=(size,)), "right", int32)
        numbers = TABLE["reshape"](numbers, shape=tuple(x.nbflow_shape))
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return encoded(numbers, self.output_mode, len(self.bin_boundaries) + 1, dtype)

    def load_own_variables(self, store) -> None:
        """Nothing: the boundaries are part of the configuration."""

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        names = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse", "name", "dtype")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict):
        """The layer of a configuration, with the boundaries that adapt found."""
        config = dict(config)
        found = config.pop("bin_boundaries", None) if config.get("num_bins") is not None else None
        layer = cls(**config)
        if found is not None:
            layer.bin_boundaries = found
        return layer


def _compressed(summary: np.ndarray, share: float) -> np.ndarray:
    """A summary of fewer values: those at multiples of a share of all, between which it is interpolated."""
    if summary.shape[1] * share < 1:
        return summary
    places = share + np.arange(0.0, 1.0, share)
    counts = summary[1].cumsum()
    shares = counts / counts[-1]
    values, counts = np.interp(places, shares, summary[0]), np.interp(places, shares, counts)
    return np.stack([values, np.diff(counts, prepend=0)]).astype(np.float32)


def batches(data, steps, whole: tuple):
    """The batches of what adapt was given.

    Args:
        steps: how many are taken of an iterable.
        whole: the types that are one batch.
    """
    if isinstance(data, whole) or not hasattr(data, "__iter__"):
        yield data
        return
    for number, batch in enumerate(data):
        if steps is not None and number >= steps:
            return
        yield batch
