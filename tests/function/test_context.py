"""Where code runs, and what is known of tensors before it does."""

import numpy as np
import pytest

import nbflow as nf


def test_eagerly_or_not():
    seen = []
    note = lambda: seen.append((nf.executing_eagerly(), nf.inside_function()))

    @nf.function
    def traced():
        note()
        with nf.init_scope():
            note()
        return nf.constant(1)

    note()
    traced()
    note()
    assert seen == [(True, False), (False, True), (True, False), (True, False)]


@pytest.mark.parametrize("sizes", [[2, 3], [None, 3]])
def test_static_values(sizes):
    found = {}

    @nf.function(input_signature=[nf.TensorSpec(sizes)])
    def traced(x):
        shape = nf.shape(x)
        for name, tensor in {"x": x, "constant": nf.constant([1.5, 2]), "shape": shape, "last": shape[1]}.items():
            found[name] = nf.get_static_value(tensor)
        found["partial"] = nf.get_static_value(shape, partial=True)
        return x

    traced(nf.ones([2, 3]))
    assert found["x"] is None
    np.testing.assert_array_equal(found["constant"], np.float32([1.5, 2]))
    assert found["last"] == 3
    assert list(found["partial"]) == sizes
    if None in sizes:
        assert found["shape"] is None
    else:
        np.testing.assert_array_equal(found["shape"], np.int32(sizes))
    np.testing.assert_array_equal(nf.get_static_value(nf.constant([1, 2])), [1, 2])


def test_name_scopes():
    with nf.name_scope("model") as outer, nf.name_scope("layer") as inner:
        assert (outer, inner, nf.get_current_name_scope()) == ("model/", "model/layer/", "model/layer")
        with nf.name_scope("other/") as whole, nf.name_scope("") as reset:
            assert (whole, reset) == ("other/", "")
    assert nf.get_current_name_scope() == ""
    with pytest.raises(ValueError, match="string"):
        nf.name_scope(3)


def test_order_of_ops():
    v = nf.Variable(1.0)
    with nf.control_dependencies([v.assign(2.0)]):
        assert v.numpy() == 2
    assert nf.group(v.assign(3.0)) is None
    assert nf.no_op() is None
    assert [t.numpy() for t in nf.tuple([v, nf.constant(1.0)])] == [3, 1]
