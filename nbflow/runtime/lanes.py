"""Programs that native code calls by itself: a table of them by sizes, and copies for callers at the same time.

A *table* is a few words: the address of the newest entry, a callback that makes entries, and what runs a lane. An
*entry* is for one set of sizes: the words below, the sizes that it is for, the sizes of its results. It has one or more
*lanes*, copies of the program with memory of their own. A caller takes a lane, writes addresses and numbers into it,
runs it, reads its scalar results and releases it. Nothing of this needs the GIL, but for making an entry.
"""

import hashlib
from functools import cache
from pathlib import Path

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from nbflow.runtime import interpreter, native
from nbflow.runtime.intrinsics import I64, atomic_load, atomic_swap, call_kernel, pause, set_word, word

NEWEST, CALLBACK, RUNNER, TABLE_WORDS = 0, 1, 2, 3
# an entry, in words; EVENT and WAITERS have a cache line each, as all callers write to them
NEXT, LANES, LANE_COUNT, SIZES, EVENT, WAITERS, ENTRY_WORDS = 0, 1, 2, 3, 8, 16, 24
# a lane, in words: whether it is taken, the program, its addresses and scalars, the team that runs it, its failure
# cells, how the last run ended, and whether it has code
LOCK, PROGRAM, SLOTS, SCALARS, TEAM, FAILURES, FAILURE_COUNT, OUTCOME, CODE, LANE_WORDS = 0, 1, 2, 3, 4, 5, 6, 7, 8, 16
SCALAR = 16  # bytes for a scalar: a complex128
CELL = 3  # words of a failure cell

MISSING, NO_GIL = 0, -1  # in place of an entry
DONE, BAD_VALUES, NO_MEMORY = 0, 1, 2  # outcomes

internal = interpreter.internal


@intrinsic(prefer_literal=True)
def process_address(typingctx, value):
    """An address that is good in this process only: Numba does not write code that has it to its disk cache."""

    def codegen(context, builder, signature, args):
        pointer = context.add_dynamic_addr(builder, value.literal_value, info="nbflow program")
        return builder.ptrtoint(pointer, I64)

    if not isinstance(value, types.IntegerLiteral):
        raise numba.errors.RequireLiteralValue("process_address takes a constant")
    return types.int64(value), codegen


@intrinsic
def has_gil(typingctx):
    """Whether this thread holds Python's lock: 1 or 0."""

    def codegen(context, builder, signature, args):
        check = ir.FunctionType(ir.IntType(32), [])
        function = cgutils.get_or_insert_function(builder.module, check, "PyGILState_Check")
        return builder.sext(builder.call(function, []), I64)

    return types.int64(), codegen


@intrinsic
def data_address(typingctx, array):
    """The address of an array's first element."""

    def codegen(context, builder, signature, args):
        return builder.ptrtoint(make_array(array)(context, builder, args[0]).data, I64)

    return types.int64(array), codegen


@intrinsic
def keep(typingctx, value):
    """Does nothing; a value lives at least until here."""
    return types.void(value), lambda context, builder, signature, args: context.get_dummy_value()


@internal
def new_entry(table, sizes):
    """The entry that Python makes for the sizes at an address; MISSING if it cannot, NO_GIL where Python cannot run."""
    if has_gil() == 0:
        return NO_GIL
    call_kernel(word(table, CALLBACK), sizes, 0, 0)
    return word(sizes, 0)


@internal
def take_lane(entry):
    """A lane of an entry that nobody else has, once there is one."""
    lanes, count = word(entry, LANES), word(entry, LANE_COUNT)
    spins = 0
    while True:
        seen = atomic_load(entry + 8 * EVENT)
        for k in range(count):
            lane = lanes + k * (8 * LANE_WORDS)
            if atomic_load(lane) == 0 and atomic_swap(lane, 1) == 0:
                return lane
        spins += 1
        if spins < interpreter.SPINS or not interpreter.CAN_SLEEP:
            pause()
        else:
            interpreter.sleep_on(entry, EVENT, WAITERS, seen)


@internal
def release_lane(entry, lane):
    """Gives a lane back."""
    atomic_swap(lane, 0)
    if interpreter.CAN_SLEEP:
        interpreter.announce(entry, EVENT, WAITERS)


@internal
def run_lane(lane, begin, end):
    """Runs a lane's program and notes its OUTCOME; called as kernels are."""
    program, slots, control = word(lane, PROGRAM), word(lane, SLOTS), word(lane, TEAM)
    outcome = DONE
    if word(lane, CODE) != 0:
        state = interpreter.run_code(program, slots, 0, control)
        while state == 1:
            state = interpreter.run_code(program, 0, 0, control)
        if state < 0:
            outcome = NO_MEMORY
    elif control != 0:
        interpreter.run_team(program, slots, 0, control)
    else:
        interpreter.run_alone(program, slots, 0)
    for k in range(word(lane, FAILURE_COUNT)):
        cell = word(word(lane, FAILURES), k)
        if word(cell, 0) != 0:
            outcome = BAD_VALUES
            for i in range(CELL):
                set_word(cell, i, 0)
    set_word(lane, OUTCOME, outcome)


@cache
def runner() -> int:
    """The address of run_lane, compiled once and kept on disk: it would add seconds to what calls it."""
    digest = hashlib.sha256(b"".join(Path(f).read_bytes() for f in (__file__, interpreter.__file__))).hexdigest()
    source = f'def {{name}}(lane, begin, end):\n    """{digest}"""\n    run_lane(lane, begin, end)\n'
    return native.kernel("run_lane", source, {"run_lane": run_lane}).address
