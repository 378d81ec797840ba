"""TensorFlow's guide "Better performance with tf.function": its limitations and known issues."""

import gc
import math

import pytest

import nbflow as nf
from tests.function.guide import Notes, printed, programs

PROGRAMS: list = []
program = programs(PROGRAMS)

leaked = None


# --- Python side effects ----------------------------------------------------------------------------------------------


@program([["traced with", 1], ["traced with", 2], ["executed with 1", "executed with 1", "executed with 2"]])
def python_prints_while_tracing(note):
    @nf.function
    def f(x):
        note("traced with", x)
        nf.print("executed with", x)

    with printed() as lines:
        f(1)
        f(1)
        f(2)
    note(lines)


@program([["x is|[1 2]|and|[[1 2], [2 3]]", "x is|[3 4]|and|[[3 4], [4 5]]"]])
def prints_of_tensors(note):
    @nf.function
    def f(x):
        nf.print("x is", x, "and", [x, x + 1], sep="|")
        return x

    with printed() as lines:
        f(nf.constant([1.0, 2.0]))
        f(nf.constant([3.0, 4.0]))
    note(lines)


@program(["tracing", "executing eagerly", 3.0, "executing eagerly", 7.0])
def py_function(note):
    def py_plus(x, y):
        note("executing eagerly")
        return x + y

    @nf.function
    def wrapper(x, y):
        note("tracing")
        return nf.py_function(py_plus, [x, y], nf.float32)

    note(wrapper(nf.constant(1.0), nf.constant(2.0)))
    note(wrapper(nf.constant(3.0), nf.constant(4.0)))


@program([1])
def appends_to_outer_lists_happen_once(note):
    seen = []

    @nf.function
    def f(x):
        seen.append(nf.constant(1))
        return x + 1

    for k in range(3):
        f(nf.constant(k))
    note(len(seen))


@program([0, 0, 0])
def python_iterators_are_read_while_tracing(note):
    external = nf.Variable(0)

    @nf.function
    def buggy_consume_next(iterator):
        external.assign_add(next(iterator))

    iterator = iter([0, 1, 2, 3])
    for _ in range(3):
        buggy_consume_next(iterator)
        note(external)


@program([1, 1, 1])
def generators_are_read_while_tracing(note):
    def numbers():
        yield 1
        yield 2

    generator = numbers()

    @nf.function
    def f():
        return nf.constant(next(generator))

    for _ in range(3):
        note(f())


@program([1, 2, 3])
def counters_of_objects_change_while_tracing(note):
    class Model:
        def __init__(self):
            self.v = nf.Variable(0)
            self.counter = 0

        @nf.function
        def __call__(self):
            if self.counter == 0:
                self.counter += 1
                self.v.assign_add(1)
            return self.v.read_value()

    model = Model()
    for _ in range(3):
        note(model())


@program([1, 1, 1])
def init_scope_lifts_ops_out(note):
    class Model:
        def __init__(self):
            self.v = nf.Variable(0)
            self.counter = 0

        @nf.function
        def __call__(self):
            if self.counter == 0:
                with nf.init_scope():
                    self.counter += 1
                    self.v.assign_add(1)
            return self.v.read_value()

    model = Model()
    for _ in range(3):
        note(model())


# --- results are return values ----------------------------------------------------------------------------------------


@program(
    [3, "OperatorNotAllowedInGraphError", "TypeError", "TypeError", "OperatorNotAllowedInGraphError"],
    tensorflow=[3, "AttributeError", "TypeError", "TypeError", "OperatorNotAllowedInGraphError"],
    why="the error says what the tensor is",
)
def leaks_through_globals(note):
    @nf.function
    def leaky_function(a):
        global leaked
        leaked = a + 1
        return a + 2

    @nf.function
    def captures_leaked_tensor(b):
        return b + leaked

    note(leaky_function(nf.constant(1)))
    note.error(lambda: leaked.numpy())
    note.error(captures_leaked_tensor, nf.constant(2))
    note.error(lambda: leaked + 1)
    note.error(lambda: bool(leaked))


@program(
    [2, "OperatorNotAllowedInGraphError"], tensorflow=[2, "AttributeError"], why="the error says what the tensor is"
)
def leaks_of_what_is_returned_too(note):
    @nf.function
    def leaky_function(a):
        global leaked
        leaked = a + 1
        return leaked

    note(leaky_function(nf.constant(1)))
    note.error(lambda: leaked.numpy())


