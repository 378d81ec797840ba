"""plot_model: a model as a drawing of boxes and arrows, by the program Graphviz."""

import html
import os
import pathlib
import sys

import optree

from nbflow.keras.models.functional import Functional
from nbflow.keras.models.sequential import Sequential
from nbflow.keras.symbolic import KerasTensor, Operation
from nbflow.public import export


def _graphviz():
    try:
        import graphviz
    except ImportError:
        raise ImportError("Drawing models needs the package graphviz: pip install 'nbflow[plot]'") from None
    return graphviz


@export("keras.utils.model_to_dot")
def model_to_dot(
    model,
    show_shapes=False,
    show_dtype=False,
    show_layer_names=True,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    subgraph=False,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **kwargs,
):
    """A model as a graph in Graphviz' language (tf.keras.utils.model_to_dot).

    Args:
        model: a model that is built.
        show_shapes, show_dtype: whether boxes have the shapes and the dtype of what layers take and give.
        show_layer_names: whether they have the names of the layers.
        rankdir: "TB" for from top to bottom, "LR" for from left to right.
        expand_nested: whether the layers of inner models are drawn.
        dpi: the resolution, in dots per inch.
        subgraph: whether the result is a cluster, to be put into another graph.
        show_layer_activations: whether boxes have the names of activations.
        show_trainable: whether they say which weights are trained.
        splines: how arrows are drawn: "ortho", "curved", "polyline", "spline" or "line".

    Returns:
        A graphviz.Digraph; Keras has pydot's.

    Raises:
        ImportError: there is no package graphviz.
        ValueError: the model is not built.
    """
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the model on "
            "a batch of data."
        )
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
    shown = {"names": show_layer_names, "activations": show_layer_activations, "shapes": show_shapes,
             "dtype": show_dtype, "trainable": show_trainable}  # fmt: skip
    graphviz = _graphviz()
    name = f"cluster_{model.name}" if subgraph else model.name
    dot = graphviz.Digraph(name, node_attr={"shape": "plaintext", "fontname": "Helvetica", "margin": "0"})
    dot.attr("edge", penwidth="2")
    if subgraph:
        dot.attr(style="dashed", label=model.name, labeljust="l")
    else:
        dot.attr(rankdir=rankdir, concentrate="true", dpi=str(dpi), splines=splines)
    _draw(graphviz, dot, model, shown, expand_nested)
    return dot


def _draw(graphviz, dot, model, shown: dict, nested: bool) -> None:
    """Adds the boxes and arrows of a model."""
    if not isinstance(model, (Functional, Sequential)):
        dot.node(str(id(model)), _label(model, shown))
        return
    operations = model.layers if isinstance(model, Sequential) else model.operations
    for operation in operations:
        if nested and isinstance(operation, (Functional, Sequential)):
            inner = graphviz.Digraph(f"cluster_{id(operation)}")
            inner.attr(style="dashed", label=operation.name, labeljust="l")
            _draw(graphviz, inner, operation, shown, nested)
            dot.subgraph(inner)
        else:
            dot.node(str(id(operation)), _label(operation, shown))
    for edge in dict.fromkeys(_edges(model, nested)):
        dot.edge(*edge)


def _edges(model, nested: bool):
    """(id of a box, id of another) for each arrow."""
    if isinstance(model, Sequential):
        for before, after in zip(model.layers, model.layers[1:], strict=False):
            yield _box(_source(before, 0, nested)), _box(_target(after, 0, nested))
        return
    for step in model._network.steps:
        for k, tensor in enumerate(step.inputs):
            operation, _, place = tensor._keras_history
            yield _box(_source(operation, place, nested)), _box(_target(step.operation, k, nested))


def _box(operation: Operation) -> str:
    return str(id(operation))


def _source(operation, place: int, nested: bool):
    """The layer of an inner model that gives its result number `place`."""
    while nested and isinstance(operation, (Functional, Sequential)):
        if isinstance(operation, Sequential):
            operation, place = operation.layers[-1], 0
        else:
            operation, _, place = operation.outputs[place]._keras_history
    return operation


