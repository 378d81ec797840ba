"""Strings sorted into buckets (tf.strings), the same ones as TensorFlow's."""

from nbflow.errors import InvalidArgumentError
from nbflow.ops.hashing import buckets_of
from nbflow.public import export
from nbflow.tensor.string_tensor import string_tensor
from nbflow.tensor.tensor import from_numpy


def _buckets(input, how: str, num_buckets, key=(0, 0)):
    if num_buckets < 1:
        raise InvalidArgumentError(f"strings.to_hash_bucket: num_buckets is {num_buckets}; it takes 1 or more")
    array = string_tensor(input)._array
    return from_numpy(buckets_of(array.reshape(-1).tolist(), array.shape, how, int(num_buckets), key))


@export("strings.to_hash_bucket_fast")
def to_hash_bucket_fast(input, num_buckets, name=None):
    """FarmHash's Fingerprint64 modulo num_buckets, as int64 (tf.strings.to_hash_bucket_fast).

    Example:
        >>> import nbflow as nf
        >>> nf.strings.to_hash_bucket_fast(["Hello", "TensorFlow", "2.x"], 3).numpy()
        array([0, 2, 2])
    """
    return _buckets(input, "fast", num_buckets)


@export("strings.to_hash_bucket_strong")
def to_hash_bucket_strong(input, num_buckets, key, name=None):
    """SipHash with a key of two integers, modulo num_buckets, as int64 (tf.strings.to_hash_bucket_strong)."""
    first, second = key
    return _buckets(input, "strong", num_buckets, (int(first), int(second)))


@export("strings.to_hash_bucket")
def to_hash_bucket(input, num_buckets, name=None):
    """An older hash of TensorFlow's modulo num_buckets, as int64 (tf.strings.to_hash_bucket)."""
    return _buckets(input, "old", num_buckets)
