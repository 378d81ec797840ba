"""Boxes in images, [y1, x1, y2, x2] with 0 and 1 at the edges: drawing, choosing and sampling them."""

import numpy as np

from nbflow.dtypes import float32, int32
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, number, sizes
from nbflow.random import stateful, stateless
from nbflow.tensor.tensor import argument, to_tensor

COLORS = (
    *((1, 1, 0, 1), (0, 0, 1, 1), (1, 0, 0, 1), (0, 1, 0, 1), (0.5, 0, 0.5, 1)),  # yellow, blue, red, lime, purple
    *((0.5, 0.5, 0, 1), (0.5, 0, 0, 1), (0, 0, 0.5, 1), (0, 1, 1, 1), (1, 0, 1, 1)),  # olive, maroon, navy, aqua, pink
)


@export("image.draw_bounding_boxes")
def draw_bounding_boxes(images, boxes, colors, name=None):
    """Images with the outlines of boxes, one pixel wide (tf.image.draw_bounding_boxes).

    Args:
        images: a floating point tensor [batch, height, width, 1, 3 or 4].
        boxes: [batch, boxes, 4]; parts beyond the edge are not drawn.
        colors: [colors, channels], taken in turn; None or an empty tensor: ten that differ, white in grey images.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor like images. There is no gradient, as in TensorFlow.
    """
    function = "image.draw_bounding_boxes"
    x = argument(function, "images", images)
    boxes = argument(function, "boxes", boxes, float32)
    given = None if colors is None else argument(function, "colors", colors, float32)
    if given is None or 0 in given.nbflow_shape:
        grey = x.nbflow_shape[-1:] == (1,)
        given = to_tensor(np.ones((1, 4), np.float32) if grey else np.array(COLORS, np.float32))
    return TABLE["draw_bounding_boxes"](x, cast(boxes, x.dtype), cast(given, x.dtype))


# --- non-maximum suppression ------------------------------------------------------------------------------------------


def _chosen(boxes, scores, count, threshold, least, sigma=0.0, given_overlaps=False):
    function = "image.non_max_suppression"
    boxes, scores = argument(function, "boxes", boxes, float32), argument(function, "scores", scores, float32)
    limits = (
        cast(argument(function, name, value, scores.dtype), scores.dtype)
        for name, value in (("iou_threshold", threshold), ("score_threshold", least), ("soft_nms_sigma", sigma))
    )
    count = cast(argument(function, "max_output_size", count, int32), int32)
    return TABLE["non_max_suppression"](boxes, scores, count, *limits, given_overlaps=given_overlaps)


@export("image.non_max_suppression")
def non_max_suppression(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=float("-inf"), name=None):
    """The positions of the best boxes, without those that overlap a better one (tf.image.non_max_suppression).

    Args:
        boxes: [boxes, 4], corners of any diagonal.
        scores: [boxes].
        max_output_size: how many at most.
        iou_threshold: in [0, 1]; boxes overlap where they share more than that part of the area of both together.
        score_threshold: boxes with scores up to this do not count.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        An int32 vector, best first; of equal scores the first counts as the better.
    """
    return _chosen(boxes, scores, max_output_size, iou_threshold, score_threshold)[0]


@export("image.non_max_suppression_with_scores")
def non_max_suppression_with_scores(
    boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=float("-inf"), soft_nms_sigma=0.0, name=None
):
    """As non_max_suppression, with scores that overlaps may lower (tf.image.non_max_suppression_with_scores).

    Args:
        boxes, scores, max_output_size, iou_threshold, score_threshold: as non_max_suppression takes them.
        soft_nms_sigma: above 0, iou_threshold is ignored and a box that shares s with a better one has its score
            multiplied by exp(-s² / (2 sigma)).
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (positions, scores), int32 and floating point vectors.
    """
    return _chosen(boxes, scores, max_output_size, iou_threshold, score_threshold, soft_nms_sigma)


@export("image.non_max_suppression_overlaps")
def non_max_suppression_overlaps(
    overlaps, scores, max_output_size, overlap_threshold=0.5, score_threshold=float("-inf"), name=None
):
    """As non_max_suppression, with given overlaps (tf.image.non_max_suppression_overlaps).

    Args:
        overlaps: [boxes, boxes].
        scores: [boxes].
        max_output_size, score_threshold: as non_max_suppression takes them.
        overlap_threshold: above this two boxes overlap.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        An int32 vector of positions, best first.
    """
    return _chosen(overlaps, scores, max_output_size, overlap_threshold, score_threshold, given_overlaps=True)[0]


