"""Writes keras_recurrent.npz: what Keras' recurrent layers give. Run where TensorFlow is installed."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

X, MASK = [(2, 4, 3)], "mask=tf.constant([[True, False, True, True], [False, True, False, False]])"
EVERY = "return_sequences=True, return_state=True"
CASES = {
    **{
        constructor: (constructor, X, "layer(x0)")
        for constructor in (
            "layers.SimpleRNN(2)",
            "layers.SimpleRNN(2, activation='relu', use_bias=False, return_sequences=True, go_backwards=True)",
            "layers.SimpleRNN(3, return_state=True, unroll=True)",
            "layers.LSTM(2)",
            f"layers.LSTM(2, {EVERY})",
            f"layers.LSTM(2, go_backwards=True, unit_forget_bias=False, {EVERY})",
            "layers.LSTM(2, activation='relu', recurrent_activation='hard_sigmoid', use_bias=False)",
            f"layers.LSTM(2, unroll=True, {EVERY})",
            "layers.LSTM(2, implementation=1)",
            "layers.LSTM(3, kernel_regularizer='l2', dtype='float64')",
            "layers.GRU(2)",
            f"layers.GRU(2, {EVERY})",
            "layers.GRU(2, reset_after=False, return_sequences=True)",
            "layers.GRU(2, use_bias=False, go_backwards=True)",
            "layers.GRU(3, reset_after=False, implementation=1)",
            "layers.RNN(layers.LSTMCell(2), return_sequences=True)",
            "layers.RNN([layers.LSTMCell(2), layers.GRUCell(3), layers.SimpleRNNCell(2)])",
            f"layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)], {EVERY})",
            f"layers.Bidirectional(layers.LSTM(2, {EVERY}))",
            "layers.Bidirectional(layers.GRU(2), merge_mode='sum')",
            "layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True), merge_mode='mul')",
            "layers.Bidirectional(layers.LSTM(2, return_sequences=True), merge_mode='ave')",
            "layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode=None)",
            "layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(3, go_backwards=True))",
            "layers.TimeDistributed(layers.Dense(2, activation='relu'))",
            "layers.TimeDistributed(layers.LayerNormalization())",
        )
    },
    **{
        f"{constructor}, masked": (constructor, X, f"layer(x0, {MASK})")
        for constructor in (
            "layers.SimpleRNN(2)",
            f"layers.LSTM(2, {EVERY})",
            "layers.LSTM(2)",
            f"layers.LSTM(2, go_backwards=True, zero_output_for_mask=True, {EVERY})",
            "layers.GRU(2, unroll=True, return_sequences=True)",
            "layers.GRU(2, zero_output_for_mask=True)",
            "layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)])",
            "layers.Bidirectional(layers.LSTM(2, return_sequences=True))",
        )
    },
    **{
        f"{constructor}, training": (constructor, X, "layer(x0, training=True)")
        for constructor in (
            "layers.SimpleRNN(4, dropout=0.5, recurrent_dropout=0.3, seed=1)",
            "layers.LSTM(4, dropout=0.5, seed=2, return_sequences=True)",
            "layers.LSTM(4, dropout=0.2, recurrent_dropout=0.4, seed=3)",
            "layers.GRU(4, dropout=0.5, seed=4)",
            "layers.GRU(4, dropout=0.3, recurrent_dropout=0.3, seed=5, reset_after=False)",
            "layers.RNN([layers.LSTMCell(3, dropout=0.5, seed=6), layers.GRUCell(4, recurrent_dropout=0.5, seed=7)])",
            "layers.TimeDistributed(layers.BatchNormalization())",
        )
    },
    "first states": ("layers.LSTM(2, return_state=True)", [(2, 4, 3), (2, 2), (2, 2)],
                     "layer(x0, initial_state=[x1, x2])"),
    "first states, masked": ("layers.GRU(2, return_sequences=True)", [(2, 4, 3), (2, 2)],
                             f"layer(x0, initial_state=x1, {MASK})"),
    "first states, two ways": ("layers.Bidirectional(layers.GRU(2))", [(2, 4, 3), (2, 2), (2, 2)],
                               "layer(x0, initial_state=[x1, x2])"),
    "a step of LSTM": ("layers.LSTMCell(2)", [(2, 3), (2, 2), (2, 2)], "layer(x0, [x1, x2])"),
    "a step of GRU": ("layers.GRUCell(2)", [(2, 3), (2, 2)], "layer(x0, x1)"),
    "twice, stateful": ("layers.LSTM(2, stateful=True)", X, "[layer(x0), layer(x0 + 1.0)]"),
    "images": ("layers.TimeDistributed(layers.Conv2D(2, 2))", [(2, 3, 3, 3, 1)], "layer(x0)"),
    "ConvLSTM1D": ("layers.ConvLSTM1D(2, 2)", [(1, 3, 4, 2)], "layer(x0)"),
    "ConvLSTM2D": ("layers.ConvLSTM2D(2, 2, padding='same', return_sequences=True)", [(1, 3, 3, 4, 2)], "layer(x0)"),
    "ConvLSTM2D, strides": ("layers.ConvLSTM2D(2, (1, 2), strides=(2, 1), return_state=True, go_backwards=True)",
                            [(1, 3, 4, 3, 1)], "layer(x0)"),
    "ConvLSTM2D, masked": ("layers.ConvLSTM2D(1, 2)", [(2, 4, 3, 3, 1)], f"layer(x0, {MASK})"),
    "ConvLSTM2D, training": ("layers.ConvLSTM2D(2, 2, dropout=0.3, recurrent_dropout=0.2, seed=8)", [(1, 3, 3, 3, 2)],
                             "layer(x0, training=True)"),
    "ConvLSTM2D, channels first": ("layers.ConvLSTM2D(2, 2, data_format='channels_first')", [(1, 3, 2, 3, 4)],
                                   "layer(x0)"),
    "ConvLSTM3D": ("layers.ConvLSTM3D(1, 2)", [(1, 2, 2, 3, 3, 1)], "layer(x0)"),
}  # fmt: skip

ERRORS = {
    "layers.LSTM(0)": "ValueError",
    "layers.LSTM(2, use_cudnn='never')": "ValueError",
    "layers.LSTM(2, colour='red')": "ValueError",
    "layers.LSTM(2)(np.zeros((2, 3), 'float32'))": "ValueError",
    "layers.GRU(2, activation='nothing')": "ValueError",
    "layers.SimpleRNN()": "TypeError",
    "layers.RNN(3)": "ValueError",
    "layers.StackedRNNCells([3])": "ValueError",
    "layers.LSTM(2, stateful=True)(keras.Input((3, 2)))": "ValueError",
    "layers.LSTM(2, unroll=True)(keras.Input((None, 2)))": "ValueError",
    "layers.Bidirectional(3)": "ValueError",
    "layers.Bidirectional(layers.LSTM(2), merge_mode='max')": "ValueError",
    "layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2))": "ValueError",
    "layers.Bidirectional(layers.LSTM(2), backward_layer=layers.GRU(2, go_backwards=True, return_state=True))":
        "ValueError",
    "layers.TimeDistributed(3)": "ValueError",
    "layers.TimeDistributed(layers.Dense(2))(np.zeros((2, 3), 'float32'))": "ValueError",
    "layers.ConvLSTM2D(2, 2, strides=2, dilation_rate=2)": "ValueError",
    "layers.ConvLSTM2D(2, 2)(keras.Input((3, None, 4, 1)))": "ValueError",
}  # fmt: skip

if __name__ == "__main__":
    from layer_cases import record

    record(CASES, str(pathlib.Path(__file__).with_suffix(".npz")))
