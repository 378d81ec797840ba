"""Control flow nodes in a trace: adding them, and their gradients."""

from collections.abc import Sequence

from nbflow.compiler.control import COND, LOOP, VARYING, Body, loop_parts, saved_values
from nbflow.compiler.expressions import is_expensive
from nbflow.compiler.graph import SHAPES, Aval, Graph, Value, aval, size_names
from nbflow.compiler.layout import IOTA
from nbflow.dtypes import int64
from nbflow.function.body import AGAIN, Backward, BodyTrace, extract, needed, zeros
from nbflow.function.products import as_product
from nbflow.function.trace import SymbolicTensor
from nbflow.ops.table import TABLE
from nbflow.shapes import Dim
from nbflow.tape.gradient_tape import has_gradient
from nbflow.tensor.indexed_slices import added
from nbflow.tensor.state import state
from nbflow.tensor.tensor import apply, apply_free, to_tensor
from nbflow.tensor.variable import Variable


def _results(op, inputs: Sequence, attrs: dict) -> list:
    result = apply(op, inputs, attrs)
    return list(result) if isinstance(result, tuple) else [result]


def _free(trace: BodyTrace) -> dict[tuple, tuple[SymbolicTensor, Value]]:
    """What a body uses of the trace around it: (outer tensor, input), by what tells two apart.

    The start of a Variable is told from the same value kept as a tensor: only the former changes from round to round.
    """
    starts = {value: key for key, (_, value) in trace.variables.items()}
    return {(outer.value, starts.get(value)): (outer, value) for outer, value in trace.operands}


def _variables(traces: Sequence[BodyTrace]) -> list[Variable]:
    """The Variables that bodies assign to."""
    return list({key: variable for trace in traces for key, variable in trace.assigned.items()}.values())


def add_cond(index, traces: Sequence[BodyTrace], results: Sequence[Sequence[SymbolicTensor]]) -> list[SymbolicTensor]:
    """Adds a choice of branches to the trace under way, and assigns what they assign to Variables.

    Args:
        index: int32 scalar, the number of the branch.
        traces: of the branches.
        results: of each branch its results, tensors of its trace.
    """
    outer = state.trace
    assert outer is not None
    variables = _variables(traces)
    for variable in variables:
        for trace in traces:
            with trace.active():
                trace.read(variable)
    used = [_free(trace) for trace in traces]
    operands = {key: outer for free in used for key, (outer, _) in free.items()}
    branches = []
    for trace, found, free in zip(traces, results, used, strict=True):
        trace.graph.outputs = [t.value for t in (*found, *map(trace.read, variables))]
        trace.graph.inputs = [free[key][1] if key in free else Value(o._aval) for key, o in operands.items()]
        branches.append(Body(trace.graph, trace))
    made = _results(COND, [index, *operands.values()], {"branches": tuple(branches)})
    for variable, tensor in zip(variables, made[len(results[0]) :], strict=True):
        outer.assign(variable, tensor)
    return made[: len(results[0])]


def add_loop(
    trace: BodyTrace,
    carries: Sequence[SymbolicTensor],
    elements: Sequence[SymbolicTensor],
    results: Sequence[SymbolicTensor],
    *,
    trips=None,
    count: SymbolicTensor | None = None,
    tested: bool = False,
    reverse: bool = False,
) -> list[SymbolicTensor]:
    """Adds a loop to the trace under way, and assigns what it assigns to Variables.

    Args:
        trace: of a round, whose arguments are the carries and a slice of each element.
        carries: their first values.
        elements: tensors of which each round gets a slice.
        results: of a round: the next carries and a slice for each stack.
        trips, count, tested, reverse: see compiler.control.LOOP.

    Returns:
        The last carries and the stacks.
    """
    outer = state.trace
    assert outer is not None
    variables = _variables([trace])
    starts = [trace.variables[id(v)][1] for v in variables]
    operands = [(outer_, value) for outer_, value in _free(trace).values() if value not in starts]
    graph = trace.graph
    carried, arguments = len(carries), graph.inputs[: len(carries) + len(elements)]
    graph.inputs = [*arguments[:carried], *starts, *arguments[carried:], *(value for _, value in operands)]
    ends = [trace.current(v) for v in variables]
    graph.outputs = [t.value for t in (*results[:carried], *ends, *results[carried:])]
    attrs = {
        "body": Body(graph, trace),
        "carries": carried + len(variables),
        "scanned": len(elements),
        "trips": trips,
        "counted": count is not None,
        "tested": tested,
        "reverse": reverse,
        "saved": (),
    }
    begins = [outer.read(v) for v in variables]
    given = [] if count is None else [count]
    made = _results(LOOP, [*given, *carries, *begins, *elements, *(o for o, _ in operands)], attrs)
    for variable, tensor in zip(variables, made[carried:], strict=False):
        outer.assign(variable, tensor)
    last = carried + len(variables)
    return made[:carried] + made[last : last + len(results) - carried]


