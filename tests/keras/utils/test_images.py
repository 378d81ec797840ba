"""Images between arrays, Pillow and files."""

import io
import pathlib

import numpy as np
import pytest

import nbflow as nf

utils = nf.keras.utils
COLOURS = np.random.RandomState(0).randint(0, 256, (4, 6, 3)).astype(np.uint8)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first", None])
def test_there_and_back(channels, mode, data_format):
    x = np.resize(COLOURS, (4, 6, channels)).astype(np.float32)
    x = x.transpose(2, 0, 1) if data_format == "channels_first" else x
    image = utils.array_to_img(x, data_format, scale=False)
    assert (image.mode, image.size) == (mode, (6, 4))
    again = utils.img_to_array(image, data_format)
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, x)


def test_scaling():
    x = np.array([[[-1.0], [0.0]], [[1.0], [3.0]]])
    assert np.asarray(utils.array_to_img(x)).tolist() == [[0, 63], [127, 255]]
    assert not np.asarray(utils.array_to_img(np.ones((2, 2, 3)))).any()


def test_large_grey_values():
    image = utils.array_to_img(np.full((2, 2, 1), 1000.0), scale=False)
    assert image.mode == "I"
    assert utils.img_to_array(image, dtype="int32").tolist() == [[[1000]] * 2] * 2


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda: utils.array_to_img(np.ones((2, 2))), ValueError, r"rank 3.*\(2, 2\)"),
    (lambda: utils.array_to_img(np.ones((2, 2, 5))), ValueError, "channel number: 5"),
    (lambda: utils.array_to_img(np.ones((2, 2, 3)), "other"), ValueError, "channels_first"),
    (lambda: utils.img_to_array(np.ones((1, 2, 2, 3))), ValueError, "image shape"),
    (lambda: utils.load_img(3), TypeError, "path-like"),
    (lambda: utils.load_img("x.png", "cmyk"), ValueError, "color_mode"),
    (lambda: utils.load_img("x.png", interpolation="other"), ValueError, "other specified"),
])  # fmt: skip
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.fixture
def png(tmp_path):
    utils.save_img(tmp_path / "a.png", COLOURS, scale=False)
    return tmp_path / "a.png"


def test_files(png):
    for path in (png, str(png), io.BytesIO(png.read_bytes())):
        np.testing.assert_array_equal(utils.img_to_array(utils.load_img(path), dtype="uint8"), COLOURS)
    assert utils.load_img(png, "grayscale").mode == "L"
    assert utils.load_img(png, "rgba").mode == "RGBA"


def test_formats(tmp_path):
    with pytest.warns(UserWarning, match="RGBA"):
        utils.save_img(tmp_path / "a.jpg", np.resize(COLOURS, (4, 6, 4)))
    assert utils.load_img(tmp_path / "a.jpg").size == (6, 4)
    file = io.BytesIO()
    utils.save_img(file, COLOURS, file_format="png")
    assert file.getvalue().startswith(b"\x89PNG")
    assert pathlib.Path(tmp_path / "a.jpg").read_bytes().startswith(b"\xff\xd8")


def test_other_sizes(png):
    assert utils.load_img(png, target_size=(2, 3), interpolation="bilinear").size == (3, 2)
    near = utils.img_to_array(utils.load_img(png, target_size=(8, 12)), dtype="uint8")
    np.testing.assert_array_equal(near, COLOURS.repeat(2, 0).repeat(2, 1))
    middle = utils.load_img(png, target_size=(4, 4), keep_aspect_ratio=True)
    np.testing.assert_array_equal(utils.img_to_array(middle, dtype="uint8"), COLOURS[:, 1:5])
