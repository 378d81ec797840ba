"""Optimizers against TensorFlow's numbers, eager and traced, and what their users rely on."""

import ast
import pathlib

import numpy as np
import pytest

import nbflow as nf

FOLDER = pathlib.Path(__file__).parents[1] / "golden"
GOLDEN = np.load(FOLDER / "optimizers.npz")


def settings():
    """The constants of the script that made the golden values."""
    body = ast.parse((FOLDER / "make_optimizers.py").read_text()).body
    values = {}
    for statement in body:
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
            names = [n.id for n in (target.elts if isinstance(target, ast.Tuple) else [target])]
            value = ast.literal_eval(statement.value)
            values.update(zip(names, value if isinstance(target, ast.Tuple) else [value], strict=True))
    return values


SETTINGS = settings()
CASES, STEPS = SETTINGS["CASES"], SETTINGS["STEPS"]


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize("case", CASES)
def test_as_tensorflow(case, traced):
    kind, arguments = CASES[case]
    optimizer = getattr(nf.keras.optimizers, kind)(**arguments)
    variables = [nf.Variable(GOLDEN[f"start/{k}"]) for k in (0, 1)]
    gradients = [GOLDEN[f"gradients/{k}"] for k in (0, 1)]

    def update(*given):
        optimizer.apply_gradients(zip(given, variables, strict=True))

    step = nf.function(update) if traced else update
    for number in range(STEPS):
        if number == SETTINGS["HALVED_AT"]:
            optimizer.learning_rate = arguments["learning_rate"] / 2
        skipped = number == SETTINGS["SKIPPED_AT"]
        step(nf.constant(gradients[0][number]), None if skipped else nf.constant(gradients[1][number]))
        for k in (0, 1):
            np.testing.assert_allclose(variables[k].numpy(), GOLDEN[f"{case}/{k}"][number], rtol=2e-5, atol=2e-6)
    assert int(optimizer.iterations) == STEPS


@pytest.mark.parametrize("make", [nf.optimizers.SGD, lambda r: nf.optimizers.SGD(r, momentum=0.9), nf.optimizers.Adam])
def test_minimize(make):
    x, y = nf.Variable([3.0, -2.0]), nf.Variable(1.0)

    def loss():
        return nf.reduce_sum(nf.square(x - 1.0)) + nf.square(y + 2.0)

    optimizer = make(0.1)
    for _ in range(300):
        optimizer.minimize(loss, [x, y])
    np.testing.assert_allclose([*x.numpy(), y.numpy()], [1, 1, -2], atol=1e-2)
    with nf.GradientTape() as tape:
        value = loss()
    optimizer.minimize(value, lambda: [x, y], tape=tape)
    assert int(optimizer.iterations) == 301


def test_learning_rate():
    optimizer = nf.optimizers.SGD(learning_rate=0.1)
    w = nf.Variable(1.0)
    step = nf.function(lambda: optimizer.apply_gradients([(nf.constant(1.0), w)]))
    step()
    optimizer.learning_rate = 0.5
    step()
    optimizer.learning_rate.assign(0.25)
    step()
    assert float(w) == pytest.approx(1 - 0.1 - 0.5 - 0.25) and float(optimizer.lr) == 0.25
    assert optimizer.get_config()["learning_rate"] == 0.25
    rates = iter([0.5, 1.0, 2.0])
    scheduled = nf.optimizers.SGD(lambda: next(rates))
    w.assign(0.0)
    for _ in range(2):
        scheduled.apply_gradients([(nf.constant(1.0), w)])
    assert float(w) == -3


def test_constraints():
    v = nf.Variable([1.0, 2.0], constraint=lambda w: nf.clip_by_value(w, 0.0, 1.5))
    nf.optimizers.SGD(0.1).apply_gradients([(nf.constant([20.0, 1.0]), v)])
    np.testing.assert_array_equal(v.numpy(), [0, 1.5])
    assert v.constraint(nf.constant(-1.0)) == 0 and nf.Variable(1.0).constraint is None


