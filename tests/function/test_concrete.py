"""Traces as objects: what TensorFlow's ConcreteFunction tells and takes."""

import re

import pytest

import nbflow as nf

ANY = nf.TensorSpec([None], nf.float32)
ONE = nf.constant([1.0, 2.0])


def test_what_it_tells():
    v, fixed = nf.Variable([1.0, 1.0], trainable=False), nf.constant([5.0, 6.0])
    f = nf.function(lambda x, options, *rest, k=3.0: {"y": x * k + options["a"] + rest[0] + v + fixed, "n": nf.size(x)})
    concrete = f.get_concrete_function(nf.TensorSpec([2]), {"a": ONE, "b": "text"}, nf.TensorSpec([], name="extra"))
    args, kwargs = concrete.structured_input_signature
    assert args[0] == nf.TensorSpec([2]) and args[0].name == "x" and args[2].name == "extra" and kwargs == {"k": 3.0}
    assert args[1] == {"a": nf.TensorSpec([2]), "b": "text"} and args[1]["a"].name == "options['a']"
    assert concrete.structured_outputs == {"y": nf.TensorSpec([2]), "n": nf.TensorSpec([], nf.int32)}
    assert concrete.output_shapes == {"y": [2], "n": []} and concrete.output_dtypes == {"y": nf.float32, "n": nf.int32}
    assert [t.shape for t in concrete.inputs] == [[2], [2], [], [2], [2]] and len(concrete.outputs) == 2
    assert all(nf.is_symbolic_tensor(t) for t in concrete.inputs + concrete.outputs)
    assert {id(c) for c in concrete.captured_inputs} == {id(v), id(fixed)}
    assert concrete.variables == (v,) and concrete.trainable_variables == () and concrete.name == "<lambda>"
    text = str(concrete)
    assert "x (POSITIONAL_OR_KEYWORD): TensorSpec(shape=(2,), dtype=nf.float32, name='x')" in text
    assert "k (KEYWORD_ONLY): Literal[3.0]" in text and f"{id(v)}: TensorSpec(shape=(2,)" in text
    assert "'b': Literal['text']" in concrete.pretty_printed_signature(verbose=False) and "Literal" in repr(concrete)
    assert f.pretty_printed_concrete_signatures() == concrete.pretty_printed_signature()


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c(ONE, 2.0, 1.0),
        lambda c: c(ONE, y=1.0),
        lambda c: c(x=ONE, y=nf.constant(1.0)),
        lambda c: c(ONE, k=2.0, y=1.0),
        lambda c: c(ONE, nf.constant(1.0)),  # the tensors alone
        lambda c: c([1.0, 2.0], 2.0, y=nf.Variable(1.0)),
    ],
)
def test_calls(call):
    f = nf.function(lambda x, k, y: x * k + y)
    assert call(f.get_concrete_function(ANY, 2.0, nf.TensorSpec([]))).numpy().tolist() == [3, 5]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda c: c(ONE, 3.0, 1.0), "argument k is 3.0"),
        (lambda c: c(ONE, 2.0), "argument y is missing"),
        (lambda c: c(ONE, 2.0, [1.0, 2.0]), r"argument y is \[1.0, 2.0\]"),
        (lambda c: c(ONE, 2.0, nf.constant(1)), r"argument y is TensorSpec\(shape=\(\), dtype=nf.int32"),
        (lambda c: c(nf.ones([2, 2]), 2.0, 1.0), r"argument x is TensorSpec\(shape=\(2, 2\)"),
        (lambda c: c(ONE, [2.0], 1.0), r"argument k is \[2.0\]"),
        (lambda c: c(ONE, 2.0, 1.0, 4), "4 arguments were given"),
        (lambda c: c(ONE, 2.0, 1.0, y=1.0), "argument y was given twice"),
        (lambda c: c(ONE, z=1.0), "there is no argument 'z'"),
    ],
)
def test_calls_that_do_not_fit(call, problem):
    f = nf.function(lambda x, k, y: x * k + y)
    concrete = f.get_concrete_function(ANY, 2.0, nf.TensorSpec([]))
    with pytest.raises(
        TypeError, match=rf"<lambda>: {problem}.*this trace takes {re.escape('TensorSpec(shape=(None,)')}"
    ):
        call(concrete)


def test_specs_by_keyword_and_by_name():
    f = nf.function(lambda x, y=2.0: x - y)
    concrete = f.get_concrete_function(x=nf.TensorSpec([], name="first"), y=nf.TensorSpec([], name="second"))
    assert float(concrete(first=nf.constant(5.0), second=nf.constant(1.0))) == 4
    assert float(concrete(y=1.0, x=5.0)) == 4
    assert f.get_concrete_function(nf.TensorSpec([]), nf.TensorSpec([])) is concrete


def test_objects_are_not_kept_alive():
    class Model:
        k = 3.0

    f = nf.function(lambda model, x: x * model.k)
    model = Model()
    concrete = f.get_concrete_function(model, nf.TensorSpec([]))
    assert float(concrete(model, 2.0)) == float(concrete(nf.constant(2.0))) == 6
    del model
    assert concrete.structured_input_signature[0][0] is None and float(concrete(nf.constant(2.0))) == 6


def test_methods():
    class Model:
        @nf.function(input_signature=[ANY])
        def double(self, x):
            return x * 2.0

    model = Model()
    assert model.double.get_concrete_function()(ONE).numpy().tolist() == [2, 4]
    assert model.double.get_concrete_function(ONE) is model.double.get_concrete_function(nf.TensorSpec([5]))
