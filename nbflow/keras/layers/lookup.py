"""Layers that look values up in a vocabulary: StringLookup, IntegerLookup.

What they share:

Args:
    max_tokens: the greatest size of the vocabulary, with the tokens for unknown values and masks.
    num_oov_indices: how many numbers there are for unknown values, which are hashed to them; with 0 they are an error.
    mask_token: the value that is number 0 in the mode "int" and left out in others; None for none.
    oov_token: what an unknown number becomes with invert=True.
    vocabulary: the known values: a list, an array or the name of a file with one a line. By default adapt finds them.
    idf_weights: the weight of each in the mode "tf_idf".
    invert: whether numbers become values.
    output_mode: "int", "one_hot", "multi_hot", "count", see nbflow.keras.layers.encoding, or "tf_idf", counts times
        weights, log(1 + documents / (1 + documents with the token)).
    pad_to_max_tokens: whether vectors have max_tokens elements even if the vocabulary is smaller.
    sparse: not supported.
    oov_method: how integers are hashed if there are several numbers for unknown ones: "floormod" or "farmhash".
    salt: one or two integers, the key of SipHash, which is then used in place of FarmHash.
    kwargs: those of Layer.
"""

import numpy as np

from nbflow.arrays.ordering import searchsorted
from nbflow.debugging.comparisons import Assert
from nbflow.dtypes import int64
from nbflow.errors import InvalidArgumentError
from nbflow.function.trace import SymbolicTensor
from nbflow.keras.layers.index_lookup import LARGEST, IndexLookup
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.tensor.string_tensor import StringTensor, string_tensor
from nbflow.tensor.tensor import from_numpy, to_tensor


@export("keras.layers.StringLookup")
class StringLookup(IndexLookup):
    """The numbers of strings in a vocabulary (tf.keras.layers.StringLookup).

    It runs eagerly, before what is compiled: on StringTensors, NumPy arrays and lists of strings.

    Args:
        encoding: accepted as Keras'; strings are UTF-8.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.StringLookup(vocabulary=["a", "b", "c"])([["a", "c"], ["d", "b"]]).numpy()
        array([[1, 3],
               [0, 2]])
    """

    def __init__(
        self,
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token="[UNK]",
        vocabulary=None,
        idf_weights=None,
        invert=False,
        output_mode="int",
        pad_to_max_tokens=False,
        sparse=False,
        encoding="utf-8",
        name=None,
        salt=None,
        **kwargs,
    ):
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, "string", vocabulary, idf_weights, invert, output_mode,
            sparse, pad_to_max_tokens, name=name, salt=salt, **kwargs,
        )  # fmt: skip

    def _values(self, data):
        if isinstance(data, SymbolicTensor):
            raise TypeError(
                f"Layer {self.name}: there are no strings in compiled functions; look them up before, in the data "
                f"pipeline or by nf.py_function"
            )
        return string_tensor(data)

    def _set_tokens(self, tokens):
        self._tokens = tokens
        self._table = {self._key(token): self._token_start + k for k, token in enumerate(tokens)}

    def _as_list(self, vocabulary):
        return [t.decode("utf-8", "surrogateescape") for t in string_tensor(vocabulary)._array.tolist()]

    def _token_of(self, line):
        return line

    def _key(self, token):
        return token.encode("utf-8", "surrogateescape")

    def _token(self, key):
        return key.decode("utf-8", "surrogateescape")

    def _numbers(self, values):
        flat = values._array.reshape(-1).tolist()
        table = self._table
        if self.mask_token is not None:
            table = table | {self._key(self.mask_token): 0 if self.output_mode == "int" else LARGEST}
        numbers = np.array([table.get(text, -1) for text in flat], np.int64).reshape(values._array.shape)
        known = numbers >= 0
        if known.all():
            return from_numpy(numbers)
        if not self.num_oov_indices:
            raise InvalidArgumentError(
                f"When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values "
                f"{values._array[~known][:10]}, consider setting `num_oov_indices=1`."
            )
        return self._with_unknown(values, from_numpy(numbers), from_numpy(known))

    def _inverted(self, numbers):
        if isinstance(numbers, SymbolicTensor):
            self._values(numbers)  # which says what there is to say
        tokens = dict(enumerate(self._tokens, self._token_start))
        if self.mask_token is not None:
            tokens[0] = self.mask_token
        given = np.asarray(numbers.numpy())
        array = np.empty(given.shape, object)
        array.reshape(-1)[:] = [self._key(tokens.get(n, self.oov_token)) for n in given.reshape(-1).tolist()]
        return StringTensor(array)

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        config = super().get_config() | {"encoding": self.encoding}
        del config["vocabulary_dtype"]
        return config


