"""The program interpreter: one compiled function that walks a table of kernels, alone or with the team of threads.

A *program* is a block of int64 words, the header below, which points at
  * steps: rows of STEP words. A row with COUNT > 0 leads a chain of COUNT kernels (itself the first) that run one after
    the other on each chunk of rows [begin, end) of the chain's EXTENT, so that what one writes is still in the cache
    when the next reads it. Chunks are GRAIN rows; any thread may claim any chunk. A chain starts when all chains before
    number AFTER have finished, so that independent chains overlap. A kernel sees its own range, which is the chunk's
    times SCALE.
  * patches: (address of a word, slot, offset): before the walk, word = slots[slot] + offset. Slots hold the addresses
    of inputs and results, which differ from call to call; everything else is fixed when the program is built.

A program with control flow has *code* besides: rows of an operation and up to four operands, which call kernels, run
such programs without slots of their own (*blocks*), jump, count, and move the addresses that change from round to round
of a loop.
"""

import platform
import sys

from numba import njit

from nbflow.runtime.intrinsics import (
    DTYPES,
    atomic_add,
    atomic_load,
    atomic_swap,
    call_kernel,
    load,
    pause,
    reallocate,
    set_word,
    system_call,
    word,
)

# header of a program, in words
STEPS, STEP_COUNT, PATCHES, PATCH_COUNT, SLOTS, SLOT_COUNT, COUNTERS, CHAINS = 0, 1, 2, 3, 4, 5, 6, 7
CODE, RESUME, HEADER = 8, 9, 16
# a step row, in words
KERNEL, ARGS, SCALE, COUNT, EXTENT, GRAIN, AFTER, STEP = 0, 1, 2, 3, 4, 5, 6, 7
PATCH = 3  # words of a patch
LINE = 64  # bytes a cache line: one a counter, so that threads do not share one
# a row of code: the operation and its operands; see run_code
OPERATION, ROW = 0, 5
END, CALL, RUN, SHARE, PLACE, ADVANCE, SET, MOVE, ADD, JUMP, UNLESS, ENOUGH, OTHER, GROW, HALT, NEXT = range(16)
# A list of addresses that change from round to round: their number, and for each the address of the word where it
# stands, that of the word with the beginning of its array, and in bytes its place in slice 0, from slice to slice, and
# from round to round.
WHERE, BEGIN, OFFSET, SLICE, PACE, MOVING = 0, 1, 2, 3, 4, 5
STACK_BYTES, STACK_ROOM = 0, 1  # a stack, in words: its address and how many bytes it has room for
U8, I32 = DTYPES["u8"], DTYPES["i32"]
SLICE_NS = 100_000_000  # a loop returns to Python about as often, which then looks for signals such as Ctrl-C
# control block of the team, in words, a cache line apart
GENERATION, SLEEPERS, ACTIVE, STOP, PROGRAM, LOCK, EVENT, WAITERS, CONTROL_WORDS = 0, 8, 16, 24, 32, 40, 48, 56, 64
# Polls, with PAUSE in between, before a thread sleeps. It never calls sched_yield: a busy neighbour would keep the core
# for a whole time slice, and the scheduler holds yielding against a thread. One that sleeps is served first on waking.
SPINS = 1500

FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), 0)
FUTEX_WAIT, FUTEX_WAKE = 128, 129  # private to the process
CAN_SLEEP = sys.platform == "linux" and FUTEX != 0  # without futexes the team is the calling thread alone


# Only native code calls these, and `entry` makes the Python wrappers of the few that Python calls.
internal = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@internal
def patch(program):
    """Writes the addresses in the slots into the kernels' argument blocks."""
    slots, entries = word(program, SLOTS), word(program, PATCHES)
    for i in range(word(program, PATCH_COUNT)):
        entry = entries + i * (PATCH * 8)
        set_word(word(entry, 0), 0, word(slots, word(entry, 1)) + word(entry, 2))


@internal
def run_chunk(step, count, begin, end):
    """Runs the chain of kernels that starts at row `step` on the rows [begin, end)."""
    for k in range(count):
        row = step + k * (STEP * 8)
        scale = word(row, SCALE)
        call_kernel(word(row, KERNEL), word(row, ARGS), begin * scale, end * scale)


@internal
def walk(program):
    """The whole program on this thread."""
    step = word(program, STEPS)
    stop = step + word(program, STEP_COUNT) * (STEP * 8)
    while step < stop:
        count, extent, grain = word(step, COUNT), word(step, EXTENT), word(step, GRAIN)
        begin = 0
        while begin < extent:
            run_chunk(step, count, begin, min(begin + grain, extent))
            begin += grain
        step += count * (STEP * 8)


