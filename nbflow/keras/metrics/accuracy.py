"""Accuracies: how often predictions are right.

Functions give 1 for each example that is predicted right and 0 for others, in floatx(), [batch, …].
"""

from nbflow.arrays.shaping import expand_dims, reshape, squeeze
from nbflow.dtypes import as_dtype, float32, int32
from nbflow.keras.losses.loss import same_rank, tensor
from nbflow.keras.metrics.means import MeanMetricWrapper, as_metric
from nbflow.keras.settings import floatx
from nbflow.math.elementwise import equal, greater
from nbflow.math.ranking import in_top_k
from nbflow.math.reductions import argmax, reduce_any
from nbflow.public import cast, export
from nbflow.tensor.tensor import to_tensor


def _found(right):
    return cast(right, as_dtype(floatx()))


@as_metric("Accuracy")
def accuracy(y_true, y_pred):
    """Whether y_true and y_pred are equal, for each element."""
    y_pred = to_tensor(y_pred)
    y_true, y_pred = same_rank(tensor(y_true, y_pred.dtype), y_pred)
    return _found(equal(y_true, y_pred))


@export("keras.metrics.binary_accuracy")
@as_metric("BinaryAccuracy", "name dtype threshold")
def binary_accuracy(y_true, y_pred, threshold=0.5):
    """Whether y_true is 1 where y_pred is above a threshold and 0 elsewhere (tf.keras.metrics.binary_accuracy).

    Example:
        >>> import nbflow as nf
        >>> nf.keras.metrics.binary_accuracy([[1], [1], [0]], [[0.9], [0.2], [0.1]]).numpy().ravel()
        array([1., 0., 1.], dtype=float32)
    """
    y_true, y_pred = same_rank(to_tensor(y_true), to_tensor(y_pred))
    return _found(equal(y_true, cast(greater(y_pred, tensor(threshold, y_pred.dtype)), y_true.dtype)))


@export("keras.metrics.categorical_accuracy")
@as_metric("CategoricalAccuracy")
def categorical_accuracy(y_true, y_pred):
    """Whether y_true and y_pred are greatest at the same class (tf.keras.metrics.categorical_accuracy).

    Args:
        y_true: one-hot vectors, [batch, …, classes].
        y_pred: probabilities or logits of that shape.
    """
    return _same_class(argmax(y_true, axis=-1, output_type=int32), to_tensor(y_pred))


@export("keras.metrics.sparse_categorical_accuracy")
@as_metric("SparseCategoricalAccuracy")
def sparse_categorical_accuracy(y_true, y_pred):
    """Whether y_pred is greatest at the class that y_true says (tf.keras.metrics.sparse_categorical_accuracy).

    Args:
        y_true: numbers of classes, [batch, …] or [batch, …, 1].
        y_pred: probabilities or logits, [batch, …, classes].
    """
    y_pred = to_tensor(y_pred)
    right = _same_class(tensor(y_true, y_pred.dtype), y_pred)
    return squeeze(right, -1) if right.ndim > 1 and right.nbflow_shape[-1] == 1 else right


def _same_class(y_true, y_pred):
    """Whether y_pred is greatest at a class, in the shape of y_true."""
    form = y_true.nbflow_shape
    if y_true.ndim == y_pred.ndim and form[-1] == 1:
        y_true = squeeze(y_true, -1)
    right = _found(equal(y_true, cast(argmax(y_pred, axis=-1, output_type=int32), y_true.dtype)))
    return reshape(right, form) if y_true.nbflow_shape != form else right


@export("keras.metrics.top_k_categorical_accuracy")
@as_metric("TopKCategoricalAccuracy", "k name dtype")
def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """Whether the class where y_true is greatest is among the k where y_pred is.

    See tf.keras.metrics.top_k_categorical_accuracy.

    Args:
        y_true: one-hot vectors, [batch, …, classes].
        y_pred: probabilities or logits of that shape.
    """
    return sparse_top_k_categorical_accuracy(argmax(y_true, axis=-1, output_type=int32), y_pred, k)


@export("keras.metrics.sparse_top_k_categorical_accuracy")
def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """Whether the class that y_true says is among the k where y_pred is greatest.

    See tf.keras.metrics.sparse_top_k_categorical_accuracy.

    Args:
        y_true: numbers of classes, [batch, …].
        y_pred: probabilities or logits, [batch, …, classes].
        from_sorted_ids: whether y_pred holds numbers of classes instead, the most likely one first.
    """
    y_pred = to_tensor(y_pred)
    y_true = tensor(y_true, y_pred.dtype if from_sorted_ids else int32)
    form = y_true.nbflow_shape
    if y_pred.ndim > 2:
        y_pred = reshape(y_pred, (-1, y_pred.nbflow_shape[-1]))
    if y_true.ndim > 1:
        y_true = reshape(y_true, (-1,))
    if from_sorted_ids:
        right = reduce_any(equal(expand_dims(y_true, 1), y_pred[:, :k]), axis=1)
    else:
        right = in_top_k(y_true, cast(y_pred, float32), k)
    return _found(right if len(form) == 1 else reshape(right, form))


@export("keras.metrics.SparseTopKCategoricalAccuracy")
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The mean of sparse_top_k_categorical_accuracy (tf.keras.metrics.SparseTopKCategoricalAccuracy)."""

    keys = ("k", "from_sorted_ids")
    _direction = "up"

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)

    def get_config(self) -> dict:
        return {key: value for key, value in super().get_config().items() if key != "from_sorted_ids" or value}
