"""A table of programs with branches and loops by hand, each a function of (library, a float vector of 4 elements).

They run eagerly and traced, and with TensorFlow in place of nbflow (tests/golden/make_control.py).
"""

PROGRAMS = {}

X = [0.9, -0.4, 1.3, 0.2]


def loss(nf, y):
    return nf.reduce_sum(y * nf.cos(y))


def gradient(nf, function, x):
    with nf.GradientTape() as tape:
        tape.watch(x)
        value = loss(nf, function(nf, x))
    return tape.gradient(value, x, unconnected_gradients="zero")


def second(nf, function, x):
    """The gradient of the gradient's squares."""
    with nf.GradientTape() as tape:
        tape.watch(x)
        first = gradient(nf, function, x)
        value = nf.reduce_sum(first * first)
    return tape.gradient(value, x, unconnected_gradients="zero")


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def number(nf, value):
    return nf.constant(value, nf.int32)


# --- branches ---------------------------------------------------------------------------------------------------------


@program
def cond_of_a_value(nf, x):
    return nf.cond(nf.reduce_sum(x) > 1.0, lambda: nf.sin(x), lambda: x * x * x)


@program
def cond_with_a_structure(nf, x):
    found = nf.cond(x[0] < 0.0, lambda: {"a": x, "b": (x * 2.0,)}, lambda: {"a": x * x, "b": (nf.exp(x),)})
    return found["a"] * found["b"][0]


@program
def cond_in_cond(nf, x):
    def inner():
        return nf.cond(x[1] > 0.0, lambda: x * x, lambda: nf.tanh(x))

    return nf.cond(x[0] > 0.0, inner, lambda: nf.cond(x[1] > 5.0, lambda: x, lambda: x * x * x * 0.5))


@program
def cond_of_one_element_vectors(nf, x):
    return nf.cond(x[:1] > 0.0, lambda: x * 2.0, lambda: x * x)


@program
def cond_where_a_branch_does_not_use_x(nf, x):
    return x + nf.cond(x[0] > 100.0, lambda: x * x, lambda: nf.ones([4]))


@program
def cond_with_custom_gradient(nf, x):
    @nf.custom_gradient
    def clipped(v):
        return nf.sin(v), lambda upstream: upstream * 0.5 * v

    return nf.cond(x[0] > 0.0, lambda: clipped(x) * x, lambda: x)


@program
def case_of_three(nf, x):
    s = nf.reduce_sum(x)
    return nf.case([(s < -10.0, lambda: x), (s < 10.0, lambda: x * x)], default=lambda: nf.exp(x))


@program
def switch_case_of_three(nf, x):
    index = nf.cast(nf.reduce_sum(x) - 0.5, nf.int32)
    return nf.switch_case(index, [lambda: x, lambda: x * x, lambda: nf.sin(x) * x], default=lambda: nf.exp(x))


# --- while_loop -------------------------------------------------------------------------------------------------------


@program
def while_of_a_count(nf, x):
    return nf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * nf.sin(x)), (number(nf, 0), x))[1]


@program
def while_of_a_value(nf, x):
    return nf.while_loop(lambda y: nf.reduce_sum(nf.abs(y)) < 50.0, lambda y: (y * 2.0 + x * x,), (x,))[0]


@program
def while_without_a_round(nf, x):
    return nf.while_loop(lambda y: nf.reduce_sum(y) > 1e6, lambda y: (y * 2.0,), (x * 3.0,))[0]


@program
def while_with_a_limit(nf, x):
    return nf.while_loop(lambda y: nf.reduce_sum(y) < 1e6, lambda y: (y * x,), (x,), maximum_iterations=2)[0]


@program
def while_with_a_limit_of_values(nf, x):
    limit = nf.cast(nf.reduce_sum(x) * 0.0 + 3.0, nf.int32)
    return nf.while_loop(lambda y: nf.reduce_sum(y) < 1e6, lambda y: (y * x,), (x,), maximum_iterations=limit)[0]


@program
def while_of_nested_variables(nf, x):
    def body(i, state):
        return i + 1, {"p": (state["q"], state["p"][0] * x), "q": state["q"] * 0.5 + state["p"][1]}

    return nf.while_loop(lambda i, s: i < 4, body, (number(nf, 0), {"p": (x, x * x), "q": nf.sin(x)}))[1]["q"]


