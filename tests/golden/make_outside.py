"""Makes outside.json: what TensorFlow prints, and what its assertions say, for the calls of outside.py.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/make_outside.py``. Texts of prints are those
of eager code and of functions, which are equal.
"""

import json
import pathlib
import tempfile

import outside
import tensorflow as tf


def printed(arguments: tuple, keywords: dict) -> str:
    """What a call of tf.print writes."""
    with tempfile.NamedTemporaryFile("r+") as file:
        tf.print(*arguments, **keywords, output_stream=f"file://{file.name}")
        eager = file.read()
        traced(lambda: tf.print(*arguments, **keywords, output_stream=f"file://{file.name}"))()
        assert file.read() == eager
    return eager


def raised(function, tensors: list) -> list[str]:
    """The type and the words of the error of a call."""
    try:
        function(*tensors)
    except Exception as error:  # what it is is what the file is for
        return [type(error).__name__, outside.words(error)]
    raise AssertionError("nothing was raised")


def traced(function):
    """The function in a graph, which returns nothing."""
    return tf.function(lambda *tensors: (function(*tensors), None)[1], autograph=False)


golden = {"prints": {name: printed(*call) for name, call in outside.prints(tf).items()}, "eager": {}, "traced": {}}
for name, (function, tensors) in outside.assertions(tf).items():
    golden["eager"][name] = raised(function, tensors)
    golden["traced"][name] = raised(traced(function), tensors)
path = pathlib.Path(__file__).with_name("outside.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
