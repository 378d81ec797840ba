"""Writes keras_strings.json: TensorFlow's functions of strings, and what Keras' layers learn and make of texts.

Run where TensorFlow is installed.
"""

import json
import pathlib

import numpy as np

WORDS = [["a", "c", "d"], ["b", "", "zz"]]
TEXTS = ["The cat, sat on the mat!", "a dog. A DOG runs", "the cat ran", "", "über  cool test"]
LONG = ["", "a", "abc", "abcdef", "0123456789", "x" * 20, "xyz" * 11, "w" * 63, "w" * 64, "wv" * 33, "hello " * 40, "é"]
NUMBERS = np.sin(np.arange(200) ** 1.3)

STRINGS = [
    "strings.lower(['A Cat', 'É'])",
    "strings.lower(['A Cat', 'É'], encoding='utf-8')",
    "strings.upper(['a cat', 'é'], encoding='utf-8')",
    "strings.strip(['  a b\\n', ''])",
    "strings.regex_replace(['a-b-c', 'dd'], '([a-z])-', '<\\\\1|\\\\0>')",
    "strings.regex_replace('a-b-c', '-', '', replace_global=False)",
    "strings.regex_full_match(['ab', 'abc'], 'a.')",
    "strings.length(['cat', 'é', ''])",
    "strings.length(['cat', 'é', ''], unit='UTF8_CHAR')",
    "strings.substr(['Hello', 'World'], [1, -3], [3, 2])",
    "strings.substr('höher', 1, 2, unit='UTF8_CHAR')",
    "strings.join([['a', 'b'], 'x', ['c', 'd']], '-')",
    "strings.as_string([1, -20])",
    "strings.as_string([1.5, float('nan'), float('inf')])",
    "strings.as_string([3.14159, 100.0], precision=2, width=8, fill='0')",
    "strings.as_string([1e10, 2.0], scientific=True)",
    "strings.as_string([1e10, 2.5], shortest=True)",
    "strings.as_string([True, False])",
    "strings.to_number(['1.5', ' 2e3 '])",
    "strings.to_number(['7', '-8'], 'int64')",
    "strings.split('a b  c')",
    "strings.split('a,b,,c', ',')",
    "strings.split('a b c', maxsplit=1)",
    "strings.unicode_split('héy', 'UTF-8')",
    "strings.bytes_split('hey')",
    "strings.to_hash_bucket_fast(LONG, 1000003)",
    "strings.to_hash_bucket_strong(LONG, 1000003, [7, -11])",
    "strings.to_hash_bucket(LONG, 1000003)",
    "constant([['a', 'b'], ['c', 'd']])[1, ::-1]",
    "constant(['a', 'b']) + 'c'",
    "constant(['a', 'b']) == 'b'",
    "constant(['a', 'b']) != constant(['b', 'b'])",
    "reshape(constant(['a', 'b']), [2, 1])",
    "expand_dims(constant(['a', 'b']), 0)",
    "concat([constant(['a']), constant(['b', 'c'])], 0)",
    "stack([constant(['a', 'x']), constant(['b', 'c'])], 1)",
    "gather(constant(['a', 'b', 'c']), [2, 0])",
    "where([True, False], constant(['a', 'b']), constant(['c', 'd']))",
    "constant('a', shape=[2])",
    "shape(constant(['a', 'b']))",
]

