"""Makes keras_texts.json: what Keras' imdb.load_data and reuters.load_data make of the small files of tests/datasets.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/keras_texts.py``.
"""

import importlib
import json
import pathlib
import runpy
import tempfile
import unittest.mock

CASES = [
    ("imdb", {}),
    ("imdb", {"num_words": 30, "skip_top": 8, "seed": 5}),
    ("imdb", {"num_words": 30, "oov_char": None, "maxlen": 9}),
    ("imdb", {"start_char": None, "index_from": 1}),
    ("imdb", {"start_char": None, "index_from": 0, "skip_top": 20}),
    ("reuters", {}),
    ("reuters", {"num_words": 30, "skip_top": 8, "test_split": 0.5, "seed": 5}),
    ("reuters", {"num_words": 30, "oov_char": None, "maxlen": 9}),
    ("reuters", {"start_char": None, "index_from": 1}),
    ("reuters", {"start_char": None, "index_from": 0, "test_split": 0.0}),
]


def main():
    here = pathlib.Path(__file__)
    small = runpy.run_path(str(here.parents[1] / "datasets" / "small_files.py"))
    golden = []
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in CASES:
            path = small[name](pathlib.Path(folder) / f"{name}.npz")
            module = importlib.import_module(f"keras.src.datasets.{name}")
            with unittest.mock.patch.object(module, "get_file", lambda *_, path=path, **__: str(path)):
                result = module.load_data(**arguments)
            golden.append({"name": name, "arguments": arguments, "result": small["as_lists"](result)})
    here.with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
