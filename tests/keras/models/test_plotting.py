"""Drawings of models: boxes, arrows, and what is said where Graphviz is missing."""

import re
import sys

import graphviz
import pytest

import nbflow as nf

keras = nf.keras
layers = keras.layers


@pytest.fixture
def model():
    x = keras.Input((4,), name="x")
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="i1"), layers.Dense(2, name="i2")], name="inner")
    y = layers.Dense(3, "relu", name="d", trainable=False)(x)
    return keras.Model(x, layers.Add(name="sum")([inner(y), layers.Dense(2, name="e")(y)]), name="m")


def boxes(dot):
    """{id: name} and the arrows between names."""
    names = dict(re.findall(r"(\d+) \[label=.*?<b>(.*?)</b>", dot.source))
    return list(names.values()), {(names[a], names[b]) for a, b in re.findall(r"(\d+) -> (\d+)", dot.source)}


def test_boxes_and_arrows(model):
    names, arrows = boxes(keras.utils.model_to_dot(model))
    assert sorted(names) == ["d", "e", "inner", "sum", "x"]
    assert arrows == {("x", "d"), ("d", "e"), ("d", "inner"), ("inner", "sum"), ("e", "sum")}


def test_inner_models(model):
    dot = keras.utils.model_to_dot(model, expand_nested=True)
    names, arrows = boxes(dot)
    assert sorted(names) == ["d", "e", "i1", "i2", "sum", "x"]
    assert {("d", "i1"), ("i1", "i2"), ("i2", "sum")} <= arrows and len(arrows) == 6
    assert "label=inner" in dot.source


def test_sequential():
    dot = keras.utils.model_to_dot(
        keras.Sequential([keras.Input((2,)), layers.Dense(1, name="a"), layers.Dense(1, name="b")])
    )
    assert boxes(dot) == (["a", "b"], {("a", "b")})


@pytest.mark.parametrize(
    "options, has, lacks",
    [
        ({}, ["<b>d</b> (Dense)"], ["shape:", "dtype:", "Activation", "Trainable"]),
        ({"show_layer_names": False}, ["<b>Dense</b>"], ["<b>d</b>"]),
        ({"show_shapes": True}, ["Input shape: <b>(None, 4)</b>", "Output shape: <b>(None, 3)</b>"], ["dtype:"]),
        ({"show_dtype": True}, ["Output dtype: <b>float32</b>"], ["shape:"]),
        ({"show_layer_activations": True}, ["Activation: <b>relu</b>"], []),
        ({"show_trainable": True}, [">Non-trainable<", ">Trainable<"], []),
        ({"rankdir": "LR", "dpi": 72, "splines": "line"}, ["rankdir=LR", "dpi=72", "splines=line"], []),
        ({"subgraph": True}, ["label=m", "style=dashed"], ["rankdir"]),
    ],
)
def test_options(model, options, has, lacks):
    source = keras.utils.model_to_dot(model, **options).source.replace("<b>", "<b>")
    assert all(text in source for text in has) and not any(text in source for text in lacks)


def test_a_model_without_known_layers_is_one_box():
    class Own(keras.Model):
        def call(self, x):
            return x

    own = Own(name="own")
    own.built = True
    assert boxes(keras.utils.model_to_dot(own)) == (["own"], set())


def test_files(model, tmp_path, monkeypatch):
    keras.utils.plot_model(model, tmp_path / "m.dot")
    assert (tmp_path / "m.dot").read_text().startswith("digraph m {")
    monkeypatch.setattr(graphviz.Digraph, "pipe", lambda self, format: f"{format} of {self.name}".encode())
    keras.utils.plot_model(model, str(tmp_path / "m.svg"), show_shapes=True)
    assert (tmp_path / "m.svg").read_text() == "svg of m"


def test_what_is_missing(model, tmp_path, monkeypatch):
    def absent(self, format):
        raise graphviz.ExecutableNotFound(["dot"])

    monkeypatch.setattr(graphviz.Digraph, "pipe", absent)
    with pytest.raises(ImportError, match="program dot"):
        keras.utils.plot_model(model, tmp_path / "m.png")
    assert not list(tmp_path.iterdir())
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"nbflow\[plot\]"):
        keras.utils.model_to_dot(model)


def test_errors(model):
    with pytest.raises(ValueError, match="not yet been built"):
        keras.utils.model_to_dot(keras.Sequential([layers.Dense(1)]))
    with pytest.raises(ValueError, match="nonsense"):
        keras.utils.model_to_dot(model, nonsense=1)
