"""Calls of losses, normalisation, embeddings, sequences and morphology."""

import numpy as np

from .common import *

RNG = np.random.default_rng(7)
IMAGE, FILTER = RNG.normal(size=(2, 4, 5, 3)).round(2), RNG.normal(size=(2, 3, 3)).round(2)
TABLE_ROWS = RNG.normal(size=(6, 3)).round(2)
CHANNELS = [np.array([0.5, -1, 2]), np.array([1, 0.25, 4]), np.array([0.1, 0, -3]), np.array([1, 2, -0.5])]
LOGITS = RNG.normal(size=(8, 3, 5)).round(2)  # [frames, batch, classes]
LABELS = np.array([[1, 2, 2, 0], [3, 1, 0, 0], [2, 0, 0, 0]], I32)
LENGTHS, FRAMES = np.array([3, 2, 1], I32), np.array([8, 6, 7], I32)
PLACES = np.array([[0, 0], [0, 2], [1, 1], [3, 0], [3, 1]], I64)
LOOSE = 256  # sums of dozens of terms, in another order


def cases() -> list[Case]:
    """All cases, in order."""
    return [*_moments(), *_normalized(), *_losses(), *_sampled(), *_embeddings(), *_space(), *_ctc(), *_others()]


def _gradient(name: str, function, *inputs, dtype=F64, tolerance: float = LOOSE) -> Case:
    return Case(name, function, [np.asarray(x, dtype) for x in inputs], True, tolerance)


def _moments() -> list[Case]:
    found = []
    for axes, keepdims in (([0], False), ([1, 2], True), ([0, 1, 2, 3], False)):
        attrs = {"axes": axes, "keepdims": keepdims}
        function = lambda tf, x, a=attrs: tf.nn.moments(x, **a)
        found.append(_gradient(f"moments/{axes}", function, IMAGE))
        statistics = lambda tf, x, a=attrs: tf.nn.sufficient_statistics(x, **a)[:3]
        found.append(_gradient(f"sufficient_statistics/{axes}", statistics, IMAGE))
    weighted = lambda tf, x, w: tf.nn.weighted_moments(x, [0, 2], w)
    found.append(_gradient("weighted_moments", weighted, IMAGE, np.abs(IMAGE[0, :1, :, :1])))
    half = lambda tf, x: tf.nn.moments(tf.cast(x, tf.float16), [0])
    found.append(Case("moments/float16", half, [IMAGE.astype(F32)], tolerance=8))
    normalized = lambda tf, c, m, v, s: tf.nn.normalize_moments(c, m, v, s)
    found.append(_gradient("normalize_moments", normalized, 5.0, CHANNELS[0], CHANNELS[1] + 9, CHANNELS[2]))
    return found


def _normalized() -> list[Case]:
    batch = lambda tf, x, m, v, o, s: tf.nn.batch_normalization(x, m, v, o, s, 1e-3)
    plain = lambda tf, x, m, v: tf.nn.batch_normalization(x, m, v, None, None, 1e-3)
    found = [_gradient("batch_normalization", batch, IMAGE, *CHANNELS)]
    found.append(_gradient("batch_normalization/plain", plain, IMAGE, *CHANNELS[:2]))
    whole = lambda tf, x, m, v, o, s: tf.nn.batch_norm_with_global_normalization(x, m, v, o, s, 1e-3, True)
    found.append(_gradient("batch_norm_with_global_normalization", whole, IMAGE, *CHANNELS))
    responses = lambda tf, x: tf.nn.local_response_normalization(x, 1, bias=2.0, alpha=0.5, beta=0.75)
    found.append(_gradient("local_response_normalization", responses, IMAGE, dtype=F32, tolerance=2048))
    for axis in (None, 1, [0, 3]):
        found.append(_gradient(f"l2_normalize/{axis}", lambda tf, x, a=axis: tf.math.l2_normalize(x, a), IMAGE))
    for data_format, size in (("N...C", 3), ("NC...", 4)):
        bias = lambda tf, x, b, d=data_format: tf.nn.bias_add(x, b, d)
        found.append(_gradient(f"bias_add/{data_format}", bias, IMAGE, np.arange(size)))
    return found


