"""Programs with control flow: each is run eagerly and traced, by test_programs.py.

A program is a function of tensors; its decorator gives the arguments that it is run with, a tuple for each run.
"""

import functools
import itertools
from collections import namedtuple

import nbflow as nf

PROGRAMS = []
X = nf.constant([1.0, -2.0, 3.0, 0.5, 4.0])
N = nf.constant([3, 1, 4, 1, 5, 9])


def program(*runs):
    """Notes a program with the arguments of its runs."""

    def note(function):
        PROGRAMS.append((function, runs))
        return function

    return note


def scalars(*values):
    """Runs with one scalar each."""
    return [(nf.constant(v),) for v in values]


# --- if ---------------------------------------------------------------------------------------------------------------


@program(*scalars(2.0, -3.0))
def if_assigns(x):
    y = 1.0
    if x > 0:
        y = x * x
    return y + x


@program(*scalars(2.0, -3.0, 0.0))
def if_elif_else(x):
    if x > 0:
        y = x * x
    elif x < 0:
        y = -x
    else:
        y = x + 1.0
    return y


@program(*scalars(2.0, -3.0))
def variables_of_branches(x):
    if x > 0:
        a, b = x, x * 2.0
        temporary = "a string"
        del temporary
    else:
        (a, [b]) = -x, [x * 3.0]
    return a * b


@program(*scalars(2.0, -3.0))
def structures(x):
    state = {"a": x, "b": [x, (1.0, x)]}
    if x > 0:
        state = {"a": x * 2.0, "b": [x, (x, x * x)]}
    return state


@program(*scalars(2.0, -3.0, 0.5, -0.5))
def nested_ifs(x):
    y = x
    if x > 0:
        if x > 1:
            y = x * x
        else:
            y = x * 3.0
        y += 1.0
    else:
        if x > -1:
            y = -x
    return y


@program(*scalars(1, 0, 5))
def condition_of_a_number(n):
    if n:
        n = n * 10
    return n


@program((nf.constant([[True]]),), (nf.constant([[False]]),))
def condition_of_one_element(c):
    return 1.0 if c else 2.0


@program(*scalars(2.0, -3.0))
def early_return(x):
    if x > 0:
        return x * x
    y = x - 1.0
    return y * 2.0


@program(*scalars(2.0, -3.0, 0.0, 10.0))
def many_returns(x):
    if x > 5.0:
        return x
    elif x > 0.0:
        y = x * 2.0
        if y > 3.0:
            return y
    else:
        if x < -1.0:
            return -x
        y = x + 100.0
    y = y * 2.0
    return y


@program(*scalars(2.0, -3.0))
def return_of_structures(x):
    if x > 0:
        return {"y": x, "z": (x, 1.0)}
    return {"y": -x, "z": (x * x, 2.0)}


@program((nf.constant(2.0), True), (nf.constant(2.0), False), (nf.constant(-2.0), True))
def python_and_tensor_conditions(x, flag):
    if flag:
        return x
    if x > 0:
        return x * 3.0
    return x * x


@program(*scalars(2.0, -3.0))
def none_in_a_branch_of_python(x, y=None):
    if y is None:
        y = x
    if y is not None and x > 0:
        y = y * 2.0
    return y


@program(*scalars(2.0, -3.0))
def objects_of_python_stay(x):
    name = "square"
    if x > 0:
        name = "square"
        y = {"square": x * x}[name]
    else:
        y = x
    return y


@program(*scalars(2.0, -3.0))
def lambdas_see_variables(x):
    y = x
    f = lambda: y * 2.0
    if x > 0:
        y = x * 5.0
    return f()


@program(*scalars(2.0, -3.0))
def attributes(x):
    box = type("Box", (), {})()
    box.value = x
    box.inner = type("Box", (), {})()
    box.inner.value = 1.0
    if x > 0:
        box.value = x * x
        box.inner.value = x
    return box.value + box.inner.value


@program(*scalars(2.0, -3.0))
def elements(x):
    d, key = {"a": x, "n": 0}, "a"
    if x > 0:
        d["a"] = x * x
        d["n"] += 1
    else:
        d[key] = -x
    return d["a"], d["n"]