def test_one_program_updates_all_variables():
    optimizer = nf.optimizers.Adam()
    variables = [nf.Variable(nf.ones([size])) for size in (3, 5, 7, 2)]
    for _ in range(3):
        optimizer.apply_gradients([(nf.ones(v.shape), v) for v in variables])
    (update,) = optimizer._updates.values()
    assert update.experimental_get_tracing_count() == 1
    for v in variables:
        np.testing.assert_allclose(v.numpy(), np.full(v.shape, 0.997), rtol=1e-4)


def test_state():
    v = nf.Variable([1.0, 2.0])
    for optimizer, count in (
        (nf.optimizers.SGD(), 2),
        (nf.optimizers.SGD(momentum=0.9), 3),
        (nf.optimizers.Adam(), 4),
        (nf.optimizers.Adam(amsgrad=True), 5),
    ):
        optimizer.build([v])
        assert len(optimizer.variables) == count
        assert all(not slot.trainable for slot in optimizer.variables)
        assert type(optimizer)(**optimizer.get_config()).get_config() == optimizer.get_config()


def test_the_optimizer_may_be_made_inside_a_first_call():
    made = []
    w = nf.Variable([1.0, 2.0])

    @nf.function
    def step(x):
        if not made:
            made.append(nf.optimizers.SGD(0.5, momentum=0.5))
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(w * x)
        made[0].apply_gradients([(tape.gradient(loss, w), w)])
        return loss

    assert [float(step(nf.ones([2]))) for _ in range(3)] == [3, 2, 0.5]


def test_dtypes():
    v = nf.Variable([1.0, 2.0], dtype=nf.float64)
    for optimizer in (nf.optimizers.SGD(0.1, momentum=0.9, nesterov=True), nf.optimizers.Adam(0.1)):
        optimizer.apply_gradients([(nf.constant([1.0, 1.0], nf.float64), v)])
        assert v.dtype == nf.float64 and np.all(v.numpy() < [1, 2])
    v = nf.Variable([1.0, 2.0])
    nf.optimizers.SGD(0.5).apply_gradients([(np.array([1.0, 1.0], np.float32), v)])
    assert v.numpy().tolist() == [0.5, 1.5]


W = nf.Variable([1.0, 2.0], name="w")
GOOD = nf.constant([1.0, 1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda o: o.apply_gradients([]), ValueError, "No gradients provided"),
        (lambda o: o.apply_gradients([(None, W)]), ValueError, "No gradients provided for any variable: .'w:0'"),
        (
            lambda o: o.apply_gradients([(nf.ones([3]), W)]),
            ValueError,
            r"the gradient of 'w:0' is float32 of shape \(3,\)",
        ),
        (lambda o: o.apply_gradients([(nf.ones([2], nf.float64), W)]), ValueError, "is float64 of shape"),
        (lambda o: o.apply_gradients([(GOOD, GOOD)]), TypeError, "takes .gradient, Variable. pairs"),
        (lambda o: o.minimize(GOOD, [W]), ValueError, "`tape` is required"),
        (lambda o: nf.optimizers.SGD("a"), ValueError, "SGD: learning_rate is 'a'; it takes a number"),
        (lambda o: nf.optimizers.SGD(None), ValueError, "SGD: learning_rate is None"),
        (lambda o: nf.optimizers.SGD(-1.0), ValueError, "SGD: learning_rate is -1.0"),
        (lambda o: nf.optimizers.SGD(0.1, momentum=2.0), ValueError, "SGD: momentum is 2.0"),
        (lambda o: nf.optimizers.Adam(0.1, beta_1=1.5), ValueError, "Adam: beta_1 is 1.5"),
        (lambda o: nf.optimizers.Adam(0.1, beta_2=-0.5), ValueError, "Adam: beta_2 is -0.5"),
        (lambda o: nf.optimizers.SGD(0.1, bogus=1), TypeError, "bogus"),
    ],
)
def test_misuse(call, error, message):
    with pytest.raises(error, match=message):
        call(nf.optimizers.SGD(0.1))
    assert W.numpy().tolist() == [1, 2]
