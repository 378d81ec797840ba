"""Models of all three kinds: what they compute, hold, say of themselves and refuse."""

import numpy as np
import pytest

import nbflow as nf

keras = nf.keras
layers = keras.layers
X = np.linspace(-1, 1, 24, dtype="float32").reshape(6, 4)


class Own(keras.Model):
    """A subclass that has layers in lists and dicts, a weight and a metric."""

    def __init__(self, units=3):
        super().__init__()
        self.first = layers.Dense(units)
        self.more = {"a": layers.Dense(2), "b": [layers.Dropout(0.5)]}
        self.scale = nf.Variable(2.0)

    def call(self, x, training=None):
        return self.more["b"][0](self.more["a"](self.first(x)), training=training) * self.scale


# --- functional models ------------------------------------------------------------------------------------------------


def test_wide_and_deep():
    wide, deep = keras.Input((2,), name="wide"), keras.Input((4,), name="deep")
    hidden = layers.Dense(3, "relu")(layers.Dense(3, "relu")(deep))
    joined = layers.concatenate([wide, hidden])
    model = keras.Model([wide, deep], [layers.Dense(1, name="main")(joined), layers.Dense(1, name="aux")(hidden)])
    assert model.input_names == ["wide", "deep"] and model.output_names == ["main", "aux"]
    a, b = model([X[:, :2], X])
    c, d = model({"deep": X, "wide": X[:, :2]})
    np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(b, d)
    assert model.input_shape == [(None, 2), (None, 4)] and model.output_shape == [(None, 1), (None, 1)]


def test_shared_layers_have_their_weights_once():
    x = keras.Input((4,))
    shared = layers.Dense(4)
    model = keras.Model(x, layers.Add()([shared(x), shared(shared(x))]))
    assert len(model.weights) == 2 and len(model.layers) == 3
    once = X @ shared.kernel.numpy() + shared.bias.numpy()
    np.testing.assert_allclose(model(X), once + once @ shared.kernel.numpy() + shared.bias.numpy(), 1e-5, 1e-6)


def test_models_in_models():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="inside"), layers.BatchNormalization()])
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(1)(inner(x)))
    assert [len(model.weights), len(model.trainable_weights)] == [8, 6]
    inner.trainable = False
    assert [len(model.trainable_weights), len(model.non_trainable_weights)] == [2, 6]
    part = keras.Model(inner.input, inner.get_layer("inside").output)
    np.testing.assert_array_equal(part(X), inner.get_layer("inside")(X))


OPS = {
    "arithmetic": lambda x: (2 * x + 1 - x / 2) ** 2.0,
    "slices": lambda x: x[:, ::2],
    "functions": lambda x: nf.concat([nf.nn.relu(x), nf.reduce_sum(x, -1, keepdims=True)], -1),
    "shapes": lambda x: nf.reshape(x, [nf.shape(x)[0], 2, 2]),
    "matmul": lambda x: x @ nf.ones([4, 2]),
    "comparison": lambda x: nf.where(x > 0, x, nf.zeros_like(x)),
    "casts": lambda x: nf.cast(nf.cast(x, "int32"), "float32"),
    "several results": lambda x: nf.split(x, 2, axis=1)[1],
}


@pytest.mark.parametrize("name", OPS)
def test_ops_between_layers(name, tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, OPS[name](x))
    expected = OPS[name](nf.constant(X))
    assert model.output_shape[1:] == tuple(expected.shape[1:])
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, 1e-6)
    np.testing.assert_allclose(model(X[:1]), OPS[name](nf.constant(X[:1])), 1e-6)
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "m.keras")(X), expected, 1e-6)


def test_structures_of_inputs_and_outputs():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model({"p": a, "q": [b]}, {"sum": a + b, "parts": (a, [b * 2])})
    found = model({"p": X, "q": [2 * X]})
    np.testing.assert_array_equal(found["sum"], 3 * X)
    np.testing.assert_array_equal(found["parts"][1][0], 4 * X)
    assert sorted(model.predict({"p": X, "q": [X]}, verbose=0)) == ["parts", "sum"]


def test_ranks_and_dtypes_are_made_to_fit():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    assert model.predict(np.arange(3), verbose=0).shape == (3, 1)
    assert model(np.arange(3.0)).dtype == nf.float32


@pytest.mark.parametrize(
    "attempt, message",
    [
        (lambda: keras.Model(keras.Input((4,)), layers.Dense(1)(keras.Input((4,)))), "not connected"),
        (lambda: keras.Model(X, keras.Input((4,))), "KerasTensor|positional|inputs"),
        (lambda: keras.Model(*[keras.Input((4,))] * 2)(X[:, :3]), r"expected shape=\(None, 4\), found shape=\(6, 3\)"),
        (lambda: keras.Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")]), "unique"),
        (lambda: keras.Sequential([layers.Dense(1), keras.Input((3,))]), "Input"),
        (lambda: keras.Sequential([3]), "Only instances of"),
        (lambda: keras.Sequential([layers.Dense(1)]).summary().nonsense, "NoneType|attribute"),
        (lambda: keras.Sequential([layers.Dense(1)]).output, "has no defined output"),
    ],
)
def test_refused(attempt, message):
    with pytest.raises((ValueError, TypeError, AttributeError), match=message):
        attempt()


# --- Sequential -------------------------------------------------------------------------------------------------------


def test_sequential_is_built_when_it_can_be():
    model = keras.Sequential()
    model.add(layers.Dense(3))
    assert not model.built and model.weights == []
    model.build((None, 4))
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2) and [tuple(w.shape) for w in model.weights] == [(4, 3), (3,), (3, 2), (2,)]
    assert isinstance(model.pop(), layers.Dense) and model(X).shape == (6, 3)
    assert len(keras.Sequential([layers.Dense(2, input_shape=(4,))]).weights) == 2


