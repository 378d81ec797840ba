"""ConvLSTM1D, ConvLSTM2D and ConvLSTM3D: LSTM whose products are convolutions."""

from nbflow.arrays.creation import zeros
from nbflow.keras.layers.cells import Gated, forgetful
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.keras.layers.rnn import WithCell
from nbflow.keras.layers.windows import OF_RANK, Windowed
from nbflow.nn.windows import over_batch
from nbflow.ops.table import TABLE
from nbflow.ops.windows import span
from nbflow.public import export


class ConvLSTMCell(Gated, Windowed):
    """A step of ConvLSTM: LSTMCell with convolutions, of the state with padding "same", for products.

    Args:
        filters: how many channels the output and the states have.
        Others: those of nbflow/keras/layers/cells.py and windows.py.
    """

    masks_seeded_first = True

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, activation="tanh",
        recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True, kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        self._start(locals())
        self.padding, self.dropout_mask_count = self.padding.lower(), self.gates
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"Specifying `strides > 1` is not compatible with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self._axis = -1 - self.rank if self._first else -1
        self.input_spec = InputSpec(ndim=self.rank + 2)

    state_size = [-1, -1]  # get_initial_state knows

    @property
    def output_size(self):
        """The number of channels of the output."""
        return self.filters

    def build(self, input_shape) -> None:
        """Makes kernel [*kernel_size, channels, 4 · filters], recurrent_kernel and bias."""
        spatial = tuple(input_shape[2:] if self._first else input_shape[1:-1])
        if None in spatial:
            raise ValueError(
                f"ConvLSTM layers only support static input shapes for the spatial dimension. Received invalid input "
                f"shape: input_shape={tuple(input_shape)}"
            )
        channels, width = self._channels_of(input_shape), 4 * self.filters
        self.spatial_dims = spatial
        self.kernel = self._weight("kernel", (*self.kernel_size, channels, width))
        self.recurrent_kernel = self._recurrent_weight((*self.kernel_size, self.filters, width))
        kwargs = {"initializer": forgetful(self, self.filters)} if self.unit_forget_bias else {}
        self.bias = self._weight("bias", (width,), **kwargs) if self.use_bias else None

    def get_initial_state(self, batch_size=None) -> list:
        """States of zeros, as large as the convolution makes them."""
        space = []
        for n, k, s, d in zip(self.spatial_dims, self.kernel_size, self.strides, self.dilation_rate, strict=True):
            space.append(-(-n // s) if self.padding == "same" else (n - span(k, d)) // s + 1)
        sizes = [self.filters, *space] if self._first else [*space, self.filters]
        return [zeros((batch_size, *sizes), self.compute_dtype) for _ in range(self.state_count)]

    def _input_bias(self):
        bias = self.bias.nbflow_tensor()
        return TABLE["reshape"](bias, shape=(4 * self.filters, *(1,) * self.rank)) if self._first else bias

    def _times(self, x, kernel):
        return self._convolved(x, kernel, self.strides, self.padding.upper(), self.dilation_rate)

    def _recurrent_times(self, h, kernel):
        ones = (1,) * self.rank
        return self._convolved(h, kernel, ones, "SAME", ones)

    def _convolved(self, x, kernel, strides: tuple, padding: str, dilations: tuple):
        """The convolution of [..., batch, *spatial, channels]."""
        attrs = {"strides": strides, "padding": padding, "dilations": dilations}
        return over_batch(x, self.rank, self._first, lambda rows: TABLE["convolution"](rows, kernel, **attrs))


class ConvLSTM(WithCell):
    """Base of ConvLSTM1D, ConvLSTM2D and ConvLSTM3D.

    Args: those of ConvLSTMCell, then those of RNN.
    """

    _cell_name = "conv_lstm_cell"


def _layer(rank: int) -> type:
    cell = type(f"ConvLSTM{rank}DCell", (ConvLSTMCell,), {"rank": rank, "__module__": __name__})
    name = f"ConvLSTM{rank}D"
    doc = f"LSTM with convolutions, over time, of {OF_RANK[rank]} (tf.keras.layers.{name}); arguments as of ConvLSTM."
    attributes = {"__doc__": doc, "__module__": __name__, "_axes": rank + 3}
    return export(f"keras.layers.{name}")(type(name, (ConvLSTM,), attributes, cell=cell))


ConvLSTM1D, ConvLSTM2D, ConvLSTM3D = map(_layer, (1, 2, 3))
