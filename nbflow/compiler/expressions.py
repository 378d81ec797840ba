"""An op's scalar expression as kernel source: names bound, literals typed, vector math called by dtype."""

import ast
from functools import cache

from nbflow.compiler.op import Op
from nbflow.dtypes import DType

# functions that serve every dtype under one name
GENERIC = {"abs", "maximum", "minimum", "to_int", "real", "imag", "conjugate", "complex", "complex_divide"}


class _Typed(ast.NodeTransformer):
    """Turns names into placeholders, literals into typed constants, and f(x) into f_<dtype>(x)."""

    def __init__(self, compute: DType, result: DType):
        self.compute, self.result = compute, result

    def visit_Name(self, node):
        if node.id == "dtype":  # the op's result type
            return ast.Name(self.result.compute)
        if node.id in ("inf", "nan"):
            return ast.Call(ast.Name(self.compute.compute), [node], [])
        return ast.Name("{" + node.id + "}")

    def visit_Constant(self, node):
        return ast.Call(ast.Name(self.compute.compute), [node], [])

    def visit_Call(self, node):
        name = node.func.id
        if name == "dtype":
            return ast.Call(ast.Name(self.result.compute), [self.visit(a) for a in node.args], [])
        function = name if name in GENERIC else f"{name}_{self.compute.compute}"
        return ast.Call(ast.Name(function), [self.visit(a) for a in node.args], [])


def converted(text: str, dtype: DType) -> str:
    """An expression of the type that kernels compute in, as a number that the dtype can hold."""
    if dtype.is_half:
        return f"round_{dtype.code}({text})"
    return f"{dtype.code}({text})" if dtype.is_integer or dtype.is_complex else text


@cache
def template(op: Op, dtypes: tuple[DType, ...], result: DType) -> str:
    """The op's expression with a {placeholder} for each argument, as text of the result's dtype."""
    text = op.expr(dtypes, result) if callable(op.expr) else op.expr
    assert text is not None
    compute = next((d for d in dtypes if not d.is_bool), result)
    typed = ast.unparse(_Typed(compute, result).visit(ast.parse(text, mode="eval")))
    return converted(typed, result)


def render(op: Op, names: list[str], dtypes: tuple[DType, ...], result: DType) -> str:
    """The op's expression over variables of a kernel."""
    return template(op, dtypes, result).format(**dict(zip(op.arguments, names, strict=True)))


@cache
def is_expensive(op: Op) -> bool:
    """Whether computing the op again costs more than loading its result: it calls a function or divides."""
    if not isinstance(op.expr, str):
        return False
    tree = ast.parse(op.expr, mode="eval")
    return any(isinstance(n, (ast.Call, ast.Div, ast.Pow)) for n in ast.walk(tree))