@internal
def sleep_on(control, word_at, count_at, seen):
    """Sleeps in the kernel until the word at word_at is no longer `seen`; count_at counts the sleepers."""
    atomic_add(control + 8 * count_at, 1)
    system_call(FUTEX, control + 8 * word_at, FUTEX_WAIT, seen & 0xFFFFFFFF, 0, 0, 0)
    atomic_add(control + 8 * count_at, -1)


@internal
def announce(control, word_at, count_at):
    """Changes the word at word_at and wakes who sleeps on it."""
    atomic_add(control + 8 * word_at, 1)
    if atomic_load(control + 8 * count_at) > 0:
        system_call(FUTEX, control + 8 * word_at, FUTEX_WAKE, 1024, 0, 0, 0)


@internal
def wait_for(control, counter, total):
    """Waits until the count at an address reaches total."""
    spins = 0
    while atomic_load(counter) < total:
        spins += 1
        if spins < SPINS:
            pause()
        else:
            seen = atomic_load(control + 8 * EVENT)
            if atomic_load(counter) < total:
                sleep_on(control, EVENT, WAITERS, seen)


@internal
def take_part(control, program):
    """Walks the program with others, running every chunk that no other thread has claimed."""
    steps, counters = word(program, STEPS), word(program, COUNTERS)
    step, chain, waited = steps, 0, 0
    waited_step = steps
    while chain < word(program, CHAINS):
        count, extent, grain = word(step, COUNT), word(step, EXTENT), word(step, GRAIN)
        claimed = counters + chain * (2 * LINE)
        if atomic_load(claimed) < extent:
            while waited < word(step, AFTER):
                wait_for(control, counters + waited * (2 * LINE) + LINE, word(waited_step, EXTENT))
                waited_step += word(waited_step, COUNT) * (STEP * 8)
                waited += 1
            while True:
                begin = atomic_add(claimed, grain)
                if begin >= extent:
                    break
                end = min(begin + grain, extent)
                run_chunk(step, count, begin, end)
                if atomic_add(claimed + LINE, end - begin) + end - begin >= extent:
                    announce(control, EVENT, WAITERS)
        step += count * (STEP * 8)
        chain += 1


@internal
def help_out(control):
    """A helper thread's life: spin for a new program, then sleep in the kernel until one comes."""
    seen = atomic_load(control)
    while True:
        spins = 0
        while atomic_load(control) == seen:
            spins += 1
            if spins < SPINS:
                pause()
            else:
                sleep_on(control, GENERATION, SLEEPERS, seen)
        seen = atomic_load(control)
        if atomic_load(control + 8 * STOP) != 0:
            return 0
        atomic_add(control + 8 * ACTIVE, 1)
        program = atomic_load(control + 8 * PROGRAM)
        if program != 0:
            take_part(control, program)
        if atomic_add(control + 8 * ACTIVE, -1) == 1:
            announce(control, EVENT, WAITERS)


@internal
def acquire(control):
    """Takes the lock, and waits until the helpers have left the last program."""
    while True:
        seen = atomic_load(control + 8 * EVENT)
        if atomic_swap(control + 8 * LOCK, 1) == 0:
            break
        sleep_on(control, EVENT, WAITERS, seen)
    spins = 0
    while True:
        seen = atomic_load(control + 8 * EVENT)
        if atomic_load(control + 8 * ACTIVE) == 0:
            break
        spins += 1
        if spins < SPINS:
            pause()
        else:
            sleep_on(control, EVENT, WAITERS, seen)


@internal
def release(control):
    """Gives the lock back."""
    atomic_swap(control + 8 * LOCK, 0)
    announce(control, EVENT, WAITERS)


@internal
def wake(control):
    """Announces a change of the control block to the helpers."""
    announce(control, GENERATION, SLEEPERS)
    return 0


@internal
def give_back(stack):
    """Frees the memory of a stack."""
    return reallocate(word(stack, STACK_BYTES), 0)


# --- the entry points, called from Python with addresses -----------------------------------------------------------


@internal
def launch(program, result, a, b, c):
    """Runs a small program with one result and up to three inputs on this thread; returns the result's address.

    result is the id() of the NumPy array that holds the result: its data pointer is the word behind the object's head.
    """
    address = word(result, 2)
    slots = word(program, SLOTS)
    set_word(slots, 0, address)
    set_word(slots, 1, a)
    set_word(slots, 2, b)
    set_word(slots, 3, c)
    patch(program)
    walk(program)
    return address


@internal
def take_slots(program, slots, results):
    """Copies the addresses of a call into the program.

    The first `results` are id()s of arrays, as in `launch`, and are replaced by the addresses of their data, for the
    caller to read.
    """
    own = word(program, SLOTS)
    for i in range(word(program, SLOT_COUNT)):
        address = word(slots, i)
        if i < results:
            address = word(address, 2)
            set_word(slots, i, address)
        set_word(own, i, address)
    patch(program)