@export("image.non_max_suppression_padded")
def non_max_suppression_padded(
    boxes,
    scores,
    max_output_size,
    iou_threshold=0.5,
    score_threshold=float("-inf"),
    pad_to_max_output_size=False,
    name=None,
    sorted_input=False,
    canonicalized_coordinates=False,
    tile_size=512,
):
    """As non_max_suppression, for batches, with results of a known size (tf.image.non_max_suppression_padded).

    Args:
        boxes: [..., boxes, 4]. Boxes without a positive coordinate do not count.
        scores: [..., boxes].
        max_output_size, score_threshold: as non_max_suppression takes them, but as Python numbers.
        iou_threshold: from this on boxes overlap.
        pad_to_max_output_size: whether positions are filled up with 0; True for batches.
        name: accepted as TensorFlow's; it has no effect.
        sorted_input: whether scores come in descending order.
        canonicalized_coordinates: whether boxes have their lesser coordinates first. Otherwise the first box says, for
            all of them, which come first.
        tile_size: accepted as TensorFlow's; it has no effect.

    Returns:
        (positions, valid): int32 [..., max_output_size] and [...], how many of them count.

    Raises:
        InvalidArgumentError: boxes has batch axes and pad_to_max_output_size is False.
    """
    function = "image.non_max_suppression_padded"
    boxes, scores = argument(function, "boxes", boxes, float32), argument(function, "scores", scores, float32)
    if boxes.ndim < 2 or boxes.ndim != scores.ndim + 1:
        raise InvalidArgumentError(
            f"{function}: boxes has shape {boxes.shape} and scores {scores.shape}; they take [..., boxes, 4] and "
            f"[..., boxes]"
        )
    if not pad_to_max_output_size and boxes.ndim > 2:
        raise InvalidArgumentError(
            f"{function}: boxes has shape {boxes.shape}; batches take pad_to_max_output_size=True"
        )
    batch, (count, sides) = boxes.nbflow_shape[:-2], boxes.nbflow_shape[-2:]
    images = 1
    for n in batch:
        images = images * n
    most = int(number(max_output_size))
    positions, valid = TABLE["non_max_suppression_padded"](
        TABLE["reshape"](boxes, shape=(images, count, sides)),
        TABLE["reshape"](scores, shape=(images, count)),
        count=most,
        threshold=float(number(iou_threshold)),
        least=float(number(score_threshold)),
        is_sorted=bool(sorted_input),
        canonical=bool(canonicalized_coordinates),
        padded=bool(pad_to_max_output_size),
    )
    size = most if pad_to_max_output_size else positions.nbflow_shape[1]
    return TABLE["reshape"](positions, shape=(*batch, size)), TABLE["reshape"](valid, shape=batch)


@export("image.combined_non_max_suppression")
def combined_non_max_suppression(
    boxes,
    scores,
    max_output_size_per_class,
    max_total_size,
    iou_threshold=0.5,
    score_threshold=float("-inf"),
    pad_per_class=False,
    clip_boxes=True,
    name=None,
):
    """non_max_suppression for each class of each image, and the best of all (tf.image.combined_non_max_suppression).

    Args:
        boxes: float32 [batch, boxes, classes, 4], or with 1 for classes that share their boxes.
        scores: float32 [batch, boxes, classes].
        max_output_size_per_class, max_total_size: how many at most of a class and of an image, integers.
        iou_threshold, score_threshold: as non_max_suppression takes them, but as Python numbers.
        pad_per_class: whether results have max_output_size_per_class · classes rows where that is less than
            max_total_size.
        clip_boxes: whether coordinates are brought into [0, 1].
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (boxes, scores, classes, valid): float32 [batch, size, 4], [batch, size], [batch, size] and int32 [batch]; rows
        from valid on are 0.
    """
    function = "image.combined_non_max_suppression"
    per_class, total = int(number(max_output_size_per_class)), int(number(max_total_size))
    for name_, value in (("max_output_size_per_class", per_class), ("max_total_size", total)):
        if value <= 0:
            raise InvalidArgumentError(f"{function}: {name_} is {value}; it takes an integer above 0")
    threshold = float(number(iou_threshold))
    if not 0 <= threshold <= 1:
        raise InvalidArgumentError(f"{function}: iou_threshold is {threshold}; it takes [0, 1]")
    return TABLE["combined_non_max_suppression"](
        argument(function, "boxes", boxes, float32),
        argument(function, "scores", scores, float32),
        per_class=per_class,
        total=total,
        threshold=threshold,
        least=float(number(score_threshold)),
        pad_per_class=bool(pad_per_class),
        clip=bool(clip_boxes),
    )


