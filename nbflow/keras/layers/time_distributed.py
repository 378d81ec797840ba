"""TimeDistributed: a layer for each time by itself."""

from nbflow.arrays.joining import stack
from nbflow.arrays.slicing import unstack
from nbflow.autograph.conversion import converted
from nbflow.function.control import staged_scan
from nbflow.keras.layers.lambda_layer import Lambda
from nbflow.keras.layers.layer import Layer
from nbflow.keras.layers.recurrence import swapped
from nbflow.keras.layers.wrapper import Wrapper
from nbflow.keras.random.seeds import SeedGenerator
from nbflow.module import found
from nbflow.objects.registration import path_of
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import Dim
from nbflow.tensor.state import state


def _minds_the_batch(layer: Layer) -> bool:
    """Whether it may matter to a layer which examples come together, or how often it is called."""
    parts = layer._flatten_layers()
    known = all(path_of(type(part)) and not isinstance(part, Lambda) for part in parts)
    changes = any(part._made[1] or any(found(list(vars(part).values()), SeedGenerator)) for part in parts)
    return not known or changes


@export("keras.layers.TimeDistributed")
class TimeDistributed(Wrapper):
    """A layer applied to each time of [batch, time, …] by itself (tf.keras.layers.TimeDistributed).

    Times are further examples of one call, unless that could make a difference to the layer.

    Args:
        layer: the layer.
        kwargs: those of Layer.

    Raises:
        ValueError: layer is none, or inputs have fewer than three axes.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.TimeDistributed(nf.keras.layers.Conv2D(2, 3))
        >>> layer(nf.ones((4, 10, 8, 8, 1))).shape
        TensorShape([4, 10, 6, 6, 2])
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape=()) -> None:
        """Builds the layer for one time."""
        if len(input_shape) < 3:
            raise ValueError(
                f"`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: "
                f"{tuple(input_shape)}"
            )
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))

    def call(self, inputs, training=None, mask=None):
        """The layer's outputs, stacked along axis 1."""
        batch, times = inputs.nbflow_shape[:2]
        if mask is not None and (mask.ndim < 2 or tuple(mask.shape)[:2] != tuple(inputs.shape)[:2]):
            raise ValueError(
                f"The `mask` passed to the `TimeDistributed` layer has a shape {mask.shape} that is incompatible with "
                f"the input shape {inputs.shape}. The first two dimensions must match."
            )
        names = self.layer._call_signature.names
        kwargs = {"training": training} if "training" in names else {}
        given = [inputs] if mask is None or "mask" not in names else [inputs, mask]

        def called(x, *mask):
            call = self.layer.call if state.trace is None else converted(self.layer.call)
            return call(x, **kwargs, **({"mask": mask[0]} if mask else {}))

        if not _minds_the_batch(self.layer):
            rows = [TABLE["reshape"](x, shape=(batch * times, *x.nbflow_shape[2:])) for x in given]
            y = called(*rows)
            return TABLE["reshape"](y, shape=(batch, times, *y.nbflow_shape[1:]))
        elements = [swapped(x) for x in given]
        if isinstance(times, Dim):
            _, (outputs,) = staged_scan(lambda slices: ([], [called(*slices)]), [], elements, None, False, [])
            return swapped(outputs)
        return stack([called(*slices) for slices in zip(*map(unstack, elements), strict=True)], 1)
