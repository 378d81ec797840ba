"""nf.nest: the answers are TensorFlow's."""

import collections

import pytest

import nbflow as nf

Point = collections.namedtuple("Point", "a b")
LEAVES = [
    (1, [1]),
    (None, [None]),
    ("text", ["text"]),
    ([], []),
    ([(), {}], []),
    ([1, [2, 3]], [1, 2, 3]),
    ({"b": [1, 2], "a": (3, None)}, [3, None, 1, 2]),
    (Point(1, [2, 3]), [1, 2, 3]),
]


@pytest.mark.parametrize(("structure", "leaves"), LEAVES)
def test_flatten_and_pack(structure, leaves):
    assert nf.nest.flatten(structure) == leaves
    assert nf.nest.pack_sequence_as(structure, leaves) == structure
    assert nf.nest.is_nested(structure) == isinstance(structure, (list, tuple, dict))
    with pytest.raises(ValueError, match="leaves"):
        nf.nest.pack_sequence_as(structure, [0] * 9)


def test_map_structure():
    found = nf.nest.map_structure(lambda a, b: a + b, {"y": (1, 2), "x": 3}, {"x": 30, "y": (10, 20)})
    assert found == {"y": (11, 22), "x": 33}
    tensors = nf.nest.map_structure(nf.square, Point(nf.constant(2.0), nf.constant([3.0])))
    assert isinstance(tensors, Point)
    assert [t.numpy().tolist() for t in tensors] == [4.0, [9.0]]
    assert nf.nest.map_structure(lambda a, b: a + b, [1, 2], (3, 4), check_types=False) == [4, 6]


@pytest.mark.parametrize(
    ("one", "two", "error"),
    [
        ([1, 2], (1, 2), TypeError),
        (Point(1, 2), (1, 2), TypeError),
        ([1, 2], [1, 2, 3], ValueError),
        ([1, [2]], [1, 2], ValueError),
        ({"a": 1}, {"b": 1}, ValueError),
        (1, [1], ValueError),
    ],
)
def test_different_structures(one, two, error):
    with pytest.raises(error, match="structures differ"):
        nf.nest.assert_same_structure(one, two)
    with pytest.raises(error):
        nf.nest.map_structure(lambda a, b: a, one, two)


def test_same_structures():
    nf.nest.assert_same_structure({"a": 1}, collections.OrderedDict(a=2))
    nf.nest.assert_same_structure([1, 2], (1, 2), check_types=False)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="cannot be called"):
        nf.nest.map_structure(3, [1])
    with pytest.raises(ValueError, match="at least one"):
        nf.nest.map_structure(lambda: 1)
    with pytest.raises(TypeError, match="takes a sequence"):
        nf.nest.pack_sequence_as([1], 1)
