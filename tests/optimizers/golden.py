"""What TensorFlow's Keras did: the numbers of optimizers.npz, and the constants of the script that made them."""

import ast
import json
import pathlib

import numpy as np

_FOLDER = pathlib.Path(__file__).parents[1] / "golden"


def _constants() -> dict:
    found = {}
    for statement in ast.parse((_FOLDER / "make_optimizers.py").read_text()).body:
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
            names = [n.id for n in (target.elts if isinstance(target, ast.Tuple) else [target])]
            value = ast.literal_eval(statement.value)
            found.update(zip(names, value if isinstance(target, ast.Tuple) else [value], strict=True))
    return found


GOLDEN = np.load(_FOLDER / "optimizers.npz")
CONSTANTS = _constants()
NAMES, CONFIGS = (json.loads(str(GOLDEN[key])) for key in ("names", "configs"))
