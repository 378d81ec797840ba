"""Converted functions do on Python values exactly what they did before; what is converted and what is not."""

import ast
import contextlib
import functools
import gc
import io
import linecache
import math
import traceback
import types
import weakref

import optree
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbflow as nf
from nbflow.autograph.conversion import converted, converted_call
from nbflow.autograph.source import NoSource, source_of


def outcome(function, *args):
    """The result of a call, or the exception that it raises, and what it prints."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            result = function(*args)
            if isinstance(result, types.GeneratorType):
                result = list(result)
        except Exception as error:
            result = type(error), str(error)
    return result, output.getvalue()


def loops(xs, stop):
    """Jumps of every kind, out of nested loops, with else."""
    seen, total = [], 0
    for x in xs:
        if x == 3:
            continue
        if x > stop:
            break
        k = 0
        while True:
            k += 1
            if k > x:
                break
            if k == 5:
                return "five", seen
            if k % 2:
                continue
            seen.append((x, k))
        else:
            seen.append("never")
        total += x
    else:
        total = -total
        for y in xs:
            if y == 7:
                return total
    return total, seen


def lazy(a, b, c):
    print(a, end=" ")
    first = a and b / a
    second = a or c[b]
    third = not a or (b and not c)
    fourth = a < b < len(c) != 2
    fifth = b if a > b else c[a]
    return first, second, third, fourth, fifth, a in c, b not in c, a is b


def handlers(a, b):
    found = []
    try:
        for k in range(3):
            if k == a:
                raise KeyError(k)
            found.append(k)
            if k == b:
                return found
    except KeyError as error:
        found.append(error.args)
        if b > 5:
            raise
    else:
        found.append("else")
    finally:
        found.append("finally")
    with contextlib.suppress(ZeroDivisionError):
        value = 1
        value = a / b
    return found, value


def unbound(a, b):
    if a > b:
        value = a
    del a
    while b > 0:
        b -= 1
        last = b
    return value, last


def scopes(a, b):
    total = 0

    def add(x, by=a):
        nonlocal total
        if x > by:
            total += x
        return total

    values = [add(k) for k in range(b) if k % 2 or k > 2]
    if (double := a * 2) > b:
        values.append(double)
    squares = {k: v for k, v in enumerate(values) if v}
    f = lambda x, *rest, k=b: x + k if rest else x
    return values, squares, total, f(1), f(1, 2), [f(x) for x in range(2)], any(x > 2 for x in values)


def generator(a, b):
    for k in range(a):
        if k == b:
            yield "b"
            continue
        if k > 3 and b:
            return
        while k:
            k -= 1
            if k == 2:
                break
            yield k


def matched(a, b):
    match (a, b):
        case (0, y) if y > 1:
            return "zero", y
        case (x, 0):
            for k in range(x):
                if k == 2:
                    return k
        case _:
            pass
    return a + b


def asserted(a, b):
    assert a > b, f"{a} is not above {b}"
    assert a
    return a


def built_in(a, b):
    values = list(range(a, b)) or [a, b]
    return (
        *(len(values), max(values), min(a, b), sum(values, 1), sorted(values, reverse=True), any(values), all(values)),
        *(
            list(zip(values, values, strict=False)),
            list(enumerate(values, b)),
            list(map(str, values)),
            int("3"),
            abs(a),
        ),
        *(float(a), bool(b), list(reversed(values)), max(values, key=lambda v: -v), print(a, b, sep="-")),
    )


PROGRAMS = [handlers, unbound, scopes, generator, matched, asserted, built_in]
numbers = st.integers(-1, 8)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(numbers, max_size=6), numbers)
def test_loops_of_python_values(xs, stop):
    assert outcome(converted(loops), xs, stop) == outcome(loops, xs, stop)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(numbers, numbers, st.lists(numbers, max_size=4))
def test_expressions_of_python_values(a, b, c):
    assert outcome(converted(lazy), a, b, c) == outcome(lazy, a, b, c)


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore:AutoGraph leaves")
def test_programs_of_python_values(function):
    made = converted(function)
    assert made is not function and made.__code__.co_name == function.__name__
    for a in range(5):
        for b in range(-1, 7):
            one, other = outcome(made, a, b), outcome(function, a, b)
            if function is unbound and isinstance(other[0][0], type):  # the words about the variable differ
                assert issubclass(one[0][0], NameError) and issubclass(other[0][0], NameError)
            elif function is asserted and isinstance(other[0], tuple):  # pytest adds to the message
                assert one[0][0] is other[0][0] and other[0][1].startswith(one[0][1])
            else:
                assert one == other


class Base:
    def __init__(self, k):
        self.k = k
        self.__hidden = 3

    def value(self, x):
        return self.__hidden + x if x > 0 else self.k

    def __secret(self, __x=2):
        return __x if __x > self.__hidden else self.__hidden

    def tell(self):
        return self.__secret() and self.__secret(5)


class Child(Base):
    def value(self, x):
        for _ in range(2):
            if x < 3:
                x += super().value(x)
        return x

    def __call__(self, x):
        return self.value(x) if x else -1


def test_methods_closures_and_what_functions_carry():
    base, child = Base(7), Child(9)
    for method in (base.value, base.tell, child.value, child.tell):
        made = converted(method)
        assert made.__self__ is method.__self__ and made.__func__ is not method.__func__
        arguments = [()] if method.__name__ == "tell" else [(1,), (-1,), (5,)]
        assert [made(*a) for a in arguments] == [method(*a) for a in arguments]
    assert converted(child)(1) == child(1) and converted(child)(0) == -1
    calls = []

    def f(x, *rest, scale=2, **named):
        """Documented."""
        f.calls = getattr(f, "calls", 0) + 1
        calls.append(x)
        return x * scale if x > 0 and not rest else (rest, named)

    made = converted(f)
    assert made.__doc__ == "Documented." and made.__name__ == "f" and made.__qualname__ == f.__qualname__
    assert made(2) == 4 and made(2, scale=5) == 10 and made(1, 2, k=3) == ((2,), {"k": 3})
    assert f.calls == 3 and calls == [2, 2, 1] and made.__kwdefaults__ == {"scale": 2}
    assert converted(functools.partial(f, 3, scale=4))() == 12
    assert converted(made) is made


def test_lambdas_are_told_apart():
    first, second = (lambda x: 1 if x else 2), (lambda x: 3 if x else 4)
    several = [lambda x: x and 5, lambda x: x and 6, lambda x: (lambda y: y and x)(7)]
    assert [converted(f)(1) for f in (first, second, *several)] == [1, 3, 5, 6, 1]


def test_lambdas_of_one_line_that_are_texts():
    named, rounded = (lambda x: f"{x}"), (lambda x: f"{float(x) if x else 0:.2f}")
    sources = [ast.unparse(source_of(f).node.body) for f in (named, rounded)]
    assert sources == ["f'{x}'", "f'{(float(x) if x else 0):.2f}'"]


def test_what_is_left_as_it_is():
    plain = lambda x: x + 1
    for function in (plain, len, int, math.sin, nf.sigmoid, Base, nf.function(plain), nf.nest.flatten, print):
        assert converted(function) is function
    for function in (contextlib.nullcontext, functools.wraps, optree.tree_map, ast.unparse, linecache.getlines):
        assert converted_call(function) is function
    untouched = nf.autograph.experimental.do_not_convert(lambda x: 1 if x else 2)
    assert converted(untouched) is untouched and untouched(True) == 1
    decorator = nf.autograph.experimental.do_not_convert()
    assert decorator(plain)(1) == 2


def test_without_source():
    scope = {}
    exec("def f(x):\n    return 1 if x > 0 else 2", scope)
    assert converted(scope["f"]) is scope["f"]
    with pytest.raises(NoSource):
        source_of(scope["f"])


def test_what_cannot_be_converted_is_said_once():
    def f(x):
        for _ in range(3):
            try:
                if x > 0:
                    x += 1
            finally:
                break  # noqa: B012
        return x

    with pytest.warns(UserWarning, match=r"leaves .*f as it is.*jump out of a finally block"):
        assert converted(f) is f
    assert converted(f) is f


def test_functions_are_collected():
    def make():
        big = nf.ones([3])

        def f(x):
            return big if x > 0 else f

        return f

    f = make()
    assert converted(f)(1) is converted(f)(2)
    alive = weakref.ref(f)
    del f
    gc.collect()
    assert alive() is None


def failing(x):
    for k in range(3):
        if x > 0:
            y = k
            if y == 2:
                raise ValueError("here")


def test_tracebacks_show_the_source_as_written():
    for function in (failing, converted(failing)):
        with pytest.raises(ValueError, match="here") as caught:
            function(1)
        frames = [f for f in traceback.extract_tb(caught.value.__traceback__) if f.filename == __file__]
        assert frames[-1].line == 'raise ValueError("here")' and {f.name for f in frames[1:]} == {"failing"}


# --- nf.autograph -----------------------------------------------------------------------------------------------------


def test_to_code_and_to_graph():
    text = nf.autograph.to_code(failing)
    assert "ag__.for_(" in text and "ag__.if_(" in text and ast.parse(text)
    assert nf.autograph.to_code(nf.function(failing)) == text
    assert nf.autograph.to_code(Base.value).startswith("def value(self, x):")
    assert nf.autograph.to_graph(lambda x: x * 2 if x > 0 else 0)(4) == 8
    with pytest.raises(TypeError, match="cannot be called"):
        nf.autograph.to_graph(3)
    with pytest.raises(ValueError, match="no source"):
        nf.autograph.to_code(eval("lambda x: x"))


def test_verbosity(caplog, capsys):
    nf.autograph.set_verbosity(3, alsologtostdout=True)
    try:
        converted(lambda x: 1 if x else 0)
    finally:
        nf.autograph.set_verbosity(0)
    assert "AutoGraph converted" in caplog.text and "ag__.if_exp(" in capsys.readouterr().out


def test_trace_and_features(capsys):
    nf.autograph.trace(1, "a")
    assert capsys.readouterr().out == "1 a\n"
    feature = nf.autograph.experimental.Feature
    assert feature.LISTS in feature.all() and feature.LISTS not in feature.all_but(feature.LISTS)
    assert nf.autograph.experimental.set_loop_options(maximum_iterations=3) is None