# --- expressions ------------------------------------------------------------------------------------------------------


@program(*scalars(2.0, -3.0))
def conditional_expression(x):
    return (x * x if x > 0 else -x) + (1.0 if x is None else 2.0)


@program(*scalars(2.0, -3.0, 0.0, 7.0))
def and_or_not(x):
    a = x > 0 and x < 5
    b = x < -1 or not x > 6
    c = not (a and b)
    return a, b, c, a or b and c


@program(*scalars(2.0, 0.0))
def and_or_of_values(x):
    return x and x * 2.0, x or x + 3.0


@program(*itertools.product(N[:3], [nf.constant(0), nf.constant(5)]))
def lazy_and(n, k):
    values = nf.range(4)
    if k < 4 and nf.gather(values, nf.minimum(k, 3)) < n:
        return k
    return n


@program(*scalars(2.0, -3.0, 0.0, 7.0))
def chained_comparisons(x):
    a = 0 < x < 5
    b = -5 <= x <= 0 != 1
    if 1 < x < 3 < 10:
        return a, b, x
    return b, a, -x


@program(*scalars(1, 2, 9))
def membership(n):
    return n in N, n not in N, n in [1, 2, 3], n not in (2, 5), n in range(3)


@program(*scalars(2.0, -3.0))
def assertions(x):
    assert x < 10, f"{x} is large"
    assert x.shape == ()
    return x


# --- while ------------------------------------------------------------------------------------------------------------


@program(*scalars(2.0, 0.3, 100.0))
def while_doubles(x):
    while x < 50.0:
        x = x * 2.0
    return x


@program(*scalars(5, 0))
def while_counts(n):
    i, total = 0, 0
    while i < n:
        i += 1
        total += i * i
    return i, total


@program(*scalars(2.0, 0.3))
def numbers_become_floats(x):
    total, i = 0, 0
    while i < 3:
        total, i = total + x, i + 1
    while total < 10.0:
        total = total + x * total
    return total


