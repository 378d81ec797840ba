"""Ops that users write: scalar functions (nf.op) and array functions (nf.kernel)."""

from nbflow.custom import kernel, op