def _target(operation, place: int, nested: bool):
    """The layer of an inner model that takes its input number `place`."""
    while nested and isinstance(operation, (Functional, Sequential)):
        if isinstance(operation, Sequential):
            operation = operation.layers[0]
        else:
            operation = operation.inputs[place]._keras_history.operation
    return operation


def _label(operation, shown: dict) -> str:
    """The table in a box, in Graphviz' HTML."""
    kind = type(operation).__name__ if hasattr(operation, "weights") else operation.op.name
    name = f"<b>{html.escape(operation.name)}</b> ({kind})" if shown["names"] else f"<b>{kind}</b>"
    cells = []
    if shown["shapes"]:
        if kind != "InputLayer":
            cells.append(_cell(f"Input shape: <b>{_described(operation, 'input', 'shape')}</b>"))
        cells.append(_cell(f"Output shape: <b>{_described(operation, 'output', 'shape')}</b>"))
    if shown["dtype"]:
        cells.append(_cell(f"Output dtype: <b>{_described(operation, 'output', 'dtype')}</b>"))
    if shown["trainable"] and getattr(operation, "weights", ()):
        text, color = ("Trainable", "forestgreen") if operation.trainable else ("Non-trainable", "firebrick")
        cells.append(_cell(f"<b>{text}</b>", f'bgcolor="{color}"', 'color="white"'))
    span = f'colspan="{max(1, len(cells))}"'
    rows = [_cell(name, f'{span} bgcolor="black"', 'point-size="16" color="white"')]
    activation = getattr(operation, "activation", None)
    if shown["activations"] and activation is not None:
        said = getattr(activation, "__name__", getattr(activation, "name", str(activation)))
        rows.append(_cell(f"Activation: <b>{html.escape(said)}</b>", f'{span} bgcolor="white"'))
    rows += ["".join(cells)] if cells else []
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<<table border="0" cellborder="1" bgcolor="black" cellpadding="10">{table}</table>>'


def _cell(text: str, attributes: str = 'bgcolor="white"', font: str = 'point-size="14"') -> str:
    return f"<td {attributes}><font {font}>{text}</font></td>"


def _described(operation, side: str, what: str) -> str:
    """The shapes or dtypes of a layer's inputs or outputs."""
    try:
        structure = getattr(operation, side)
    except AttributeError:  # a model that was called on nothing
        return "?"

    def one(tensor):
        if not isinstance(tensor, KerasTensor):
            return "?"
        return tensor.shape if what == "shape" else tensor.dtype.name

    if isinstance(structure, KerasTensor):
        return html.escape(str(one(structure)))
    found = optree.tree_map(one, structure, none_is_leaf=True)
    text = ", ".join(f"{k}: {v}" for k, v in found.items()) if isinstance(found, dict) else str(found)
    return html.escape(text.replace("'", ""))


@export("keras.utils.plot_model")
def plot_model(
    model,
    to_file="model.png",
    show_shapes=False,
    show_dtype=False,
    show_layer_names=False,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **kwargs,
):
    """Draws a model into a file (tf.keras.utils.plot_model).

    Args:
        to_file: the file; its ending says what it is: .png, .svg, .pdf, or .dot for the text that Graphviz takes,
            which needs no program.
        The others: as of model_to_dot.

    Returns:
        In a notebook, the image.

    Raises:
        ImportError: the package graphviz or the program dot is missing.
    """
    dot = model_to_dot(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, False, show_layer_activations,
        show_trainable, splines, **kwargs,
    )  # fmt: skip
    path = pathlib.Path(os.fspath(to_file))
    kind = path.suffix[1:] or "png"
    if kind in ("dot", "gv"):
        path.write_text(dot.source, encoding="utf-8")
        return None
    try:
        path.write_bytes(dot.pipe(format=kind))
    except _graphviz().ExecutableNotFound:
        raise ImportError(
            "Drawing models needs the program dot of Graphviz, which was not found: install it (apt install graphviz, "
            "brew install graphviz, or https://graphviz.org/download). A .dot file needs no "
            "program: plot_model(model, 'model.dot')"
        ) from None
    if kind == "pdf" or "IPython" not in sys.modules:
        return None
    from IPython import display

    return display.Image(filename=str(path)) if kind != "svg" else display.SVG(filename=str(path))
