"""TensorFlow's guide "Better performance with tf.function": usage, tracing, AutoGraph."""

import functools
import weakref

import pytest

import nbflow as nf
from tests.function.guide import Notes, printed, programs

PROGRAMS: list = []
program = programs(PROGRAMS)


# --- usage ------------------------------------------------------------------------------------------------------------


@program([[[2.0, 2.0], [2.0, 2.0]], 1.0])
def ops_and_gradients(note):
    @nf.function
    def add(a, b):
        return a + b

    note(add(nf.ones([2, 2]), nf.ones([2, 2])))
    v = nf.Variable(1.0)
    with nf.GradientTape() as tape:
        result = add(v, 1.0)
    note(tape.gradient(result, v))


@program([[[3.0, 3.0], [3.0, 3.0], [3.0, 3.0]]])
def functions_inside_functions(note):
    @nf.function
    def add(a, b):
        return a + b

    @nf.function
    def dense_layer(x, w, b):
        return add(nf.matmul(x, w), b)

    note(dense_layer(nf.ones([3, 2]), nf.ones([2, 2]), nf.ones([2])))


# --- tracing ----------------------------------------------------------------------------------------------------------


@program(["tracing int32", 2, "tracing float32", 2.2, "tracing float32", [2.0, 4.0], 4, 3])
def what_tracing_is(note):
    @nf.function
    def double(a):
        note(f"tracing {a.dtype.name}")
        return a + a

    note(double(nf.constant(1)))
    note(double(nf.constant(1.1)))
    note(double(nf.constant([1.0, 2.0])))
    note(double(nf.constant(2)))
    note(double.experimental_get_tracing_count())


@program(["tracing 1", 2, 2, "tracing 2", 4, "tracing a tensor", 2, 4])
def two_stages_of_python_and_tensor_values(note):
    @nf.function
    def f(x):
        note(f"tracing {x}" if isinstance(x, int) else "tracing a tensor")
        return x * 2

    for x in (1, 1, 2, nf.constant(1), nf.constant(2)):
        note(f(x))


