"""What cond, case, switch_case, while_loop, scan, foldl, foldr and map_fn take, return and refuse."""

import collections

import numpy as np
import pytest

import nbflow as nf

MODES = pytest.mark.parametrize("mode", ["eager", "traced"])


def run(mode, function, *arguments):
    return nf.function(function)(*arguments) if mode == "traced" else function(*arguments)


def count_to(limit, **options):
    return nf.while_loop(lambda i: i < limit, lambda i: i + 1, [nf.constant(0)], **options)


@MODES
def test_cond_takes_python_bools_and_numbers(mode):
    assert run(mode, lambda: nf.cond(True, lambda: nf.constant(1), lambda: nf.constant(2))).numpy() == 1
    assert run(mode, lambda x: nf.cond(x, lambda: nf.constant(1), lambda: nf.constant(2)), nf.constant(0)).numpy() == 2


@MODES
def test_cond_gives_what_the_branches_give(mode):
    found = run(mode, lambda p: nf.cond(p, lambda: [{"a": 1.0}, None], lambda: [{"a": 2.0}, None]), nf.constant(False))
    assert np.asarray(found[0]["a"]) == 2.0 and found[1] is None


@pytest.mark.parametrize(
    ("branches", "error", "match"),
    [
        ((lambda: 1.0, lambda: 1), TypeError, "int32.*float32"),
        ((lambda: (1, 2), lambda: [1, 2]), TypeError, "structure"),
        ((lambda: nf.ones([2]), lambda: nf.ones([2, 2])), TypeError, "rank"),
    ],
)
def test_branches_that_cannot_be_one_value(branches, error, match):
    with pytest.raises(error, match=match):
        nf.function(lambda p: nf.cond(p, *branches))(nf.constant(True))


def test_cond_needs_two_functions():
    with pytest.raises(TypeError, match="'false_fn' argument required"):
        nf.cond(True, lambda: 1)
    with pytest.raises(TypeError, match="'true_fn' must be callable"):
        nf.cond(True, 1, 2)


@MODES
def test_cond_runs_one_branch_only(mode):
    v = nf.Variable(0)
    run(mode, lambda p: nf.cond(p, lambda: v.assign_add(1), lambda: v.assign_add(10)), nf.constant(True))
    assert v.numpy() == 1


@MODES
def test_case(mode):
    def pick(x, **options):
        pairs = [(x < 2, lambda: [nf.constant(1)]), (x < 5, lambda: [nf.constant(2)])]
        return nf.case(pairs, **options)

    for x, wanted in ((0, 1), (3, 2)):
        assert run(mode, pick, nf.constant(x)).numpy() == wanted
    assert run(mode, lambda x: pick(x, default=lambda: nf.constant(3)), nf.constant(9)).numpy() == 3
    with pytest.raises(nf.errors.InvalidArgumentError, match="no predicate holds"):
        run(mode, pick, nf.constant(9))
    with pytest.raises(nf.errors.InvalidArgumentError, match="more than one predicate"):
        run(mode, lambda x: pick(x, exclusive=True), nf.constant(1))
    assert isinstance(run(mode, lambda x: pick(x, strict=True), nf.constant(0)), list)


def test_case_refuses():
    with pytest.raises(TypeError, match="pred must be a Tensor"):
        nf.case([(True, lambda: 1)])
    with pytest.raises(TypeError, match="type bool"):
        nf.case([(nf.constant(1), lambda: 1)])
    with pytest.raises(ValueError, match="empty"):
        nf.case([])
    with pytest.raises(TypeError, match="2-tuple"):
        nf.case([nf.constant(True)])


@MODES
@pytest.mark.parametrize("dtype", [nf.int32, nf.int64, nf.uint8])
def test_switch_case(mode, dtype):
    functions = {1: lambda: nf.constant(10), 0: lambda: nf.constant(20)}
    for index, wanted in ((0, 20), (1, 10), (7, 10)):
        assert run(mode, lambda k: nf.switch_case(k, functions), nf.constant(index, dtype)).numpy() == wanted
    other = run(mode, lambda k: nf.switch_case(k, functions, lambda: nf.constant(5)), nf.constant(2, dtype))
    assert other.numpy() == 5


def test_switch_case_refuses():
    with pytest.raises(TypeError, match="must be a Tensor"):
        nf.switch_case(1, [lambda: 1])
    with pytest.raises(TypeError, match="integer Tensor"):
        nf.switch_case(nf.constant(1.0), [lambda: 1])
    with pytest.raises(ValueError, match="at least one"):
        nf.switch_case(nf.constant(1), [])
    with pytest.raises(ValueError, match="contiguous"):
        nf.switch_case(nf.constant(1), {0: lambda: 1, 2: lambda: 2})


@MODES
def test_while_loop_returns_the_structure_of_its_variables(mode):
    Pair = collections.namedtuple("Pair", "j, k")
    start = (nf.constant(0), Pair(nf.constant(1), nf.constant(2)))
    found = run(
        mode, lambda: nf.while_loop(lambda i, p: i < 10, lambda i, p: (i + 1, Pair(p.j + p.k, p.j - p.k)), start)
    )
    assert isinstance(found, tuple) and isinstance(found[1], Pair)
    assert (found[1].j.numpy(), found[1].k.numpy()) == (32, 64)
    assert isinstance(run(mode, lambda: count_to(3)), list)


@MODES
def test_maximum_iterations(mode):
    for limit in (4, nf.constant(4), nf.constant(4, nf.int64)):
        assert run(mode, lambda limit=limit: count_to(30, maximum_iterations=limit))[0].numpy() == 4
    assert run(mode, lambda limit: count_to(30, maximum_iterations=limit), nf.constant(2))[0].numpy() == 2
    assert run(mode, lambda: count_to(30, maximum_iterations=-1))[0].numpy() == 0
    with pytest.raises(ValueError, match="must be a scalar"):
        count_to(30, maximum_iterations=[1])


