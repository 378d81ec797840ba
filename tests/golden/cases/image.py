"""Images: resizing, crops, colours, adjustments, comparisons, random changes, boxes."""

from .common import *
from .common import Case

RNG = np.random.default_rng(11)
IMAGE = RNG.random((1, 6, 5, 3)).astype(F32)
OTHER = np.clip(IMAGE + RNG.normal(0, 0.1, IMAGE.shape), 0, 1).astype(F32)
PAIR = RNG.random((2, 12, 11, 1)).astype(F32)
BYTES = (IMAGE * 255).astype(U8)
PIXELS = np.concatenate([RNG.random((8, 3)), RNG.integers(0, 3, (12, 3)) / 2]).astype(F32)
BOXES = np.array([[0, 0, 1, 1], [0.2, 0.3, 0.9, 0.8], [0.9, 0.8, 0.1, 0.2], [-0.2, 0.1, 0.5, 1.3]], F32)
SCORES = np.array([0.5, 0.9, 0.9, 0.3], F32)
METHODS = ("nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")


def call(name: str, *arguments, **options):
    """A call of nf.image.name with the case's inputs first."""
    return lambda tf, *inputs: getattr(tf.image, name)(*inputs, *arguments, **options)


def case(name: str, function: str, inputs: list, *arguments, gradient=False, tolerance=32, **options) -> Case:
    return Case(name, call(function, *arguments, **options), inputs, gradient, tolerance)


def _resizing() -> list[Case]:
    found = []
    for method in METHODS:
        for size in ((3, 4), (8, 7)):
            name, gradient = f"resize/{method}/{size[0]}", method != "area"
            found.append(case(name, "resize", [IMAGE], size, method, gradient=gradient, tolerance=64))
        if method not in ("nearest", "area"):
            options = {"antialias": True, "gradient": True, "tolerance": 64}
            found.append(case(f"resize/{method}/antialias", "resize", [IMAGE], (3, 2), method, **options))
    for method in ("nearest", "bilinear", "bicubic", "area", "lanczos3"):
        for dtype in (U8, F64):
            image = (IMAGE[0] * 100).astype(dtype)
            name, tolerance = f"resize/{np.dtype(dtype).name}/{method}", 1024 if method == "bicubic" else 64
            found.append(case(name, "resize", [image], (4, 7), method, tolerance=tolerance))
    found.append(case("resize/aspect", "resize", [IMAGE], (9, 20), preserve_aspect_ratio=True, gradient=True))
    for size in ((4, 8), (9, 3)):
        found.append(case(f"resize_with_pad/{size}", "resize_with_pad", [IMAGE], *size, gradient=True))
    where = [IMAGE, BOXES, np.zeros(4, I32)]
    for method in ("bilinear", "nearest"):
        for size in ((4, 3), (1, 1)):
            options = {"method": method, "extrapolation_value": 2.5, "gradient": True, "tolerance": 128}
            found.append(case(f"crop_and_resize/{method}/{size}", "crop_and_resize", where, size, **options))
    return found


def _framing() -> list[Case]:
    found = [case(name, name, [IMAGE], gradient=True) for name in ("flip_left_right", "flip_up_down", "transpose")]
    found += [case(f"rot90/{k}", "rot90", [IMAGE[0]], k, gradient=True) for k in (-1, 0, 1, 2, 3)]
    found += [case(f"central_crop/{f}", "central_crop", [IMAGE], f, gradient=True) for f in (0.3, 0.7, 1.0)]
    found.append(case("crop_to_bounding_box", "crop_to_bounding_box", [IMAGE], 1, 2, 3, 2, gradient=True))
    found.append(case("pad_to_bounding_box", "pad_to_bounding_box", [IMAGE[0]], 1, 2, 8, 9, gradient=True))
    for size in ((3, 9), (8, 4), (2, 2)):
        found.append(case(f"resize_with_crop_or_pad/{size}", "resize_with_crop_or_pad", [BYTES], *size))
    return found


def _colours() -> list[Case]:
    found = []
    names = "rgb_to_hsv hsv_to_rgb rgb_to_yiq yiq_to_rgb rgb_to_yuv yuv_to_rgb rgb_to_grayscale"
    for name in names.split():
        found.append(case(name, name, [PIXELS], gradient=name != "hsv_to_rgb", tolerance=64))
    for name in ("rgb_to_hsv", "rgb_to_yiq"):
        found.append(case(f"{name}/float64", name, [PIXELS.astype(F64)], gradient=True, tolerance=64))
    found.append(case("rgb_to_grayscale/uint8", "rgb_to_grayscale", [BYTES]))
    found.append(case("grayscale_to_rgb", "grayscale_to_rgb", [PIXELS[:, :1]], gradient=True))
    numbers = np.array([0, 1, 100, -5, 2**31 - 1, -(2**31)])
    fractions = np.array([0, 0.5, 1, 1.5, -1, 0.2, 0.999, 300])
    for source in ("uint8", "int16", "int32", "float16", "float32"):
        for target in ("uint8", "int16", "int32", "float32", "float64"):
            inputs = [fractions.astype(source) if source[0] == "f" else numbers.astype(source)]
            saturate = source[0] == "f"  # what does not fit has no defined value otherwise
            name = f"convert_image_dtype/{source} to {target}"
            found.append(case(name, "convert_image_dtype", inputs, target, saturate=saturate))
    return found