@program(["tracing", [4, 1], [4, 1, 10, 2], "TypeError", "TypeError"])
def input_signature(note):
    @nf.function(input_signature=(nf.TensorSpec(shape=[None], dtype=nf.int32),))
    def next_collatz(x):
        note("tracing")
        return nf.where(x % 2 == 0, x // 2, 3 * x + 1)

    note(next_collatz(nf.constant([1, 2])))
    note(next_collatz(nf.constant([1, 2, 3, 4])))
    note.error(next_collatz, nf.constant([[1, 2], [3, 4]]))
    note.error(next_collatz, nf.constant([1.0, 2.0]))


@program(["tracing", [1, 2, 3], [1, 2, 3, 4, 5]])
def flexible_sizes(note):
    @nf.function(input_signature=(nf.TensorSpec(shape=[None], dtype=nf.int32),))
    def g(x):
        note("tracing")
        return x

    note(g(nf.constant([1, 2, 3])))
    note(g(nf.constant([1, 2, 3, 4, 5])))


@program(["tracing", [0.0, 0.0], "tracing", [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
def reduce_retracing(note):
    @nf.function(reduce_retracing=True)
    def g(x):
        note("tracing")
        return x

    for n in (2, 3, 4, 5):
        note(g(nf.zeros([n, 2]))[0])


@program([["tracing with", 10], 10, ["tracing with", 20], 20, ["tracing with", "a tensor"], 10, 20])
def tensors_rather_than_python_numbers(note):
    @nf.function
    def train(num_steps):
        note("tracing with", num_steps if isinstance(num_steps, int) else "a tensor")
        done = 0
        for _ in nf.range(num_steps):
            done += 1
        return done

    for steps in (10, 20, nf.constant(10), nf.constant(20)):
        note(train(steps))


@program(["tracing", "tracing"])
def a_new_function_has_no_traces(note):
    def f():
        note("tracing")
        return nf.constant(1)

    nf.function(f)()
    nf.function(f)()


@program(["tracing", [4, 6], "tracing", [6, 8]])
def attributes_of_python_objects(note):
    class Fruit:
        def __init__(self, flavor):
            self.flavor = nf.constant(flavor)

    class Apple(Fruit):
        pass

    class Mango(Fruit):
        pass

    @nf.function
    def get_mixed_flavor(fruit_a, fruit_b):
        note("tracing")
        return fruit_a.flavor + fruit_b.flavor

    apple = Apple([1, 2])
    note(get_mixed_flavor(apple, Mango([3, 4])))
    note(get_mixed_flavor(apple, Mango([5, 6])))


@program(["tracing", 2.0, 2.0, 2.0, "tracing", 3.0])
def keyword_arguments_and_defaults(note):
    @nf.function
    def f(x, scale=2.0, *, shift=0.0):
        note("tracing")
        return x * scale + shift

    x = nf.constant(1.0)
    for call in (lambda: f(x), lambda: f(x, 2.0), lambda: f(scale=2.0, x=x), lambda: f(x, shift=1.0)):
        note(call())


@program(["tracing", {"sum": 3, "pair": [3, None]}, {"sum": 6, "pair": [6, None]}])
def structures_as_arguments_and_results(note):
    @nf.function
    def f(inputs, options):
        note("tracing")
        return {"sum": inputs["a"] + inputs["b"][0], "pair": (inputs["b"][1], options)}

    def inputs(k):
        return {"a": nf.constant(k), "b": [nf.constant(2 * k), nf.constant(3 * k)]}

    note(f(inputs(1), None))
    note(f(inputs(2), None))


@program([[[2.0]], 6])
def partial_functions_and_lambdas(note):
    note(nf.function(functools.partial(nf.matmul, transpose_b=True))(nf.ones([1, 2]), nf.ones([1, 2])))
    note(nf.function(lambda x: x * 2)(nf.constant(3)))


# --- concrete functions -----------------------------------------------------------------------------------------------


@program(
    ["tracing", 10, 12, 14, "TypeError"],
    tensorflow=["tracing", 10, 12, 14, "InvalidArgumentError"],
    why="arguments are checked before anything runs",
)
def concrete_functions(note):
    @nf.function
    def double(a):
        note("tracing")
        return a + a

    ints = double.get_concrete_function(nf.constant(1))
    note(ints(nf.constant(5)))
    note(ints(a=nf.constant(6)))
    also = double.get_concrete_function(nf.TensorSpec([], nf.int32))
    note(also(nf.constant(7)))
    note.error(ints, nf.constant(1.5))


@program([100.0, "TypeError"])
def concrete_functions_of_python_values(note):
    @nf.function
    def power(a, b):
        return a**b

    square = power.get_concrete_function(a=nf.TensorSpec([], nf.float32), b=2)
    note(square(nf.constant(10.0)))
    note.error(square, nf.constant(10.0), b=3)


@program(
    ["tracing", 1.0, "tracing", 3.0, "tracing", 4.0],
    tensorflow=["tracing", 1.0, 3.0, 4.0],
    why="each rank has a trace of its own",
)
def unknown_ranks(note):
    @nf.function(input_signature=[nf.TensorSpec(None, nf.float32)])
    def total(x):
        note("tracing")
        return nf.reduce_sum(x)

    for shape in ([], [3], [2, 2]):
        note(total(nf.ones(shape)))


@program([True, True, True])
def descriptions_of_traces(note):
    @nf.function
    def double(a):
        return a + a

    double(nf.constant(1))
    double(nf.constant([1.0]))
    text = double.pretty_printed_concrete_signatures()
    note("shape=(), dtype=" in text)
    note("shape=(1,), dtype=" in text)
    note("int32" in str(double.get_concrete_function(nf.constant(1))))


# --- AutoGraph --------------------------------------------------------------------------------------------------------


@program(["tracing", [0.1501, 0.219, 0.2062, 0.2151, 0.1972], [0.1984, 0.1984, 0.1984, 0.1984, 0.1984]])
def while_over_tensors(note):
    @nf.function
    def f(x):
        note("tracing")
        while nf.reduce_sum(x) > 1:
            x = nf.tanh(x)
        return x

    note(f(nf.constant([0.2, 0.9, 0.5, 0.7, 0.4])))
    note(f(nf.constant([2.0, 2.0, 2.0, 2.0, 2.0])))


@program(
    [
        ["tracing buzz", "tracing default", "tracing fizz", "tracing fizzbuzz", "tracing the loop"],
        [
            "1",
            "2",
            "fizz",
            "4",
            "buzz",
            "1",
            "2",
            "fizz",
            "4",
            "buzz",
            "fizz",
            "7",
            "8",
            "fizz",
            "buzz",
            "11",
            "fizz",
            "13",
            "14",
            "fizzbuzz",
        ],
    ]
)
def fizzbuzz(note):
    traced = Notes()

    @nf.function
    def fizzbuzz(n):
        for i in nf.range(1, n + 1):
            traced("tracing the loop")
            if i % 15 == 0:
                traced("tracing fizzbuzz")
                nf.print("fizzbuzz")
            elif i % 3 == 0:
                traced("tracing fizz")
                nf.print("fizz")
            elif i % 5 == 0:
                traced("tracing buzz")
                nf.print("buzz")
            else:
                traced("tracing default")
                nf.print(i)

    with printed() as lines:
        fizzbuzz(nf.constant(5))
        fizzbuzz(nf.constant(15))
    note(sorted(traced))
    note(lines)


@program(["tracing the body", "tracing the body", "tracing the body", 9])
def python_loops_unroll(note):
    @nf.function
    def train(data):
        loss = nf.constant(0)
        for x, y in data:
            note("tracing the body")
            loss += nf.abs(y - x)
        return loss

    note(train([(1, 4)] * 3))


@program([[[[0.0, 1.0], [2.0, 4.0], [6.0, 9.0]], [[6.0, 7.0], [14.0, 16.0], [24.0, 27.0]]]])
def values_of_a_loop_in_a_tensor_array(note):
    def rnn_step(inp, state):
        return inp + state

    @nf.function
    def dynamic_rnn(rnn_step, input_data, initial_state):
        input_data = nf.transpose(input_data, [1, 0, 2])
        max_seq_len = input_data.shape[0]
        states = nf.TensorArray(nf.float32, size=max_seq_len)
        state = initial_state
        for i in nf.range(max_seq_len):
            state = rnn_step(input_data[i], state)
            states = states.write(i, state)
        return nf.transpose(states.stack(), [1, 0, 2])

    data = nf.reshape(nf.range(12.0), [2, 3, 2])
    note(dynamic_rnn(rnn_step, data, nf.zeros([2, 2])))


# --- methods, models, debugging ---------------------------------------------------------------------------------------


@program(["tracing", [[2.0, 2.0, 2.0]], [[3.0, 4.0, 5.0]], "tracing", [[2.0, 2.0, 2.0]]])
def methods(note):
    class Dense:
        def __init__(self):
            self.w = nf.Variable(nf.ones([2, 3]))
            self.b = nf.Variable(nf.zeros([3]))

        @nf.function
        def __call__(self, x):
            note("tracing")
            return nf.matmul(x, self.w) + self.b

    one, other = Dense(), Dense()
    note(one(nf.ones([1, 2])))
    one.b.assign_add([1.0, 2.0, 3.0])
    note(one(nf.ones([1, 2])))
    note(other(nf.ones([1, 2])))


@program([6.0, True])
def functions_hold_their_instances_weakly(note):
    class Model:
        def __init__(self):
            self.v = nf.Variable(2.0)

        @nf.function
        def call(self, x):
            return self.v * x

    model = Model()
    note(model.call(nf.constant(3.0)))
    alive = weakref.ref(model)
    del model
    note(alive() is None)


@program(["tracing", 11.6667, 3.2074, 0.8954, [1.5683, 1.0604]])
def a_training_step(note):
    w, b = nf.Variable(0.0), nf.Variable(0.0)
    optimizer = nf.optimizers.SGD(0.1)

    @nf.function
    def train_step(x, y):
        note("tracing")
        with nf.GradientTape() as tape:
            loss = nf.reduce_mean(nf.square(w * x + b - y))
        optimizer.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b]))
        return loss

    x = nf.constant([0.0, 1.0, 2.0])
    for _ in range(3):
        note(train_step(x, 2 * x + 1))
    note(w, b)


@program(["calculating", 8, 8, 8, "calculating", 8, "calculating", 8, "calculating", 8, False])
def run_functions_eagerly(note):
    @nf.function
    def get_mse(y_true, y_pred):
        note("calculating")
        return nf.reduce_mean(nf.pow(y_true - y_pred, 2))

    y_true, y_pred = nf.constant([1, 2, 3, 4, 5]), nf.constant([5, 4, 3, 2, 1])
    for _ in range(3):
        note(get_mse(y_true, y_pred))
    nf.config.run_functions_eagerly(True)
    try:
        for _ in range(3):
            note(get_mse(y_true, y_pred))
    finally:
        nf.config.run_functions_eagerly(False)
    note(nf.config.functions_run_eagerly())


@pytest.mark.parametrize(("function", "expected"), [pytest.param(*p[:2], id=p[0].__name__) for p in PROGRAMS])
def test_program(function, expected):
    notes = Notes()
    function(notes)
    assert list(notes) == expected
