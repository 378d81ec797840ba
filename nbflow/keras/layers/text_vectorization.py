"""TextVectorization: texts as sequences of numbers of their words, or as vectors."""

import numpy as np

from nbflow.keras.layers.encoding import Categorical, batches
from nbflow.keras.layers.index_lookup import refuse_file
from nbflow.keras.layers.lookup import StringLookup
from nbflow.objects.serialization import deserialize_keras_object
from nbflow.public import export
from nbflow.shapes import Dim
from nbflow.strings.elementwise import lower, regex_replace
from nbflow.strings.splitting import characters, ngrams, padded, parts
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.string_tensor import StringTensor, string_tensor

_PUNCTUATION = r"[!\"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']"
_SPLIT = {"whitespace": parts, "character": characters}
_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")


@export("keras.layers.TextVectorization")
class TextVectorization(Categorical):
    """Texts taken apart into words, which a vocabulary gives numbers (tf.keras.layers.TextVectorization).

    It runs eagerly, before what is compiled: on StringTensors, NumPy arrays and lists of strings, each a text. Number 0
    fills shorter texts up, and 1 stands for words that are not in the vocabulary.

    Args:
        max_tokens: the greatest size of the vocabulary, None for any.
        standardize: what texts are put through: "lower_and_strip_punctuation", "lower", "strip_punctuation", a function
            of a StringTensor, or None.
        split: what takes them apart: "whitespace", "character", a function of a StringTensor, which returns a tensor
            with one more axis or lists of strings, or None.
        ngrams: lengths of runs of words that count as words: a tuple, or an int for all up to that.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf", as of StringLookup.
        output_sequence_length: the length of results in the mode "int", by default that of the longest text.
        pad_to_max_tokens, vocabulary, idf_weights: as of StringLookup.
        sparse, ragged: not supported: results are dense.
        encoding: accepted as Keras'; strings are UTF-8.

    Raises:
        ValueError: an argument has another value.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["the cat sat", "the dog sat", "the cat ran"])
        >>> layer.get_vocabulary()
        ['', '[UNK]', 'the', 'sat', 'cat', 'ran', 'dog']
        >>> layer(["The cat, again!"]).numpy()
        array([[2, 4, 1, 0]])
    """

    def __init__(
        self,
        max_tokens=None,
        standardize="lower_and_strip_punctuation",
        split="whitespace",
        ngrams=None,
        output_mode="int",
        output_sequence_length=None,
        pad_to_max_tokens=False,
        vocabulary=None,
        idf_weights=None,
        sparse=False,
        ragged=False,
        encoding="utf-8",
        name=None,
        **kwargs,
    ):
        for what, value, known in (("standardize", standardize, _STANDARDIZE), ("split", split, _SPLIT)):
            if value is not None and not callable(value) and value not in known:
                raise ValueError(
                    f"Unknown value for `{what}` argument of layer TextVectorization. If restricting to allowed "
                    f"strings, use one of {list(known)}; None and functions are allowed too. Received: {what}={value}"
                )
        if not (ngrams is None or isinstance(ngrams, int)
                or (isinstance(ngrams, tuple) and all(isinstance(n, int) for n in ngrams))):  # fmt: skip
            raise ValueError(f"`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams={ngrams}")
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        length = output_sequence_length
        if output_mode == "int" and not (length is None or isinstance(length, int)):
            raise ValueError(
                f"`output_sequence_length` must be either None or an integer when `output_mode` is 'int'. Received: "
                f"output_sequence_length={length}"
            )
        if output_mode != "int" and length is not None:
            raise ValueError(
                f"`output_sequence_length` must not be set if `output_mode` is not 'int'. Received "
                f"output_sequence_length={length}."
            )
        if ragged and output_mode != "int":
            raise ValueError(
                f"`ragged` must not be true if `output_mode` is not `'int'`. Received: ragged={ragged} and "
                f"output_mode={output_mode}"
            )
        if ragged:
            raise NotImplementedError("TextVectorization: ragged results are not supported; leave ragged False")
        given = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        size = kwargs.pop("vocabulary_size", None)
        super().__init__(name=name, **kwargs)
        self._standardize, self._split, self._ngrams, self._encoding = standardize, split, ngrams, encoding
        self._output_sequence_length = length
        self._lookup_layer = StringLookup(
            max_tokens, 1, "", vocabulary=vocabulary, idf_weights=idf_weights, output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens, sparse=sparse, encoding=encoding, has_input_vocabulary=given,
            vocabulary_size=size,
        )  # fmt: skip
        self.built = True

    @property
    def dtype(self) -> str:
        """The dtype of its inputs."""
        return "string"

    compute_dtype = variable_dtype = dtype

    def adapt(self, data, batch_size=None, steps=None) -> None:
        """Makes a vocabulary of the words of texts, the most frequent first.

        Args:
            data: a list or array of texts, or an iterable of batches of them.
            batch_size: accepted as Keras'.
            steps: how many batches are taken, all by default.
        """
        self.reset_state()
        whole = (list, tuple, np.ndarray, TensorProtocol)
        for batch in batches(data, steps, whole):
            if isinstance(data, whole):
                batch = string_tensor(batch)
                batch = batch[:, None] if batch.ndim == 1 else batch
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data) -> None:
        """Counts the words of a batch of texts."""
        self._lookup_layer._count(self._words(data)[0])

    def finalize_state(self) -> None:
        """Makes the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forgets what update_state counted."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens=True) -> list:
        """The words in the order of their numbers.

        Args:
            include_special_tokens: whether with "" and "[UNK]", the first two.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many numbers there are."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary, idf_weights=None) -> None:
        """Sets the vocabulary, see StringLookup.set_vocabulary."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights=idf_weights)

    def _words(self, inputs) -> tuple[list, tuple]:
        """(rows of words, the shape of all axes but that of the words) of texts."""
        texts = self._lookup_layer._values(inputs)
        how = self._standardize
        if callable(how):
            texts = string_tensor(how(texts))
        elif how is not None:
            texts = lower(texts) if "lower" in how else texts
            texts = regex_replace(texts, _PUNCTUATION, "") if "strip" in how else texts
        rows, shape = self._parts(texts)
        if self._ngrams is not None:
            widths = self._ngrams if isinstance(self._ngrams, tuple) else range(1, self._ngrams + 1)
            rows = ngrams(rows, widths)
        return rows, shape

    def _parts(self, texts: StringTensor) -> tuple[list, tuple]:
        if self._split is not None and texts.ndim > 1:
            if texts.shape[-1] != 1:
                raise ValueError(
                    f"When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape "
                    f"dimension must be 1. Received: inputs.shape={texts.shape} with rank={texts.ndim}"
                )
            texts = texts[..., 0]
        shape = tuple(texts.shape)
        if isinstance(self._split, str):
            return _SPLIT[self._split](texts), shape
        found = texts if self._split is None else self._split(texts)
        if isinstance(found, (list, tuple)) and found and isinstance(found[0], (list, tuple)):  # of different lengths
            return [string_tensor(row)._array.tolist() for row in found], shape
        array = string_tensor(found)._array
        return array.reshape(-1, array.shape[-1] if array.ndim else 1).tolist(), array.shape[:-1]

    def call(self, inputs):
        """The numbers of words, [texts, length], or vectors."""
        self._lookup_layer._check_vocabulary()
        rows, shape = self._words(inputs)
        length = self._output_sequence_length
        if length is not None:
            rows = [row[:length] for row in rows]
        words = padded(rows, shape, length)
        return self._encoded(self._lookup_layer._numbers(words))

    def _encoded(self, numbers):
        return self._lookup_layer._encoded(numbers)

    def _numbers_shape(self, shape):
        length = self._output_sequence_length
        return (shape[0], Dim.fresh("words") if length is None else length)

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        lookup = self._lookup_layer.get_config()
        names = ("max_tokens", "output_mode", "pad_to_max_tokens", "sparse", "vocabulary", "idf_weights")
        return super().get_config() | {name: lookup[name] for name in names} | {
            "standardize": self._standardize, "split": self._split, "ngrams": self._ngrams, "ragged": False,
            "output_sequence_length": self._output_sequence_length, "encoding": self._encoding,
            "vocabulary_size": self.vocabulary_size(),
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict):
        """The layer of a configuration."""
        config = dict(config)
        refuse_file(config.get("vocabulary"))
        for name in ("standardize", "split"):
            if isinstance(config.get(name), dict):
                config[name] = deserialize_keras_object(config[name])
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return cls(**config)

    def get_build_config(self) -> dict:
        """Nothing: it is built when it is made."""
        return {}

    def save_own_variables(self, store) -> None:
        """Puts the weights of the mode "tf_idf" into a store."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store) -> None:
        """Sets these weights from such a store."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path) -> None:
        """Writes the vocabulary to vocabulary.txt, see StringLookup."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path) -> None:
        """Sets the vocabulary from such a file."""
        self._lookup_layer.load_assets(dir_path)
