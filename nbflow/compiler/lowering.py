"""Graph -> kernel calls: passes, fusion, in-place updates of variables, one call a nest or library op."""

from collections.abc import Callable, Sequence

import numpy as np

from nbflow.compiler.graph import Graph, Node, Value, aval
from nbflow.compiler.kernels import ALL, Buffer, Call, Ref, compile_source, constant_buffer, nest_call
from nbflow.compiler.layout import Layout, Place, insert_copies, is_virtual
from nbflow.compiler.loops import Load, Nest, NestBuilder, Operand, Phase, Store, collapse
from nbflow.compiler.passes.fuse import ROW, Fuser, Group, read_strides
from nbflow.compiler.passes.simplify import drop_unused, simplify
from nbflow.shapes import contiguous_strides


class Lowering:
    """The kernel calls of one graph with known shapes.

    Args:
        graph: what to lower.
        inputs, outputs: where they lie, for the body of a loop or branch; by default addresses come with each call.

    Attributes:
        graph: after simplification, with copies inserted.
        layout: the places of its values.
        calls: kernel calls in an order in which they can run.
        inputs, outputs: the Buffers that come with each call.
        failures: (cell, description) of what may go wrong while kernels run; see `failure`.
    """

    def __init__(self, graph: Graph, inputs: Sequence[Buffer] | None = None, outputs: Sequence[Buffer] | None = None):
        self.graph = drop_unused(insert_copies(simplify(graph)))
        self.layout = Layout(self.graph)
        self.calls: list = []
        self.failures: list[tuple[np.ndarray, Callable]] = []
        count = len(self.graph.outputs)
        self._buffers: dict[Value, Buffer] = {}
        if inputs is None:
            inputs = [Buffer(v.aval.nbytes, count + k) for k, v in enumerate(self.graph.inputs)]
        if outputs is None:
            outputs = [Buffer(v.aval.nbytes, k) for k, v in enumerate(self.graph.outputs)]
        self.inputs, self.outputs = list(inputs), list(outputs)
        self._buffers.update(zip(self.graph.inputs, self.inputs, strict=True))
        for value, buffer in zip(self.graph.outputs, self.outputs, strict=True):
            self._buffers[self.layout.places[value].root] = buffer
        self._order = {node: k for k, node in enumerate(self.graph.nodes)}
        fuser = Fuser(self.graph, self.layout)
        self.works, self._sources = fuser.works, fuser.sources
        self._work_of = fuser.work_of
        copies = self._update_in_place()
        self.stored = self._stored_values()
        for work in self._sorted_works():
            first = len(self.calls)
            self._lower(work)
            for call in self.calls[first:]:
                call.nodes = (
                    tuple(sorted(work.members, key=self._order.__getitem__)) if isinstance(work, Group) else (work,)
                )
        for source, target in copies:
            dense = contiguous_strides(source.shape)
            self.copy(Place(source, 0, dense), source.shape, self._buffers[target], 0, dense)

    # --- for library ops ----------------------------------------------------------------------------------------

    def place(self, value: Value) -> Place:
        """Where a value lies."""
        return self.layout.places[value]

    def buffer(self, root: Value) -> Buffer:
        """The memory of a root value."""
        found = self._buffers.get(root)
        if found is None:
            found = constant_buffer(root) or Buffer(root.aval.nbytes)
            self._buffers[root] = found
        return found

    def stack(self, value: Value) -> None:
        """Gives a root value memory that grows with the rounds of a loop."""
        self._buffers.setdefault(value, Buffer(0, stack=True))

    def address(self, value: Value) -> Ref:
        """The argument word for a value's first element."""
        place = self.place(value)
        return Ref(self.buffer(place.root), place.offset * value.dtype.size)

    def dense(self, place: Place, shape: tuple) -> tuple[Ref, tuple]:
        """The argument word for a view made row-major without gaps, by a copy if need be, and how a call touches it."""
        root = place.root
        dtype = root.dtype
        if not is_virtual(root) and aval(dtype, shape, place.strides).strides is None:
            return Ref(self.buffer(root), place.offset * dtype.size), (self.buffer(root), ALL, False, 0)
        buffer = Buffer(aval(dtype, shape).nbytes)
        self.copy(place, shape, buffer, 0, contiguous_strides(shape))
        return Ref(buffer), (buffer, ALL, False, 0)

    def fill(self, value: Value, number) -> None:
        """Adds calls that set all elements of a result to a number."""
        constant = Graph().constant(np.asarray(number, value.dtype.np), value.dtype)
        place = Place(constant, 0, (0,) * len(value.shape))
        self.copy(place, value.shape, self.buffer(value), 0, contiguous_strides(value.shape))

    def reads(self, value: Value, how: str = ALL, unit: int = 0) -> tuple:
        """How a call touches an input, for Call.touches."""
        return self.buffer(self.place(value).root), how, False, unit

    def writes(self, value: Value, how: str = ALL, unit: int = 0) -> tuple:
        """How a call touches its result, for Call.touches."""
        return self.buffer(value), how, True, unit

    def failure(self, node: Node, describe: Callable) -> tuple[Ref, tuple]:
        """Three words for a kernel to report bad input in: it sets the first to 1 and the second to the bad value.

        The third may say when it was found, so that what came first is told (see ops.outside.ASSERT).

        Args:
            describe: bad value -> the message of the error that the program raises after it has run. The source line
                of the node is added.
        """

        def located(bad: int) -> str:
            text = describe(bad)
            return f"{text} (in {node.where})" if node.where and node.where not in text else text

        cell = np.zeros(3, np.int64)
        self.failures.append((cell, located))
        buffer = Buffer(cell.nbytes, array=cell)
        return Ref(buffer), (buffer, ALL, False, 0)

    def call(self, stem: str, source: str, words: list, extent: int, touches: list, cost: float, **options) -> None:
        """Adds a call of the kernel that source defines (see kernels.Call)."""
        self.calls.append(Call(compile_source(stem, source), words, extent, touches, cost, **options))

    def copy(self, source: Place, shape: tuple, target: Buffer, offset: int, strides: tuple, how: str = "") -> None:
        """Adds a copy of a view into a strided part of a buffer; offset and strides in elements.

        Args:
            how: PART if other calls write the rest of the buffer.
        """
        if 0 in shape:
            return
        destination = Value(aval(source.root.dtype, shape))
        self._buffers[destination] = target
        sizes, (read, write) = collapse(shape, [source.strides, strides])
        dtype = source.root.dtype
        load = Operand("x", "load", dtype, source.root, source.offset, read[:-1], read[-1:])
        if is_virtual(source.root):
            load.kind = "iota"
        store = Operand("y", "store", dtype, destination, offset, write[:-1], write[-1:], 1)
        phase = Phase(body=[Load("v", load), Store(store, "v")])
        mode = "rows" if len(sizes) > 1 else "flat"
        nest = Nest(mode, sizes[:-1], sizes[-1:], [load, store], [phase], words=("copy",))
        self.calls.append(nest_call(nest, self.buffer, how))

    # --- works --------------------------------------------------------------------------------------------------

    def _lower(self, work: Group | Node) -> None:
        if isinstance(work, Group):
            alone = next(iter(work.level)) if len(work.level) == 1 else None
            if alone and alone.op.lower and alone.op.lower(alone, self) is not NotImplemented:
                return  # an op that may join others but has a better kernel for itself
            builder = NestBuilder(work, self.layout, self.stored, self.buffer, self._order)
            for nest in builder.build():
                self.calls.append(nest_call(nest, self.buffer))
        else:
            assert work.op.lower is not None
            work.op.lower(work, self)

    def _stored_values(self) -> set[Value]:
        """Values of groups that something outside their group reads."""
        stored = {self.layout.places[v].root for v in self.graph.results()}
        for work in self.works:
            nodes = work.members if isinstance(work, Group) else [work]
            for node in nodes:
                for value in node.inputs:
                    root = self.layout.places[value].root
                    if root.node is not None and self._work_of(root.node) is not work:
                        stored.add(root)
        return stored

    def _sorted_works(self) -> Sequence[Group | Node]:
        """Sources first, otherwise as in the graph."""
        position = {w: min(self._order[n] for n in (w.members if isinstance(w, Group) else [w])) for w in self.works}
        done: dict = {}

        def visit(work):
            if work not in done:
                done[work] = None
                for source in sorted(self._sources[work], key=position.__getitem__):
                    visit(source)
                done[work] = len([v for v in done.values() if v is not None])

        for work in sorted(self.works, key=position.__getitem__):
            visit(work)
        return sorted(done, key=done.__getitem__)

    # --- updates ------------------------------------------------------------------------------------------------

    def _update_in_place(self) -> list[tuple[Value, Value]]:
        """Lets updates of variables write into the variable's own memory where nothing reads the old value later.

        Returns:
            (new value, input) pairs that need a copy at the end.
        """
        copies = []
        for target, value in self.graph.updates.items():
            root = self.layout.places[value].root
            assert root.node is not None  # insert_copies: a result is computed, not an input
            work = self._work_of(root.node)
            readers = {self._work_of(node) for node in self.layout.readers[target]}
            safe = root not in self._buffers and self._same_element(work, target, root.node)
            if safe and not any(self._depends(reader, work) for reader in readers - {work}):
                self._sources[work] = self._sources[work] | (readers - {work})
                self._buffers[root] = self._buffers[target]
            else:
                copies.append((root, target))
        return copies

    def _same_element(self, work: Group | Node, target: Value, writer: Node) -> bool:
        """Whether work reads the old value only at the element that it writes, and before it."""
        nodes = work.members if isinstance(work, Group) else [work]
        reading = [(n, i) for n in nodes for i, v in enumerate(n.inputs) if self.layout.places[v].root is target]
        if not reading:
            return True
        if not isinstance(work, Group):
            place = self.layout.places[work.inputs[0]]
            whole = not place.offset and place.strides == contiguous_strides(target.shape)
            return work.op.in_place and whole and [i for _, i in reading] == [0]
        row = bool(writer.op.reduce) or work.level[writer] == ROW
        if work.has_reduction and not row:
            return False  # a later phase might read what an earlier one wrote
        dense = contiguous_strides(work.row_shape if row else work.domain)
        return all(
            (work.level[n] == ROW) == row
            and self.layout.places[n.inputs[i]].offset == 0
            and read_strides(n, i, self.layout) == dense
            for n, i in reading
        )

    def _depends(self, work, goal, seen=None) -> bool:
        seen = set() if seen is None else seen
        if work is goal:
            return True
        seen.add(work)
        return any(s not in seen and self._depends(s, goal, seen) for s in self._sources[work])
