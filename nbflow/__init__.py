"""nbflow: a JIT-compiled numerical engine on Numba, with the names and meanings of TensorFlow 2.

    import nbflow as nf

Tensors, eager ops, gradients, compiled functions and optimizers; see README.md and docs/.
"""

from typing import TYPE_CHECKING, Any

from nbflow import (
    arrays,
    autodiff,
    autograph,
    bitwise,
    config,
    control,
    custom,
    datasets,
    debugging,
    errors,
    image,
    keras,
    linalg,
    math,
    nest,
    nn,
    optimizers,
    outside,
    random,
    signal,
    sparse,
    strings,
    test,
)
from nbflow import dtypes as dtypes
from nbflow.autograph import experimental as _experimental  # it publishes functions, as those do
from nbflow.autograph import interface as _interface
from nbflow.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from nbflow.function import context as _context  # it publishes functions
from nbflow.function import debugging as _traces
from nbflow.function.function import Function, function, is_symbolic_tensor
from nbflow.function.signature import TensorSpec
from nbflow.function.trace import init_scope
from nbflow.keras import initializers, losses, metrics
from nbflow.module import Module
from nbflow.public import export, publish
from nbflow.runtime.device import device
from nbflow.shapes import TensorShape
from nbflow.tape.custom_gradient import custom_gradient
from nbflow.tape.gradient_tape import GradientTape, UnconnectedGradients
from nbflow.tensor.tensor import Tensor
from nbflow.tensor.variable import Variable

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...


for _alias, _dtype in {"half": float16, "double": float64, "bool": bool_}.items():
    export(_alias, f"dtypes.{_alias}")(_dtype)
publish()

__version__ = "0.1.0"
newaxis = None