@export("keras.layers.IntegerLookup")
class IntegerLookup(IndexLookup):
    """The numbers of integers in a vocabulary (tf.keras.layers.IntegerLookup), in compiled functions too.

    Args:
        vocabulary_dtype: "int64".

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.IntegerLookup(vocabulary=[12, 36, 1138, 42])([[12, 1138, 42], [42, 1000, 36]]).numpy()
        array([[1, 3, 4],
               [4, 0, 2]])
    """

    def __init__(
        self,
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token=-1,
        vocabulary=None,
        vocabulary_dtype="int64",
        idf_weights=None,
        invert=False,
        output_mode="int",
        sparse=False,
        pad_to_max_tokens=False,
        oov_method="floormod",
        salt=None,
        name=None,
        **kwargs,
    ):
        if vocabulary_dtype != "int64":
            raise ValueError(
                f"Only `vocabulary_dtype='int64'` is supported at this time. Received: "
                f"vocabulary_dtype={vocabulary_dtype}"
            )
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary_dtype, vocabulary, idf_weights, invert,
            output_mode, sparse, pad_to_max_tokens, oov_method, name, salt, **kwargs,
        )  # fmt: skip

    def _values(self, data):
        return cast(to_tensor(data), int64)

    def _as_list(self, vocabulary):
        return [int(t) for t in np.asarray(vocabulary).tolist()]

    def _token_of(self, line):
        return int(line)

    def _set_tokens(self, tokens):
        self._tokens = tokens
        keys = np.array(tokens, np.int64)
        order = np.argsort(keys)
        self._sorted = from_numpy(keys[order])  # the tokens in order, and their numbers
        self._numbers_of_sorted = from_numpy(order + self._token_start)

    def _numbers(self, values):
        numbers, known = TABLE["zeros_like"](values), TABLE["not_equal"](values, values)
        if self._tokens:
            size = 1
            for n in values.nbflow_shape:
                size = size * n
            at = searchsorted(self._sorted, TABLE["reshape"](values, shape=(size,)))
            at = TABLE["reshape"](TABLE["minimum"](at, len(self._tokens) - 1), shape=tuple(values.nbflow_shape))
            known = TABLE["equal"](TABLE["gather"](self._sorted, at, axis=0), values)
            numbers = TABLE["gather"](self._numbers_of_sorted, at, axis=0)
        if self.mask_token is not None:
            mask = TABLE["equal"](values, int(self.mask_token))
            numbers = TABLE["select"](mask, from_numpy(np.int64(0 if self.output_mode == "int" else LARGEST)), numbers)
            known = TABLE["logical_or"](known, mask)
        if self.num_oov_indices:
            return self._with_unknown(values, numbers, known)
        Assert(
            TABLE["reduce_all"](known, axis=tuple(range(known.ndim)), keepdims=False),
            [
                "When `num_oov_indices=0` all inputs should be in vocabulary, consider setting `num_oov_indices=1`. "
                "Found in:",
                values,
            ],
        )
        return numbers

    def _inverted(self, numbers):
        start, size = self._token_start, len(self._tokens)
        values = from_numpy(np.int64(self.oov_token))
        if size:
            at = TABLE["minimum"](TABLE["maximum"](numbers - start, 0), size - 1)
            found = TABLE["gather"](from_numpy(np.array(self._tokens, np.int64)), at, axis=0)
            inside = TABLE["logical_and"](numbers >= start, numbers < start + size)
            values = TABLE["select"](inside, found, values)
        if self.mask_token is not None:
            values = TABLE["select"](TABLE["equal"](numbers, 0), from_numpy(np.int64(self.mask_token)), values)
        return values

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        config = super().get_config()
        for name in ("oov_token", "mask_token"):
            config[name] = None if config[name] is None else int(config[name])
        if config["vocabulary"] is not None:
            config["vocabulary"] = [int(v) for v in config["vocabulary"]]
        return config