# --- gradients --------------------------------------------------------------------------------------------------------


def _cond_gradients(upstream: list, inputs: Sequence, outputs: Sequence, attrs: dict, wanted: Sequence[bool]) -> list:
    """A choice of the branches' gradients, which compute again what they need of the branches."""
    outer = state.trace
    seeded = [k for k, g in enumerate(upstream) if g is not None]
    sources = [k for k, w in enumerate(wanted) if w and k and has_gradient(inputs[k])]
    operands = [*inputs[1:], *(upstream[k] for k in seeded)]
    branches = []
    there = [False] * len(sources)
    backwards = []
    for body in attrs["branches"]:
        backward = Backward(body, outer)
        graph = body.graph
        with backward.active() as trace:
            seeds = [trace.argument(upstream[k]._aval) for k in seeded]
            found = backward.gradients(
                [graph.outputs[k] for k in seeded], seeds, [graph.inputs[k - 1] for k in sources]
            )
        there = [a or g is not None for a, g in zip(there, found, strict=True)]
        backwards.append((backward, seeds, found))
    sources = [k for k, t in zip(sources, there, strict=True) if t]
    parts = []
    for body, (backward, seeds, found) in zip(attrs["branches"], backwards, strict=True):
        with backward.active() as trace:
            found = [g for g, t in zip(found, there, strict=True) if t]
            found = [
                TABLE["zeros_like"](backward.tensor(body.graph.inputs[k - 1])) if g is None else g
                for k, g in zip(sources, found, strict=True)
            ]
            ends = [trace.lift(to_tensor(g)).value for g in found]
        given = [*body.graph.inputs, *(s.value for s in seeds)]
        stops = {*given, *(v for v in _kept(body) if not v.aval.symbolic)}
        leaves, nodes = needed(ends, stops.__contains__)
        decided = [v for v in _naming(_asked(nodes) - _told(given), body.graph) if v.node is not None]
        leaves, nodes = needed([*ends, *decided], stops.__contains__)
        lifted = {value: o for o, value in trace.operands}
        more = [(lifted.get(v), v) for v in leaves if v not in given]
        parts.append((trace, given, more, ends, nodes))
    results: list = [None] * len(inputs)
    if not sources:
        return results
    kept = [[v for o, v in more if o is None] for _, _, more, _, _ in parts]
    values = iter(_run_again(inputs, attrs, kept, outer))
    operands += [next(values) if o is None else o for _, _, more, _, _ in parts for o, _ in more]
    for number, (trace, given, _, ends, nodes) in enumerate(parts):
        for other, (*_, more, _, _) in enumerate(parts):
            given = given + [v if other == number else Value(v.aval) for _, v in more]
        branches.append(extract(trace, given, ends, nodes, outer))
    made = _results(COND, [inputs[0], *operands], {"branches": tuple(branches)})
    for k, tensor in zip(sources, made, strict=True):
        results[k] = tensor
    return results


def _kept(body: Body) -> set[Value]:
    """The results of what has a gradient of its own, which computing them again would lose."""
    nodes = (node for start, end, *_ in body.trace.regions for node in body.graph.nodes[start:end])
    return {v for node in nodes for v in node.outputs}


def _run_again(inputs: Sequence, attrs: dict, kept: Sequence[Sequence[Value]], outer) -> list:
    """Some values of each branch: those of the one that runs, and zeros for the others'."""
    if not any(kept):
        return []
    branches = []
    for number, body in enumerate(attrs["branches"]):
        trace = body.trace.extended(outer)
        with trace.active():
            zero = {v: zeros(trace, v.aval).value for values in kept for v in values}
        found = [v if other == number else zero[v] for other, values in enumerate(kept) for v in values]
        trace.graph.outputs = [*body.graph.outputs, *found]
        branches.append(Body(trace.graph, trace))
    first = len(attrs["branches"][0].graph.outputs)
    return _results(COND, inputs, {"branches": tuple(branches)})[first:]