def _losses() -> list[Case]:
    labels, logits = np.abs(IMAGE[0, 0]), IMAGE[0, 1]
    found = []
    for axis in (-1, 0):
        softmax = lambda tf, z, x, a=axis: tf.nn.softmax_cross_entropy_with_logits(z, x, axis=a)
        found.append(_gradient(f"softmax_cross_entropy_with_logits/{axis}", softmax, labels, logits))
    one = lambda tf, z, x: tf.nn.softmax_cross_entropy_with_logits(z, x)
    found.append(Case("softmax_cross_entropy_with_logits/row", one, [labels[0], logits]))
    sparse = lambda tf, x: tf.nn.sparse_softmax_cross_entropy_with_logits([[0, 2, 1], [1, 1, 0]], x)
    found.append(_gradient("sparse_softmax_cross_entropy_with_logits", sparse, IMAGE[:, 0, :3]))
    sigmoid = lambda tf, z, x: tf.nn.sigmoid_cross_entropy_with_logits(z, x)
    found.append(_gradient("sigmoid_cross_entropy_with_logits", sigmoid, labels, 9 * logits))
    weighted = lambda tf, z, x, w: tf.nn.weighted_cross_entropy_with_logits(z, x, w)
    found.append(_gradient("weighted_cross_entropy_with_logits", weighted, labels, logits, np.abs(CHANNELS[0])))
    for full in (False, True):
        poisson = lambda tf, z, x, f=full: tf.nn.log_poisson_loss(z, x, f)
        found.append(_gradient(f"log_poisson_loss/{full}", poisson, [0, 0.5, 1, 3, 7], [1, -1, 0, 2, 1]))
    found.append(_gradient("l2_loss", lambda tf, x: tf.nn.l2_loss(x), IMAGE))
    average = lambda tf, x, w: tf.nn.compute_average_loss(x, w, 8)
    found.append(_gradient("compute_average_loss", average, [1, 2.5, -3], [0.5, 1, 2], dtype=F32))
    found.append(
        Case("compute_average_loss/int32", lambda tf, x: tf.nn.compute_average_loss(x), [np.array([1, 4], I32)])
    )
    found.append(_gradient("scale_regularization_loss", lambda tf, x: tf.nn.scale_regularization_loss(x), CHANNELS[0]))
    return found


def _sampled() -> list[Case]:
    true = np.array([[0, 1], [2, 3], [5, 0]])
    found = []
    for name in ("nce_loss", "sampled_softmax_loss"):
        for remove in (False, True):

            def function(tf, weights, biases, inputs, expected, sampled, name=name, remove=remove):
                values = (tf.constant([1, 2, 4, 5], tf.int64), expected, sampled)
                options = {"num_true": 2, "sampled_values": values, "remove_accidental_hits": remove}
                return getattr(tf.nn, name)(dense(weights), dense(biases), tf.constant(true), inputs, 4, 6, **options)

            inputs = (TABLE_ROWS, TABLE_ROWS[:, 0], TABLE_ROWS[:3], np.full((3, 2), 0.3), [0.2, 0.5, 0.7, 0.1])
            found.append(_gradient(f"{name}/{remove}", function, *inputs, dtype=F32))
    hits = lambda tf, x: tf.nn.compute_accidental_hits(x, tf.constant([1, 2, 0, 5], tf.int64), 2)
    found.append(Case("compute_accidental_hits", hits, [true]))
    return found


def dense(table):
    """A table whose gradient is a tensor rather than IndexedSlices."""
    return 1 * table


def _embeddings() -> list[Case]:
    found = []
    for most in (None, 0.5):
        rows = lambda tf, t, m=most: tf.nn.embedding_lookup(dense(t), [[0, 5], [2, 2]], m)
        found.append(_gradient(f"embedding_lookup/{most}", rows, TABLE_ROWS))
    for combiner in ("sum", "mean", "sqrtn"):
        for weights in (None, np.array([0.5, 2, 1, -1, 3])):

            def sparse(tf, values, weights=weights):
                ids = tf.SparseTensor(PLACES, tf.constant(values, tf.int64), [5, 3])
                return ids, None if weights is None else tf.SparseTensor(PLACES, weights, [5, 3])

            plain = lambda tf, t, c=combiner, s=sparse: tf.nn.embedding_lookup_sparse(
                dense(t), *s(tf, [0, 5, 2, 2, 1]), c
            )
            safe = lambda tf, t, c=combiner, s=sparse: tf.nn.safe_embedding_lookup_sparse(
                dense(t), *s(tf, [0, -5, 2, 2, 1]), c, default_id=4, max_norm=1.5
            )
            kind = f"{combiner}/{weights is None}"
            found.append(_gradient(f"embedding_lookup_sparse/{kind}", plain, TABLE_ROWS))
            found.append(_gradient(f"safe_embedding_lookup_sparse/{kind}", safe, TABLE_ROWS))
    return found


