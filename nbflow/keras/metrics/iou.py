"""Intersection over union: how well regions of classes were found.

Args that they share:
    num_classes: how many classes there are.
    target_class_ids: the classes whose mean is given.
    name, dtype: as of Metric; the dtype is int64 by default, and weights become of it.
    ignore_class: a class of y_true whose elements do not count.
    sparse_y_true, sparse_y_pred: whether they hold numbers of classes rather than probabilities of each.
    axis: of the classes, where they hold probabilities.
"""

import warnings

from nbflow.arrays.joining import gather, where
from nbflow.arrays.shaping import broadcast_to, reshape, shape
from nbflow.dtypes import as_dtype, float32, int32, int64
from nbflow.keras.losses.loss import tensor
from nbflow.keras.metrics.metric import Metric
from nbflow.keras.settings import epsilon
from nbflow.linalg.diagonals import diag_part
from nbflow.math.elementwise import greater, greater_equal, less, logical_and, not_equal
from nbflow.math.reductions import argmax, reduce_sum
from nbflow.math.segments import unsorted_segment_sum
from nbflow.public import cast, export
from nbflow.tensor.tensor import to_tensor


@export("keras.metrics.IoU")
class IoU(Metric):
    """The mean over some classes of tp / (tp + fp + fn), of classes that occur (tf.keras.metrics.IoU).

    y_true and y_pred have as many elements; those that are no class do not count.

    Raises:
        ValueError: a target class is not below num_classes.

    Example:
        >>> import nbflow as nf
        >>> metric = nf.keras.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    _direction = "up"
    keys: tuple[str, ...] = (
        "num_classes",
        "target_class_ids",
        "ignore_class",
        "sparse_y_true",
        "sparse_y_pred",
        "axis",
    )

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(dtype or "int64", name)
        if max(target_class_ids) >= num_classes:
            raise ValueError(f"Target class id {max(target_class_ids)} is out of range, which is [0, {num_classes}).")
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        dtype = as_dtype(self.dtype)
        y_true = y_true if self.sparse_y_true else argmax(y_true, axis=self.axis)
        y_pred = y_pred if self.sparse_y_pred else argmax(y_pred, axis=self.axis)
        y_true, y_pred = (reshape(cast(tensor(y, dtype), int64), (-1,)) for y in (y_true, y_pred))
        valid = _below(self.num_classes, y_true, y_pred)
        if self.ignore_class is not None:
            valid = logical_and(valid, not_equal(y_true, self.ignore_class))
        cells = where(valid, y_true * self.num_classes + y_pred, -1)
        weight = self._weight(sample_weight, dtype)
        weight = broadcast_to(reshape(weight, (-1,)) if weight.ndim > 1 else weight, shape(y_true))
        matrix = unsorted_segment_sum(weight, cells, self.num_classes**2)
        self.total_cm.assign_add(reshape(matrix, (self.num_classes, self.num_classes)))

    def _weight(self, sample_weight, dtype):
        if sample_weight is None:
            return tensor(1, dtype)
        if "float" in str(getattr(sample_weight, "dtype", "")) and dtype.is_integer:
            warnings.warn(
                "You are passing weight as `float`, but dtype is `int`. This may result in an incorrect weight due to "
                "type casting Consider using integer weights.",
                stacklevel=4,
            )
        return cast(to_tensor(sample_weight), dtype)

    def result(self):
        matrix = to_tensor(self.total_cm)
        hit = diag_part(matrix)
        union = reduce_sum(matrix, axis=0) + reduce_sum(matrix, axis=1) - hit
        hit, union = (cast(gather(n, tensor(self.target_class_ids, int32)), float32) for n in (hit, union))
        occurs = greater(union, 1e-9)
        found = where(occurs, hit / (union + epsilon()), 0.0)
        return reduce_sum(found) / (reduce_sum(cast(occurs, float32)) + epsilon())

    def get_config(self) -> dict:
        return {**super().get_config(), **{key: getattr(self, key) for key in self.keys}}


def _below(limit: int, *numbers):
    """Whether all numbers are in [0, limit)."""
    valid = [logical_and(greater_equal(n, 0), less(n, limit)) for n in numbers]
    return logical_and(*valid)


@export("keras.metrics.BinaryIoU")
class BinaryIoU(IoU):
    """IoU of the two classes that a threshold tells apart (tf.keras.metrics.BinaryIoU).

    Args:
        threshold: predictions of at least this are of class 1.
    """

    keys = ("target_class_ids", "threshold")

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        chosen = greater_equal(tensor(y_pred, float32), self.threshold)
        super().update_state(y_true, cast(chosen, as_dtype(self.dtype)), sample_weight)


@export("keras.metrics.MeanIoU")
class MeanIoU(IoU):
    """The mean over all classes (tf.keras.metrics.MeanIoU)."""

    keys: tuple[str, ...] = ("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")

    def __init__(
        self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1
    ):
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


@export("keras.metrics.OneHotIoU")
class OneHotIoU(IoU):
    """IoU where y_true holds one-hot vectors, and y_pred probabilities (tf.keras.metrics.OneHotIoU)."""

    keys = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


@export("keras.metrics.OneHotMeanIoU")
class OneHotMeanIoU(MeanIoU):
    """MeanIoU where y_true holds one-hot vectors, and y_pred probabilities (tf.keras.metrics.OneHotMeanIoU)."""

    keys = ("num_classes", "ignore_class", "sparse_y_pred", "axis")

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