@program
def while_in_while(nf, x):
    def outer(i, y):
        inner = nf.while_loop(lambda j, z: j < i + 1, lambda j, z: (j + 1, z * nf.cos(y) + x), (number(nf, 0), y))
        return i + 1, inner[1]

    return nf.while_loop(lambda i, y: i < 3, outer, (number(nf, 0), x))[1]


@program
def cond_in_while(nf, x):
    def body(i, y):
        return i + 1, nf.cond(nf.reduce_sum(y) > 0.0, lambda: y * nf.sin(x) - 1.0, lambda: y * y + x)

    return nf.while_loop(lambda i, y: i < 5, body, (number(nf, 0), x))[1]


@program
def while_in_cond(nf, x):
    def loop():
        return nf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), (number(nf, 0), nf.sin(x)))[1]

    return nf.cond(nf.reduce_sum(x) > 0.0, loop, lambda: x)


@program
def while_that_grows(nf, x):
    found = nf.while_loop(
        lambda i, y: i < 3,
        lambda i, y: (i + 1, nf.concat([y, y * y[0]], 0)),
        (number(nf, 0), x),
        shape_invariants=(nf.TensorShape([]), nf.TensorShape([None])),
    )[1]
    return nf.reduce_sum(found * found) * x


@program
def while_with_state_of_other_dtypes(nf, x):
    def body(i, flag, y):
        return i + 1, nf.logical_not(flag), nf.where(flag, y * x, y + nf.cast(i, nf.float32) * x)

    return nf.while_loop(lambda i, f, y: i < 4, body, (number(nf, 0), nf.constant(True), x))[2]


@program
def while_with_stop_gradient(nf, x):
    return nf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * nf.stop_gradient(y) + x), (number(nf, 0), x))[1]


@program
def while_with_custom_gradient(nf, x):
    @nf.custom_gradient
    def clipped(v):
        def grad(upstream):
            return upstream * 0.5 * v

        return nf.sin(v), grad

    return nf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, clipped(y) * x), (number(nf, 0), x))[1]


@program
def while_with_recompute_grad(nf, x):
    again = nf.recompute_grad(lambda v: nf.sin(v) * nf.exp(v * 0.1))
    return nf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, again(y) + x), (number(nf, 0), x))[1]


@program
def while_with_a_product(nf, x):
    matrix = nf.reshape(nf.concat([x, x * x, nf.sin(x), x * 0.1], 0), [4, 4])
    return nf.while_loop(
        lambda i, y: i < 3, lambda i, y: (i + 1, nf.tanh(nf.linalg.matvec(matrix, y))), (number(nf, 0), x)
    )[1]


@program
def while_with_elements_by_number(nf, x):
    found = nf.while_loop(
        lambda i, s: i < 4, lambda i, s: (i + 1, s * x[i] + x[3 - i]), (number(nf, 0), nf.constant(1.0))
    )
    return found[1] * x


@program
def while_with_a_tape(nf, x):
    def body(i, y):
        with nf.GradientTape() as tape:
            tape.watch(y)
            loss = nf.reduce_sum(y * y * x)
        return i + 1, y - 0.1 * tape.gradient(loss, y)

    return nf.while_loop(lambda i, y: i < 3, body, (number(nf, 0), x * 1.0))[1]


# --- scan, folds, map_fn ----------------------------------------------------------------------------------------------


@program
def scan_of_a_vector(nf, x):
    return nf.scan(lambda a, e: a * e + nf.sin(e), x)


@program
def scan_with_an_initializer(nf, x):
    return nf.scan(lambda a, e: a * e + x[0], x, initializer=nf.constant(1.0))


@program
def scan_backwards(nf, x):
    return nf.scan(lambda a, e: a * e + nf.sin(e), x, reverse=True)


@program
def scan_of_a_structure(nf, x):
    found = nf.scan(lambda a, e: (a[1] * e["u"], a[0] + e["v"]), {"u": x, "v": nf.sin(x)}, (nf.constant(1.0), x[0]))
    return found[0] * found[1]


@program
def scan_of_rows(nf, x):
    rows = nf.reshape(nf.concat([x, x * x, nf.sin(x)], 0), [3, 4])
    return nf.scan(lambda a, e: nf.tanh(a * e + x), rows, initializer=x)


@program
def foldl_of_rows(nf, x):
    return nf.foldl(lambda a, e: a * e + x, nf.reshape(nf.concat([x, x * x], 0), [2, 4]))


@program
def foldr_of_two(nf, x):
    return nf.foldr(lambda a, e: a * e[0] - nf.sin(e[1]), (x, x * x), initializer=x[1])


