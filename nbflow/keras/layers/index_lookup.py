"""IndexLookup: a vocabulary, the numbers of its values, and adapt."""

import collections
import os
import pathlib

import numpy as np

from nbflow.dtypes import int64
from nbflow.errors import FailedPreconditionError
from nbflow.function.trace import SymbolicTensor
from nbflow.keras.layers.encoding import Categorical, batches, check_mode, encoded, hashed, salt_of
from nbflow.keras.settings import floatx
from nbflow.ops.table import TABLE
from nbflow.public import cast
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor

LARGEST = np.iinfo(np.int64).max  # the number of what vectors leave out


class IndexLookup(Categorical):
    """Base of StringLookup and IntegerLookup, see nbflow.keras.layers.lookup for the arguments."""

    def __init__(
        self,
        max_tokens,
        num_oov_indices,
        mask_token,
        oov_token,
        vocabulary_dtype,
        vocabulary=None,
        idf_weights=None,
        invert=False,
        output_mode="int",
        sparse=False,
        pad_to_max_tokens=False,
        oov_method="floormod",
        name=None,
        salt=None,
        **kwargs,
    ):
        layer = type(self).__name__
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"If set, `max_tokens` must be greater than 1. Received: max_tokens={max_tokens}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens={max_tokens}")
        if num_oov_indices < 0:
            raise ValueError(
                f"`num_oov_indices` must be greater than or equal to 0. Received: num_oov_indices={num_oov_indices}"
            )
        if oov_method not in ("floormod", "farmhash"):
            raise ValueError(f"{layer}: oov_method is {oov_method!r}; it takes 'floormod' or 'farmhash'")
        if salt is not None and vocabulary_dtype == "int64" and oov_method != "farmhash":
            raise ValueError(f"`salt` can only be used when `oov_method='farmhash'`. Received: oov_method={oov_method}")
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        if invert and output_mode != "int":
            raise ValueError(
                f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={output_mode}"
            )
        check_mode(layer, output_mode, ("int", "one_hot", "multi_hot", "count", "tf_idf"), sparse)
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(
                f"`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: idf_weights={idf_weights} "
                f"and output_mode={output_mode}"
            )
        super().__init__(name=name)
        self._frozen_vocab_size = kwargs.pop("vocabulary_size", None)
        self._has_input_vocabulary = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        unknown = set(kwargs) - {"trainable", "dtype"}
        if unknown:
            raise ValueError(f"Unrecognized keyword argument(s): { {k: kwargs[k] for k in unknown} }")
        self.invert, self.max_tokens, self.num_oov_indices = invert, max_tokens, num_oov_indices
        self.mask_token, self.oov_token, self.output_mode, self.sparse = mask_token, oov_token, output_mode, sparse
        self.pad_to_max_tokens, self.vocabulary_dtype = pad_to_max_tokens, vocabulary_dtype
        self.oov_method, self.salt = oov_method, salt_of(layer, salt)
        self.input_vocabulary = None if isinstance(vocabulary, str) else vocabulary
        self.input_idf_weights = idf_weights
        self.idf_weights: np.ndarray | None = None
        self._oov_start = int(mask_token is not None and output_mode == "int")
        self._token_start = self._oov_start + num_oov_indices
        self._set_tokens([])
        self.reset_state()
        if output_mode == "tf_idf" and self._has_input_vocabulary and idf_weights is None:
            raise ValueError(
                "When specifying the `vocabulary` argument, in TF-IDF output mode, the `idf_weights` argument must "
                "also be provided."
            )
        if idf_weights is not None:
            self.idf_weights = np.asarray(idf_weights, floatx())
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        self.built = True

    @property
    def dtype(self) -> str:
        """The dtype of the vocabulary."""
        return self.vocabulary_dtype

    compute_dtype = variable_dtype = dtype

    # --- the vocabulary -----------------------------------------------------------------------------------------------

    def _values(self, data):
        """Values of the vocabulary's dtype as a tensor."""
        raise NotImplementedError

    def _set_tokens(self, tokens: list) -> None:
        """Takes tokens, without the special ones, as the vocabulary."""
        self._tokens = tokens

    def get_vocabulary(self, include_special_tokens=True) -> list:
        """The values in the order of their numbers.

        Args:
            include_special_tokens: whether with those for masks and unknown values.
        """
        special = [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices
        return (special if include_special_tokens else []) + list(self._tokens)

    def vocabulary_size(self) -> int:
        """How many numbers there are, those for masks and unknown values included."""
        return len(self._tokens) + self._token_start

    def set_vocabulary(self, vocabulary, idf_weights=None) -> None:
        """Sets the vocabulary, with the special tokens at its start or without.

        Args:
            vocabulary: a list, an array or the name of a file.
            idf_weights: of its values, in the mode "tf_idf".

        Raises:
            ValueError: values repeat, special tokens are elsewhere, there are none or too many.
        """
        if self.output_mode == "tf_idf":
            if idf_weights is None:
                raise ValueError("`idf_weights` must be set if output_mode is 'tf_idf'.")
        elif idf_weights is not None:
            raise ValueError(
                f"`idf_weights` should only be set if output_mode is `'tf_idf'`. Received: "
                f"output_mode={self.output_mode} and idf_weights={idf_weights}"
            )
        if isinstance(vocabulary, (str, os.PathLike)):
            self._set_tokens(self._tokens_of_file(os.fspath(vocabulary)))
            self._record_size()
            return
        given = self._as_list(vocabulary)
        if not given:
            raise ValueError(f"Cannot set an empty vocabulary. Received: vocabulary={vocabulary}")
        start = self._token_start
        special = [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices
        with_special = given[:start] == special
        tokens = given[start:] if with_special else given
        repeated = [t for t, n in collections.Counter(tokens).items() if n > 1]
        if repeated:
            raise ValueError(
                f"The passed vocabulary has at least one repeated term. Please uniquify your dataset. The repeated "
                f"terms are: {repeated}"
            )
        for what, token, counts in (("mask", self.mask_token, True), ("OOV", self.oov_token, self.invert)):
            if token is not None and counts and token in tokens:
                raise ValueError(
                    f"Found reserved {what} token at unexpected location in `vocabulary`. Note that passed "
                    f"`vocabulary` does not need to include the OOV and mask tokens. Either remove all mask and OOV "
                    f"tokens, or include them only at the start of the vocabulary in precisely this order: {special}. "
                    f"Received: {what.lower()}_token={token} at vocabulary index {given.index(token)}"
                )
        if self.max_tokens is not None and start + len(tokens) > self.max_tokens:
            raise ValueError(
                f"Attempted to set a vocabulary larger than the maximum vocab size. Received vocabulary size is "
                f"{start + len(tokens)}; `max_tokens` is {self.max_tokens}."
            )
        self._set_tokens(tokens)
        self._record_size()
        if self.output_mode == "tf_idf":
            weights = np.asarray(idf_weights)
            if len(given) != len(weights):
                raise ValueError(
                    f"`idf_weights` must be the same length as vocabulary. len(idf_weights) is {len(weights)}; "
                    f"len(vocabulary) is {len(given)}"
                )
            if weights.ndim != 1:
                raise ValueError(f"TF-IDF data must be a 1-index array. Received: type(idf_weights)={type(weights)}")
            self._set_weights(weights, 0 if with_special else start)

    def _set_weights(self, weights: np.ndarray, missing: int) -> None:
        """Weights of tokens: `missing` special tokens get their mean, what max_tokens leaves room for 0."""
        weights = np.concatenate([np.full(missing, np.mean(weights)), weights])
        room = max(self.max_tokens - len(weights), 0) if self.pad_to_max_tokens else 0
        self.idf_weights = np.pad(weights, (0, room)).astype(floatx())

    def _as_list(self, vocabulary) -> list:
        raise NotImplementedError

    def _token_of(self, line: str):
        raise NotImplementedError

    def _tokens_of_file(self, name: str) -> list:
        path = pathlib.Path(name)
        if not path.exists():
            raise ValueError(f"Vocabulary file {name} does not exist.")
        if self.output_mode == "tf_idf":
            raise ValueError("output_mode `'tf_idf'` does not support loading a vocabulary from file.")
        return [self._token_of(line) for line in path.read_text("utf-8").removesuffix("\n").split("\n")]

    def _record_size(self) -> None:
        size = self.vocabulary_size()
        fixed = self.output_mode != "int" and not self.pad_to_max_tokens
        if fixed and self._frozen_vocab_size is not None and size != self._frozen_vocab_size:
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, the vocabulary size "
                f"cannot be changed after the layer is called. Old vocab size is {self._frozen_vocab_size}, new vocab "
                f"size is {size}"
            )
        self._frozen_vocab_size = size

    # --- adapt --------------------------------------------------------------------------------------------------------

    def adapt(self, data, steps=None) -> None:
        """Makes a vocabulary of the values in data, the most frequent first, of equally frequent ones the greatest.

        Args:
            data: a list or array of values, each a document for the mode "tf_idf", or an iterable of batches of them.
            steps: how many batches are taken, all by default.

        Raises:
            ValueError: the layer was given a vocabulary.
        """
        self.reset_state()
        whole = (list, tuple, np.ndarray, TensorProtocol)
        for batch in batches(data, steps, whole):
            if isinstance(data, whole):
                batch = self._values(batch)
                batch = batch[:, None] if batch.ndim == 1 else batch
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forgets what update_state counted."""
        self._counts: collections.Counter = collections.Counter()
        self._document_counts: collections.Counter = collections.Counter()
        self._documents = 0

    def update_state(self, data) -> None:
        """Counts the values of a batch, whose rows are documents.

        Raises:
            ValueError: the layer was given a vocabulary.
        """
        array = self._values(data).numpy()
        array = np.asarray(array, object if isinstance(array, bytes) else None)
        self._count(array.reshape(-1, array.shape[-1]).tolist() if array.ndim > 1 else [array.reshape(-1).tolist()])

    def _count(self, rows: list[list]) -> None:
        if self._has_input_vocabulary:
            raise ValueError(
                f"Cannot adapt layer '{self.name}' after setting a static vocabulary via `vocabulary` argument or "
                f"`set_vocabulary()` method."
            )
        for row in rows:
            self._counts.update(row)
            self._document_counts.update(set(row))
        self._documents += len(rows)

    def finalize_state(self) -> None:
        """Makes the vocabulary of what was counted."""
        if self._has_input_vocabulary or not self._counts:
            self._record_size()
            return
        for special in (self.mask_token, self.oov_token):
            if special is not None:
                self._counts.pop(self._key(special), None)
        keys = [key for key, _ in sorted(self._counts.items(), key=lambda pair: (pair[1], pair[0]), reverse=True)]
        if self.max_tokens:
            keys = keys[: self.max_tokens - self._token_start]
        self._set_tokens([self._token(key) for key in keys])
        if self.output_mode == "tf_idf":
            counts = np.array([self._document_counts[key] for key in keys])
            weights = np.log(1 + self._documents / (1 + counts)).astype(floatx())
            self._set_weights(weights, self._token_start)
        self.reset_state()
        self._record_size()

    def _key(self, token):
        """A token as update_state counts it."""
        return token

    def _token(self, key):
        """The token that update_state counted as key."""
        return key

    # --- the call -----------------------------------------------------------------------------------------------------

    def call(self, inputs):
        """The numbers of values, their encoding, or with invert=True the values of numbers."""
        if not isinstance(inputs, SymbolicTensor):
            self._check_vocabulary()
        if self.invert:
            return self._inverted(cast(to_tensor(inputs), int64))
        values = self._values(inputs)
        return self._encoded(self._numbers(values))

    def _check_vocabulary(self) -> None:
        if not self._tokens:
            raise FailedPreconditionError(
                f"Layer {self.name} has no vocabulary yet. Call adapt() with some data, or set_vocabulary()"
            )

    def _inverted(self, numbers):
        raise NotImplementedError

    def _numbers(self, values):
        raise NotImplementedError

    def _with_unknown(self, values, numbers, known):
        """Numbers, where `known` does not hold one of those for unknown values."""
        count = self.num_oov_indices
        if count == 1:
            return TABLE["select"](known, numbers, self._oov_start)
        if self.vocabulary_dtype == "int64" and self.oov_method == "floormod":
            found = TABLE["floor_mod"](values, count)
        else:
            found = hashed(values, count, self.salt)
        return TABLE["select"](known, numbers, found + self._oov_start)

    def _encoded(self, numbers):
        if self.output_mode == "int":
            return numbers
        if self._frozen_vocab_size is None and not self.pad_to_max_tokens:
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, you must set the layer's "
                f"vocabulary before calling it. Either pass a `vocabulary` argument to the layer, or call `adapt` with "
                f"some sample data."
            )
        depth = self.max_tokens if self.pad_to_max_tokens else self._frozen_vocab_size
        counting = self.output_mode == "tf_idf"
        vectors = encoded(numbers, "count" if counting else self.output_mode, depth, int64)
        if not counting:
            return vectors
        if self.idf_weights is None and isinstance(numbers, SymbolicTensor):
            return cast(vectors, floatx())  # of a model that is being loaded: weights follow
        if self.idf_weights is None:
            raise ValueError("When `output_mode` is `'tf_idf'`, `idf_weights` must be provided.")
        return cast(vectors, floatx()) * self.idf_weights

    # --- configuration and files --------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        names = ("invert", "max_tokens", "num_oov_indices", "oov_token", "mask_token", "output_mode", "sparse",
                 "pad_to_max_tokens", "vocabulary_dtype", "oov_method", "salt")  # fmt: skip
        return super().get_config() | {name: getattr(self, name) for name in names} | {
            "idf_weights": _listed(self.input_idf_weights),
            "vocabulary": _listed(self.input_vocabulary),
            "vocabulary_size": self._frozen_vocab_size,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict):
        """The layer of a configuration.

        Raises:
            ValueError: it names a vocabulary file, which configurations of saved models have no business to read.
        """
        refuse_file(config.get("vocabulary"))
        return super().from_config(config)

    def get_build_config(self) -> dict:
        """Nothing: it is built when it is made."""
        return {}

    def save_own_variables(self, store) -> None:
        """Puts the weights of the mode "tf_idf" into a store."""
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store) -> None:
        """Sets these weights from such a store."""
        if self.output_mode == "tf_idf" and "idf_weights" in store.keys():  # noqa: SIM118  (HDF5 groups have keys)
            self.idf_weights = np.asarray(store["idf_weights"], floatx())

    def save_assets(self, dir_path) -> None:
        """Writes a vocabulary that the configuration does not hold to vocabulary.txt, a token a line."""
        if self.input_vocabulary is None:
            text = "\n".join(str(token) for token in self.get_vocabulary())
            pathlib.Path(dir_path, "vocabulary.txt").write_text(text, "utf-8")

    def load_assets(self, dir_path) -> None:
        """Sets the vocabulary from such a file."""
        if self.input_vocabulary is not None:
            return
        lines = pathlib.Path(dir_path, "vocabulary.txt").read_text("utf-8").split("\n")
        while lines and lines[-1] == "":
            lines.pop()
        weights = self.idf_weights
        tokens = [self._token_of(line) for line in lines]
        if self.output_mode != "tf_idf":
            self.set_vocabulary(tokens)
        elif tokens:  # its weights follow, or were there before
            self.set_vocabulary(tokens, np.ones(len(tokens)))
            self.idf_weights = self.idf_weights if weights is None else weights


def refuse_file(vocabulary) -> None:
    """Raises ValueError where a configuration has the name of a file as its vocabulary."""
    if isinstance(vocabulary, str):
        raise ValueError(
            f"A configuration asks for a vocabulary file outside of the model archive, {vocabulary!r:.200}, which it "
            f"may not read. Make the layer without it and call set_vocabulary with the file"
        )


def _listed(value):
    """An array or tensor as a list for configurations."""
    if isinstance(value, TensorProtocol):
        value = value.numpy()
    return value.tolist() if isinstance(value, np.ndarray) else value