# --- subclasses -------------------------------------------------------------------------------------------------------


def test_a_subclass_finds_what_it_holds():
    model = Own()
    assert [tuple(w.shape) for w in model.weights] == [()]
    model(X)
    assert [tuple(w.shape) for w in model.trainable_weights] == [(), (4, 3), (3,), (3, 2), (2,)]
    assert len(model.layers) == 3 and model.count_params() == 1 + 12 + 3 + 6 + 2
    assert not np.array_equal(model(X, training=True), model(X, training=True))
    np.testing.assert_array_equal(model(X), model(X, training=False))


def test_a_subclass_is_built_for_a_shape():
    model = Own()
    model.build((None, 4))
    assert model.built and len(model.weights) == 5
    with pytest.raises(ValueError):
        Own().build(3)


def test_a_subclass_in_a_model():
    x = keras.Input((4,))
    own = Own()
    model = keras.Model(x, own(x))
    np.testing.assert_allclose(model.predict(X, verbose=0), own(X), 1e-6)


def test_a_subclass_with_control_flow_and_several_inputs():
    class Branching(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            a, b = inputs["a"], inputs["b"]
            if nf.reduce_sum(a) > 0:
                a = a + b
            return self.dense(a)

    model = Branching()
    model.compile("sgd", "mse")
    data = {"a": X, "b": X + 1}
    assert np.isfinite(model.fit(data, X[:, :1], verbose=0).history["loss"][0])
    assert model.predict(data, verbose=0).shape == (6, 1)


def test_a_layer_with_its_own_metric_and_loss():
    class Watched(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = keras.metrics.Mean(name="seen")

        def call(self, x):
            self.seen.update_state(nf.reduce_sum(x))
            self.add_loss(nf.reduce_sum(x) * 0.0 + 1.5)
            return x

    model = keras.Sequential([keras.Input((4,)), Watched()])
    model.compile("sgd")
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        history = model.fit(np.ones((6, 4)), batch_size=3, verbose=0).history
    assert history == {"loss": [1.5], "seen": [12.0]}
    model(X)
    assert [float(loss) for loss in model.losses] == [1.5]


# --- what all have ----------------------------------------------------------------------------------------------------


def test_layers_by_name_and_position():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    assert model.get_layer("b") is model.layers[1] is model.get_layer(index=1)
    for arguments, message in (({}, "Provide either"), ({"name": "c"}, "No such layer: c"), ({"index": 5}, "index 5")):
        with pytest.raises(ValueError, match=message):
            model.get_layer(**arguments)


def test_weights_are_set_in_order():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.Dense(1)])
    assert [w.name for w in model.weights] == [
        "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "kernel", "bias",
    ]  # fmt: skip
    values = [np.full(w.shape, k, "float32") for k, w in enumerate(model.weights)]
    model.set_weights(values)
    for found, value in zip(model.get_weights(), values, strict=True):
        np.testing.assert_array_equal(found, value)
    with pytest.raises(ValueError, match="expecting 8 weights"):
        model.set_weights(values[:3])
    with pytest.raises(ValueError, match="not compatible with provided weight shape"):
        model.set_weights([values[1], *values[1:]])


def test_a_frozen_layer_stays_as_it_is():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(1)])
    model.get_layer("a").trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, X[:, :1], verbose=0)
    after = model.get_weights()
    assert [np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [True, True, False, False]
    model.trainable = True
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    assert not np.array_equal(model.get_weights()[0], before[0])


def test_summary():
    lines = []
    x = keras.Input((4,), name="x")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="inside")], name="inner")
    model = keras.Model(x, layers.Dense(1, name="last")(inner(x)), name="outer")
    model.get_layer("last").trainable = False
    model.summary(print_fn=lines.append, expand_nested=True, show_trainable=True)
    text = "\n".join(lines)
    for part in (
        'Model: "outer"', "x (InputLayer)", "(None, 4)", "inner (Sequential)", "inside (Dense)", "(None, 3)", "15",
        "Total params: 19 (76.00 B)", "Trainable params: 15 (60.00 B)", "Non-trainable params: 4 (16.00 B)",
    ):  # fmt: skip
        assert part in text
    lines.clear()
    model.summary(print_fn=lines.append, layer_range=["inner", "last"])
    assert "x (InputLayer)" not in lines[0] and "last (Dense)" in lines[0]


def test_evaluating_one_example_and_none():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    assert model.predict_on_batch(X[:1]).shape == (1, 1)
    with pytest.raises(ValueError, match="empty|cardinality|not a single batch"):
        model.predict(X[:0], verbose=0)
