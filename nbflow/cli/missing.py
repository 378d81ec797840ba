"""What of TensorFlow's public names nbflow has, and why the others are absent.

TensorFlow's functions and classes are listed in tensorflow_names.txt. A name is *numeric* unless a row of NOT_NUMERIC
covers it; what is numeric and absent has its reason in ABSENT.
"""

import inspect
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import nbflow as nf

NAMES = Path(__file__).with_name("tensorflow_names.txt")
TOP = "nf"

# patterns -> why such names do not count as numeric, absent or not; the first row that fits
NOT_NUMERIC = {
    "as_string fingerprint": "strings",
    "Sparse* IndexedSlices* *lookup_sparse edit_distance nn.ctc_*_decoder": "sparse tensors",
    "Ragged* ragged_*": "ragged tensors",
    "case cond switch_case while_loop map_fn vectorized_map foldl foldr scan TensorArray* group tuple no_op "
    "control_dependencies CriticalSection": "control flow in functions",
    "Assert assert_* print py_function numpy_function": "checks, printing and calls back to Python",
    "VariableAggregation VariableSynchronization DeviceSpec check_pinned *compute_average_loss "
    "*scale_regularization_loss": "several devices and machines",
    "Graph Operation RegisterGradient no_gradient gradients hessians AggregationMethod import_graph_def name_scope "
    "get_current_name_scope variable_creator_scope inside_function executing_eagerly guarantee_const get_static_value "
    "get_logger load_library load_op_library make_ndarray make_tensor_proto nondifferentiable_batch_function "
    "timestamp parallel_stack grad_pass_through recompute_grad": "graphs of TensorFlow 1 and the process around them",
    "TypeSpec NoneTensorSpec OptionalSpec type_spec_from_value register_tensor_conversion_function": "TensorFlow's "
    "protocols for types of one's own",
    "Module *_initializer *.RNNCell*": "layers: with Keras",
    "image.decode_* image.encode_* image.*jpeg*": "image files",
    "linalg.LinearOperator*": "objects that stand for matrices, on top of the functions of nf.linalg",
}
ABSENT = {
    "image.generate_bounding_box_proposals": "detection networks; TensorFlow runs it on a GPU only",
    "*": "not written yet",
}


@dataclass(frozen=True)
class Name:
    """One public name of TensorFlow.

    Attributes:
        name: without "tf.", such as "math.special.spence".
        present: whether nbflow has it.
        not_numeric: why it does not count as numeric, or None.
    """

    name: str
    present: bool
    not_numeric: str | None

    @property
    def namespace(self) -> str:
        """The first part of the name, `nf` for names of the top level."""
        return self.name.partition(".")[0] if "." in self.name else TOP

    @property
    def reason(self) -> str:
        """Why it is absent."""
        return self.not_numeric or _first(ABSENT, self.name) or ""


def _first(table: dict[str, str], name: str) -> str | None:
    rows = ((reason, patterns.split()) for patterns, reason in table.items())
    return next((reason for reason, row in rows if any(fnmatchcase(name, pattern) for pattern in row)), None)


def find(name: str):
    """What nbflow has under a public name such as "math.special.spence"; None where that is nothing or a module."""
    found: Any = nf
    for part in name.split("."):
        found = getattr(found, part, None)
    return None if inspect.ismodule(found) else found


def version() -> str:
    """The TensorFlow that the names are from: "TensorFlow 2.21.0"."""
    return NAMES.read_text().split("\n")[0].removeprefix("# ")


def names() -> list[Name]:
    """Every name of TensorFlow's."""
    listed = NAMES.read_text().split("\n")[1:-1]
    return [Name(name, find(name) is not None, _first(NOT_NUMERIC, name)) for name in listed]


@dataclass
class Share:
    """How many of some names are there: (present, all) of the numeric ones and of all."""

    numeric: tuple[int, int]
    every: tuple[int, int]


def share(some: list[Name]) -> Share:
    """Counts names."""
    numeric = [name for name in some if name.not_numeric is None]
    return Share((sum(name.present for name in numeric), len(numeric)), (sum(name.present for name in some), len(some)))


def shares() -> dict[str, Share]:
    """The share of each namespace, and of "all" of them."""
    listed = names()
    spaces = list(dict.fromkeys(name.namespace for name in listed))
    counted = {space: share([name for name in listed if name.namespace == space]) for space in spaces}
    return counted | {"all": share(listed)}
