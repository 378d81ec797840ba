"""Writes keras_core.npz: what Keras' core, noise, merging layers, normalizations and attentions give.

Run where TensorFlow is installed.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

SHAPES = [(2, 3, 4)]
BOTH = "(lambda y: [y, y._keras_mask])(layer({}))"  # the output and its mask
STEPS = "np.array([[[1.0], [0.0], [1.0]], [[0.0], [1.0], [1.0]]], 'float32')"
MASKED = f"tf.keras.layers.Masking()(x0 * {STEPS})"
MASKED1 = f"tf.keras.layers.Masking()(x1 * {STEPS}[::-1])"
ROWS = "tf.constant([[True, False, True], [False, False, True]])"
COLUMNS = "tf.constant([[True, False, True, True, False], [False, True, True, True, True]])"

CASES = {
    constructor: (constructor, [shape], "layer(x0)")
    for constructor, shape in [
        ("layers.Dense(3)", (4, 2)),
        ("layers.Dense(3, activation='tanh', use_bias=False)", (2, 3, 4)),
        (
            "layers.Dense(2, 'relu', bias_constraint='non_neg', activity_regularizer='l2')",
            (5, 3),
        ),
        ("layers.Dense(3, 'softmax', kernel_initializer=keras.initializers.HeNormal(seed=3))", (2, 2, 2, 3)),
        ("layers.EinsumDense('ab,bc->ac', 3, 'relu', 'c')", (4, 2)),
        ("layers.EinsumDense('abc,cd->abd', (None, 5), bias_axes='d')", (2, 3, 4)),
        ("layers.EinsumDense('...x,xy->...y', 5, bias_axes='y')", (2, 3, 4)),
        ("layers.EinsumDense('abc,cde->abde', (None, 2, 3), bias_axes='de')", (2, 3, 4)),
        ("layers.EinsumDense('abc,bcd->ad', (3,))", (2, 3, 4)),
        ("layers.EinsumDense('ab...,bc->ac...', 5, bias_axes='c')", (2, 3, 2, 2)),
        ("layers.EinsumDense('abde,dec->abc', (3, 4), bias_axes='bc')", (2, 3, 2, 3)),
        ("layers.Activation('gelu')", (3, 4)),
        ("layers.Activation(keras.activations.softmax)", (3, 4)),
        ("layers.ReLU()", (3, 4)),
        ("layers.ReLU(0.5, 0.1, 0.2)", (3, 4)),
        ("layers.LeakyReLU()", (3, 4)),
        ("layers.LeakyReLU(0.1)", (3, 4)),
        ("layers.PReLU()", (3, 2, 4)),
        ("layers.PReLU(shared_axes=[1], alpha_regularizer='l2')", (3, 2, 4)),
        ("layers.ELU()", (3, 4)),
        ("layers.ELU(alpha=0.5)", (3, 4)),
        ("layers.Softmax()", (3, 4)),
        ("layers.Softmax((1, 2))", (2, 3, 4)),
        ("layers.Identity()", (3, 4)),
        ("layers.Flatten()", (2, 3, 4)),
        ("layers.Flatten('channels_first')", (2, 3, 4)),
        ("layers.Flatten('channels_last', name='flat')", (3,)),
        ("layers.Reshape((4, 3))", (2, 3, 4)),
        ("layers.Reshape((-1, 2))", (2, 3, 4)),
        ("layers.Permute((2, 1))", (2, 3, 4)),
        ("layers.Permute((3, 1, 2))", (2, 3, 4, 2)),
        ("layers.RepeatVector(3)", (2, 4)),
        ("layers.Lambda(keras.activations.relu)", (2, 4)),
        ("layers.Lambda(keras.activations.softmax, arguments={'axis': 0})", (2, 4)),
        ("layers.Masking()", (2, 3, 4)),
        ("layers.Dropout(0.4, seed=3)", (2, 4)),
        ("layers.ActivityRegularization(0.1, 0.2)", (2, 4)),
        ("layers.BatchNormalization()", (4, 3)),
        ("layers.BatchNormalization(axis=1, scale=False)", (2, 3, 4)),
        ("layers.LayerNormalization()", (3, 4)),
        ("layers.LayerNormalization((1, 2), epsilon=1e-5)", (2, 3, 4)),
        ("layers.LayerNormalization(1, center=False)", (2, 3, 4)),
        ("layers.LayerNormalization([2, 1], scale=False, gamma_regularizer='l2')", (2, 3, 4)),
        ("layers.GroupNormalization(2)", (2, 3, 4)),
        ("layers.GroupNormalization(-1, axis=1, scale=False)", (2, 3, 4)),
        ("layers.GroupNormalization(1, axis=-2, center=False)", (2, 3, 4)),
        ("layers.GroupNormalization(3)", (2, 6)),
        ("layers.RMSNormalization()", (3, 4)),
        ("layers.RMSNormalization([1, 2], epsilon=0.01)", (2, 3, 4)),
        ("layers.UnitNormalization()", (3, 4)),
        ("layers.UnitNormalization([1, 2])", (2, 3, 4)),
        ("layers.SpectralNormalization(layers.Dense(3))", (2, 4)),
        ("layers.Dense(3, dtype='mixed_bfloat16')", (4, 2)),
        ("layers.LayerNormalization(dtype='mixed_bfloat16')", (3, 4)),
        ("layers.BatchNormalization(dtype='mixed_bfloat16')", (3, 4)),
        ("layers.RMSNormalization(dtype='mixed_bfloat16')", (3, 4)),
        ("layers.EinsumDense('ab,bc->ac', 3, bias_axes='c', dtype='mixed_bfloat16')", (3, 4)),
    ]
}

# layers in training: the same random numbers, the same statistics
CASES |= {
    f"training {constructor}": (constructor, [shape], "layer(x0, training=True)")
    for constructor, shape in [
        ("layers.Dropout(0.4, seed=3)", (3, 4)),
        ("layers.Dropout(0.4, noise_shape=(None, 1, 4), seed=4)", (2, 3, 4)),
        ("layers.SpatialDropout1D(0.4, seed=3)", (2, 3, 4)),
        ("layers.SpatialDropout2D(0.4, seed=3)", (2, 2, 3, 4)),
        ("layers.SpatialDropout2D(0.4, 'channels_first', seed=3)", (2, 2, 3, 4)),
        ("layers.SpatialDropout3D(0.4, seed=3)", (2, 2, 2, 2, 3)),
        ("layers.GaussianDropout(0.4, seed=3)", (3, 4)),
        ("layers.AlphaDropout(0.4, seed=3)", (3, 4)),
        ("layers.AlphaDropout(0.4, noise_shape=(3, 1), seed=3)", (3, 4)),
        ("layers.GaussianNoise(0.4, seed=3)", (3, 4)),
        ("layers.Dropout(0.0)", (3, 4)),
        ("layers.Dropout(1.0, seed=1)", (3, 4)),
        ("layers.BatchNormalization()", (4, 3)),
        ("layers.BatchNormalization(1, 0.5, 0.01, beta_regularizer='l2')", (2, 3, 2, 2)),
        ("layers.BatchNormalization(center=False, scale=False)", (2, 3, 2)),
        ("layers.BatchNormalization(trainable=False)", (4, 3)),
        ("layers.BatchNormalization(renorm=True)", (4, 3)),
        (
            "layers.BatchNormalization(renorm=True, scale=False, "
            "renorm_clipping={'rmin': 0.5, 'rmax': 2.0, 'dmax': 0.3}, renorm_momentum=0.8)",
            (4, 2, 3),
        ),
        ("layers.BatchNormalization(dtype='mixed_bfloat16')", (3, 4)),
        ("layers.SpectralNormalization(layers.Dense(3, 'relu'))", (2, 4)),
        ("layers.SpectralNormalization(layers.Conv2D(2, 2), power_iterations=3)", (1, 3, 3, 2)),
    ]
}

CASES |= {
    "softmax with a mask": ("layers.Softmax()", SHAPES, f"layer(x0, mask={ROWS}[:, :, None])"),
    "softmax over two axes with a mask": ("layers.Softmax((1, 2))", SHAPES, f"layer(x0, mask={ROWS}[:, :, None])"),
    "softmax with numbers as a mask": (
        "layers.Softmax()",
        [(2, 3)],
        "layer(x0, mask=np.array([1, 0.2, 0.7], 'f'))",
    ),
    "masks of steps": ("layers.Masking()", SHAPES, BOTH.format(f"x0 * {STEPS}")),
    "masks go through Dense": ("layers.Dense(2)", SHAPES, BOTH.format(MASKED)),
    "masks go through LayerNormalization": ("layers.LayerNormalization()", SHAPES, BOTH.format(MASKED)),
    "batch statistics of what is not masked": (
        "layers.BatchNormalization(momentum=0.5)",
        SHAPES,
        BOTH.format(f"{MASKED}, training=True"),
    ),
    "batch statistics with a mask for inference": ("layers.BatchNormalization()", SHAPES, BOTH.format(MASKED)),
    "Embedding": ("layers.Embedding(7, 3)", [(2, 3)], "layer(tf.cast(x0 * 3 + 3, 'int32'))"),
    "Embedding of floats": ("layers.Embedding(7, 3, embeddings_constraint='max_norm')", [(2, 3)], "layer(x0 * 3 + 3)"),
    "Embedding with a mask": (
        "layers.Embedding(7, 3, mask_zero=True, embeddings_regularizer='l2')",
        [(2, 6)],
        BOTH.format("tf.cast(x0 * 2 + 2, 'int64')"),
    ),
    "Embedding in halves": ("layers.Embedding(7, 3, dtype='mixed_bfloat16')", [(2, 3)], "layer(x0 * 3 + 3)"),
    "SpectralNormalization of an Embedding": (
        "layers.SpectralNormalization(layers.Embedding(5, 3))",
        [(2, 4)],
        "layer(x0 * 2 + 2, training=True)",
    ),
}

# --- several inputs ---------------------------------------------------------------------------------------------------

TWO, WIDE = [(2, 3, 4), (2, 3, 4)], [(2, 4), (2, 3, 4)]
for _name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
    _made = f"layers.{_name}()"
    CASES[_name] = (_made, TWO, "layer([x0, x1])", TWO)
    CASES[f"{_name} that broadcasts"] = (_made, WIDE, "layer([x0, x1])", WIDE)
    CASES[f"{_name} with masks"] = (_made, TWO, BOTH.format(f"[{MASKED}, {MASKED1}]"), TWO)
    CASES[f"{_name} with one mask"] = (_made, TWO, f"layer([{MASKED}, x1])", TWO)
    if _name != "Subtract":
        CASES[f"{_name} of three"] = (_made, [*TWO, (2, 1, 4)], "layer([x0, x1, x2])", [*TWO, (2, 1, 4)])
CASES |= {
    "Concatenate": ("layers.Concatenate()", [(2, 3, 1), (2, 3, 4)], "layer([x0, x1])", [(2, 3, 1), (2, 3, 4)]),
    "Concatenate along 1": ("layers.Concatenate(1)", [(2, 3, 4), (2, 2, 4)], "layer([x0, x1])", [(2, 3, 4), (2, 2, 4)]),
    "Concatenate with masks": ("layers.Concatenate()", TWO, BOTH.format(f"[{MASKED}, {MASKED1}]"), TWO),
    "Concatenate steps with masks": ("layers.Concatenate(1)", TWO, BOTH.format(f"[{MASKED}, {MASKED1}]"), TWO),
    "Concatenate with one mask": ("layers.Concatenate(axis=1)", TWO, BOTH.format(f"[{MASKED}, x1]"), TWO),
}
for _made, *_shapes in [
    ("layers.Dot(1)", (3, 4), (3, 4)),
    ("layers.Dot(-1, normalize=True)", (3, 4), (3, 4)),
    ("layers.Dot(2)", (2, 3, 4), (2, 5, 4)),
    ("layers.Dot((1, 2))", (2, 3, 4), (2, 4, 3)),
    ("layers.Dot((2, 1), normalize=True)", (2, 3, 4), (2, 4)),
    ("layers.Dot((1, 2))", (2, 3), (2, 4, 3, 2)),
    ("layers.Dot((3, 1))", (2, 2, 3, 4), (2, 4, 2)),
]:
    CASES[f"{_made} {_shapes}"] = (_made, _shapes, "layer([x0, x1])", _shapes)

QUERY = [(2, 3, 4), (2, 5, 4)]
for _made in (
    "layers.Attention()",
    "layers.Attention(use_scale=True)",
    "layers.Attention(score_mode='concat')",
    "layers.Attention(True, 'concat', dropout=0.3, seed=4)",
    "layers.AdditiveAttention()",
    "layers.AdditiveAttention(use_scale=False, dropout=0.3, seed=4)",
):
    CASES[_made] = (_made, QUERY, "layer([x0, x1], return_attention_scores=True, training=True)", QUERY)
    CASES[f"{_made} with masks"] = (_made, QUERY, f"layer([x0, x1], mask=[{ROWS}, {COLUMNS}])", QUERY)
    CASES[f"{_made} looking back"] = (
        _made,
        [*QUERY, QUERY[1]],
        f"layer([x0, x1, x2], mask=[None, {COLUMNS}, None], use_causal_mask=True)",
        [*QUERY, QUERY[1]],
    )
CASES["Attention that hands a mask on"] = ("layers.Attention()", TWO, BOTH.format(f"[{MASKED}, {MASKED1}]"), TWO)

_HEADS = [
    "layers.MultiHeadAttention(2, 3)",
    "layers.MultiHeadAttention(2, 3, value_dim=2, output_shape=5, use_bias=False)",
    "layers.MultiHeadAttention(2, 2, use_gate=True, sliding_window=2)",
    "layers.GroupQueryAttention(2, 4, 2)",
    "layers.GroupQueryAttention(3, 2, 1, use_bias=False, use_gate=True, sliding_window=2)",
]
SELF = [(2, 3, 4), (2, 3, 4)]
for _made in _HEADS:
    CASES[_made] = (_made, QUERY, "layer(x0, x1)", *QUERY)
    CASES[f"{_made} with scores"] = (_made, QUERY, "layer(x0, x1, return_attention_scores=True)", *QUERY)
    CASES[f"{_made} looking back"] = (_made, SELF, "layer(x0, x1, use_causal_mask=True)", *SELF)
    CASES[f"{_made} that sees a part"] = (
        _made,
        QUERY,
        f"layer(x0, x1, x1, attention_mask={COLUMNS}[:, None] & {ROWS}[:, :, None])",
        *QUERY,
    )
    CASES[f"{_made} with masks"] = (
        _made,
        SELF,
        BOTH.format(f"{MASKED}, {MASKED1}, use_causal_mask=True"),
        *SELF,
    )
    CASES[f"{_made} with scores and masks"] = (
        _made,
        SELF,
        f"layer({MASKED}, {MASKED1}, return_attention_scores=True)",
        *SELF,
    )
CASES |= {
    "heads on images": ("layers.MultiHeadAttention(2, 3)", [(1, 2, 3, 4)] * 2, "layer(x0, x1)", *[(1, 2, 3, 4)] * 2),
    "heads on the second axis": (
        "layers.MultiHeadAttention(2, 3, attention_axes=2)",
        [(1, 2, 3, 4)] * 2,
        "layer(x0, x1, return_attention_scores=True)",
        *[(1, 2, 3, 4)] * 2,
    ),
    "heads with dropout": (
        "layers.MultiHeadAttention(2, 3, dropout=0.3, seed=5)",
        QUERY,
        "layer(x0, x1, training=True)",
        *QUERY,
    ),
    "groups with dropout": (
        "layers.GroupQueryAttention(3, 4, 2, dropout=0.3, seed=5)",
        QUERY,
        "layer(x0, x1, training=True)",
        *QUERY,
    ),
    "heads in halves": (
        "layers.MultiHeadAttention(2, 3, dtype='mixed_bfloat16')",
        SELF,
        "layer(x0, x1, use_causal_mask=True)",
        *SELF,
    ),
    "heads with regularizers": (
        "layers.MultiHeadAttention(1, 2, bias_constraint='non_neg', activity_regularizer='l2')",
        SELF,
        "layer(x0, x1)",
        *SELF,
    ),
}

# with what adds to the loss
_ALL = "[layer(x0), *layer.losses]"
CASES |= {
    "losses of Dense": ("layers.Dense(2, kernel_regularizer='l2', activity_regularizer='l2')", SHAPES, _ALL),
    "losses of a layer that is not trained": (
        "layers.Dense(2, bias_regularizer='l2', activity_regularizer='l2', trainable=False)",
        SHAPES,
        _ALL,
    ),
    "losses of activities": ("layers.ActivityRegularization(0.1, 0.3)", SHAPES, _ALL),
    "losses of heads": (
        "layers.MultiHeadAttention(1, 2, kernel_regularizer='l2', activity_regularizer='l2')",
        SELF,
        "[layer(x0, x1), *layer.losses]",
        *SELF,
    ),
    "losses of groups": (
        "layers.GroupQueryAttention(2, 2, 1, bias_regularizer='l2', activity_regularizer='l2')",
        SELF,
        "[layer(x0, x1), *layer.losses]",
        *SELF,
    ),
}

# constructions and calls that Keras refuses, all with ValueError but where another name stands
_X = "np.zeros((2, 3, 4), 'float32')"
ERRORS = dict.fromkeys(
    [
        "layers.Dense(0)",
        "layers.Dense(2.5)",
        "layers.Dense(2, activation='nothing')",
        "layers.Dense(2, units_of='x')",
        "layers.Dense(2)(np.zeros(3, 'float32'))",
        "layers.EinsumDense('ab,cd,ac', 3)(np.zeros((2, 3), 'float32'))",
        "layers.EinsumDense('ab,bc->ad', 3)(np.zeros((2, 3), 'float32'))",
        "layers.EinsumDense('ab,cb->a', (3,))(np.zeros((2, 3), 'float32'))",
        "layers.EinsumDense('ab,bc->ac', 3, bias_axes='b')(np.zeros((2, 3), 'float32'))",
        "layers.ReLU(-1.0)",
        "layers.ReLU(negative_slope=-1.0)",
        "layers.ReLU(threshold=None)",
        "layers.LeakyReLU(-1.0)",
        f"layers.Softmax()({_X}, mask=np.ones((2, 2, 4), 'bool'))",
        f"layers.Softmax()({_X}, mask=np.ones((1, 2, 3, 4), 'bool'))",
        "layers.Flatten('last')",
        f"layers.Reshape((5, 5))({_X})",
        f"layers.Reshape((5, -1))({_X})",
        "layers.Reshape((-1, -1))",
        "layers.Permute((0, 1))",
        "layers.Permute((1, 3))",
        f"layers.Permute((1,))({_X})",
        "layers.RepeatVector(0)",
        f"layers.RepeatVector(2)({_X})",
        "layers.Embedding(0, 2)",
        "layers.Embedding(2, True)",
        "layers.Dropout(1.5)",
        "layers.Dropout(-0.1)",
        "layers.Dropout(0.1, noise_shape='a')",
        "layers.Dropout(0.1, noise_shape=3)",
        "layers.Dropout(0.1, noise_shape=(1, 0))",
        "layers.GaussianDropout(2)",
        "layers.AlphaDropout(-1)",
        "layers.GaussianNoise(-1.0)",
        f"layers.SpatialDropout2D(0.5)({_X})",
        "layers.BatchNormalization(renorm=True, renorm_clipping={'rmid': 1})",
        "layers.BatchNormalization(renorm=True, renorm_clipping={'rmin': 2, 'rmax': 1})",
        f"layers.BatchNormalization()({_X}, mask=np.ones((2, 3, 4), 'bool'))",
        "layers.GroupNormalization(0)",
        f"layers.GroupNormalization(3)({_X})",
        f"layers.GroupNormalization(8)({_X})",
        "layers.SpectralNormalization(layers.Dense(2), power_iterations=0)",
        f"layers.SpectralNormalization(layers.Flatten())({_X})",
        "layers.Wrapper(3)",
        f"layers.Add()({_X})",
        f"layers.Add()([{_X}, {_X}[:1]])",
        f"layers.Add()([{_X}, {_X}[:, :2]])",
        f"layers.Subtract()([{_X}])",
        f"layers.Concatenate()([{_X}, {_X}[:, :2]])",
        f"layers.Concatenate(1)([{_X}, {_X}[..., :2]])",
        f"layers.Dot(1)([{_X}, {_X}[:, :2]])",
        f"layers.Dot(1)([{_X}])",
        "layers.Dot((1, 2, 3))",
        "layers.Dot((1, 'a'))",
        "layers.Attention(score_mode='product')",
        f"layers.Attention()({_X})",
        f"layers.Attention()([{_X}])",
        f"layers.Attention()([{_X}, {_X}], mask=np.ones((2, 3), 'bool'))",
        "layers.MultiHeadAttention(0, 2)",
        "layers.MultiHeadAttention(2, 0)",
        "layers.MultiHeadAttention(2, 2, value_dim=0)",
        "layers.MultiHeadAttention(2, 2, sliding_window=0)",
        "layers.MultiHeadAttention(2, 2, attention_axes='a')",
        f"layers.MultiHeadAttention(2, 2)({_X}, {_X}, {_X}[:, :2])",
        "layers.GroupQueryAttention(2, 3, 2)",
        "layers.GroupQueryAttention(2, 4, 2, sliding_window=-1)",
    ],
    "ValueError",
) | dict.fromkeys(
    [
        "layers.RepeatVector(1.5)",
        "layers.LayerNormalization('a')",
        "layers.UnitNormalization(None)",
        "layers.Dot(1.5)",
    ],
    "TypeError",
)

if __name__ == "__main__":
    from layer_cases import record

    record(CASES, str(pathlib.Path(__file__).with_suffix(".npz")))