def _space() -> list[Case]:
    blocks = np.arange(2 * 4 * 6 * 4, dtype=F32).reshape(2, 4, 6, 4)
    calls = {
        "space_to_depth": lambda tf, x: tf.nn.space_to_depth(x, 2),
        "depth_to_space": lambda tf, x: tf.nn.depth_to_space(x, 2),
        "space_to_batch": lambda tf, x: tf.space_to_batch(x, [3, 2], [[1, 1], [2, 0]]),
        "batch_to_space": lambda tf, x: tf.batch_to_space(x, [1, 2], [[1, 0], [0, 3]]),
        "with_space_to_batch": lambda tf, x: tf.nn.with_space_to_batch(
            x, [2, 1], "SAME", lambda v, axes, padding: tf.nn.avg_pool2d(v, 2, 1, padding), filter_shape=[2, 2]
        )[:, :1],
    }
    found = [_gradient(name, function, blocks, dtype=F32) for name, function in calls.items()]
    volumes = lambda tf, x: tf.extract_volume_patches(x, [1, 1, 2, 2, 1], [1, 1, 1, 2, 1], "VALID")
    return [*found, _gradient("extract_volume_patches", volumes, IMAGE[None])]


def _ctc() -> list[Case]:
    found = []
    for blank in (0, 4, -2):
        dense = lambda tf, x, b=blank: tf.nn.ctc_loss(LABELS, x, LENGTHS, FRAMES, blank_index=b)
        found.append(_gradient(f"ctc_loss/{blank}", dense, LOGITS, dtype=F32))

        def sparse(tf, x, b=blank):
            places = np.argwhere(LABELS > 0)
            labels = tf.SparseTensor(places, LABELS[LABELS > 0], LABELS.shape)
            return tf.nn.ctc_loss(labels, x, None, FRAMES, logits_time_major=False, blank_index=b)

        found.append(_gradient(f"ctc_loss/sparse/{blank}", sparse, LOGITS.transpose(1, 0, 2), dtype=F32))
    collapsed = lambda tf, x: tf.nn.collapse_repeated(x, [5, 3])
    found.append(Case("collapse_repeated", collapsed, [np.array([[1, 1, 2, 2, 1], [3, 3, 3, 4, 5]], I32)]))
    found.append(Case("ctc_unique_labels", lambda tf, x: tf.nn.ctc_unique_labels(x), [LABELS]))

    def listed(decoded):
        labels, scores = decoded
        return [*(part for s in labels for part in (s.indices, s.values, s.dense_shape)), scores]

    for merge in (True, False):
        greedy = lambda tf, x, m=merge: listed(tf.nn.ctc_greedy_decoder(x, FRAMES, m))
        found.append(Case(f"ctc_greedy_decoder/{merge}", greedy, [LOGITS.astype(F32)]))
    beams = lambda tf, x: listed(tf.nn.ctc_beam_search_decoder(x, FRAMES, 5, 2))
    found.append(Case("ctc_beam_search_decoder", beams, [LOGITS.astype(F32)], tolerance=LOOSE))
    return found