def _adjusting() -> list[Case]:
    found = []
    for name, amounts in {
        "adjust_brightness": (0.3, -0.2),
        "adjust_contrast": (2.0, 0.3),
        "adjust_gamma": (0.4, 2.0),
        "adjust_hue": (0.2, -0.7),
        "adjust_saturation": (0.0, 2.0),
    }.items():
        for amount in amounts:
            gradient = name in ("adjust_brightness", "adjust_gamma")
            found.append(case(f"{name}/{amount}", name, [IMAGE], amount, gradient=gradient, tolerance=64))
            found.append(case(f"{name}/{amount}/uint8", name, [BYTES], amount))
    for name, image in {"float": IMAGE, "uniform": np.full((2, 3, 4, 1), 0.5, F32), "bytes": BYTES}.items():
        gradient = name == "float"
        found.append(
            case(f"standardization/{name}", "per_image_standardization", [image], gradient=gradient, tolerance=256)
        )
    return found


def _comparing() -> list[Case]:
    found = []
    for dtype in (F32, F64, I32):
        image = (IMAGE * 9).astype(dtype)
        for name in ("total_variation", "image_gradients", "sobel_edges"):
            if dtype is not I32 or name != "sobel_edges":
                options = {"gradient": dtype is not I32, "tolerance": 128}
                found.append(case(f"{name}/{np.dtype(dtype).name}", name, [image], **options))
    similar = {"filter_size": 5, "gradient": True, "tolerance": 1024}
    found += [
        case("psnr", "psnr", [IMAGE, OTHER], 1.0, gradient=True, tolerance=64),
        case("psnr/uint8", "psnr", [BYTES, BYTES[:, ::-1]], 255, tolerance=64),
        case("ssim", "ssim", [IMAGE, OTHER], 1.0, **similar),
        case("ssim/uint8", "ssim", [BYTES, BYTES[:, ::-1]], 255, filter_size=3, tolerance=1024),
        case("ssim/map", "ssim", [PAIR[:1], PAIR[1:]], 1.0, filter_size=7, return_index_map=True, tolerance=1024),
        case("ssim_multiscale", "ssim_multiscale", [PAIR[:1], PAIR[1:] / 4 + PAIR[:1] / 2], 1.0, (0.4, 0.6), **similar),
    ]
    return found


def _randomly() -> list[Case]:
    changes = {
        "flip_left_right": (),
        "flip_up_down": (),
        "brightness": (0.3,),
        "hue": (0.2,),
        "contrast": (0.2, 0.9),
        "saturation": (0.2, 0.9),
        "crop": ((1, 4, 3, 2),),
    }
    batch = np.concatenate([IMAGE, OTHER, IMAGE, OTHER])
    found = []
    for name, arguments in changes.items():
        for seed in ((1, 2), (7, -3)):
            function = f"stateless_random_{name}"
            found.append(case(f"{function}/{seed[0]}", function, [batch], *arguments, seed=seed, tolerance=64))

        def streams(tf, image, name=name, arguments=arguments):
            function = getattr(tf.image, f"random_{name}")
            tf.random.set_seed(5)
            return [function(image, *arguments), function(image, *arguments, seed=3), function(image, *arguments)]

        found.append(Case(f"random_{name}", streams, [batch], tolerance=64, traced=False))
    return found


