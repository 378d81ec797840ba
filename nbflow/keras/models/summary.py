"""The table that Model.summary prints."""

import io
import math
import sys
from typing import Any

import optree
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nbflow.keras.layers.layer import Layer
from nbflow.keras.symbolic import KerasTensor

_SEQUENTIAL = {"Layer (type)": 33, "Output Shape": 24, "Param #": 15}
_CONNECTED = {"Layer (type)": 21, "Output Shape": 19, "Param #": 12, "Connected to": 19}
_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def summary_text(model, line_length=None, expand_nested=False, show_trainable=False, layer_range=None) -> str:
    """The table of a model's layers, with the numbers of its weights below."""
    network = getattr(model, "_network", None)
    steps = set(network.steps) if network is not None else set()
    straight = network is None or all(len(step.inputs) <= 1 for step in steps)
    straight = straight and not _branches(steps)
    widths = dict(_SEQUENTIAL if straight else _CONNECTED)
    if show_trainable:
        widths["Trainable"] = 9
    scale = 1.0 if line_length is None else line_length / (sum(widths.values()) + len(widths) + 1)
    table = Table(show_lines=True)
    for name, width in widths.items():
        justify: Any = {"Param #": "right", "Trainable": "center"}.get(name, "left")
        table.add_column(name, justify=justify, min_width=4, width=max(4, int((width - 2) * scale)))
    layers = model.operations if network is not None else model.layers
    for layer in _chosen(layers, layer_range):
        _add_rows(table, layer, list(widths), steps, expand_nested, "")
    console = Console(file=io.StringIO(), width=max(80, line_length or 0), force_terminal=False, record=True)
    console.print(f'[bold]Model: "{escape(model.name)}"[/]')
    console.print(table)
    for line in _totals(model):
        console.print(line)
    return console.export_text(styles=sys.stdout.isatty()).rstrip("\n")


def _branches(steps) -> bool:
    """Whether a tensor is used by several steps."""
    used = [id(t) for step in steps for t in step.inputs]
    return len(used) != len(set(used))


def _chosen(layers: list, layer_range) -> list:
    if layer_range is None:
        return layers
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ValueError("`layer_range` must be the names of two layers, the first and the last")
    found = [[k for k, layer in enumerate(layers) if layer.name == name] for name in layer_range]
    if not all(found):
        raise ValueError(f"Layer range {layer_range} does not name layers of the model: {[la.name for la in layers]}")
    return layers[found[0][0] : found[1][-1] + 1]


def _add_rows(table: Table, layer, columns: list[str], steps: set, nested: bool, indent: str) -> None:
    cells = {
        "Layer (type)": f"{indent}[cyan]{escape(layer.name)}[/] ({type(layer).__name__})",
        "Output Shape": _shape_text(layer),
        "Param #": _count_text(layer),
        "Connected to": ", ".join(
            f"{h.operation.name}[{h.node_index}][{h.tensor_index}]"
            for step in layer._inbound_nodes if step in steps for h in (t._keras_history for t in step.inputs)
        ) or "-",
        "Trainable": "-" if not isinstance(layer, Layer) or not layer.weights else "Y" if layer.trainable else "N",
    }  # fmt: skip
    cells["Connected to"] = escape(cells["Connected to"])
    table.add_row(*(cells[name] for name in columns))
    if nested and hasattr(layer, "layers"):
        for inner in layer.layers:
            _add_rows(table, inner, columns, set(), nested, f"{indent}   └ ")


def _shape_text(layer) -> str:
    if layer._inbound_nodes:
        shapes = optree.tree_map(
            lambda t: t.shape if isinstance(t, KerasTensor) else t, layer._inbound_nodes[-1].output_structure
        )
    elif isinstance(layer, Layer) and layer.built and layer._build_shapes:
        try:
            built = layer._build_shapes.get("shapes_dict", layer._build_shapes)
            shapes = layer.compute_output_shape(**built)
        except Exception:  # a layer whose call cannot be traced for such a shape has none to show
            return "?"
    else:
        return "?"
    if isinstance(shapes, tuple) and all(n is None or isinstance(n, int) for n in shapes):
        return f"({', '.join(map(str, shapes))}{',' if len(shapes) == 1 else ''})"
    return escape(str(shapes))


def _count_text(layer) -> str:
    if not isinstance(layer, Layer):
        return "0"
    if not layer.built:
        return "0 (unbuilt)"
    return f"{count(layer.weights):,}"


def count(weights) -> int:
    """The number of elements of weights."""
    return sum(math.prod(v.shape) for v in weights)


def _memory(weights) -> str:
    size, unit = float(sum(math.prod(v.shape) * v.dtype.size for v in weights)), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.2f} {_UNITS[unit]}"


def _totals(model) -> list[str]:
    groups = {
        "Trainable params": model.trainable_weights,
        "Non-trainable params": model.non_trainable_weights,
    }
    optimizer = getattr(model, "optimizer", None)
    state = [v for v in getattr(optimizer, "variables", ()) if v is not getattr(optimizer, "_learning_rate", None)]
    if optimizer is not None and optimizer.built:
        groups["Optimizer params"] = state
    everything = [v for group in groups.values() for v in group]
    lines = {"Total params": everything, **groups}
    return [f" [bold]{name}:[/] {count(weights):,} ({_memory(weights)})" for name, weights in lines.items()]