@program(*scalars(27, 1, 6))
def collatz(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


@program(*scalars(2.0, 30.0, 0.5))
def while_breaks(x):
    i = 0
    while i < 10:
        if x > 20.0:
            break
        x = x * 2.0
        i += 1
    return x, i


@program(*scalars(2.0, 30.0))
def while_true(x):
    i = 0
    while True:
        x = x * 1.5
        i += 1
        if x > 20.0:
            break
    return x, i


@program(*scalars(7, 8, 0))
def while_continues(n):
    total = 0
    while n > 0:
        n -= 1
        if n % 3 == 0:
            continue
        total += n
    return total


@program(*scalars(2.0, 100.0))
def while_returns(x):
    while x < 1000.0:
        x = x * x
        if x > 90.0:
            return x + 1.0
    return x


@program(*scalars(2.0, 100.0))
def while_else(x):
    i = 0
    while i < 3:
        i += 1
        if x > 50.0:
            break
    else:
        x = -x
    return x, i


@program(*scalars(3, 0))
def nested_whiles(n):
    i, total = 0, 0
    while i < n:
        j = 0
        while j < i:
            total += i * j + 1
            j += 1
        i += 1
    return total


@program(*scalars(4.0, 9.0, 2.0))
def newton(a):
    x, step = a, a
    while nf.abs(step) > 1e-6 and x > 0:
        step = (x * x - a) / (2.0 * x)
        x = x - step
    return x


@program(*scalars(10, 50))
def assigned_in_the_test(n):
    total = n * 0
    while (k := total * 2 + 1) < n:
        total += k
    return total, k


# --- for --------------------------------------------------------------------------------------------------------------


@program((X,))
def for_over_a_tensor(x):
    total = 0.0
    for v in x:
        total += v * v
    return total


@program((nf.reshape(nf.range(6.0), [2, 3]),))
def for_over_rows(x):
    total = nf.zeros([3])
    last = total
    for row in x:
        total = total + row * row
        last = row
    return total, last


@program(*scalars(5, 0, 1))
def for_over_a_range(n):
    total = 0
    for i in range(n):
        total += i * i
    return total


@program(*scalars(5, 7))
def ranges_with_steps(n):
    a = b = c = 0
    for i in range(2, n):
        a += i
    for i in range(1, n, 2):
        b += i
    for i in range(n, 0, -2):
        c += i
    return a, b, c


@program(*scalars(2.0, -1.0))
def for_over_a_range_of_python(x):
    powers = []
    y = nf.ones_like(x)
    for i in range(4):
        y = y * x
        if i % 2:
            powers.append(y)
    return powers


@program((X,), (X * 10.0,))
def for_breaks(x):
    total = 0.0
    for v in x:
        if total > 5.0:
            break
        total += nf.abs(v)
    return total


@program((nf.reshape(nf.range(8.0), [2, 4]), X), (nf.zeros([2, 4]), X))
def for_breaks_after_what_is_linear(rows, x):
    for row in rows:
        x = x + 0.1 * nf.reduce_sum(row)
        if nf.reduce_sum(x) > 5.0:
            break
    else:
        x = 2.0 * x
    return x


@program((X,))
def for_continues(x):
    total = 1.0
    for v in x:
        if v < 0:
            continue
        if v > 3.5:
            total = total * 2.0
            continue
        total *= v
    return total


@program((X,), (X - 10.0,))
def for_returns(x):
    for v in x:
        if v > 2.0:
            return v * v
    return nf.reduce_sum(x)


@program((X,), (X - 10.0,))
def for_else(x):
    found = 0.0
    for v in x:
        if v > 2.0:
            found = v
            break
    else:
        found = -1.0
    return found


@program((X, nf.constant(3)), (X, nf.constant(0)))
def nested_fors(x, n):
    total = 0.0
    for v in x:
        for i in range(n):
            if i == 2:
                break
            total += v * nf.cast(i + 1, nf.float32)
        total = total * 0.5
    return total


@program((X,), (-X,))
def returns_from_nested_loops(x):
    for v in x:
        for w in x:
            if v * w < -7.0:
                return v
            if w > 10.0:
                return w
    return x[0] * 0.0


@program((X,))
def python_break_on_a_tensor(x):
    total = 0.0
    for i in range(5):
        total = total + x[i]
        if total > 2.0:
            break
    return total


@program((X,), (-X,))
def return_out_of_a_python_loop(x):
    for k, scale in enumerate([1.0, 2.0, 3.0]):
        y = nf.reduce_sum(x * scale)
        if y > 10.0:
            return y, nf.constant(k)
    return -y, nf.constant(-1)


@program((X, 2.0 * X))
def zip_and_enumerate(x, y):
    total = 0.0
    for a, b in zip(x, y):
        total += a * b
    for i, a in enumerate(x):
        total += nf.cast(i, nf.float32) * a
    for i, (a, b) in enumerate(zip(x, y), 1):
        total += nf.cast(i, nf.float32) * a * b
    for a, b, scale in zip(x, y, [1.0, 2.0, 3.0]):
        total += a * b * scale
    for a in reversed(x):
        total = total * 0.5 + a
    for a in map(lambda v: v * 2.0 if v > 0 else v, x):
        total += a
    return total


@program((X,))
def loop_over_a_dict(x):
    total = 0.0
    for name, weight in {"a": 2.0, "b": 3.0}.items():
        if name == "b" and nf.reduce_sum(x) > 0:
            total += nf.reduce_sum(x) * weight
    return total


@program(*scalars(6, 2))
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@program((nf.constant([3.0, 1.0, 2.0]),))
def bubble_maximum(x):
    best, at = x[0], 0
    for i in range(1, len(x)):
        if x[i] > best:
            best, at = x[i], i
    return best, at


@program(*scalars(3, 0))
def target_after_the_loop(n):
    i = -1
    for i in range(n):
        pass
    return i


@program((X, nf.constant(4)))
def elements_by_number(x, n):
    total = 0.0
    weights = [1.0, 2.0, 3.0, 4.0]
    for i in range(n):
        total += x[i] * weights[i] + weights[-i]
    return total


@program((X,))
def attribute_state(x):
    box = type("Box", (), {"count": 0, "total": 0.0})()
    for v in x:
        box.count += 1
        if v > 0:
            box.total = box.total + v
    return box.count, box.total


@program(*scalars(3, 5))
def shapes_that_grow(n):
    x = nf.constant([1.0])
    for i in range(n):
        nf.autograph.experimental.set_loop_options(shape_invariants=[(x, nf.TensorShape([None]))])
        x = nf.concat([x, x[:1] + nf.cast(i, nf.float32)], axis=0)
    return x


# --- calls ------------------------------------------------------------------------------------------------------------


def leaky(x, slope=0.1, *, offset=0.0):
    if x < 0:
        return x * slope + offset
    return x + offset


class Layer:
    def __init__(self, scale):
        self.scale = scale
        self.__private = 3.0

    def __call__(self, x):
        return self.apply(x) if x > 0 else x * self.__private

    def apply(self, x):
        total = x
        while total < self.scale:
            total = total * 2.0
        return total

    @property
    def doubled(self):
        return self.scale * 2.0

    @staticmethod
    def static(x):
        return x if x > 0 else -x

    @classmethod
    def made(cls, x):
        return cls(10.0)(x) if x > 0 else x


class Derived(Layer):
    def apply(self, x):
        if x > 1.0:
            return super().apply(x) + 1.0
        return super(Derived, self).apply(x)


@program(*scalars(2.0, -3.0))
def functions_called(x):
    return leaky(x) + leaky(x, 0.2) + leaky(x, offset=1.0) + functools.partial(leaky, slope=0.5)(x)


@program(*scalars(2.0, -3.0, 0.7))
def methods_called(x):
    layer = Derived(9.0)
    return layer(x) + layer.apply(nf.abs(x)) + layer.doubled + Layer.static(x) + Layer.made(x)


def doubled(function):
    @functools.wraps(function)
    def wrapper(*args):
        y = function(*args)
        if y > 0:
            return y * 2.0
        return y

    return wrapper


@doubled
def decorated_function(x):
    return x if x > 0 else x * 0.5


@program(*scalars(2.0, -3.0))
def decorators(x):
    return decorated_function(x)


@program(*scalars(2.0, -3.0))
def functions_inside(x):
    count = 0

    def inner(y, steps=3):
        nonlocal count
        count += 1
        for _ in range(steps):
            if y > 0:
                y = y * 1.5
            else:
                y = y - 1.0
        return y

    return inner(x) + inner(-x, steps=2), count


@program(*scalars(5, 1))
def recursion(n):
    return factorial(3) * n


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


@program((X,))
def comprehensions(x):
    values = [leaky(v) for v in x if v.shape == ()]
    return values, {k: leaky(v) for k, v in enumerate(values)}, sum(leaky(v) for v in values)


@program(*scalars(2.0, -3.0))
def functions_given_to_library(x):
    return nf.nest.map_structure(lambda v: v * 2.0 if v > 0 else v, [x, -x])


@nf.custom_gradient
def clipped(x):
    y = x if x > 0 else x * 0.0

    def gradient(upstream):
        return upstream * 10.0 if x > 0 else upstream

    return y, gradient


@program(*scalars(2.0, -3.0))
def with_a_custom_gradient(x):
    return clipped(x) * 2.0


@nf.function
def traced_inside(x):
    if x > 0:
        return x * 2.0
    return x


@program(*scalars(2.0, -3.0))
def functions_in_functions(x):
    return traced_inside(x) + traced_inside(-x)


# --- built-in functions -----------------------------------------------------------------------------------------------


@program((X,))
def builtins_of_tensors(x):
    return len(x), max(x), min(x), sum(x), sum(x, 1.0), nf.stack(sorted(x)), any(x > 3), all(x > 3), abs(x)


@program(*scalars(2.7, -3.2))
def builtins_of_scalars(x):
    return int(x), float(int(x)), bool(x), max(x, 0.0), min(1.0, x, 2.0), any([x > 5, x < 3]), all([True, x > 0])


# --- blocks that stay Python's ----------------------------------------------------------------------------------------


@program(*scalars(2.0, -3.0))
def with_blocks(x):
    with nf.name_scope("block"):
        if x > 0:
            return x * 2.0
        y = x * 3.0
    return y


@program(*scalars(2.0, -3.0))
def try_blocks(x):
    y = x
    try:
        if x > 0:
            y = x * x
        raise KeyError("found")
    except KeyError as error:
        y = y + len(error.args)
    else:
        y = y * 0.0
    finally:
        y = y + 1.0
    return y


@program(*scalars(2.0, -3.0))
def match_blocks(x):
    match ("scale", 2.0):
        case ("scale", factor) if factor > 1.0:
            if x > 0:
                return x * factor
        case _:
            return x
    return -x


@program((X,))
def generators(x):
    def positive(values):
        for v in values:
            yield v if v > 0 else -v

    total = 0.0
    for v in positive([x[0], x[1], x[2]]):
        total = total + v
    return total


@program(*scalars(2.0, -3.0))
def gradients_inside(x):
    with nf.GradientTape() as tape:
        tape.watch(x)
        if x > 0:
            y = x * x * x
        else:
            y = x * x
    return tape.gradient(y, x)


Point = namedtuple("Point", "x y")


@program(*scalars(5, 0))
def named_tuples(n):
    p = Point(0.0, 1.0)
    for _ in range(n):
        p = Point(p.x + p.y, p.y * 0.5)
    return p


@program(*scalars(2.0, -3.0))
def annotated(x: nf.Tensor):
    y: float = 1.0
    z: nf.Tensor
    if x > 0:
        z = x * 2.0
        y: float = 3.0
    else:
        z = x
    return z * y


# --- lists ------------------------------------------------------------------------------------------------------------


@program((X,), (X[:0],))
def append_in_a_loop(x):
    squares = []
    for v in x:
        squares.append(v * v)
    return nf.reduce_sum(squares) if len(squares) > 0 else 0.0


@program((X, nf.constant(4)), (X, nf.constant(1)))
def lists_that_loops_make(x, n):
    found = []
    for i in range(n):
        if x[i] > 0:
            found.append(x[i] * 2.0)
        else:
            found += [x[i], x[i] * 3.0]
    total = 0.0
    for v in found:
        total += v
    return nf.stack(found), found[0], found[-1], total, len(found)


@program((X, nf.constant(3)))
def lists_with_elements(x, n):
    states = [x]
    for _ in range(n):
        states.append(states[-1] * 0.5 + 1.0)
    return nf.stack(states, axis=1), nf.concat(states, axis=0)


@program((X, nf.constant(3)), (X, nf.constant(0)))
def lists_of_structures(x, n):
    pairs = []
    for i in range(n):
        pairs.append((x[i], {"twice": x * 2.0}))
    return pairs


@program((X, nf.constant(3)), (N, nf.constant(3)))
def lists_that_while_makes(x, n):
    pairs = []
    i = 0
    while i < n:
        pairs.append((x[i], x * 2))
        i += 1
    return pairs


@program((X, nf.constant(3)))
def lists_in_nested_loops(x, n):
    found = []
    for i in range(n):
        for v in x:
            if v < 0:
                continue
            found.append(v * nf.cast(i, nf.float32))
    return found


@program((X,))
def lists_of_a_round(x):
    total = 0.0
    for v in x:
        parts = []
        for k in range(3):
            parts.append(v * k)
        total += nf.add_n(parts)
    return total


@program((X, nf.constant(3)), (X, 3))
def lists_of_several_loops(x, n):
    found = [x[0]]
    for v in x:
        found.append(v)
    found.append(x[0])
    for i in range(n):
        found.append(x[i])
        for v in x:
            found.append(v * 0.5)
    weights = nf.cast(nf.range(len(found)), nf.float32)
    return nf.reduce_sum(nf.stack(found) * weights), len(found), found[-1]


@program((N, nf.constant(3)), (N, nf.constant(0)))
def lists_of_for_and_while(x, n):
    found = []
    for v in x:
        if v > 3:
            found.append(v)
    if x[0] > 1:
        found.append(x[1])
    i = 0
    while i < n:
        found.append(x[i])
        i += 1
    return found