def _loop_gradients(upstream: list, inputs: Sequence, outputs: Sequence, attrs: dict, wanted: Sequence[bool]) -> list:
    """A loop in the other direction. What it needs of the rounds is saved by the first loop, or computed again."""
    outer = state.trace
    body: Body = attrs["body"]
    graph, carried = body.graph, attrs["carries"]
    count, carries, elements, constants = loop_parts(inputs, attrs)
    _, inside, slices, fixed = loop_parts([*([None] if attrs["counted"] else []), *graph.inputs], attrs)
    results = [*graph.outputs, *saved_values(body, attrs["saved"])]
    stacked = list(range(carried, len(results)))
    live = [k for k in range(carried) if has_gradient(carries[k])]
    seeded = [k for k in stacked if upstream[k] is not None]
    first = len(inputs) - len(constants)
    into = [k for k, x in enumerate(constants) if wanted[first + k] and has_gradient(x)]
    across = [k for k, x in enumerate(elements) if wanted[first - len(elements) + k] and has_gradient(x)]

    backward = Backward(body, outer)
    with backward.active() as trace:
        flows = [trace.argument(_flowing(inside[k].aval, results[k].aval)) for k in live]
        arrivals = [trace.argument(results[k].aval) for k in seeded]
        sources = [*(inside[k] for k in live), *(slices[k] for k in across), *(fixed[k] for k in into)]
        seeds = [_shaped(flow, results[k].aval) for k, flow in zip(live, flows, strict=True)]
        found = backward.gradients([results[k] for k in (*live, *seeded)], [*seeds, *arrivals], sources)
        next_flows = found[: len(live)]
        assigned = {value for _, value in body.trace.variables.values()}
        for position, k in enumerate(live):
            if inside[k] in assigned:  # the gradient of a Variable is that of all its values
                own = next_flows[position]
                next_flows[position] = added(own, seeds[position])
        next_flows = [
            TABLE["zeros_like"](backward.tensor(inside[k])) if g is None else g
            for k, g in zip(live, next_flows, strict=True)
        ]
        rows = [(k, g) for k, g in zip(across, found[len(live) :], strict=False) if g is not None]
        shares = [(k, g) for k, g in zip(into, found[len(live) + len(across) :], strict=True) if g is not None]
        fixed_rounds = count is None and not attrs["tested"]  # else stacks are for loops only
        whole = {k: g.value for k, g in shares if fixed_rounds and isinstance(g, SymbolicTensor)}
        products = {k: product for k, value in whole.items() if (product := as_product(value))}
        shares = [(k, g) for k, g in shares if k not in products]
        totals = [trace.argument(fixed[k].aval) for k, _ in shares]
        sums = [added(total, g) for total, (_, g) in zip(totals, shares, strict=True)]
        ends = [trace.lift(to_tensor(t)).value for t in (*next_flows, *sums, *(g for _, g in rows))]
    sides = dict.fromkeys(v for product in products.values() for v in product.sides)

    known = {v: ("constant", k) for k, v in enumerate(fixed)} | {v: ("element", k) for k, v in enumerate(slices)}
    given = {t.value for t in (*flows, *totals, *arrivals)}

    own = _kept(body)

    def search(calls: bool) -> tuple[list[Value], list[Value], set]:
        """What to save, the leaves, and the nodes between, where calls of functions are computed again or are not."""

        def stops(value: Value):
            op = value.node and value.node.op
            kept = value in own or (op and (op.kind not in AGAIN or (is_expensive(op) and not calls)))
            return value in given or (kept and backward.is_forward(value))

        leaves, nodes = needed([*ends, *sides], stops)
        saved = [v for v in leaves if v not in given and v not in known and backward.is_forward(v)]
        return saved, leaves, nodes

    # what is dear is not computed again where saving it takes no more memory than saving what it is made of
    ways = search(calls=False), search(calls=True)
    saved, leaves, nodes = min(ways, key=lambda way: (sum(v.aval.nbytes for v in way[0]), len(way[0])))
    saved += _naming(_asked(nodes) - _told([*leaves, *given]), graph)
    lifted = {value: o for o, value in trace.operands}
    extra = [v for v in leaves if v not in given and not backward.is_forward(v)]
    used_elements = [v for v in leaves if known.get(v, ("",))[0] == "element"]
    if rows and not (used_elements or saved or arrivals):  # the gradient of elements has as many rows as they have
        used_elements = [slices[rows[0][0]]]
    used_constants = [v for v in leaves if known.get(v, ("",))[0] == "constant"]

    stacks, rounds = _saving(saved, inputs, attrs) if saved or attrs["tested"] else ([], None)
    stack_of = dict(zip(saved, stacks, strict=True)) | {v: elements[known[v][1]] for v in used_elements}
    ends += [v for v in sides if v not in stack_of]

    order = [t.value for t in (*flows, *totals)]
    scan = [*saved, *(t.value for t in arrivals), *used_elements]
    new = extract(trace, [*order, *scan, *used_constants, *extra], ends, nodes, outer)
    starts = [TABLE["zeros_like"](outputs[k]) if upstream[k] is None else upstream[k] for k in live]
    starts += [TABLE["zeros_like"](constants[k]) for k, _ in shares]
    scanned = [*stacks, *(upstream[k] for k in seeded), *(elements[known[v][1]] for v in used_elements)]
    counter = rounds if rounds is not None else count
    made = _results(
        LOOP,
        [
            *([] if counter is None else [counter]),
            *starts,
            *scanned,
            *(constants[known[v][1]] for v in used_constants),
            *(lifted[v] for v in extra),
        ],
        {
            "body": new,
            "carries": len(order),
            "scanned": len(scanned),
            "trips": attrs["trips"] if counter is None else None,
            "counted": counter is not None,
            "tested": False,
            "reverse": not attrs["reverse"],
            "saved": (),
        },
    )
    answers: list = [None] * len(inputs)
    offset = int(attrs["counted"])
    for k, tensor in zip(live, made, strict=False):
        answers[offset + k] = tensor
    for (k, _), tensor in zip(shares, made[len(live) :], strict=False):
        answers[first + k] = tensor
    for (k, _), tensor in zip(rows, made[len(order) :], strict=False):
        answers[first - len(elements) + k] = tensor if rounds is None else _of_rounds(tensor, rounds)
    stack_of.update(zip((v for v in sides if v not in stack_of), made[len(order) + len(rows) :], strict=True))
    for k, product in products.items():
        a, b = product.sides
        answers[first + k] = product.total((stack_of[a], stack_of[b]), constants[k].shape)
    return [a if w else None for a, w in zip(answers, wanted, strict=True)]


