"""What users of optimizers rely on: rates, state, arguments, errors; test_as_keras has the numbers."""

import numpy as np
import pytest

import nbflow as nf


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
    optimizer.learning_rate = np.float64(0.5)  # as callbacks compute it
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
    assert float(w) == -1.5  # it is called for updates only, once each


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
    nf.optimizers.Adagrad(0.5).apply_gradients([(nf.constant([1.0, 1.0], nf.float64), v)])  # it takes v's dtype
    assert v.dtype == nf.float32


W = nf.Variable([1.0, 2.0], name="w")
GOOD = nf.constant([1.0, 1.0])
O = nf.optimizers
COSINE = O.schedules.CosineDecay(0.1, 10)


def built():
    optimizer = O.SGD(0.1)
    optimizer.build([W])
    return optimizer


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda o: o.apply_gradients([]), ValueError, "No gradients provided"),
        (lambda o: o.apply_gradients([(None, W)]), ValueError, "No gradients provided for any variable: .'w:0'"),
        (
            lambda o: o.apply_gradients([(nf.ones([3]), W)]),
            nf.errors.InvalidArgumentError,
            r"the gradient of 'w:0' is float32 of shape \(3,\)",
        ),
        (lambda o: o.apply_gradients([(GOOD, nf.Variable(1.0))]), ValueError, "Unknown variable"),
        (lambda o: o.apply([GOOD, GOOD]), ValueError, "Received a list of 2 gradients"),
        (lambda o: O.SGD().apply([GOOD]), ValueError, "must already be built"),
        (lambda o: O.SGD().apply([GOOD], [GOOD]), TypeError, "gradients come with Variables"),
        (lambda o: o.minimize(GOOD, [W]), ValueError, "`tape` is required"),
        (lambda o: O.SGD("a"), ValueError, "`learning_rate` should be float.* Received instead: learning_rate='a'"),
        (lambda o: O.SGD(None), ValueError, "learning_rate=None"),
        (lambda o: O.SGD(0.1, momentum=2.0), ValueError, "`momentum` must be a float between"),
        (lambda o: O.SGD(0.1, bogus=1), ValueError, "not recognized: {'bogus': 1}"),
        (lambda o: O.SGD(clipnorm=1.0, clipvalue=1.0), ValueError, "Only one of `clipnorm`"),
        (lambda o: O.SGD(gradient_accumulation_steps=1), ValueError, "must be an integer >= 2"),
        (lambda o: O.SGD(use_ema=True, ema_momentum=1.5), ValueError, "`ema_momentum` must be in the range"),
        (lambda o: O.SGD(use_ema=True, ema_overwrite_frequency=0.5), ValueError, "`ema_overwrite_frequency` must be"),
        (lambda o: O.AdamW(weight_decay=None), ValueError, "`weight_decay` must be a float"),
        (lambda o: O.Lion(beta_1=0.0), ValueError, "`beta_1` must be in"),
        (lambda o: O.Ftrl(learning_rate_power=0.5), ValueError, "`learning_rate_power` needs to be negative or zero"),
        (lambda o: O.Ftrl(l1_regularization_strength=-1), ValueError, "needs to be positive or zero"),
        (lambda o: O.LossScaleOptimizer(o, clipnorm=1.0), ValueError, "does not support `clipnorm`"),
        (lambda o: O.LossScaleOptimizer(o, bogus=False), ValueError, "does not support `bogus`"),
        (lambda o: O.LossScaleOptimizer(o, dynamic=False), ValueError, "does not support `dynamic`"),
        (lambda o: setattr(O.SGD(COSINE), "learning_rate", 0.1), TypeError, "is not settable"),
        (lambda o: O.get("nothing"), ValueError, "Could not interpret optimizer identifier: 'nothing'"),
        (lambda o: O.get(7), ValueError, "Could not interpret optimizer identifier: 7"),
        (lambda o: O.get(O.SGD), ValueError, "Could not interpret optimizer identifier"),
        (lambda o: O.Optimizer(0.1).apply([GOOD], [W]), NotImplementedError, "does not define update_step"),
        (lambda o: O.schedules.CosineDecay(0.1, 0), ValueError, "`decay_steps` must be > 0"),
        (lambda o: O.schedules.CosineDecayRestarts(0.1, 0), ValueError, "`first_decay_steps` must be > 0"),
        (lambda o: O.schedules.PiecewiseConstantDecay([1], [1.0]), ValueError, "should be 1 less than"),
        (lambda o: O.schedules.LearningRateSchedule()(1), NotImplementedError, "must override `__call__"),
        (lambda o: O.schedules.LearningRateSchedule().get_config(), NotImplementedError, "must override `get_config"),
    ],
)
def test_misuse(call, error, message):
    with pytest.raises(error, match=message):
        call(built())
    assert W.numpy().tolist() == [1, 2]


def test_names():
    for name in (
        "sgd",
        "Adam",
        "ADAMW",
        "adamax",
        "nadam",
        "Adagrad",
        "adadelta",
        "RMSprop",
        "Ftrl",
        "lion",
        "adafactor",
    ):
        found = O.get(name)
        assert type(found).__name__.lower() == name.lower() and O.get(found) is found
    assert O.get(None) is None and O.get({"class_name": "Adam", "config": {"beta_1": 0.5}}).beta_1 == 0.5
    assert nf.keras.optimizers.SGD is O.SGD and nf.keras.Optimizer is O.Optimizer