# --- random boxes -----------------------------------------------------------------------------------------------------


def _sampled(function, words, size, boxes, covered, aspect_ratios, areas, attempts, whole):
    """A random box of an image, from a stream of random numbers; each attempt may take four."""
    bits = TABLE["random_full_int"](words, shape=(4 * attempts + 64,), dtype=int32)
    covered = cast(argument(function, "min_object_covered", covered, float32), float32)
    begin, size_ = TABLE["sample_distorted_bounding_box"](
        size, boxes, bits, covered, aspect_ratios=aspect_ratios, areas=areas, attempts=attempts, whole=whole
    )
    first, count, image = (
        cast(TABLE["strided_slice"](x, begin=(0,), step=(1,), shape=(2,)), float32) for x in (begin, size_, size)
    )
    box = TABLE["concat"](first / image, (first + count) / image, axis=0)
    return begin, size_, TABLE["reshape"](box, shape=(1, 1, 4))


def _sample_arguments(function, image_size, bounding_boxes, aspect_ratio_range, area_range, max_attempts, whole):
    size = argument(function, "image_size", image_size)
    boxes = argument(function, "bounding_boxes", bounding_boxes, float32)
    ranges = []
    for name, value, default in (
        ("aspect_ratio_range", aspect_ratio_range, (0.75, 1.33)),
        ("area_range", area_range, (0.05, 1.0)),
    ):
        low, high = default if value is None else map(float, value)
        if not 0 < low <= high or (name == "area_range" and high > 1):
            raise InvalidArgumentError(f"{function}: {name} is {value}; it takes two numbers above 0, the lesser first")
        ranges.append((low, high))
    attempts = 100 if max_attempts is None else int(max_attempts)
    if attempts <= 0:
        raise InvalidArgumentError(f"{function}: max_attempts is {attempts}; it takes an integer above 0")
    return size, boxes, *ranges, attempts, bool(whole)


@export("image.sample_distorted_bounding_box")
def sample_distorted_bounding_box(
    image_size,
    bounding_boxes,
    seed=0,
    min_object_covered=0.1,
    aspect_ratio_range=None,
    area_range=None,
    max_attempts=None,
    use_image_if_no_bounding_boxes=None,
    name=None,
):
    """A random box that covers enough of one of some boxes (tf.image.sample_distorted_bounding_box).

    Args:
        image_size: an integer tensor: height, width, channels.
        bounding_boxes: float32 [batch, boxes, 4], in [0, 1].
        seed: an integer; 0: another stream at each call.
        min_object_covered: the part of one of the boxes that must be covered at least.
        aspect_ratio_range: the least and greatest width / height, (0.75, 1.33) by default.
        area_range: the least and greatest part of the image's area, (0.05, 1) by default.
        max_attempts: how often to try, 100 by default; then it is the whole image.
        use_image_if_no_bounding_boxes: whether the whole image counts as the box where none is given.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (begin, size, box): integers [y, x, 0] and [height, width, -1], as nf.slice takes them, and float32 [1, 1, 4].

    Raises:
        InvalidArgumentError: an argument is not one of these.
    """
    function = "image.sample_distorted_bounding_box"
    whole = use_image_if_no_bounding_boxes
    size, boxes, *options = _sample_arguments(
        function, image_size, bounding_boxes, aspect_ratio_range, area_range, max_attempts, whole
    )
    stream = stateful.stream(function, seed or None)
    words = stream(("SampleDistortedBoundingBoxV2", size.dtype.name), options[2])
    return _sampled(function, words, size, boxes, min_object_covered, *options)