def _saving(values: Sequence[Value], inputs: Sequence, attrs: dict) -> tuple[list, SymbolicTensor | None]:
    """Adds a loop once more, with stacks of some values of its body; and the number of its rounds, if it is tested."""
    graph, before = attrs["body"].graph, attrs["saved"]
    where = {v: (-1, k) for k, v in enumerate(graph.inputs)}
    where |= {v: (n, k) for n, node in enumerate(graph.nodes) for k, v in enumerate(node.outputs)}
    names = [where[v] for v in values]
    saved = (*before, *(n for n in dict.fromkeys(names) if n not in before))
    base = len(graph.outputs)
    again = {**attrs, "saved": saved}
    if SHAPES in again:  # sizes keep their names, but for the results that come behind
        again[SHAPES] = again[SHAPES][: base + len(before)]
    made = _results(LOOP, inputs, again)
    return [made[base + saved.index(n)] for n in names], made[-1] if attrs["tested"] else None


def _of_rounds(stacked, rounds):
    """Stacked rows with zeros for the rounds that did not run, whose rows nobody wrote."""
    numbers = apply_free(IOTA, {"size": stacked.nbflow_shape[0], "dtype": int64})
    ran = TABLE["less"](numbers, TABLE["cast"](rounds, dtype=int64))
    ran = TABLE["reshape"](ran, shape=(stacked.nbflow_shape[0], *(1,) * (stacked.ndim - 1)))
    return TABLE["select"](ran, stacked, TABLE["zeros_like"](stacked))


def _flowing(at: Aval, after: Aval) -> Aval:
    """What flows back into a round: the shape of a value after the round, where sizes change."""
    sizes = zip(at.shape, after.shape, strict=True)
    return aval(at.dtype, tuple(n if n == m else Dim.fresh(VARYING) for n, m in sizes))


def _shaped(flow: SymbolicTensor, after: Aval) -> SymbolicTensor:
    return flow if flow._aval is after else TABLE["ensure_shape"](flow, shape=after.shape)


def _asked(nodes: set) -> set[str]:
    """The sizes by name that nodes are written with, without those that they decide."""
    asked = {name for node in nodes for attr in node.attrs.values() for name in size_names(attr)}
    return asked - _told([v for node in nodes if node.op.decides_sizes for v in node.outputs])


def _told(values: Sequence[Value]) -> set[str]:
    """The sizes by name that the shapes of values tell."""
    return {size.name for v in values for size in v.shape if _named(size)}


def _named(size) -> bool:
    return isinstance(size, Dim) and not size.op


def _naming(names: set[str], graph: Graph) -> list[Value]:
    """Values of a body that tell its sizes of these names."""
    found: list[Value] = []
    for value in (*graph.inputs, *(v for node in graph.nodes for v in node.outputs)):
        new = names & _told([value])
        if new and (value.node is not None or any(n.startswith(VARYING) for n in new)):
            found.append(value)
            names = names - new
    return found


# The rules stand here, and not beside the ops, because they trace.
COND.vjp, LOOP.vjp = _cond_gradients, _loop_gradients
COND.joint = LOOP.joint = True