@program(["TypeError", "TypeError"])
def leaks_through_attributes(note):
    class Model:
        @nf.function
        def __call__(self, x):
            self.last = x * 2
            return x

    model = Model()
    model(nf.constant(1.0))
    note.error(lambda: model.last + 1)
    note.error(lambda: nf.function(lambda: model.last + 1)())


@program([2, "TypeError"])
def leaks_of_a_retrace(note):
    kept = []

    @nf.function
    def f(x):
        kept.append(x + 1)
        return sum(kept[1:], kept[0])

    note(f(nf.constant(1)))
    note.error(f, nf.constant(1.0))


# --- recursion --------------------------------------------------------------------------------------------------------


@program(["RecursionError", True], tensorflow=["StagingError", False], why="the error says what to write instead")
def recursion_on_tensors(note):
    @nf.function
    def recursive(n):
        if n > 0:
            return recursive(n - 1)
        else:
            return 1

    note("Write it as a loop" in note.error(recursive, nf.constant(5)))


@program([5, 4, 3, 2, 1, 1])
def recursion_on_python_numbers(note):
    @nf.function
    def recursive(n):
        if n > 0:
            note(n)
            return recursive(n - 1)
        else:
            return 1

    note(recursive(5))


# --- outer values -----------------------------------------------------------------------------------------------------


@program([[2, 2], [2, 101]])
def python_globals_and_free_variables(note):
    foo = 1

    @nf.function
    def buggy_add():
        return nf.constant(1) + foo

    @nf.function
    def recommended_add(foo):
        return nf.constant(1) + foo

    note(buggy_add(), recommended_add(foo))
    foo = 100
    note(buggy_add(), recommended_add(foo))


@program([2, 101])
def variables_as_outer_values(note):
    foo = nf.Variable(1)

    @nf.function
    def variable_add():
        return 1 + foo

    note(variable_add())
    foo.assign(100)
    note(variable_add())


@program([1.0, 1.0])
def outer_lists_of_variables(note):
    variables = [nf.Variable(1.0)]

    @nf.function
    def total():
        return nf.add_n([v * 1.0 for v in variables])

    note(total())
    variables.append(nf.Variable(10.0))
    note(total())


class SimpleModel:
    def __init__(self):
        self.bias, self.weight = 0.0, 2.0


class BetterModel:
    def __init__(self):
        self.bias, self.weight = nf.Variable(0.0), nf.Variable(2.0)


@program([20.0, 20.0, 25.0, 20.0, 25.0])
def python_objects_as_arguments(note):
    @nf.function
    def evaluate(model, x):
        return model.weight * x + model.bias

    x, simple = nf.constant(10.0), SimpleModel()
    note(evaluate(simple, x))
    simple.bias += 5.0
    note(evaluate(simple, x))
    new = SimpleModel()
    new.bias += 5.0
    note(evaluate(new, x))
    better = BetterModel()
    note(evaluate(better, x))
    better.bias.assign_add(5.0)
    note(evaluate(better, x))


@program(
    ["tracing", 2, 2, "tracing", 3],
    tensorflow=["tracing", 2, "tracing", 2, "tracing", 3],
    why="equal objects have one trace, also when the first is gone",
)
def objects_with_equality_share_a_trace(note):
    class Setting:
        def __init__(self, scale):
            self.scale = scale

        def __eq__(self, other):
            return isinstance(other, Setting) and self.scale == other.scale

        def __hash__(self):
            return hash(self.scale)

    @nf.function
    def f(x, setting):
        note("tracing")
        return x * setting.scale

    for scale in (2, 2, 3):
        note(f(nf.constant(1), Setting(scale)))


@program([[2.0, 3.0], [2.0, 3.0]])
def outer_tensors_are_constants(note):
    outer = nf.constant([1.0, 2.0])

    @nf.function
    def f(x):
        return x + outer

    note(f(nf.constant(1.0)))
    outer = nf.constant([10.0, 20.0])
    note(f(nf.constant(1.0)))


# --- variables --------------------------------------------------------------------------------------------------------


@program(["ValueError"])
def variables_made_in_each_call(note):
    @nf.function
    def f(x):
        v = nf.Variable(1.0)
        return v + x

    note.error(f, nf.constant(1.0))


@program([1, 2])
def variables_made_in_the_first_call(note):
    class Count:
        def __init__(self):
            self.count = None

        @nf.function
        def __call__(self):
            if self.count is None:
                self.count = nf.Variable(0)
            return self.count.assign_add(1)

    count = Count()
    note(count())
    note(count())


