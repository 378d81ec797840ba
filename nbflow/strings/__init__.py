"""nf.strings: functions of strings (tf.strings). They run eagerly; compiled functions reach them by nf.py_function.

An argument `input` is a StringTensor, or strings, lists or arrays of strings. There are no RaggedTensors: functions
whose result has rows of different lengths pad them with empty strings.
"""

from typing import TYPE_CHECKING, Any

from nbflow.strings import elementwise, hashing, numbers, splitting

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