@internal
def run_alone(program, slots, results):
    """Runs a small program on this thread with the addresses in the array `slots`."""
    take_slots(program, slots, results)
    walk(program)
    return 0


@internal
def run_team(program, slots, results, control):
    """Runs a program with the team; releases the GIL, so programs of other Python threads wait for the lock."""
    acquire(control)
    take_slots(program, slots, results)
    share(program, control)
    release(control)
    return 0


@internal
def share(program, control):
    """Runs a program with the helpers, who have left the last one."""
    counters, chains = word(program, COUNTERS), word(program, CHAINS)
    for i in range(chains * 2 * (LINE // 8)):
        set_word(counters, i, 0)
    atomic_swap(control + 8 * PROGRAM, program)
    wake(control)
    take_part(control, program)
    step = word(program, STEPS)
    for chain in range(chains):
        wait_for(control, counters + chain * (2 * LINE) + LINE, word(step, EXTENT))
        step += word(step, COUNT) * (STEP * 8)
    atomic_swap(control + 8 * PROGRAM, 0)


@internal
def place(moving, number):
    """Sets the addresses of a list to those in the slices of a number."""
    entry = moving + 8
    for _ in range(word(moving, 0)):
        address = word(word(entry, BEGIN), 0) + word(entry, OFFSET) + number * word(entry, SLICE)
        set_word(word(entry, WHERE), 0, address)
        entry += MOVING * 8


@internal
def advance(moving):
    """Moves the addresses of a list on to those of the next round."""
    entry = moving + 8
    for _ in range(word(moving, 0)):
        where = word(entry, WHERE)
        set_word(where, 0, word(where, 0) + word(entry, PACE))
        entry += MOVING * 8


@internal
def grow(stack, nbytes):
    """Makes room for so many bytes in a stack. Returns whether there is memory."""
    room = word(stack, STACK_ROOM)
    if nbytes > room:
        room = max(nbytes, 2 * room, 4096)
        address = reallocate(word(stack, STACK_BYTES), room)
        if address == 0:
            return False
        set_word(stack, STACK_BYTES, address)
        set_word(stack, STACK_ROOM, room)
    return True


@internal
def run_code(program, slots, results, control):
    """Runs a program with control flow with the addresses in the array `slots`; only one thread at a time may.

    Args:
        slots: 0 to go on where the last call stopped.
        control: of the team, or 0 to run alone.

    Returns:
        0: it is done; 1: it is to be called again with slots = 0; -1: there is no memory for a stack.
    """
    if slots != 0:
        take_slots(program, slots, results)
        row = word(program, CODE)
    else:
        row = word(program, RESUME)
    left = SLICE_NS
    outcome = 2
    while outcome == 2:
        operation, a, b, c, d = word(row, 0), word(row, 1), word(row, 2), word(row, 3), word(row, 4)
        row += ROW * 8
        if operation == CALL:
            call_kernel(a, b, 0, c)
        elif operation == RUN or (operation == SHARE and control == 0):
            walk(a)
        elif operation == SHARE:
            acquire(control)
            share(a, control)
            release(control)
        elif operation == PLACE:
            place(a, word(b, 0))
        elif operation == ADVANCE:
            advance(a)
        elif operation == SET:  # *a = b
            set_word(a, 0, b)
        elif operation == MOVE:  # *a = *b + c
            set_word(a, 0, word(b, 0) + c)
        elif operation == ADD:  # *a += b
            set_word(a, 0, word(a, 0) + b)
        elif operation == JUMP:
            row = a
        elif operation == UNLESS:  # the byte at a
            if load(U8, a, 0, 0) == 0:
                row = b
        elif operation == ENOUGH:  # *a >= *b
            if word(a, 0) >= word(b, 0):
                row = c
        elif operation == OTHER:  # the int32 at a is not b
            if load(I32, a, 0, 0) != b:
                row = c
        elif operation == GROW:  # the stack a to (*b + 1) * c bytes
            if not grow(a, (word(b, 0) + 1) * c):
                outcome = -1
        elif operation == HALT:  # the word at a is not 0: a kernel met bad input
            if word(a, 0) != 0:
                outcome = 0
        elif operation == NEXT:  # back to c, unless ++*a is *b; a round costs d ns
            rounds = word(a, 0) + 1
            set_word(a, 0, rounds)
            if rounds < word(b, 0):
                row = c
                left -= d
                if left < 0:
                    set_word(program, RESUME, row)
                    outcome = 1
        else:
            outcome = 0
    return outcome