@program([1.0, "ValueError"])
def variables_made_in_a_later_trace(note):
    made = {}

    @nf.function
    def f(x):
        if x.dtype not in made:
            made[x.dtype] = nf.Variable(nf.zeros([], x.dtype))
        return made[x.dtype].assign_add(x)

    note(f(nf.constant(1.0)))
    note.error(f, nf.constant(1))


@program(
    [1.99, "ok"], tensorflow=[1.99, "ValueError"], why="the second optimizer makes its Variables in a trace of its own"
)
def several_optimizers(note):
    w, x, y = nf.Variable(2.0), nf.constant([-1.0]), nf.constant([2.0])

    @nf.function
    def train_step(optimizer):
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(nf.square(w * x - y))
        optimizer.apply_gradients(zip(tape.gradient(loss, [w]), [w]))

    one, two = nf.optimizers.Adam(learning_rate=1e-2), nf.optimizers.Adam(learning_rate=1e-3)
    train_step(one)
    note(w)
    note.error(train_step, two)


@program([1.99, 1.989, 1.979, 1.978])
def an_optimizer_each_a_function(note):
    w, x, y = nf.Variable(2.0), nf.constant([-1.0]), nf.constant([2.0])

    def train_step(optimizer):
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(nf.square(w * x - y))
        optimizer.apply_gradients(zip(tape.gradient(loss, [w]), [w]))

    steps = [
        (nf.function(train_step), nf.optimizers.Adam(learning_rate=1e-2)),
        (nf.function(train_step), nf.optimizers.Adam(learning_rate=1e-3)),
    ]
    for step, optimizer in steps * 2:
        step(optimizer)
        note(w)


@program([[[1.0, 2.0, 20.0], 20.0]])
def variables_are_assigned_in_order(note):
    v = nf.Variable(1.0)

    @nf.function
    def f():
        a = v.read_value()
        v.assign_add(1.0)
        b = v.read_value()
        v.assign(v * 10.0)
        return a, b, v.read_value()

    note(f(), v)


@program(
    ["tracing", "tracing", [2.0, 11.0, 3.0]],
    tensorflow=["tracing", [2.0, 11.0, 3.0]],
    why="a trace is for one Variable",
)
def variables_as_arguments(note):
    @nf.function
    def f(v):
        note("tracing")
        return v.assign_add(1.0)

    one, two = nf.Variable(1.0), nf.Variable(10.0)
    note(f(one), f(two), f(one))


@program([12, "ok"])
def variables_that_are_gone(note):
    external = nf.Variable(3)

    @nf.function
    def f(x):
        return x * external  # noqa: F821

    traced = f.get_concrete_function(nf.constant(4))
    note(traced(nf.constant(4)))
    del external
    gc.collect()
    note.error(traced, nf.constant(4))


# --- what a function may return ---------------------------------------------------------------------------------------


@program([None, [1, 2.5, [True, None]], {"a": 1}, False, "TypeError"])
def results(note):
    note(nf.function(lambda: None)())
    note(nf.function(lambda: (1, 2.5, [True, None]))())
    note(nf.function(lambda: {"a": nf.constant(1)})())
    note(type(nf.function(lambda: 1)()).__name__ == "int")
    note.error(nf.function(lambda: object()))


@program(["InvalidArgumentError", [0.0]])
def unused_ops_need_not_run(note):
    def unused_return(x):
        nf.gather(x, [1])
        return x

    note.error(unused_return, nf.constant([0.0]))
    note(nf.function(unused_return)(nf.constant([0.0])))


@program([True])
def random_numbers_differ_from_call_to_call(note):
    f = nf.function(lambda: nf.random.uniform([]))
    note(bool(f() != f()))


@program([[0.25, 0.25]])
def numpy_random_numbers_are_drawn_while_tracing(note):
    numbers = iter([0.25, 0.5])
    f = nf.function(lambda: nf.constant(next(numbers)))
    note(f(), f())


@program(
    ["OperatorNotAllowedInGraphError", "ok", "OperatorNotAllowedInGraphError"],
    tensorflow=["AttributeError", "TypeError", "TypeError"],
    why="a list of numbers may have a tensor as index",
)
def symbolic_tensors_are_no_numbers(note):
    def f(x):
        note.error(lambda: x.numpy())
        note.error(lambda: [1, 2, 3][x])
        note.error(lambda: math.sqrt(x))
        return x

    nf.function(f)(nf.constant(1))


@pytest.mark.parametrize(("function", "expected"), [pytest.param(*p[:2], id=p[0].__name__) for p in PROGRAMS])
def test_program(function, expected):
    notes = Notes()
    function(notes)
    assert list(notes) == expected
