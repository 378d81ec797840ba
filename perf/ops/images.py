"""Image functions on 32 images of 100 by 100 pixels, about 1e6 numbers."""

import numpy as np

from perf.ops.case import case, integers, normal, uniform

SHAPE = (32, 100, 100, 3)
PIXELS, BYTES = uniform(0, 1, SHAPE), integers(0, 256, SHAPE, "uint8")
GRAY = np.array([0.2989, 0.587, 0.114], np.float32)
YIQ = np.array([[0.299, 0.59590059, 0.21153661], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]])
MIXED = YIQ.astype(np.float32)


def _ordered(function, x, *arguments, **attributes):
    import nbflow as nf

    return nf.concat([function(x, *arguments, **attributes)], 0)


def _contrast(x):
    mean = x.mean((1, 2), keepdims=True)
    return (x - mean) * 2 + mean


def _standardized(x):
    axes = (1, 2, 3)
    return (x - x.mean(axes, keepdims=True)) / x.std(axes, keepdims=True)


case("image.convert_image_dtype", lambda x: x * np.float32(1 / 255), BYTES, dtype="float32")
case("image.convert_image_dtype", lambda x: (x * 255.5).astype(np.uint8), PIXELS, what="to uint8", dtype="uint8")
case("image.rgb_to_grayscale", lambda x: x @ GRAY[:, None], PIXELS)
case("image.grayscale_to_rgb", lambda x: np.repeat(x, 3, -1), uniform(shape=(100, 100, 100, 1)))
for _name in ("rgb_to_hsv", "hsv_to_rgb"):
    case(f"image.{_name}", None, PIXELS)
for _name in ("rgb_to_yiq", "yiq_to_rgb", "rgb_to_yuv", "yuv_to_rgb"):
    case(f"image.{_name}", lambda x: x @ MIXED, PIXELS)
case("image.adjust_brightness", lambda x: x + np.float32(0.1), PIXELS, delta=0.1)
case("image.adjust_contrast", _contrast, PIXELS, contrast_factor=2.0)
case("image.adjust_gamma", lambda x: x**2.2, PIXELS, gamma=2.2)
case("image.adjust_hue", None, PIXELS, delta=0.1)
case("image.adjust_saturation", None, PIXELS, saturation_factor=2.0)
case("image.per_image_standardization", _standardized, PIXELS)
case("image.flip_left_right", lambda x: x[:, :, ::-1].copy(), PIXELS, call=_ordered)
case("image.flip_up_down", lambda x: x[:, ::-1].copy(), PIXELS, call=_ordered)
case("image.transpose", lambda x: x.swapaxes(1, 2).copy(), PIXELS, call=_ordered)
case("image.rot90", lambda x: np.rot90(x, axes=(1, 2)).copy(), PIXELS, call=_ordered)
case("image.central_crop", lambda x: x[:, 25:75, 25:75].copy(), PIXELS, call=_ordered, central_fraction=0.5)
case("image.crop_to_bounding_box", lambda x: x[:, 5:95, 5:95].copy(), PIXELS, call=_ordered, offset_height=5,
     offset_width=5, target_height=90, target_width=90)  # fmt: skip
BORDER = ((0, 0), (5, 5), (5, 5), (0, 0))
case("image.pad_to_bounding_box", lambda x: np.pad(x, BORDER), PIXELS, offset_height=5, offset_width=5,
     target_height=110, target_width=110)  # fmt: skip
case("image.resize_with_crop_or_pad", lambda x: np.pad(x, BORDER), PIXELS, target_height=110, target_width=110)
case("image.resize_with_pad", None, PIXELS, target_height=50, target_width=80)
case("image.resize", lambda x: x.repeat(2, 1).repeat(2, 2), uniform(shape=(8, 100, 100, 3)), what="nearest",
     size=(200, 200), method="nearest")  # fmt: skip
for _method in ("bilinear", "bicubic", "area", "lanczos3", "gaussian", "mitchellcubic"):
    case("image.resize", None, uniform(shape=(8, 100, 100, 3)), what=_method, size=(200, 200), method=_method)
case("image.crop_and_resize", None, PIXELS, uniform(0, 1, (32, 4)), lambda: np.arange(32, dtype=np.int32),
     crop_size=(50, 50))  # fmt: skip
case("image.extract_patches", lambda x: np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))[:, ::3, ::3].copy(),
     PIXELS, sizes=(1, 3, 3, 1), strides=(1, 3, 3, 1), rates=(1, 1, 1, 1), padding="VALID")  # fmt: skip
case("image.extract_glimpse", None, PIXELS, normal((32, 2)), call=lambda f, x, at: f(x, (50, 50), at))
case("image.total_variation", lambda x: (np.abs(np.diff(x, axis=1)).sum((1, 2, 3)) + np.abs(np.diff(x, axis=2)).sum(
     (1, 2, 3))), PIXELS)  # fmt: skip
case("image.image_gradients", lambda x: (np.diff(x, axis=1, append=x[:, -1:]), np.diff(x, axis=2, append=x[:, :, -1:])),
     PIXELS)  # fmt: skip
case("image.sobel_edges", None, PIXELS)
case("image.psnr", lambda x, y: -10 * np.log10(((x - y) ** 2).mean((1, 2, 3))), PIXELS, uniform(0, 1, SHAPE, seed=1),
     max_val=1.0)  # fmt: skip
case("image.ssim", None, PIXELS, uniform(0, 1, SHAPE, seed=1), max_val=1.0)
case("image.ssim_multiscale", None, uniform(0, 1, (8, 200, 200, 3)), uniform(0, 1, (8, 200, 200, 3), seed=1),
     max_val=1.0)  # fmt: skip
for _name, _values in {"brightness": (0.1,), "hue": (0.1,), "contrast": (0.5, 2.0), "saturation": (0.5, 2.0)}.items():
    case(f"image.random_{_name}", None, PIXELS, call=lambda f, x, _values=_values: f(x, *_values))
    case(
        f"image.stateless_random_{_name}", None, PIXELS, call=lambda f, x, _values=_values: f(x, *_values, seed=(1, 2))
    )
for _name in ("left_right", "up_down"):
    case(f"image.random_flip_{_name}", None, PIXELS)
    case(f"image.stateless_random_flip_{_name}", None, PIXELS, seed=(1, 2))
case("image.random_crop", None, PIXELS, size=(32, 50, 50, 3))
case("image.stateless_random_crop", None, PIXELS, size=(32, 50, 50, 3), seed=(1, 2))