def _boxes() -> list[Case]:
    colors = np.array([[0.1, 0.2, 0.3], [0.5, 0.6, 0.7]], F32)
    above = [[*BOXES[:2], BOXES[3]]]
    found = [
        Case("draw", lambda tf, x, b: tf.image.draw_bounding_boxes(x, b, colors), [IMAGE, np.array(above, F32)]),
        Case("draw/default", lambda tf, x, b: tf.image.draw_bounding_boxes(x, b, None), [IMAGE, np.array(above, F32)]),
    ]
    rng = np.random.default_rng(2)
    corners = rng.random((20, 2))
    boxes = np.concatenate([corners, corners + rng.random((20, 2)) / 2], axis=1).astype(F32)
    for name, scores in {"equal": np.full(20, 0.5, F32), "different": rng.random(20).astype(F32)}.items():
        for k, limits in enumerate([(5, 0.5, float("-inf")), (40, 0.3, 0.25)]):
            inputs = [boxes, scores]
            found.append(case(f"nms/{name}/{k}", "non_max_suppression", inputs, *limits))
            found.append(
                case(f"nms/soft/{name}/{k}", "non_max_suppression_with_scores", inputs, *limits[:2], 0.01, 0.5)
            )
            padded = {"pad_to_max_output_size": True}
            found.append(case(f"nms/padded/{name}/{k}", "non_max_suppression_padded", inputs, *limits, **padded))
            overlaps = (boxes @ boxes.T).astype(F32)
            found.append(case(f"nms/overlaps/{name}/{k}", "non_max_suppression_overlaps", [overlaps, scores], *limits))
    many = [boxes.reshape(2, 10, 1, 4), rng.random((2, 10, 3)).astype(F32)]
    for pad in (False, True):
        options = {"iou_threshold": 0.4, "score_threshold": 0.2, "pad_per_class": pad}
        found.append(case(f"nms/combined/{pad}", "combined_non_max_suppression", many, 4, 9, **options))
    inside = np.array([[[0.1, 0.2, 0.6, 0.7]]], F32)
    for seed in range(4):

        def sampled(tf, boxes, seed=seed):
            size = np.array([30 + seed, 20, 3], I32)
            return tf.image.stateless_sample_distorted_bounding_box(size, boxes, (seed, 2), 0.1 + seed / 5)

        found.append(Case(f"sample_distorted_bounding_box/{seed}", sampled, [inside]))
    for centered in (False, True):
        for normalized in (False, True):
            offsets = np.array([[0.3, -0.4]], F32) * (1 if normalized else 5)
            options = {"centered": centered, "normalized": normalized, "noise": "zero"}

            def glimpse(tf, image, offsets, options=options):
                return tf.image.extract_glimpse(image, (3, 4), offsets, **options)

            found.append(Case(f"extract_glimpse/{centered}/{normalized}", glimpse, [IMAGE, offsets]))
    return found


def cases() -> list[Case]:
    return [*_resizing(), *_framing(), *_colours(), *_adjusting(), *_comparing(), *_randomly(), *_boxes()]


def errors() -> list[Case]:
    return [
        case("flip rank", "flip_up_down", [PIXELS]),
        case("flip empty", "flip_up_down", [IMAGE[:, :0]]),
        case("resize size", "resize", [IMAGE], [3]),
        case("resize zero", "resize", [IMAGE], [0, 3]),
        case("resize method", "resize", [IMAGE], [3, 3], "cubic"),
        case("resize rank", "resize", [PIXELS], [3, 3]),
        case("crop beyond", "crop_to_bounding_box", [IMAGE], 0, 0, 7, 1),
        case("crop negative", "crop_to_bounding_box", [IMAGE], -1, 0, 3, 1),
        case("pad too small", "pad_to_bounding_box", [IMAGE], 1, 0, 6, 9),
        case("central fraction", "central_crop", [IMAGE], 1.5),
        case("crop_and_resize index", "crop_and_resize", [IMAGE, BOXES, np.full(4, 1, I32)], (2, 2)),
        case("crop_and_resize boxes", "crop_and_resize", [IMAGE, BOXES[:, :3], np.zeros(4, I32)], (2, 2)),
        case("hsv channels", "rgb_to_hsv", [IMAGE[..., :2]]),
        case("grey channels", "grayscale_to_rgb", [IMAGE]),
        case("hue delta", "adjust_hue", [IMAGE], 1.5),
        case("gamma", "adjust_gamma", [IMAGE], -1.0),
        case("contrast rank", "adjust_contrast", [PIXELS], 2.0),
        case("ssim size", "ssim", [IMAGE, OTHER], 1.0),
        case("psnr shapes", "psnr", [IMAGE, OTHER[:, :3]], 1.0),
        case("total_variation rank", "total_variation", [PIXELS]),
        case("image_gradients rank", "image_gradients", [IMAGE[0]]),
        case("random_brightness", "random_brightness", [IMAGE], -1.0),
        case("random_hue", "random_hue", [IMAGE], 0.7),
        case("random_contrast", "random_contrast", [IMAGE], 0.5, 0.2),
        case("random_crop", "random_crop", [IMAGE], (1, 7, 3, 3)),
        case("nms threshold", "non_max_suppression", [BOXES, SCORES], 3, 1.5),
        case("nms boxes", "non_max_suppression", [BOXES[:, :3], SCORES], 3),
        case("nms scores", "non_max_suppression", [BOXES, SCORES[:2]], 3),
    ]
