"""Images whose height and width a trace does not know: one trace gives what eager calls give, for each size."""

import numpy as np
import pytest

import nbflow as nf

FUNCTIONS = {
    "central_crop": lambda x: nf.image.central_crop(x, 0.3),
    "resize_with_crop_or_pad": lambda x: nf.image.resize_with_crop_or_pad(x, 6, 5),
    "resize_with_pad": lambda x: nf.image.resize_with_pad(x, 6, 9),
    "resize within": lambda x: nf.image.resize(x, [9, 6], preserve_aspect_ratio=True),
    "resize": lambda x: nf.image.resize(x, [9, 3], "bicubic"),
    "rot90": nf.image.rot90,
    "sobel_edges": nf.image.sobel_edges,
    "total_variation": nf.image.total_variation,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_unknown_sizes(name):
    def value_and_gradient(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = FUNCTIONS[name](x)
            total = nf.reduce_sum(nf.square(y))
        return y, tape.gradient(total, x)

    traced = nf.function(value_and_gradient, input_signature=[nf.TensorSpec((None, None, None, 2), nf.float32)])
    for shape in ((1, 5, 7, 2), (2, 8, 4, 2)):
        x = nf.constant(np.random.default_rng(0).random(shape, np.float32))
        for actual, expected in zip(traced(x), value_and_gradient(x), strict=True):
            assert actual.shape == expected.shape
            np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)
    assert traced.experimental_get_tracing_count() == 1


def test_rot90_takes_integers():
    x = nf.zeros([2, 3, 1])
    assert nf.image.rot90(x, nf.constant(5)).shape == (3, 2, 1)
    with pytest.raises(TypeError, match="image.rot90: k is 1.5; it takes an integer"):
        nf.image.rot90(x, 1.5)
