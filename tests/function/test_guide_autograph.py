"""TensorFlow's reference of AutoGraph: loops, functions, what is not converted."""

import pytest

import nbflow as nf
from tests.function.guide import Notes, programs

PROGRAMS: list = []
program = programs(PROGRAMS)


def integers(function, *values):
    """What a traced function gives for integers, one after the other."""
    traced = nf.function(function)
    return [traced(nf.constant(value)) for value in values]


# --- while ------------------------------------------------------------------------------------------------------------


@program([[10, 0]])
def while_loops(note):
    def f(n):
        total = 0
        while n > 0:
            total += n
            n -= 1
        return total

    note(integers(f, 4, 0))


@program([[8, 111, 0]], tensorflow="NotImplementedError", why="`while True` with a break that tensors decide")
def collatz_with_break_and_continue(note):
    def f(n):
        steps = 0
        while True:
            if n == 1:
                break
            steps += 1
            if n % 2 == 0:
                n = n // 2
                continue
            n = 3 * n + 1
        return steps

    note(integers(f, 6, 27, 1))


@program([[21, 2]])
def nested_loops(note):
    def f(n):
        count = 0
        for i in nf.range(n):
            for j in nf.range(i):
                if (i + j) % 2 == 0:
                    continue
                if j > 5:
                    break
                count += 1
        return count

    note(integers(f, 10, 3))


@program([[3]])
def python_loops_with_tensors_inside(note):
    def f(x):
        for k in range(3):
            if k == 1:
                continue
            x += k
        while len([1]) > 1:
            x = x * 0
        return x

    note(integers(f, 1))


@program([[128.0, 128.0]])
def variables_change_in_loops(note):
    v = nf.Variable(1.0)

    @nf.function
    def f():
        while v < 100.0:
            v.assign(v * 2.0)
        return v.read_value()

    note(f(), v)


@program(["TypeError"])
def dtypes_that_change_in_loops(note):
    def f(n):
        x = nf.constant(0)
        while n > 0:
            x = nf.constant(1.0)
            n -= 1
        return x

    note.error(nf.function(f), nf.constant(2))


@program(["ok"], tensorflow=["ValueError"], why="sizes that change become unknown by themselves")
def shapes_that_change_in_loops(note):
    def f(n):
        x = nf.zeros([1])
        while n > 0:
            x = nf.concat([x, [1.0]], 0)
            n -= 1
        return x

    note.error(nf.function(f), nf.constant(2))


@program([[[0.0, 1.0, 1.0], [0.0]]])
def shapes_that_change_as_said(note):
    def f(n):
        x = nf.zeros([1])
        for _ in nf.range(n):
            nf.autograph.experimental.set_loop_options(shape_invariants=[(x, nf.TensorShape([None]))])
            x = nf.concat([x, [1.0]], 0)
        return x

    note(integers(f, 2, 0))


@program([[27]])
def loop_options(note):
    def f(n):
        total = 0
        while n > 0:
            nf.autograph.experimental.set_loop_options(maximum_iterations=3)
            total += n
            n -= 1
        return total

    note(integers(f, 10))


# --- for --------------------------------------------------------------------------------------------------------------


@program([[5.0, 8.0]])
def for_over_tensors(note):
    @nf.function
    def f(x):
        total = nf.zeros([2])
        for row in x:
            total = total * 2 + row
        return total

    note(f(nf.constant([[1.0, 2.0], [3.0, 4.0]])))


@program([[18614, 16030]])
def for_over_ranges(note):
    def f(n):
        total = 0
        for i in nf.range(n):
            total += i * i
        for i in range(n):
            total += 100 * i
        for i in nf.range(10, 0, -n):
            total += 1000 * i
        return total

    note(integers(f, 4, 5))


@program([[4], "InvalidArgumentError"])
def values_first_set_in_a_loop(note):
    def f(n):
        for i in nf.range(n):
            x = i * 2
        return x

    note(integers(f, 3))
    note.error(nf.function(f), nf.constant(0))


@program([[4, -1]], tensorflow="NotImplementedError", why="a return in a loop may be followed by another")
def returns_in_loops(note):
    def f(n):
        for i in nf.range(n):
            if i * i > 10:
                return i
        return -1

    note(integers(f, 10, 3))


@program([8], tensorflow="OperatorNotAllowedInGraphError", why="enumerate goes over tensors")
def for_with_enumerate(note):
    @nf.function
    def f(x):
        total = 0
        for i, v in enumerate(x):
            total += i * v
        return total

    note(f(nf.constant([1, 2, 3])))


@program([[[55, 89]]])
def tuples_as_loop_state(note):
    def f(n):
        pair = (0, 1)
        for _ in nf.range(n):
            pair = (pair[1], pair[0] + pair[1])
        return pair

    note(integers(f, 10))


@program([[[0, 1, 4, 9], [0]]])
def tensor_lists(note):
    def f(n):
        squares = nf.TensorArray(nf.int32, size=0, dynamic_size=True)
        for i in nf.range(n):
            squares = squares.write(i, i * i)
        return squares.stack()

    note(integers(f, 4, 1))


@program([[[0, 2, 4]]])
def python_lists_in_python_loops(note):
    def f(x):
        found = []
        for k in range(3):
            found.append(x * k)
        return nf.stack(found)

    note(integers(f, 2))


@program(["ok"], tensorflow=["InaccessibleTensorError"], why="lists in loops are kept as a TensorArray")
def python_lists_in_loops_of_tensors(note):
    @nf.function
    def f(n):
        found = []
        for i in nf.range(n):
            found.append(i * i)
        return nf.stack(found)

    note.error(f, nf.constant(3))


