"""Boxes in images, [y1, x1, y2, x2]: drawing them, and choosing the best of those that overlap."""

import heapq

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import ALL
from nbflow.compiler.op import Op
from nbflow.dtypes import FULL, HALF, INTEGER, float32, int32
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import check_dtypes, register, shape_text
from nbflow.shapes import Dim, contiguous_strides, could_be_equal

REAL_BOXES = FULL + HALF

# --- drawing ----------------------------------------------------------------------------------------------------------

_DRAW = """def {{name}}(p, begin, end):
    \"\"\"draw_bounding_boxes {code}: the boxes of images [begin, end), in order, over what is there\"\"\"
    y, boxes, colors = word(p, 0), word(p, 1), word(p, 2)
    height, width, depth, count, table, shades = word(p, 3), word(p, 4), word(p, 5), word(p, 6), word(p, 7), word(p, 8)
    for image in range(begin, end):
        for k in range(count):
            box = (image * count + k) * 4
            top = to_int(i64, {code}(load({code}, boxes, box, 0) * {code}(height - 1)))
            left = to_int(i64, {code}(load({code}, boxes, box + 1, 0) * {code}(width - 1)))
            bottom = to_int(i64, {code}(load({code}, boxes, box + 2, 0) * {code}(height - 1)))
            right = to_int(i64, {code}(load({code}, boxes, box + 3, 0) * {code}(width - 1)))
            seen = (top <= bottom) & (left <= right) & (top < height) & (bottom >= 0) & (left < width) & (right >= 0)
            first_row, last_row = max(top, 0), min(bottom, height - 1)
            first_column, last_column = max(left, 0), min(right, width - 1)
            for i in range(first_row, last_row + 1 if seen else first_row):
                edge = (i == top) | (i == bottom)
                for j in range(first_column, last_column + 1):
                    if edge | (j == left) | (j == right):
                        for c in range(depth):
                            shade = load({code}, colors, (k % table) * shades + c, 0)
                            store({code}, y, ((image * height + i) * width + j) * depth + c, shade, 1)
"""


def _infer_draw(avals, attrs):
    images, boxes, colors = avals
    check_dtypes("draw_bounding_boxes", ("images", "boxes", "colors"), avals, REAL_BOXES)
    batch, depth = images.shape[0], images.shape[-1]
    if len(images.shape) != 4 or depth not in (1, 3, 4):
        raise InvalidArgumentError(
            f"draw_bounding_boxes: images has shape {shape_text(images)}; it takes batch, height, width and 1, 3 or 4 "
            f"channels"
        )
    if len(boxes.shape) != 3 or boxes.shape[2] != 4 or not could_be_equal(boxes.shape[:1], (batch,)):
        raise InvalidArgumentError(
            f"draw_bounding_boxes: boxes has shape {shape_text(boxes)}; for {batch} images it takes [{batch}, boxes, 4]"
        )
    if len(colors.shape) != 2 or colors.shape[1] < depth or not colors.shape[0]:
        raise InvalidArgumentError(
            f"draw_bounding_boxes: colors has shape {shape_text(colors)}; it takes colors of {depth} channels"
        )
    return aval(images.dtype, images.shape)


def _lower_draw(node, lowering):
    images, boxes, colors = node.inputs
    result, code = node.output, node.output.dtype.code
    batch, height, width, depth = images.shape
    if 0 in result.shape:
        return
    lowering.copy(lowering.place(images), images.shape, lowering.buffer(result), 0, contiguous_strides(images.shape))
    (at, touch), (table, touch_table) = (lowering.dense(lowering.place(v), v.shape) for v in (boxes, colors))
    words = [lowering.address(result), at, table, height, width, depth, boxes.shape[1], *colors.shape]
    touches = [touch, touch_table, lowering.writes(result, ALL)]
    cost = 20 + 4 * batch * boxes.shape[1] * (height + width)
    lowering.call("draw_bounding_boxes", _DRAW.format(code=code), words, batch, touches, cost)


