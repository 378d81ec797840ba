"""Batches as tuples, and PyDataset."""

import itertools

import pytest

import nbflow as nf

utils = nf.keras.utils


@pytest.mark.parametrize("given", [3, (3,), [3], (3, 4), [3, 4], (3, 4, 5), {"a": 3}])
def test_unpack(given):
    parts = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    assert utils.unpack_x_y_sample_weight(given) == (*parts, None, None)[:3]


def test_pack():
    assert utils.pack_x_y_sample_weight(1) == 1
    assert utils.pack_x_y_sample_weight((1, 2)) == ((1, 2),)
    assert utils.pack_x_y_sample_weight([1, 2]) == ([1, 2],)
    assert utils.pack_x_y_sample_weight(1, 2) == (1, 2)
    assert utils.pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)


class Squares(utils.PyDataset):
    def __getitem__(self, index):
        return index**2


def test_datasets():
    class Sized(Squares):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)

        def __len__(self):
            return 4

    made = Sized(workers=2, max_queue_size=3)
    assert (made.workers, made.use_multiprocessing, made.max_queue_size) == (2, False, 3)
    assert made.num_batches == 4
    assert list(made) == [0, 1, 4, 9]
    assert made.on_epoch_begin() is made.on_epoch_end() is None
    assert issubclass(Sized, utils.Sequence)


def test_datasets_without_end():
    class Endless(Squares):
        num_batches = None

    for dataset in (Endless(), Squares()):
        assert list(itertools.islice(dataset, 3)) == [0, 1, 4]
    with pytest.raises(NotImplementedError, match="num_batches"):
        list(range(Squares().num_batches))


def test_datasets_without_init():
    class Plain(Squares):
        def __init__(self):
            pass

    assert (Plain().workers, Plain().use_multiprocessing, Plain().max_queue_size) == (1, False, 10)


def test_what_a_dataset_must_have():
    with pytest.raises(NotImplementedError, match="__getitem__"):
        utils.PyDataset()[0]