# --- functions --------------------------------------------------------------------------------------------------------


def helper(x):
    if x > 0:
        return x
    return -x


@program([[[5, 15, 15, 1], [280, 75, 300, 1], [-4, -4, 4, 2]]])
def called_functions_are_converted(note):
    def inner(x):
        if x > 10:
            x = helper(x - 20)
        return x

    class Thing:
        def method(self, x):
            while x > 100:
                x = x // 2
            return x

        @staticmethod
        def static(x):
            return x if x > 0 else -x

    thing = Thing()
    choose = lambda x: 1 if x > 5 else 2
    note(integers(lambda x: (inner(x), thing.method(x), Thing.static(x), choose(x)), 15, 300, -4))


@program([240])
def recursion_of_plain_functions(note):
    def factorial(n):
        return 1 if n <= 1 else n * factorial(n - 1)

    @nf.function
    def f(x):
        return x * factorial(5)

    note(f(nf.constant(2)))


@program(["OperatorNotAllowedInGraphError", "OperatorNotAllowedInGraphError"])
def functions_that_are_not_converted(note):
    @nf.autograph.experimental.do_not_convert
    def f(x):
        if x > 0:
            return x
        return -x

    note.error(nf.function(f), nf.constant(1))
    note.error(nf.function(helper, autograph=False), nf.constant(1))


@program([[20, 30]])
def inherited_methods(note):
    class Base:
        def call(self, x):
            return x if x > 0 else -x

    class Derived(Base):
        @nf.function
        def call(self, x):
            return super().call(x) * 10

    derived = Derived()
    note(derived.call(nf.constant(-2)), derived.call(nf.constant(3)))


@program([8])
def nonlocal_values(note):
    @nf.function
    def f(x):
        y = nf.constant(0)

        def increase():
            nonlocal y
            y = y + x

        increase()
        increase()
        return y

    note(f(nf.constant(4)))


@program([[12, {0: 4, 1: 5}]])
def comprehensions_and_unpacking(note):
    @nf.function
    def f(x):
        a, *rest = [x * k for k in range(3)]
        return a + sum(rest), {k: x + k for k in range(2)}

    note(f(nf.constant(4)))


@program([4, "LookupError"], tensorflow=[4, "StagingError"], why="the user's own error")
def exceptions_while_tracing(note):
    @nf.function
    def f(x):
        try:
            raise KeyError("k")
        except KeyError:
            x = x + 1
        finally:
            x = x * 2
        return x

    note(f(nf.constant(1)))

    @nf.function
    def g(x):
        raise LookupError("told")

    note.error(g, nf.constant(1))


@program([[3, 3.5, 1.5, 3.0, 3]])
def builtin_functions(note):
    @nf.function
    def f(x):
        n = len(x)
        total = nf.constant(0.0)
        for k in range(n):
            total += x[k]
        return n, total, abs(x[0]), float(n), int(total)

    note(f(nf.constant([-1.5, 2.0, 3.0])))


@program(
    [2, "InvalidArgumentError", True],
    tensorflow="OperatorNotAllowedInGraphError",
    why="assert is checked when the function runs",
)
def assertions(note):
    @nf.function
    def f(x):
        assert x > 0, "x must be positive"
        return x * 2

    note(f(nf.constant(1)))
    note("x must be positive" in note.error(f, nf.constant(-1)))


@program([1, "InvalidArgumentError"])
def debugging_assertions(note):
    @nf.function
    def f(x):
        nf.debugging.assert_greater(x, 0, message="no")
        return x

    note(f(nf.constant(1)))
    note.error(f, nf.constant(0))


@program([13])
def generators_are_not_converted(note):
    def numbers(n):
        for k in range(n):
            yield k * 1

    @nf.function
    def f(x):
        for k in numbers(3):
            x = x + k
        return x

    note(f(nf.constant(10)))


@program([[10.0, 9.0]])
def gradients_through_control_flow(note):
    @nf.function
    def f(x, n):
        y = nf.constant(1.0)
        for i in nf.range(n):
            if i % 2 == 0:
                y = y * x
            else:
                y = y + x
        return y

    x = nf.constant(2.0)
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = f(x, nf.constant(4))
    note(y, tape.gradient(y, x))


@program([True, [3, 4]])
def converted_code(note):
    note("ag__" in nf.autograph.to_code(helper))
    graph = nf.autograph.to_graph(helper)
    note(graph(nf.constant(-3)), graph(nf.constant(4)))


@program([[0, 500]], tensorflow="NotImplementedError", why="a return in a loop may be followed by another")
def returns_in_while_loops(note):
    def f(n):
        while n > 0:
            n -= 1
            if n == 5:
                return n * 100
        return n

    note(integers(f, 3, 9))


@program([[-1, 7]], tensorflow="TypeError", why="loops have an else")
def loops_with_else(note):
    def f(n):
        for i in range(n):
            if i == 7:
                break
        else:
            return -1
        return i

    note(integers(f, 3, 10))


@program([[[True, False]]], tensorflow="OperatorNotAllowedInGraphError", why="lists of tensors have a truth value")
def any_and_all(note):
    note(integers(lambda x: (any([x > 1, x > 2]), all([x > 1, x > 2])), 2))


@program(["TypeError"])
def elements_of_tensors_are_not_assigned(note):
    def f(x):
        x[0] = 9
        return x

    note.error(nf.function(f), nf.constant([1, 2]))


@pytest.mark.parametrize(("function", "expected"), [pytest.param(*p[:2], id=p[0].__name__) for p in PROGRAMS])
def test_program(function, expected):
    notes = Notes()
    function(notes)
    assert list(notes) == expected