@MODES
def test_while_loop_refuses(mode):
    zero = nf.constant(0)
    for arguments, error, match in (
        ((1, lambda i: i, [zero]), TypeError, "'cond' must be callable"),
        ((lambda i: i < 1, 1, [zero]), TypeError, "'body' must be callable"),
        ((lambda: True, lambda: (), []), ValueError, "'loop_vars' must be provided"),
        ((lambda i, j: i < 1, lambda i, j: (i + 1,), [zero, zero]), ValueError, "structures differ"),
    ):
        with pytest.raises(error, match=match):
            run(mode, lambda arguments=arguments: nf.while_loop(*arguments))
    with pytest.raises(TypeError, match="positive"):
        count_to(1, parallel_iterations=0)


def test_while_loop_names_the_variable_that_changes():
    def changing(body, **options):
        start = [nf.constant(0), nf.ones([2])]
        return nf.function(lambda: nf.while_loop(lambda i, state: i < 2, body, start, **options))()

    with pytest.raises(TypeError, match="'state' has dtype float32 before the loop, but dtype float64"):
        changing(lambda i, state: (i + 1, nf.cast(state, nf.float64)))
    with pytest.raises(ValueError, match="'state'.*number of dimensions"):
        changing(lambda i, state: (i + 1, nf.stack([state, state])))
    with pytest.raises(ValueError, match="'state'.*shape invariant"):
        changing(lambda i, state: (i + 1, nf.concat([state, state], 0)), shape_invariants=[[], [2]])
    with pytest.raises(ValueError, match="invariant"):
        changing(lambda i, state: (i + 1, state), shape_invariants=[[], [3]])
    with pytest.raises(ValueError, match="structure"):
        changing(lambda i, state: (i + 1, state), shape_invariants=[[]])
    assert changing(lambda i, state: (i + 1, nf.concat([state, state], 0)))[1].shape == (8,)


@MODES
def test_back_prop(mode):
    def gradient(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.while_loop(lambda y: y < 9.0, lambda y: y * x, [x], back_prop=False)[0]
        return tape.gradient(y, x, unconnected_gradients="zero")

    assert run(mode, gradient, nf.constant(2.0)).numpy() == 0.0


@MODES
def test_scans_and_folds_refuse(mode):
    x = nf.constant([1.0, 2.0])
    for function in (nf.scan, nf.foldl, nf.foldr):
        with pytest.raises(TypeError, match="'fn' must be callable"):
            function(1, x)
        with pytest.raises(ValueError, match="elems is empty"):
            run(mode, lambda x, function=function: function(lambda a, e: a + e, x), nf.zeros([0]))
        with pytest.raises(ValueError, match="2, 3"):
            function(lambda a, e: a, (x, nf.zeros([3])), 0.0)
        with pytest.raises(IndexError, match="scalar"):
            function(lambda a, e: a, nf.constant(1.0))
        with pytest.raises(ValueError, match="container"):
            run(mode, lambda x, function=function: function(lambda a, e: a[0], x, (0.0, 1.0)), x)
    with pytest.raises(ValueError, match="keep their shape"):
        run(mode, lambda x: nf.scan(lambda a, e: nf.concat([a, [e]], 0), x, nf.zeros([1])), x)
    with pytest.raises(TypeError, match="float32.*float64"):
        run(mode, lambda x: nf.scan(lambda a, e: nf.cast(a, nf.float64), x), x)


@MODES
def test_a_fold_may_change_its_shape(mode):
    found = run(
        mode, lambda x: nf.foldl(lambda a, e: nf.concat([a, [e]], 0), x, nf.zeros([1])), nf.constant([1.0, 2.0])
    )
    np.testing.assert_array_equal(found.numpy(), [0, 1, 2])


@MODES
def test_map_fn_refuses(mode):
    x = nf.constant([1, 2, 3])
    for arguments, error, match in (
        ((lambda e: nf.cast(e, nf.float32), x), nf.errors.InvalidArgumentError, "fn_output_signature=nf.float32"),
        ((lambda e: (e, e), x), ValueError, "container"),
        ((lambda e: e, nf.constant(1)), ValueError, "scalar"),
        ((lambda e: e, []), ValueError, "holds no tensor"),
        ((nf.range, x), ValueError, "shape"),
    ):
        with pytest.raises(error, match=match):
            run(mode, lambda arguments=arguments: nf.map_fn(*arguments))
    with pytest.raises(ValueError, match="signature says"):
        run(mode, lambda: nf.map_fn(lambda e: e, x, fn_output_signature=nf.TensorSpec([2], nf.int32)))


@MODES
def test_map_fn_of_other_dtypes_and_structures(mode):
    def mapped(x):
        return nf.map_fn(
            lambda e: (e["a"] > 1, {"b": [nf.cast(e["a"], nf.float64)], "c": 1}),
            {"a": x},
            fn_output_signature=(nf.bool, {"b": [nf.float64], "c": nf.int64}),
        )

    flags, rest = run(mode, mapped, nf.constant([1, 2]))
    np.testing.assert_array_equal(flags.numpy(), [False, True])
    assert rest["b"][0].dtype is nf.float64 and rest["c"].dtype is nf.int64


@MODES
def test_map_fn_of_nothing(mode):
    spec = nf.TensorSpec([3], nf.float32)
    found = run(mode, lambda: nf.map_fn(lambda e: nf.ones([3]), nf.zeros([0, 2]), fn_output_signature=spec))
    assert found.shape == (0, 3)