# layer, what it adapts to, what it is called with
LAYERS = [(f"layers.TextVectorization({arguments})", "TEXTS", "TEXTS") for arguments in [
    "", "6", "output_sequence_length=3", "output_mode='multi_hot'", "output_mode='count'", "output_mode='tf_idf'",
    "30, output_mode='tf_idf', pad_to_max_tokens=True", "ngrams=2", "ngrams=(2,)", "split='character'",
    "standardize=None", "standardize='lower'", "standardize='strip_punctuation'", "standardize=strings.upper",
    "split=lambda x: strings.split(x, '.')",
]] + [
    ("layers.TextVectorization(split=None)", "TEXTS", "np.array(TEXTS)[:, None]"),
    ("layers.TextVectorization(vocabulary=['cat', 'mat'])", None, "np.array(TEXTS)[:, None]"),
    ("layers.TextVectorization(output_mode='tf_idf')", "iter([np.array(TEXTS[:2]), np.array(TEXTS[2:])])", "TEXTS"),
] + [
    (f"layers.StringLookup({arguments}, output_mode='{mode}')", None, "np.array(WORDS)")
    for mode in ("int", "one_hot", "multi_hot", "count")
    for arguments in [
        "vocabulary=['a', 'b', 'c']", "vocabulary=['a', 'zz'], mask_token=''",
        "vocabulary=['b'], num_oov_indices=3", "vocabulary=['b'], num_oov_indices=3, salt=[4, 5]",
        "9, vocabulary=['a'], pad_to_max_tokens=True",
    ]
] + [
    ("layers.StringLookup(vocabulary=['a', 'b'], invert=True, mask_token='')", None, "np.array([0, 1, 2, 3, 9, -1])"),
    ("layers.StringLookup(vocabulary=['', '[UNK]', 'a'], mask_token='')", None, "np.array(WORDS)"),
    ("layers.StringLookup(output_mode='tf_idf')", "np.array(WORDS)", "np.array(WORDS)"),
    ("layers.StringLookup(4)", "[['a', 'b'], ['b', 'c']]", "np.array(WORDS)"),
    ("layers.IntegerLookup()", "np.array([[3, 3, 4], [5, 4, -1]])", "np.array([[3, 4, 5, 6]])"),
    ("layers.IntegerLookup(output_mode='tf_idf')", "[1, 2, 2, 3]", "np.array([[2, 2, 3, 9]])"),
    ("layers.Hashing(5)", None, "np.array(WORDS)"),
    ("layers.Hashing(5, mask_value='a', output_mode='count')", None, "np.array(WORDS)"),
    ("layers.Hashing(5, salt=9)", None, "np.array(WORDS)"),
    ("layers.HashedCrossing(7)", None, "(np.array(['a', 'b', 'a']), np.array([1, 1, 2]))"),
    ("layers.HashedCrossing(7, 'one_hot')", None, "(np.array([['a'], ['b']]), np.array([['c'], ['']]))"),
    ("layers.Discretization(num_bins=4)", "NUMBERS", "NUMBERS[:9]"),
    ("layers.Discretization(num_bins=10, epsilon=0.1)", "[NUMBERS[:50], NUMBERS[50:]]", "NUMBERS[:9]"),
    ("layers.Normalization()", "NUMBERS.reshape(20, 5, 2)", "NUMBERS[:20].reshape(2, 5, 2)"),
    ("layers.Normalization(axis=None)", "NUMBERS.reshape(100, 2)", "NUMBERS[:20].reshape(10, 2)"),
    ("layers.Normalization((1, 2))", "[NUMBERS[:40].reshape(4, 5, 2), NUMBERS[40:].reshape(16, 5, 2)]",
     "NUMBERS[:20].reshape(2, 5, 2)"),
]  # fmt: skip


def plain(value):
    """A tensor as what JSON can hold: dtype, shape and elements."""
    value = value.numpy() if hasattr(value, "numpy") else value
    array = np.asarray(value, object) if isinstance(value, bytes) else np.asarray(value)
    flat = [v.decode("latin-1") if isinstance(v, bytes) else str(v) if v != v else v for v in array.ravel().tolist()]
    return [str(array.dtype), list(array.shape), [str(v) if v in (float("inf"),) else v for v in flat]]


def found(tf, expression: str):
    """The value of an expression of STRINGS."""
    return plain(eval(f"tf.{expression}", {"tf": tf, "LONG": LONG, "constant": tf.constant}))


def learnt(tf, layer: str, data: str | None, inputs: str) -> dict:
    """The result of a layer of LAYERS, its vocabulary and configuration."""
    scope = {"layers": tf.keras.layers, "strings": tf.strings, "np": np, "WORDS": WORDS, "TEXTS": TEXTS}
    scope["NUMBERS"] = NUMBERS.astype("float32")
    made = eval(layer, scope)
    if data is not None:
        made.adapt(eval(data, scope))
    results = {"result": plain(made(eval(inputs, scope)))}
    if hasattr(made, "get_vocabulary"):
        both = made.get_vocabulary(), made.get_vocabulary(include_special_tokens=False)
        results["vocabulary"] = [[v.item() if hasattr(v, "item") else v for v in tokens] for tokens in both]
    config = made.get_config()
    if not any(callable(v) for v in config.values()):
        results["config"] = {k: v for k, v in config.items() if k != "name"}
    return results


if __name__ == "__main__":
    import tensorflow as tf

    golden = {
        "strings": {expression: found(tf, expression) for expression in STRINGS},
        "layers": {" ".join(map(str, case)): learnt(tf, *case) for case in LAYERS},
    }
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden))
