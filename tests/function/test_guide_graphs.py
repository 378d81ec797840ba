"""TensorFlow's guide "Introduction to graphs and tf.function", and branches and logic of its reference of AutoGraph."""

import pytest

import nbflow as nf
from tests.function.guide import Notes, printed, programs

PROGRAMS: list = []
program = programs(PROGRAMS)


def integers(function, *values):
    """What a traced function gives for integers, one after the other."""
    traced = nf.function(function)
    return [traced(nf.constant(value)) for value in values]


# --- introduction to graphs -------------------------------------------------------------------------------------------


@program([[1, 0]])
def simple_relu(note):
    def relu(x):
        if nf.greater(x, 0):
            return x
        else:
            return 0

    note(integers(relu, 1, -1))


@program(["tracing", 5.5, "tracing", [1.0, 0.0], "tracing", [3.0, 0.0], 0.0, [1.0, 0.0], [0.0, 1.0]])
def polymorphism(note):
    @nf.function
    def my_relu(x):
        note("tracing")
        return nf.maximum(0.0, x)

    for x in (
        nf.constant(5.5),
        [1, -1],
        nf.constant([3.0, -3.0]),
        nf.constant(-2.5),
        [1, -1],
        nf.constant([-1.0, 1.0]),
    ):
        note(my_relu(x))


@program(["tracing", [6, 11], ["running 2", "running 3"]])
def prints_and_python_prints(note):
    @nf.function
    def f(x):
        note("tracing")
        nf.print("running", x)
        return x * x + nf.constant(2)

    with printed() as lines:
        note(f(nf.constant(2)), f(nf.constant(3)))
    note(lines)


# --- if ---------------------------------------------------------------------------------------------------------------


@program([[[-20, 1, True], [-7, 2, True], [-3, 3, True]]])
def if_with_and_without_else(note):
    def f(x):
        sign = "unknown"
        y = x
        if x > 0:
            y = -x
        if x > 10:
            z = 1
        elif x > 5:
            z = 2
        else:
            z = 3
        return y, z, sign == "unknown"

    note(integers(f, 20, 7, -3))


@program([[10, -1]])
def conditional_expressions(note):
    note(integers(lambda x: x * 2 if x > 3 else -x, 5, 1))


@program([[20, 70, 200]])
def early_returns(note):
    def f(x):
        if x > 10:
            return x
        if x > 5:
            return x * 10
        x += 1
        return x * 100

    note(integers(f, 20, 7, 1))


@program(["TypeError"], tensorflow=["ValueError"], why="the error says which branch returns nothing")
def returns_in_one_branch_only(note):
    def f(x):
        if x > 0:
            return x
        return None

    note.error(nf.function(f), nf.constant(1))


@program(["ok"], tensorflow=["ValueError"], why="where eager code would have no value, it is 0")
def values_missing_in_a_branch(note):
    def f(x):
        if x > 0:
            y = x + 1
        return y

    note.error(nf.function(f), nf.constant(1))


@program(["TypeError"])
def branches_of_two_dtypes(note):
    def f(x):
        if x > 0:
            y = nf.constant(1)
        else:
            y = nf.constant(1.0)
        return y

    note.error(nf.function(f), nf.constant(1))


@program(["TypeError"])
def branches_of_two_structures(note):
    def f(x):
        if x > 0:
            y = (x, x)
        else:
            y = x
        return y

    note.error(nf.function(f), nf.constant(1))


@program([[[0.0, 0.0], [1.0, 1.0, 1.0]]])
def branches_of_two_shapes(note):
    def f(x):
        if x > 0:
            y = nf.zeros([2])
        else:
            y = nf.ones([3])
        return y

    note(integers(f, 1, -1))


@program([[{"a": 1, "b": [1, 2]}, {"a": 5, "b": [-5, -10]}]])
def structures_in_branches(note):
    def f(x):
        if x > 0:
            y = {"a": x, "b": [x, x + 1]}
        else:
            y = {"a": -x, "b": [x, x * 2]}
        return y

    note(integers(f, 1, -5))


@program([["positive", "negative", "positive"]])
def only_the_branch_taken_runs(note):
    def f(x):
        if x > 0:
            nf.print("positive")
        else:
            nf.print("negative")
        return x

    with printed() as lines:
        integers(f, 1, -1, 2)
    note(lines)


@program([[2, -2, ["first", "second"]]])
def both_branches_are_traced_once(note):
    traced = Notes()

    @nf.function
    def f(x):
        if x > 0:
            traced("first")
            x = x + 1
        else:
            traced("second")
            x = x - 1
        return x

    note(f(nf.constant(1)), f(nf.constant(-1)), sorted(traced))


@program(["training", [2, 1]])
def python_conditions_choose_while_tracing(note):
    @nf.function
    def f(x, training):
        if training:
            note("training")
            x = x * 2
        return x

    note(f(nf.constant(1), True), f(nf.constant(1), False))


@program([[1, 3, 0, 5]])
def variables_assigned_in_branches(note):
    v = nf.Variable(0)

    @nf.function
    def f(x):
        if x > 0:
            v.assign_add(x)
        else:
            v.assign(0)
        return v.read_value()

    note([f(nf.constant(k)) for k in (1, 2, -1, 5)])


@program([[6, -3]])
def attributes_assigned_in_branches(note):
    class State:
        pass

    def f(x):
        state = State()
        state.y = x
        if x > 0:
            state.y = x * 2
        return state.y

    note(integers(f, 3, -3))


# --- logic ------------------------------------------------------------------------------------------------------------


@program([[[True, False, False, True], [False, True, True, False], [False, True, False, True]]])
def logical_operators(note):
    def f(x):
        return x > 0 and x < 5, x < 0 or x > 5, not x > 0, x > 0 and not x < 3

    note(integers(f, 3, -3, 7))


@program([[1, 0, 0]])
def chained_comparisons(note):
    def f(x):
        if 0 < x < 5:
            return 1
        return 0

    note(integers(f, 3, 7, -1))


@program([[1, 0, 0]])
def logic_is_lazy(note):
    def f(x):
        if x != 0 and 10 // x > 2:
            return 1
        return 0

    note(integers(f, 3, 0, 9))


@program([[1, 2, 3]])
def equality(note):
    def f(x):
        if x == 3:
            return 1
        if x != 5:
            return 2
        return 3

    note(integers(f, 3, 4, 5))


@pytest.mark.parametrize(("function", "expected"), [pytest.param(*p[:2], id=p[0].__name__) for p in PROGRAMS])
def test_program(function, expected):
    notes = Notes()
    function(notes)
    assert list(notes) == expected