@program
def foldl_in_scan(nf, x):
    return nf.scan(
        lambda a, e: nf.foldl(lambda b, f: b * f + e, x, initializer=a) * 0.1, x, initializer=nf.constant(1.0)
    )


@program
def map_of_a_vector(nf, x):
    return nf.map_fn(lambda e: e * e * nf.sin(x[1]), x)


@program
def map_of_a_structure(nf, x):
    found = nf.map_fn(
        lambda e: {"whole": nf.cast(e[0] * 10.0, nf.int32), "rest": [e[1] * x]},
        (x, nf.exp(x)),
        fn_output_signature={"whole": nf.int32, "rest": [nf.TensorSpec([4], nf.float32)]},
    )
    return found["rest"][0] * nf.cast(found["whole"], nf.float32)


@program
def map_with_cond(nf, x):
    return nf.map_fn(lambda e: nf.cond(e > 0.5, lambda: e * e, lambda: nf.sin(e)), x)


@program
def map_in_map(nf, x):
    return nf.map_fn(lambda e: nf.map_fn(lambda f: e * f * f, x), x)


@program
def map_of_nothing(nf, x):
    return nf.map_fn(lambda e: e * x[0], nf.zeros([0, 4]), fn_output_signature=nf.TensorSpec([4], nf.float32))


@program
def scan_of_nothing(nf, x):
    return nf.scan(lambda a, e: a + e, nf.zeros([0]), initializer=x[0])


@program
def foldl_of_nothing(nf, x):
    return nf.foldl(lambda a, e: a * e, nf.zeros([0, 4]), initializer=x * x)


# --- TensorArray ------------------------------------------------------------------------------------------------------


@program
def array_written_in_a_loop(nf, x):
    array = nf.TensorArray(nf.float32, size=4)
    return nf.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, a.write(i, x[i] * x)), (number(nf, 0), array))[
        1
    ].stack()


@program
def array_read_in_a_loop(nf, x):
    array = nf.TensorArray(nf.float32, size=4).unstack(x * x)
    return nf.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, y * array.read(i)), (number(nf, 0), x))[1]


@program
def array_that_grows(nf, x):
    array = nf.TensorArray(nf.float32, size=0, dynamic_size=True)
    found = nf.while_loop(lambda i, a: i < 5, lambda i, a: (i + 1, a.write(i, x[i % 4] * x)), (number(nf, 0), array))[1]
    return found.stack()


@program
def array_of_what_came_before(nf, x):
    array = nf.TensorArray(nf.float32, size=5, clear_after_read=False).write(0, x)

    def body(i, a):
        return i + 1, a.write(i, a.read(i - 1) * nf.sin(x))

    return nf.while_loop(lambda i, a: i < 5, body, (number(nf, 1), array))[1].stack()


@program
def array_gathered(nf, x):
    array = nf.TensorArray(nf.float32, size=4, clear_after_read=False).unstack(x)
    return array.gather([3, 1, 1]) * nf.reduce_sum(array.stack() * array.gather([0, 1, 2, 3]))


@program
def array_scattered(nf, x):
    return nf.TensorArray(nf.float32, size=6, element_shape=[]).scatter([5, 0, 2, 1], x * x).stack()


@program
def array_split_and_joined(nf, x):
    array = nf.TensorArray(nf.float32, size=2, infer_shape=False).split(x * x, [1, 3])
    return array.concat() * x


@program
def array_written_in_a_branch(nf, x):
    array = nf.TensorArray(nf.float32, size=3, element_shape=[4])
    found = nf.cond(x[0] > 0.0, lambda: array.write(1, x * x), lambda: array.write(2, x))
    return found.stack()


@program
def arrays_two_in_a_loop(nf, x):
    def body(i, both):
        return i + 1, (both[0].write(i, x[i]), both[1].write(3 - i, x * x[i]))

    arrays = (nf.TensorArray(nf.float32, size=4), nf.TensorArray(nf.float32, size=4))
    found = nf.while_loop(lambda i, b: i < 4, body, (number(nf, 0), arrays))[1]
    return nf.reshape(found[0].stack(), [4, 1]) * found[1].stack()


@program
def array_appended_to_in_branches(nf, x):
    def body(i, a):
        return i + 1, nf.cond(x[i] > 0.0, lambda: a.write(a.size(), x[i] * x), lambda: a)

    array = nf.TensorArray(nf.float32, size=0, dynamic_size=True, element_shape=[4])
    return nf.while_loop(lambda i, a: i < 4, body, (number(nf, 0), array))[1].stack()