def test_configurations_hold_schedules_and_ignore_what_is_gone():
    optimizer = O.Nadam(O.schedules.PolynomialDecay(0.1, 5))
    made = O.deserialize(O.serialize(optimizer))
    assert made.learning_rate == optimizer.learning_rate and made.get_config() == optimizer.get_config()
    with pytest.warns(UserWarning, match="`decay` is no longer supported"):
        O.SGD.from_config({"learning_rate": 0.1, "decay": 0.5})


def test_schedules_follow_the_steps():
    v, optimizer = nf.Variable(0.0), O.SGD(O.schedules.PiecewiseConstantDecay([1, 3], [1.0, 10.0, 100.0]))
    step = nf.function(lambda: optimizer.apply([nf.constant(-1.0)], [v]))
    found = []
    for _ in range(5):
        step()
        found.append(float(v))
    assert found == [1, 2, 12, 22, 122] and float(optimizer.learning_rate) == 100
    assert len(optimizer.variables) == 1  # there is no rate among them


def test_schedules_may_branch():
    class Late(O.schedules.LearningRateSchedule):
        def __call__(self, step):
            if step < 2:
                return 1.0
            return 0.5

    v, optimizer = nf.Variable(0.0), O.SGD(Late())
    for _ in range(4):
        optimizer.apply([nf.constant(-1.0)], [v])
    assert float(v) == 3 and optimizer.learning_rate == 0.5


def test_rates_may_be_replaced_by_a_schedule():
    v, optimizer = nf.Variable(0.0), O.SGD(1.0)
    optimizer.apply([nf.constant(-1.0)], [v])
    optimizer.learning_rate = O.schedules.ExponentialDecay(4.0, 1, 0.5)
    optimizer.apply([nf.constant(-1.0)], [v])
    assert float(v) == 3 and len(optimizer.variables) == 1


def test_settings_may_change_between_steps():
    v, optimizer = nf.Variable(1.0), O.SGD(0.5)
    optimizer.apply([nf.constant(1.0)], [v])
    optimizer.weight_decay = 1.0
    optimizer.apply([nf.constant(0.0)], [v])
    assert float(v) == 0.25


def test_state_is_saved_and_loaded():
    values, stores = [], []
    for _ in range(2):
        v, optimizer = nf.Variable([1.0, 2.0]), O.Adam(0.1, amsgrad=True)
        optimizer.build([v])
        if stores:
            optimizer.load_own_variables(stores[0])
        else:
            optimizer.apply([GOOD], [v])
            stores.append({})
            optimizer.save_own_variables(stores[0])
        assert int(optimizer.iterations) == 1 and sorted(stores[0]) == ["0", "1", "2", "3", "4"]
        v.assign([1.0, 1.0])
        optimizer.apply([-3 * GOOD], [v])
        values.append(v.numpy())
    np.testing.assert_array_equal(*values)
    with pytest.warns(UserWarning, match="it has 2 variables whereas the saved optimizer has 5"):
        O.SGD().load_own_variables(stores[0])


def test_averages_replace_variables_in_the_end():
    v, optimizer = nf.Variable([8.0]), O.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(3):
        optimizer.apply([nf.constant([2.0])], [v])  # 6, 4, 2
    assert v.numpy() == [2]
    optimizer.finalize_variable_values([v])
    assert v.numpy() == [0.5 * (0.5 * 6 + 0.5 * 4) + 0.5 * 2]
    with pytest.raises(ValueError, match="does not match the length"):
        optimizer.finalize_variable_values([])


def test_losses_are_scaled():
    assert float(O.SGD(loss_scale_factor=4.0).scale_loss(nf.constant(2.0))) == 8
    assert float(O.SGD().scale_loss(2.0)) == 2
    v, optimizer = nf.Variable([1.0]), O.LossScaleOptimizer(O.SGD(1.0, loss_scale_factor=2.0), initial_scale=8.0)
    assert optimizer.inner_optimizer.loss_scale_factor is None and float(optimizer.scale_loss(nf.constant(1.0))) == 8
    for gradient in (8.0, np.inf, 4.0):
        optimizer.apply([nf.constant([gradient])], [v])
    assert v.numpy() == [-1] and int(optimizer.iterations) == 2
    assert optimizer.scale_loss(nf.constant(1.0, nf.float16)).dtype == nf.float32
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == 0.25


def test_optimizers_written_as_for_keras():
    class Momentum(O.Optimizer):
        def __init__(self, momentum=0.5, **kwargs):
            super().__init__(learning_rate=1.0, **kwargs)
            self.momentum = momentum

        def build(self, variables):
            super().build(variables)
            self.momentums = [
                self.add_variable_from_reference(reference_variable=v, name="momentum", initializer="ones")
                for v in variables
            ]

        def update_step(self, gradient, variable, learning_rate):
            m = self.momentums[self._get_variable_index(variable)]
            self.assign(m, m * self.momentum + nf.cast(gradient, variable.dtype))
            self.assign_sub(variable, m * nf.cast(learning_rate, variable.dtype))

    v, optimizer = nf.Variable([1.0, 2.0], name="a/v"), Momentum(name="mine")
    for _ in range(2):
        optimizer.apply([GOOD], [v])
    np.testing.assert_array_equal(v, [1 - 1.5 - 1.75, 2 - 1.5 - 1.75])
    assert [state.path for state in optimizer.variables[1:]] == ["mine/learning_rate", "mine/a_v_0_momentum"]


def test_variables_of_layers():
    v = nf.keras.Variable([1.0, 2.0], name="kernel")
    optimizer = O.Adam(0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["ker"])
    for _ in range(2):
        optimizer.apply([GOOD], [v])
    np.testing.assert_allclose(v.numpy(), [0, 1], atol=1e-4)
    assert optimizer.variables[2].name == "kernel_momentum"
