"""TestCase: unittest's, with assertions about arrays and tensors."""

import unittest
from collections.abc import Mapping

import ml_dtypes
import numpy as np

from nbflow.public import export
from nbflow.tensor.tensor import to_tensor

# dtype -> relative and absolute tolerance of assertAllCloseAccordingToType, by name of its arguments
_COARSE = {"float32": "float", "complex64": "float", "float16": "half", "bfloat16": "bfloat16"}


def _array(value) -> np.ndarray:
    if hasattr(type(value), "nbflow_tensor"):
        value = to_tensor(value).numpy()
    return np.asarray(value)


def _comparable(value) -> np.ndarray:
    array = _array(value)
    return array.astype(np.float32) if array.dtype == ml_dtypes.bfloat16 else array


@export("test.TestCase")
class TestCase(unittest.TestCase):
    """unittest.TestCase with assertions about anything that NumPy makes an array of (tf.test.TestCase).

    Example:
        >>> import nbflow as nf
        >>> class SquareTest(nf.test.TestCase):
        ...     def test_square(self):
        ...         self.assertAllClose(nf.square([1.0, 2.0]), [1.0, 4.0])
    """

    def evaluate(self, tensors):
        """Tensors, in any structure of lists, tuples and dicts, as NumPy arrays."""
        if isinstance(tensors, Mapping):
            return {key: self.evaluate(value) for key, value in tensors.items()}
        if isinstance(tensors, (list, tuple)):
            return type(tensors)([self.evaluate(value) for value in tensors])
        return to_tensor(tensors).numpy() if hasattr(type(tensors), "nbflow_tensor") else tensors

    def assertAllClose(self, a, b, rtol=1e-6, atol=1e-6, msg=None):
        """Asserts |a - b| ≤ atol + rtol |b| for all elements; NaN equals NaN. Structures are compared part by part."""
        a, b = (x._asdict() if hasattr(x, "_asdict") else x for x in (a, b))
        if isinstance(a, Mapping) != isinstance(b, Mapping):
            raise ValueError(f"Can't compare dict to non-dict: {a!r:.200} and {b!r:.200}. {msg or ''}")
        if isinstance(a, Mapping):
            self.assertCountEqual(a.keys(), b.keys(), msg)
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol, msg)
            return
        try:
            left, right = _comparable(a), _comparable(b)
        except ValueError:  # of parts that have different shapes
            if len(a) != len(b):
                raise ValueError(f"Mismatched length: {len(a)} items and {len(b)} items. {msg or ''}") from None
            for part, other in zip(a, b, strict=True):
                self.assertAllClose(part, other, rtol, atol, msg)
            return
        self.assertEqual(left.shape, right.shape, f"Shape mismatch: expected {left.shape}, got {right.shape}.")
        np.testing.assert_allclose(left, right, rtol=rtol, atol=atol, err_msg=msg or "", equal_nan=True)

    def assertAllCloseAccordingToType(
        self,
        a,
        b,
        rtol=1e-6,
        atol=1e-6,
        float_rtol=1e-6,
        float_atol=1e-6,
        half_rtol=1e-3,
        half_atol=1e-3,
        bfloat16_rtol=1e-2,
        bfloat16_atol=1e-2,
        msg=None,
    ):
        """assertAllClose with the greatest of the tolerances for the dtypes of a and b."""
        coarser = {
            "float": (float_rtol, float_atol),
            "half": (half_rtol, half_atol),
            "bfloat16": (bfloat16_rtol, bfloat16_atol),
        }
        for name in {_array(a).dtype.name, _array(b).dtype.name} & set(_COARSE):
            rtol, atol = map(max, (rtol, atol), coarser[_COARSE[name]])
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertNotAllClose(self, a, b, rtol=1e-6, atol=1e-6, msg=None):
        """Asserts that some elements are not close, see assertAllClose."""
        try:
            self.assertAllClose(a, b, rtol, atol, msg)
        except AssertionError:
            return
        raise AssertionError(f"The two values are close at all elements. {msg or ''}")

    def assertAllEqual(self, a, b, msg=None):
        """Asserts that shapes and elements are equal; NaN equals NaN."""
        left, right = _comparable(a), _comparable(b)
        self.assertEqual(left.shape, right.shape, f"Shape mismatch: expected {left.shape}, got {right.shape}.")
        np.testing.assert_array_equal(left, right, err_msg=msg or "")

    def assertNotAllEqual(self, a, b, msg=None):
        """Asserts that some elements or the shapes differ."""
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        raise AssertionError(f"The two values are equal at all elements. {msg or ''}")

    def assertAllGreater(self, a, comparison_target):
        """Asserts that all elements are greater than a number."""
        self.assertGreater(np.min(_array(a)), comparison_target)

    def assertAllLess(self, a, comparison_target):
        """Asserts that all elements are less than a number."""
        self.assertLess(np.max(_array(a)), comparison_target)

    def assertAllGreaterEqual(self, a, comparison_target):
        """Asserts that all elements are greater than a number or equal to it."""
        self.assertGreaterEqual(np.min(_array(a)), comparison_target)

    def assertAllLessEqual(self, a, comparison_target):
        """Asserts that all elements are less than a number or equal to it."""
        self.assertLessEqual(np.max(_array(a)), comparison_target)

    def assertAllInRange(self, target, lower_bound, upper_bound, open_lower_bound=False, open_upper_bound=False):
        """Asserts that all elements lie between two bounds, which belong to the range unless they are open."""
        array = _array(target)
        if array.dtype.kind not in "fiu":
            raise AssertionError(
                f"The value of {target!r:.200} does not have an ordered numeric type, instead it has type: "
                f"{array.dtype}"
            )
        above = array > lower_bound if open_lower_bound else array >= lower_bound
        below = array < upper_bound if open_upper_bound else array <= upper_bound
        outside = ~(above & below)  # NaN is nowhere
        if outside.any():
            raise AssertionError(
                f"{outside.sum()} of the {array.size} element(s) are outside the range "
                f"{'(' if open_lower_bound else '['}{lower_bound}, {upper_bound}{')' if open_upper_bound else ']'}: "
                f"{array[outside][:10]}"
            )

    def assertAllInSet(self, target, expected_set):
        """Asserts that all elements are among some values."""
        others = np.setdiff1d(_array(target).reshape(-1), list(expected_set))
        if others.size:
            raise AssertionError(f"{others.size} unique element(s) are not in the set {expected_set}: {others}")

    def assertNear(self, f1, f2, err, msg=None):
        """Asserts |f1 - f2| ≤ err for two numbers."""
        one, two = (float(np.squeeze(_array(f))) for f in (f1, f2))
        self.assertTrue(one == two or abs(one - two) <= err, f"{one} != {two} +/- {err} {msg or ''}")

    def assertArrayNear(self, farray1, farray2, err, msg=None):
        """Asserts |f1 - f2| ≤ err for the elements of two vectors."""
        self.assertEqual(len(farray1), len(farray2), msg)
        for one, two in zip(farray1, farray2, strict=True):
            self.assertNear(one, two, err, msg)

    def assertNDArrayNear(self, ndarray1, ndarray2, err, msg=None):
        """Asserts that the Euclidean norm of the difference is less than err."""
        self.assertTrue(np.linalg.norm(_array(ndarray1) - _array(ndarray2)) < err, msg)

    def assertShapeEqual(self, input_a, input_b, msg=None):
        """Asserts that two arrays or tensors have equal shapes."""
        self.assertEqual(_array(input_a).shape, _array(input_b).shape, msg)

    def assertDTypeEqual(self, target, expected_dtype):
        """Asserts that an array or tensor has a dtype."""
        self.assertEqual(_array(target).dtype, expected_dtype)


@export("test.main")
def main(argv=None):
    """Runs the tests of the calling module (tf.test.main)."""
    unittest.main(argv=argv)