def _others() -> list[Case]:
    found = []
    for name in ("dilation2d", "erosion2d"):
        for strides, padding, rates in (([1, 1, 1, 1], "SAME", [1, 2, 1, 1]), ([1, 2, 1, 1], "VALID", [1, 1, 1, 1])):
            function = lambda tf, x, f, a=(strides, padding, "NHWC", rates), name=name: getattr(tf.nn, name)(x, f, *a)
            found.append(_gradient(f"{name}/{padding}", function, IMAGE, FILTER))
    ties = np.round(2 * IMAGE[0, 0])
    for decreasing in (True, False):
        function = lambda tf, x, d=decreasing: [*tf.nn.isotonic_regression(x, d, axis=0)]
        found.append(Case(f"isotonic_regression/{decreasing}", function, [ties]))
    wide = RNG.normal(size=(1, 9, 11, 1)).round(2)
    for name in ("max", "avg"):
        for evenly, overlapping in ((False, False), (True, True)):
            attrs = {"pseudo_random": evenly, "overlapping": overlapping, "seed": 5}
            function = lambda tf, x, a=attrs, n=name: getattr(tf.nn, f"fractional_{n}_pool")(x, [1, 1.4, 1.7, 1], **a)
            windows = lambda tf, x, f=function: f(tf, x)[1:]
            found.append(_gradient(f"fractional_{name}_pool/{evenly}", lambda tf, x, f=function: f(tf, x)[0], wide))
            found.append(Case(f"fractional_{name}_pool/{evenly}/windows", windows, [wide]))
    explicit = lambda tf, x, f: tf.conv(x, f, [1, 2, 1, 1], "EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0])
    found.append(Case("conv", explicit, [IMAGE, FILTER[..., None]], tolerance=LOOSE))
    drop = lambda tf, x: tf.nn.experimental.stateless_dropout(x, 0.4, seed=[1, 2], noise_shape=[None, 1, None, 3])
    found.append(_gradient("stateless_dropout", drop, IMAGE))
    uniform = lambda shape, dtype: np.full(shape, 0.5)
    found.append(_gradient("general_dropout", lambda tf, x: tf.nn.experimental.general_dropout(x, 0.4, uniform), IMAGE))
    sparse = lambda tf, x: tf.sparse.to_dense(tf.SparseTensor(PLACES, x, [4, 3]), -1.0)
    found.append(_gradient("sparse.to_dense", sparse, [1, 2, 3, 4, 5]))

    def reordered(tf, x):
        s = tf.sparse.reorder(tf.SparseTensor(PLACES[::-1].copy(), x, [4, 3]))
        d = tf.sparse.from_dense(tf.constant([[0, 2], [3, 0]]))
        return [s.indices, s.values, s.dense_shape, d.indices, d.values, d.dense_shape]

    return [*found, Case("sparse.reorder", reordered, [np.arange(5)])]


def errors() -> list[Case]:
    """Calls that raise in TensorFlow."""
    calls = {
        "dropout of everything": lambda tf, x: tf.nn.dropout(x, 1.0),
        "dropout of integers": lambda tf, x: tf.nn.dropout(tf.cast(x, tf.int32), 0.5),
        "bias_add of another size": lambda tf, x: tf.nn.bias_add(x, tf.constant([1.0, 2.0], tf.float64)),
        "bias_add in another format": lambda tf, x: tf.nn.bias_add(x, x[0, 0, 0], "HWC"),
        "lrn of rank 3": lambda tf, x: tf.nn.local_response_normalization(tf.cast(x[0], tf.float32)),
        "l2_normalize with two axes": lambda tf, x: tf.math.l2_normalize(x, axis=0, dim=1),
        "sigmoid loss of other shapes": lambda tf, x: tf.nn.sigmoid_cross_entropy_with_logits(x, x[0]),
        "softmax loss of other shapes": lambda tf, x: tf.nn.softmax_cross_entropy_with_logits(x, x[:, :2]),
        "log_poisson_loss of other shapes": lambda tf, x: tf.nn.log_poisson_loss(x, x[0]),
        "compute_average_loss of a scalar": lambda tf, x: tf.nn.compute_average_loss(x[0, 0, 0, 0]),
        "embedding_lookup out of range": lambda tf, x: tf.nn.embedding_lookup(x, [7]),
        "embedding_lookup_sparse of a list": lambda tf, x: tf.nn.embedding_lookup_sparse(x, [1], None),
        "space_to_depth of an odd size": lambda tf, x: tf.nn.space_to_depth(x, 2),
        "space_to_batch with a remainder": lambda tf, x: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]),
        "dilation2d of other channels": lambda tf, x: tf.nn.dilation2d(
            x, x[0, ..., :2], [1] * 4, "SAME", "NHWC", [1] * 4
        ),
        "ctc_loss of sparse labels without a blank": lambda tf, x: tf.nn.ctc_loss(
            tf.sparse.from_dense(LABELS), LOGITS, None, FRAMES
        ),
        "ctc_greedy_decoder of too many frames": lambda tf, x: tf.nn.ctc_greedy_decoder(LOGITS, FRAMES + 1),
        "SparseTensor of other sizes": lambda tf, x: tf.SparseTensor(PLACES, [1.0], [4, 3]),
        "sparse.to_dense out of order": lambda tf, x: tf.sparse.to_dense(
            tf.SparseTensor(PLACES[::-1].copy(), np.arange(5), [4, 3])
        ),
    }
    return [Case(name, function, [IMAGE]) for name, function in calls.items()]
