"""The workloads and what each file in `workloads/` holds.

A workload is a module with

- a docstring, whose first line is its title,
- one function per variant in `VARIANTS` (nbflow, numpy, jax, ...), each importing its framework and
returning a
  function without arguments that does one step and comes back when the step is finished,
- `CASES` (optional): name -> the arguments that the functions take,
- `MALLOC_MATTERS = True` (optional) where a step allocates large arrays, so peers are also measured with
malloc told to
  keep memory,
- `SELF_TIMED = True` (optional) where a step returns the seconds that count (what happens in another
process),
- `CALLS` and `WARM_UP_CALLS` (optional, together): how many calls make a block and how many come before the
first,
  where calls are not alike, or cost seconds,
- `ROUNDS` (optional): fewer rounds, for what takes seconds,
- `WARM_UP` and `BLOCK` (optional): fewer seconds before the pace counts as steady, and shorter blocks,
- `SWEEP = True` (optional) where the cases are hundreds, which make one table (`sweep`) and run when they are named.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType

from perf import workloads

# variant -> the framework whose environment it runs in
VARIANTS = {
    "nbflow": "nbflow",
    "numpy": "numpy",
    "tensorflow": "tensorflow",
    "tensorflow_xla": "tensorflow",
    "jax": "jax",
    "torch": "torch",
    "torch_compile": "torch",
    "pytensor": "pytensor",
}


@dataclass(frozen=True)
class Row:
    """One workload, with one of its cases: what one line of the results is about."""

    module: ModuleType
    case: str | None

    @property
    def workload(self) -> str:
        """The module's name."""
        return self.module.__name__.rpartition(".")[2]

    @property
    def name(self) -> str:
        """`matmul[512]`, or `softmax` where there are no cases."""
        return f"{self.workload}[{self.case}]" if self.case else self.workload

    @property
    def title(self) -> str:
        """The docstring's first line."""
        return (self.module.__doc__ or "").split("\n")[0].rstrip(".")

    @property
    def malloc_matters(self) -> bool:
        """Whether peers are also measured with malloc told to keep memory."""
        return getattr(self.module, "MALLOC_MATTERS", False)

    @property
    def sweep(self) -> bool:
        """Whether it is one of hundreds that are shown in one table."""
        return getattr(self.module, "SWEEP", False)

    def answers_to(self, name: str) -> bool:
        """Whether it is meant: by `ops`, by `ops[math.reduce_sum columns]`, or by a case's first word."""
        first = f"{self.workload}[{self.case.split()[0]}]" if self.case else self.workload
        return name in (self.workload, self.name, first)

    def block(self, asked: float) -> float:
        """The seconds of a block: what was asked for, or the workload's own limit."""
        return min(asked, getattr(self.module, "BLOCK", asked))

    def rounds(self, asked: int) -> int:
        """The number of rounds: what was asked for, or the workload's own limit."""
        return min(asked, getattr(self.module, "ROUNDS", asked))

    def variants(self, framework: str) -> list[str]:
        """The variants of this workload that run in the framework's process."""
        return [name for name, home in VARIANTS.items() if home == framework and hasattr(self.module, name)]


def names() -> list[str]:
    """Every workload's name."""
    return sorted(module.name for module in pkgutil.iter_modules(workloads.__path__))


def rows(asked: list[str], sweeps: bool = False) -> list[Row]:
    """The rows of the named workloads (`matmul` or `matmul[512]`), or of all, `sweeps` among them or not.

    Raises:
        LookupError: there is no such workload or case.
    """
    every = []
    for name in names():
        module = importlib.import_module(f"perf.workloads.{name}")
        every += [Row(module, case) for case in getattr(module, "CASES", [None])]
    chosen = [] if asked else [row for row in every if sweeps or not row.sweep]
    for name in asked:
        found = [row for row in every if row.answers_to(name)]
        if not found:
            known = ", ".join(dict.fromkeys(row.workload if row.sweep else row.name for row in every))
            raise LookupError(f"There is no workload {name!r}. There are {known}.")
        chosen += [row for row in found if row not in chosen]
    return chosen
