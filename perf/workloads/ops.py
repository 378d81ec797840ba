"""Every op on about 1e6 elements, beside what one writes in NumPy.

The rows are in perf/ops. They are not among the workloads that run where none is named.
"""

from perf import ops

SWEEP = True
CASES = {key: (key,) for key in ops.CASES}
NOTES = {key: case.note or ops.BY_FUNCTION.get(case.function, "") for key, case in ops.CASES.items()}
WARM_UP = 0.03
BLOCK = 0.008
ROUNDS = 5


def nbflow(key):
    import nbflow as nf

    return ops.CASES[key].ours(nf)


def numpy(key):
    return ops.CASES[key].numpy()
