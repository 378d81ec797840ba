"""The shortest way from tensors to a small program's results: what the rest of a call does is settled beforehand."""

import struct
from collections.abc import Callable, Sequence

from nbflow.compiler.program import Program
from nbflow.runtime import threads
from nbflow.runtime.buffers import allocate
from nbflow.tensor.tensor import Tensor, make
from nbflow.tensor.variable import Variable

_HEAD = bytes.__basicsize__ - 1  # from the start of a bytes object to its contents


def quick_call(program, captures: Sequence[Tensor | Variable]) -> Callable | None:
    """(tensors) -> the result of a program, or a list of several; None where it needs more care. It keeps the program.

    Args:
        program: what runs. It must not update Variables.
        captures: its inputs after the tensors of the call, dense; Variables give the value that they have then.
    """
    if not isinstance(program, Program) or program.parallel or program.has_code or not program.output_avals:
        return None
    if not captures and program.launchable:
        return _launch(program)
    if len(program.output_avals) == 1:
        return _one_result(program, captures)
    return _several_results(program, captures)


def _launch(program: Program) -> Callable:
    a, address, launch = program.output_avals[0], program.address, threads.launch()
    nbytes, padding = a.nbytes, (0,) * (3 - len(program.updated))

    def call(tensors: Sequence[Tensor], _alive=program) -> Tensor:
        result = allocate(nbytes)
        return make(result, launch(address, id(result), *[t._ptr for t in tensors], *padding), a)

    return call


def _one_result(program: Program, captures: Sequence) -> Callable:
    a, address, run, check = program.output_avals[0], program.address, threads.run_alone(), _check(program)
    nbytes, pack, first = a.nbytes, struct.Struct(f"{1 + len(program.updated)}q").pack, struct.Struct("q").unpack_from

    def call(tensors: Sequence[Tensor], _alive=program) -> Tensor:
        if captures:
            tensors = [*tensors, *[c if type(c) is Tensor else c._tensor for c in captures]]
        result = allocate(nbytes)
        slots = pack(id(result), *[t._ptr for t in tensors])  # the program puts addresses of results into it
        run(address, id(slots) + _HEAD, 1)
        if check is not None:
            check()
        return make(result, first(slots)[0], a)

    return call


def _several_results(program: Program, captures: Sequence) -> Callable:
    avals, address, run, check = program.output_avals, program.address, threads.run_alone(), _check(program)
    count = len(avals)
    pack, addresses = struct.Struct(f"{count + len(program.updated)}q").pack, struct.Struct(f"{count}q").unpack_from

    def call(tensors: Sequence[Tensor], _alive=program) -> list[Tensor]:
        if captures:
            tensors = [*tensors, *[c if type(c) is Tensor else c._tensor for c in captures]]
        results = [allocate(a.nbytes) for a in avals]
        slots = pack(*map(id, results), *[t._ptr for t in tensors])
        run(address, id(slots) + _HEAD, count)
        if check is not None:
            check()
        return list(map(make, results, addresses(slots), avals))

    return call


def _check(program: Program) -> Callable | None:
    return program.check if program.failures else None
