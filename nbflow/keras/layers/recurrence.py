"""One step after another along the time axis: a native loop where a function is traced, a Python loop elsewhere."""

from collections.abc import Callable

import optree

from nbflow.arrays.joining import stack
from nbflow.arrays.repeating import reverse
from nbflow.arrays.slicing import unstack
from nbflow.dtypes import bool_
from nbflow.function.control import staged_scan
from nbflow.ops.table import TABLE
from nbflow.public import cast
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor


def swapped(x):
    """A tensor with its first two axes, batch and time, the other way round."""
    return TABLE["transpose"](x, perm=(1, 0, *range(2, x.ndim)))


def _masked(mask, x, otherwise):
    """x in the examples of the batch that a mask [batch, …] holds for."""
    shape = (*mask.nbflow_shape, *(1,) * (x.ndim - mask.ndim))
    return TABLE["select"](TABLE["reshape"](mask, shape=shape), x, otherwise)


def run(
    step: Callable,
    inputs,
    states,
    *,
    mask=None,
    go_backwards: bool = False,
    unroll: bool = False,
    every: bool = True,
    zero_output: bool = False,
    output_is_state: bool = False,
):
    """Applies a step to each time, and hands its states on to the next.

    Args:
        step: (input at a time, states) -> (output, next states).
        inputs: [time, batch, …].
        states: the first ones, a structure of tensors.
        mask: bool, [batch, time]: where it is False, states and output stay what they were.
        go_backwards: whether to begin at the end; the outputs then are in that order.
        unroll: whether a trace gets the steps one by one rather than a loop.
        every: whether all outputs are wanted, or the last one.
        zero_output: whether the output is zeros where the mask is False.
        output_is_state: whether a step's output is the first of its next states.

    Returns:
        (outputs [batch, time, …] or the last output [batch, …], the last states).
    """
    first, form = optree.tree_flatten(states)
    elements = [inputs] if mask is None else [inputs, swapped(cast(to_tensor(mask), bool_))]

    def advance(slices, states, before):
        """(output, states) after a time, given the output before it or None."""
        output, following = step(slices[0], optree.tree_unflatten(form, list(states)))
        following = optree.tree_leaves(following)
        if mask is not None:
            kept = slices[1]
            output = _masked(kept, output, TABLE["zeros_like"](output) if zero_output or before is None else before)
            following = [_masked(kept, new, old) for new, old in zip(following, states, strict=True)]
        return output, following

    if state.trace is None or unroll:
        times = list(zip(*map(unstack, elements), strict=True))
        outputs, output, states = [], None, first
        for slices in times[::-1] if go_backwards else times:
            output, states = advance(slices, states, output)
            outputs.append(output)
        return (stack(outputs, 1) if every else output), optree.tree_unflatten(form, states)

    carried = (mask is not None and not (every and zero_output)) or (not every and not output_is_state)
    before = []
    if carried:
        before = [TABLE["zeros_like"](first[0] if output_is_state else step(inputs[0], states)[0])]

    def body(slices, *values):
        output, following = advance(slices, values[: len(first)], values[len(first)] if carried else None)
        return [*following, *([output] if carried else [])], [output] if every else []

    names = [f"state {k}" for k in range(len(first))] + ["output"] * carried
    values, stacks = staged_scan(body, [*first, *before], elements, None, go_backwards, names)
    final = optree.tree_unflatten(form, values[: len(first)])
    if every:
        outputs = reverse(stacks[0], [0]) if go_backwards else stacks[0]
        return swapped(outputs), final
    return values[-1] if carried else values[0], final