@export("image.stateless_sample_distorted_bounding_box")
def stateless_sample_distorted_bounding_box(
    image_size,
    bounding_boxes,
    seed,
    min_object_covered=0.1,
    aspect_ratio_range=None,
    area_range=None,
    max_attempts=None,
    use_image_if_no_bounding_boxes=None,
    name=None,
):
    """A random box that follows from a seed, two integers; otherwise as sample_distorted_bounding_box."""
    function = "image.stateless_sample_distorted_bounding_box"
    whole = use_image_if_no_bounding_boxes
    size, boxes, *options = _sample_arguments(
        function, image_size, bounding_boxes, aspect_ratio_range, area_range, max_attempts, whole
    )
    words = stateless._stream(function, seed)(None, None)
    return _sampled(function, words, size, boxes, min_object_covered, *options)


# --- glimpses ---------------------------------------------------------------------------------------------------------


@export("image.extract_glimpse")
def extract_glimpse(input, size, offsets, centered=True, normalized=True, noise="uniform", name=None):
    """A window of each image, with noise beyond the edge (tf.image.extract_glimpse).

    Args:
        input: float32 [batch, height, width, channels].
        size: the height and width of the windows.
        offsets: float32 [batch, 2], y and x. Normalized and centered: of the middle of the window, from -1 to 1 over
            the image; normalized alone: of its corner, from 0 to 1; centered alone: of its corner, in pixels from the
            middle of the image; neither: of its corner, in pixels.
        centered, normalized: see offsets.
        noise: "uniform" between the least and the greatest number of the image, "gaussian" with its mean and deviation,
            or "zero".
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A float32 tensor [batch, *size, channels]. There is no gradient, as in TensorFlow.

    Raises:
        InvalidArgumentError: a shape does not fit, or there is no such noise.
    """
    function = "image.extract_glimpse"
    x, at = argument(function, "input", input, float32), argument(function, "offsets", offsets, float32)
    rows, columns = sizes(size)
    if x.ndim != 4 or at.nbflow_shape != (x.nbflow_shape[0], 2):
        raise InvalidArgumentError(
            f"{function}: input has shape {x.shape} and offsets {at.shape}; they take [batch, height, width, channels] "
            f"and [batch, 2]"
        )
    if noise not in ("uniform", "gaussian", "zero"):
        raise InvalidArgumentError(f"{function}: noise is {noise!r}; it takes uniform, gaussian or zero")
    x = TABLE["stop_gradient"](x)
    batch, height, width, channels = x.nbflow_shape
    image, window = (to_tensor(np.array(pair, np.float32)) for pair in ((height, width), (rows, columns)))
    if normalized:
        at = at * image
        at = at / 2.0 + image / 2.0 - window / 2.0 if centered else at
    elif centered:
        at = at + image / 2.0
    begin = cast(TABLE["stop_gradient"](at), int32)
    places, inside = [], []
    for k, (count, available) in enumerate(((rows, height), (columns, width))):
        first = TABLE["strided_slice"](begin, begin=(0, k), step=(1, 1), shape=(batch, 1))
        place = first + to_tensor(np.arange(count, dtype=np.int32))
        inside.append(TABLE["logical_and"](place >= 0, place < available))
        places.append(TABLE["minimum"](TABLE["maximum"](place, 0), available - 1))
    of_row, of_column = ((batch, rows, 1), (batch, 1, columns))
    index = TABLE["reshape"](places[0], shape=of_row) * width + TABLE["reshape"](places[1], shape=of_column)
    index = index + to_tensor(np.arange(batch, dtype=np.int32).reshape(-1, 1, 1) * (height * width))
    flat = TABLE["reshape"](x, shape=(batch * height * width, channels))
    found = TABLE["gather"](flat, index, axis=0)
    seen = TABLE["logical_and"](
        TABLE["reshape"](inside[0], shape=(*of_row, 1)), TABLE["reshape"](inside[1], shape=(*of_column, 1))
    )
    return TABLE["select"](seen, found, _noise(x, noise, (batch, rows, columns, channels)))


def _noise(x, kind: str, shape: tuple):
    """Noise with the range or the moments of each image."""
    if kind == "zero":
        return to_tensor(np.float32(0))
    over = {"axis": (1, 2, 3), "keepdims": True}
    if kind == "uniform":
        least, most = TABLE["reduce_min"](x, **over), TABLE["reduce_max"](x, **over)
        return stateful.uniform(shape) * (most - least) + least
    mean = TABLE["reduce_mean"](x, **over)
    variance = TABLE["reduce_mean"](TABLE["square"](x - mean), **over)
    return stateful.normal(shape) * TABLE["sqrt"](variance) + mean
