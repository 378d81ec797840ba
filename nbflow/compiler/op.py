"""What the compiler has to know of an op. The ops themselves are in nbflow.ops, one Op object each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nbflow.dtypes import ALL, DType


@dataclass(eq=False, slots=True)
class Op:
    """One entry of the op table.

    Which of the fields from `expr` on is set says how the op computes: `kind` names it.

    Attributes:
        name: TensorFlow's name for it.
        arguments: the names of its tensor inputs; "*x" takes any number.
        infer: (avals, attrs) -> the Aval of the result, or a tuple of several; raises InvalidArgumentError.
        vjp: gradient rule, (k, gradient, inputs, output, attrs) -> the gradient for input k, written in table ops;
            None: the op has no gradient. Broadcasting need not be undone. An op of several results gets tuples of
            gradients (None where there is none) and outputs.
        dtypes: the dtypes that its inputs may have.
        expr: elementwise: the result as a Python expression over the argument names, which may call vector math
            functions by their plain names; or (input dtypes, result dtype) -> such an expression.
        reduce: reduction: a row of compiler.loops.REDUCTIONS.
        view: view: (aval, attrs) -> (offset, strides) into the input's buffer, in elements, or None for a copy.
        lower: library: (node, lowering) -> None, adds kernel calls by itself.
        expand: composite: (emitter, values, attrs) -> values, written in other ops (see passes.simplify.Emitter).
        host: host: (NumPy arrays..., **attrs) -> an array or tuple of arrays: a NumPy function that runs between native
            programs. What it is given must not be written to. `infer` gives a size that only the values decide as a
            Dim.fresh; the function may raise InvalidArgumentError.
        simplify: (emitter, values, attrs) -> a simpler replacement or None.
        batch: how it applies to a stack of examples, where function.batching has no rule that fits: see there.
        static: (avals, attrs) -> NumPy array: known without running, from shapes alone.
        reference: for tests: the same as a NumPy function of (inputs..., **attrs).
        tolerance: for tests: units in the last place for float32 and float64 that the result may be off.
        wide: whether halves are computed in float32: cast before, and the results back after.
        blocked: inputs that gradients do not flow to, by position.
        effect: whether it does something besides computing its results: never dropped, merged or moved past another.
        in_place: whether `lower` may be given the memory of the first input for the result.
        control: whether it holds graphs of its own (compiler.control).
        joint: whether vjp gives all gradients at once: (upstream gradients, inputs, outputs, attrs, which are wanted)
            -> a list, None where there is none.
    """

    name: str
    arguments: tuple[str, ...]
    infer: Callable
    vjp: Callable | None = None
    dtypes: tuple[DType, ...] = ALL
    expr: str | Callable | None = None
    reduce: str | None = None
    view: Callable | None = None
    lower: Callable | None = None
    expand: Callable | None = None
    host: Callable | None = None
    batch: Callable | None = None
    static: Callable | None = None
    simplify: Callable | None = None
    reference: Callable | None = None
    tolerance: float = 4
    wide: bool = False
    blocked: tuple[int, ...] = ()
    effect: bool = False
    in_place: bool = False
    control: bool = False
    joint: bool = False
    doc: str = ""
    plans: dict = field(default_factory=dict)  # eager: (attrs, avals) -> how to run it

    @property
    def kind(self) -> str:
        """How the op computes: elementwise, reduction, view, library, composite, host, static, control or source."""
        if self.control:
            return "control"
        fields = {"elementwise": self.expr, "reduction": self.reduce, "view": self.view, "library": self.lower}
        fields |= {"composite": self.expand, "host": self.host, "static": self.static}
        return next((kind for kind, value in fields.items() if value is not None), "source")

    @property
    def decides_sizes(self) -> bool:
        """Whether a result may have a size that only values decide."""
        return self.host is not None or self.control

    def __call__(self, *inputs, **attrs) -> Any:
        """Applies the op to whatever kind of tensor its inputs are: eager, traced, or handles of a graph."""
        for value in inputs:
            apply = getattr(value, "nbflow_apply", None)
            if apply is not None:
                return apply(self, inputs, attrs)
        raise TypeError(f"{self.name}: none of the inputs is a tensor: {inputs!r}")

    def __repr__(self) -> str:
        return f"<op {self.name}>"