def _draw_reference(images, boxes, colors):
    result = images.copy()
    _, height, width, depth = images.shape
    for image, rows in zip(result, boxes, strict=True):
        for k, box in enumerate(rows):
            top, left, bottom, right = (int(v * (n - 1)) for v, n in zip(box, (height, width) * 2, strict=True))
            if top > bottom or left > right:
                continue
            y, x = np.mgrid[:height, :width]
            inside = (y >= top) & (y <= bottom) & (x >= left) & (x <= right)
            edge = (y == top) | (y == bottom) | (x == left) | (x == right)
            image[inside & edge] = colors[k % len(colors), :depth]
    return result


draw = register(
    Op(
        "draw_bounding_boxes", ("images", "boxes", "colors"), _infer_draw, lower=_lower_draw,
        dtypes=REAL_BOXES, wide=True, reference=_draw_reference,
    )
)  # fmt: skip


# --- non-maximum suppression ------------------------------------------------------------------------------------------


def overlaps(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The area that a box shares with each of others over the area of both together, 0 for boxes without area."""
    low = np.minimum(boxes[:, :2], boxes[:, 2:])
    high = np.maximum(boxes[:, :2], boxes[:, 2:])
    first, last = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    areas, area = np.prod(high - low, axis=1), np.prod(last - first)
    shared = np.prod(np.maximum(np.minimum(high, last) - np.maximum(low, first), 0), axis=1)
    some = (areas > 0) & (area > 0)
    return np.where(some, shared / np.where(some, area + areas - shared, 1), 0).astype(boxes.dtype)


def best_first(scores: np.ndarray, least: float) -> np.ndarray:
    """The positions of the scores above `least`, the greatest first, among equal ones the first."""
    order = np.argsort(-scores, kind="stable")
    return order[scores[order] > least]


def suppress(similar, scores: np.ndarray, count: int, threshold: float, least: float) -> np.ndarray:
    """The positions of the best scores, without those that are too similar to a better one.

    Args:
        similar: (position, positions) -> how much the first is like each of the others.
        count: how many at most.
        threshold: above this two are too similar.
        least: scores up to this do not count.
    """
    left = best_first(scores, least)
    chosen: list[int] = []
    while len(left) and len(chosen) < count:
        chosen.append(left[0])
        rest = left[1:]
        left = rest[similar(left[0], rest) <= threshold]
    return np.array(chosen, np.int32)


def _soft_suppress(boxes, scores, count: int, least: float, sigma: float):
    """As `suppress`, but a box loses score by its overlaps, and is chosen when none is left with a greater one."""
    scale = scores.dtype.type(-0.5 / sigma)
    queue = [(-scores[k], k, 0) for k in best_first(scores, least)]
    heapq.heapify(queue)
    chosen: list[int] = []
    found: list = []
    while queue and len(chosen) < count:
        negative, k, seen = heapq.heappop(queue)
        score = -negative
        for overlap in overlaps(boxes[k], boxes[np.array(chosen[seen:][::-1], np.intp)]):
            score = score * np.exp(scale * overlap * overlap)
            if score <= least:
                break
        if score == -negative:
            chosen.append(k)
            found.append(score)
        elif score > least:
            heapq.heappush(queue, (-score, k, len(chosen)))
    return np.array(chosen, np.int32), np.array(found, scores.dtype)


def _check_threshold(name: str, threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise InvalidArgumentError(f"{name}: the threshold of overlaps is {threshold}; it takes [0, 1]")


def _infer_nms(avals, attrs):
    boxes, scores, count, *limits = avals
    name = "non_max_suppression"
    check_dtypes(name, ("boxes", "scores", *LIMITS), (boxes, scores, *limits), REAL_BOXES)
    columns = boxes.shape[0] if attrs["given_overlaps"] else 4
    if len(boxes.shape) != 2 or not could_be_equal(boxes.shape[1:], (columns,)):
        raise InvalidArgumentError(f"{name}: boxes has shape {shape_text(boxes)}; it takes [boxes, {columns}]")
    if len(scores.shape) != 1 or not could_be_equal(scores.shape, boxes.shape[:1]):
        raise InvalidArgumentError(
            f"{name}: scores has shape {shape_text(scores)}; it takes one for each of the {boxes.shape[0]} boxes"
        )
    for argument, a in zip(("max_output_size", *LIMITS), (count, *limits), strict=True):
        if a.shape:
            raise InvalidArgumentError(f"{name}: {argument} has shape {shape_text(a)}; it takes a scalar")
    size = Dim.fresh("boxes")
    return aval(int32, (size,)), aval(scores.dtype, (size,))


def _nms(boxes, scores, count, threshold, least, sigma, given_overlaps):
    if count < 0:
        raise InvalidArgumentError(f"non_max_suppression: max_output_size is {count}; it takes 0 or more")
    if given_overlaps:
        chosen = suppress(lambda k, others: boxes[others, k], scores, int(count), threshold, least)
        return chosen, scores[chosen]
    _check_threshold("non_max_suppression", threshold)
    if sigma > 0:
        return _soft_suppress(boxes, scores, int(count), least, sigma)
    chosen = suppress(lambda k, others: overlaps(boxes[k], boxes[others]), scores, int(count), threshold, least)
    return chosen, scores[chosen]


def _nms_reference(boxes, scores, count, threshold, least, sigma, given_overlaps):
    """The definition: of the boxes left the best, again and again."""
    alive, scores = scores > least, scores.copy()
    chosen, found = [], []
    while alive.any() and len(chosen) < count:
        k = int(np.argmax(np.where(alive, scores, -np.inf)))
        chosen.append(k)
        found.append(scores[k])
        alive[k] = False
        shared = boxes[:, k] if given_overlaps else overlaps(boxes[k], boxes)
        if sigma > 0:
            scores = scores * np.exp(-0.5 / sigma * shared**2)
            alive &= scores > least
        else:
            alive &= shared <= threshold
    return np.array(chosen, np.int32), np.array(found, scores.dtype)


LIMITS = ("iou_threshold", "score_threshold", "soft_nms_sigma")
nms = register(
    Op(
        "non_max_suppression", ("boxes", "scores", "max_output_size", *LIMITS), _infer_nms, host=_nms, wide=True,
        dtypes=REAL_BOXES, reference=_nms_reference,
    )
)  # fmt: skip


def _infer_nms_padded(avals, attrs):
    boxes, scores = avals
    if len(boxes.shape) != 3 or boxes.shape[2] != 4 or not could_be_equal(scores.shape, boxes.shape[:2]):
        raise InvalidArgumentError(
            f"non_max_suppression_padded: boxes has shape {shape_text(boxes)} and scores {shape_text(scores)}; "
            f"they take [images, boxes, 4] and [images, boxes]"
        )
    size = attrs["count"] if attrs["padded"] else Dim.fresh("boxes")
    return aval(int32, (boxes.shape[0], size)), aval(int32, boxes.shape[:1])


def _nms_padded(boxes, scores, count, threshold, least, is_sorted, canonical, padded):
    """Boxes without a positive coordinate do not count, and it is the first box that says which corner comes first."""
    boxes, scores = boxes.astype(np.float32), scores.astype(np.float32)
    if least != -np.inf:
        shown = scores > least
        boxes, scores = boxes * shown[..., None], scores * shown
    if not canonical and boxes.size:
        first = boxes[0, 0]
        y, x = ((0, 2) if first[0] <= first[2] else (2, 0)), ((1, 3) if first[1] <= first[3] else (3, 1))
        boxes = boxes[..., [y[0], x[0], y[1], x[1]]]
    rows = [_tiled(*row, count, np.float32(threshold), is_sorted) for row in zip(boxes, scores, strict=True)]
    valid = np.array([len(row) for row in rows], np.int32)
    result = np.zeros((len(boxes), count if padded else int(valid.max(initial=0))), np.int32)
    for row, chosen in zip(result, rows, strict=True):
        row[: len(chosen)] = chosen
    return result, valid


def _tiled(boxes, scores, count: int, threshold, is_sorted: bool) -> np.ndarray:
    """As `suppress`, with overlaps as TensorFlow computes them where it goes through boxes in tiles."""
    order = np.arange(len(scores)) if is_sorted else np.argsort(-scores, kind="stable")
    left = order[(boxes[order] > 0).any(axis=1)]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    chosen: list[int] = []
    while len(left) and len(chosen) < count:
        chosen.append(left[0])
        best, rest = boxes[left[0]], left[1:]
        sides = np.minimum(best[2:], boxes[rest, 2:]) - np.maximum(best[:2], boxes[rest, :2])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        together = areas[left[0]] + areas[rest] - shared + np.float32(1e-8)
        left = rest[(shared / together < threshold) | (threshold <= 0)]  # 0 suppresses nothing
    return np.array(chosen, np.int32)


nms_padded = register(
    Op(
        "non_max_suppression_padded", ("boxes", "scores"), _infer_nms_padded, host=_nms_padded, dtypes=REAL_BOXES,
        reference=_nms_padded,
    )
)  # fmt: skip


def _infer_combined(avals, attrs):
    boxes, scores = avals
    check_dtypes("combined_non_max_suppression", ("boxes", "scores"), avals, (float32,))
    classes = scores.shape[-1]
    if len(boxes.shape) != 4 or boxes.shape[3] != 4 or boxes.shape[2] not in (1, classes):
        raise InvalidArgumentError(
            f"combined_non_max_suppression: boxes has shape {shape_text(boxes)}; for {classes} classes it takes "
            f"[images, boxes, 1 or {classes}, 4]"
        )
    if len(scores.shape) != 3 or not could_be_equal(scores.shape[:2], boxes.shape[:2]):
        raise InvalidArgumentError(
            f"combined_non_max_suppression: scores has shape {shape_text(scores)}; it takes [images, boxes, classes] "
            f"as in boxes (shape {shape_text(boxes)})"
        )
    size = attrs["total"]
    if attrs["pad_per_class"]:
        size = min(size, attrs["per_class"] * classes)
    batch = boxes.shape[0]
    return (
        aval(float32, (batch, size, 4)),
        aval(float32, (batch, size)),
        aval(float32, (batch, size)),
        aval(int32, (batch,)),
    )


def _combined(boxes, scores, per_class, total, threshold, least, pad_per_class, clip):
    batch, _, kinds, _ = boxes.shape
    classes = scores.shape[2]
    size = min(total, per_class * classes) if pad_per_class else total
    results = np.zeros((batch, size, 6), np.float32)
    valid = np.zeros(batch, np.int32)
    for image in range(batch):
        rows = []
        for c in range(classes):
            own, given = boxes[image, :, min(c, kinds - 1)], scores[image, :, c]
            alike = lambda k, others, own=own: overlaps(own[k], own[others])
            chosen = suppress(alike, given, per_class, np.float32(threshold), np.float32(least))
            corners = np.clip(own[chosen], 0, 1) if clip else own[chosen]
            rows.append(np.column_stack([corners, given[chosen], np.full(len(chosen), c)]))
        found = np.concatenate(rows)
        found = found[np.argsort(-found[:, 4], kind="stable")][:size]
        results[image, : len(found)] = found
        valid[image] = len(found)
    return results[..., :4], results[..., 4], results[..., 5], valid


combined_nms = register(
    Op(
        "combined_non_max_suppression", ("boxes", "scores"), _infer_combined, host=_combined, dtypes=(float32,),
        reference=_combined,
    )
)  # fmt: skip


# --- random boxes -----------------------------------------------------------------------------------------------------


class _Bits:
    """TensorFlow's SimplePhilox: numbers from a row of random bits."""

    def __init__(self, bits: np.ndarray):
        self._bits = iter(bits.view(np.uint32).tolist())

    def fraction(self) -> np.float32:
        """A float32 in [0, 1)."""
        return np.uint32(0x3F800000 | next(self._bits) & 0x7FFFFF).view(np.float32) - np.float32(1)

    def below(self, n: int) -> int:
        """An integer in [0, n), all of them equally likely."""
        if n & (n - 1) == 0:
            return next(self._bits) & (n - 1)
        least = 0xFFFFFFFF % n + 1
        while (drawn := next(self._bits)) < least:
            pass
        return drawn % n


def _rounded(x) -> int:
    return int(np.rint(np.float32(x)))


def _random_crop(width: int, height: int, area: tuple, aspect: np.float32, bits: _Bits):
    """(x, y, width, height) of a part of an image with such an area and aspect ratio, or None where none was found."""
    if area[1] <= 0 or aspect <= 0 or width <= 0 or height <= 0 or area[0] > area[1]:
        return None
    least, most = (np.float32(np.float32(a) * np.float32(width)) * np.float32(height) for a in area)
    rows = _rounded(np.sqrt(least / aspect))
    most_rows = _rounded(np.sqrt(most / aspect))
    if _rounded(np.float32(most_rows) * aspect) > width:
        most_rows = int((width + 0.5 - float(np.float32(1e-7))) / float(aspect))
        if _rounded(np.float32(most_rows) * aspect) > width:
            most_rows -= 1
    most_rows = min(most_rows, height)
    rows = min(rows, most_rows)
    if rows < most_rows:
        rows += bits.below(most_rows - rows + 1)
    columns = _rounded(np.float32(rows) * aspect)
    if np.float32(columns * rows) < least:
        rows += 1
        columns = _rounded(np.float32(rows) * aspect)
    if np.float32(columns * rows) > most:
        rows -= 1
        columns = _rounded(np.float32(rows) * aspect)
    fits = least <= np.float32(columns * rows) <= most and 0 < columns <= width and 0 < rows <= height
    if not fits:
        return None
    y = bits.below(height - rows) if rows < height else 0
    x = bits.below(width - columns) if columns < width else 0
    return x, y, columns, rows


def _covers(crop: tuple, boxes: list, least: float) -> bool:
    x, y, columns, rows = crop
    for x1, y1, x2, y2 in boxes:
        area = (x2 - x1) * (y2 - y1)
        if area >= 1:
            shared = max(0, min(x2, x + columns) - max(x1, x)) * max(0, min(y2, y + rows) - max(y1, y))
            if np.float32(shared) / np.float32(area) >= np.float32(least):
                return True
    return False


def _sample_box(size, boxes, bits, covered, aspect_ratios, areas, attempts, whole):
    height, width = (int(n) for n in size[:2])
    corners = boxes.reshape(-1, 4)
    if ((corners < 0) | (corners > 1)).any():
        raise InvalidArgumentError("sample_distorted_bounding_box: bounding_boxes has numbers outside [0, 1]")
    scale = np.array([height, width, height, width], np.float32)
    absolute = [(x1, y1, x2, y2) for y1, x1, y2, x2 in (corners * scale).astype(np.int32).tolist()]
    if not absolute:
        if not whole:
            raise InvalidArgumentError(
                "sample_distorted_bounding_box: bounding_boxes is empty; it takes that with "
                "use_image_if_no_bounding_boxes=True only"
            )
        absolute = [(0, 0, width, height)]
    low, high = (np.float32(a) for a in aspect_ratios)
    drawn = _Bits(bits)
    crop = None
    for _ in range(attempts):
        aspect = drawn.fraction() * (high - low) + low
        crop = _random_crop(width, height, areas, aspect, drawn)
        if crop is not None and _covers(crop, absolute, covered):
            break
        crop = None
    x, y, columns, rows = crop or (0, 0, width, height)
    return np.array([y, x, 0]).astype(size.dtype), np.array([rows, columns, -1]).astype(size.dtype)


def _infer_sample(avals, attrs):
    size, boxes, *_ = avals
    name = "sample_distorted_bounding_box"
    if len(size.shape) != 1 or not could_be_equal(size.shape, (3,)):
        raise InvalidArgumentError(f"{name}: image_size has shape {shape_text(size)}; it takes height, width, channels")
    if len(boxes.shape) != 3 or boxes.shape[2] != 4 or boxes.dtype is not float32:
        raise InvalidArgumentError(
            f"{name}: bounding_boxes is {boxes.dtype.name} of shape {shape_text(boxes)}; it takes float32 of shape "
            f"[batch, boxes, 4]"
        )
    return aval(size.dtype, (3,)), aval(size.dtype, (3,))


sample_box = register(
    Op(
        "sample_distorted_bounding_box", ("image_size", "bounding_boxes", "bits", "min_object_covered"), _infer_sample,
        host=_sample_box, dtypes=INTEGER, reference=_sample_box,
    )
)  # fmt: skip
