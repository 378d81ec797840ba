"""What the Keras examples share: where their output goes, and pictures of what `fit` gives."""

from pathlib import Path

OUTPUT = Path(__file__).with_name("output")


def draw_history(history: dict, path: Path, *panels) -> None:
    """Writes a picture with a panel for each metric of a history, training beside validation.

    Args:
        history: {name: values by epoch}, as `fit(…).history`.
        path: where to, as PNG; its folder is made.
        panels: functions of a matplotlib axis that draw more panels.
    """
    try:
        import matplotlib
    except ModuleNotFoundError:
        print('No pictures without matplotlib: pip install "nbflow[plot]"')
        return
    matplotlib.use("Agg")  # draws to files and needs no display
    import matplotlib.pyplot as plt

    names = [name for name in history if f"val_{name}" in history]
    figure, axes = plt.subplots(1, len(names) + len(panels), figsize=(5 * (len(names) + len(panels)), 4))
    for axis, name in zip(axes, names, strict=False):
        epochs = range(1, len(history[name]) + 1)
        axis.plot(epochs, history[name], "o-", color="#4c72b0", label="training")
        axis.plot(epochs, history[f"val_{name}"], "o-", color="#c44e52", label="validation")
        axis.set(title=name, xlabel="epoch")
        axis.locator_params(axis="x", integer=True)
        axis.legend()
    for axis, panel in zip(axes[len(names) :], panels, strict=True):
        panel(axis)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"Picture: {path}")
