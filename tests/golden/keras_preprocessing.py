"""Writes keras_preprocessing.npz: what Keras' layers of images, scaling and categories give.

Run where TensorFlow is installed.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

IMAGES, IMAGES_FIRST = [(2, 5, 4, 2)], [(2, 2, 5, 4)]
ONE = "(lambda x: {})(100 * tf.stop_gradient(x0))"  # Keras' gradients of projections are not those of what it computes
TRAINING = ONE.format("[layer(x, training=True), layer(x, training=True), layer(x, training=False)]")
WHOLE = "layer(tf.cast(4 * x0, 'int64'))"  # integers from -4 to 4
ROWS = [(3, 4)]

CASES = {constructor: (constructor, IMAGES, TRAINING) for constructor in [
    "layers.RandomFlip(seed=3)",
    "layers.RandomFlip('horizontal', seed=4)",
    "layers.RandomFlip('vertical', seed=5)",
    "layers.RandomRotation(0.3, seed=3)",
    "layers.RandomRotation((-0.1, 0.4), 'wrap', 'nearest', seed=3)",
    "layers.RandomRotation(0.3, 'constant', fill_value=7.0, seed=3)",
    "layers.RandomRotation(0.3, 'nearest', seed=3)",
    "layers.RandomZoom(0.5, seed=3)",
    "layers.RandomZoom((0.3, 0.9), fill_mode='wrap', seed=3)",
    "layers.RandomZoom(0.5, (-0.6, 0.2), 'constant', 'nearest', seed=3)",
    "layers.RandomTranslation(0.8, 0.5, seed=3)",
    "layers.RandomTranslation((-0.9, 0.1), 0.5, 'constant', fill_value=7.0, seed=3)",
    "layers.RandomTranslation(0.8, (-0.5, 0.2), 'wrap', 'nearest', seed=3)",
    "layers.RandomContrast(0.5, seed=3)",
    "layers.RandomContrast((0.2, 0.7), (-50, 50), seed=3)",
    "layers.RandomBrightness(0.5, seed=3)",
    "layers.RandomBrightness((-0.2, 0.7), value_range=(0, 100), seed=3)",
    "layers.RandomCrop(2, 3, seed=3)",
    "layers.RandomCrop(7, 3, seed=3)",
    "layers.RandomFlip(seed=3, dtype='float16')",
]}  # fmt: skip
CASES |= {constructor: (constructor, IMAGES_FIRST, TRAINING) for constructor in [
    "layers.RandomFlip('horizontal', seed=3, data_format='channels_first')",
    "layers.RandomRotation(0.3, seed=3, data_format='channels_first')",
    "layers.RandomCrop(2, 3, seed=3, data_format='channels_first')",
]}  # fmt: skip
CASES |= {constructor: (constructor, IMAGES, "layer(x0)") for constructor in [
    "layers.Resizing(3, 7)",
    "layers.Resizing(8, 3, 'nearest')",
    "layers.Resizing(3, 3, 'bicubic', antialias=True)",
    "layers.Resizing(3, 7, 'lanczos3', crop_to_aspect_ratio=True)",
    "layers.Resizing(3, 7, pad_to_aspect_ratio=True, fill_value=0.5)",
    "layers.Resizing(8, 3, pad_to_aspect_ratio=True)",
    "layers.CenterCrop(3, 2)",
    "layers.CenterCrop(7, 2)",
    "layers.Rescaling(0.5, -1.0)",
    "layers.Rescaling([0.5, 2.0], np.array([-1.0, 1.0]))",
    "layers.Normalization(mean=2.0, variance=3.0)",
    "layers.Normalization(mean=[2.0, 1.0], variance=[3.0, 0.0])",
    "layers.Normalization((1, -1), [2.0, 1.0], [3.0, 2.0], invert=True)",
    "layers.Normalization(None, 1.5, 4.0)",
]}  # fmt: skip
CASES |= {
    "areas": ("layers.Resizing(3, 5, 'area')", IMAGES, "layer(tf.stop_gradient(x0))"),
    "one image": ("layers.RandomZoom(0.5, seed=3)", IMAGES, ONE.format("layer(x[0], training=True)")),
    "one image cropped": ("layers.CenterCrop(3, 2)", IMAGES, "layer(x0[0])"),
    "bytes resized": ("layers.Resizing(3, 7, 'bicubic')", IMAGES, "layer(tf.cast(127 * x0 + 127, 'uint8'))"),
    "images and masks": (
        "layers.RandomRotation(0.3, seed=3)",
        IMAGES,
        ONE.format("layer({'images': x, 'labels': x[:, 0, 0], 'segmentation_masks': x}, training=True)"),
    ),
    "count weights": (
        "layers.CategoryEncoding(3, 'count')",
        [(3, 4), (3, 4)],
        "layer(tf.cast(4 * x0 + 4, 'int64'), count_weights=tf.stop_gradient(x1))",
    ),
}
CASES |= {
    f"{constructor} {shape}": (constructor, [shape], call)
    for shape in [(4,), (3, 4), (4, 1)]
    for constructor, call in [
        ("layers.CategoryEncoding(6, 'one_hot')", "layer(tf.cast(4 * x0 + 4, 'int64'))"),
        ("layers.CategoryEncoding(6)", "layer(tf.cast(4 * x0 + 4, 'int32'))"),
        ("layers.Discretization([-0.5, 0.0, 0.25])", "layer(x0)"),
        ("layers.Discretization([-2, 0], output_mode='one_hot')", WHOLE),
        ("layers.IntegerLookup(vocabulary=[2, -1, 3])", WHOLE),
        ("layers.IntegerLookup(vocabulary=[2, -1, 3], output_mode='multi_hot', mask_token=0)", WHOLE),
        ("layers.Hashing(5)", WHOLE),
    ]
}
CASES |= {constructor: (constructor, ROWS, WHOLE) for constructor in [
    "layers.Discretization([-2, 0], output_mode='count')",
    "layers.IntegerLookup(vocabulary=[2, -1, 3], num_oov_indices=3, mask_token=0)",
    "layers.IntegerLookup(vocabulary=[2, -3, 3], num_oov_indices=3, oov_method='farmhash', salt=3)",
    "layers.IntegerLookup(vocabulary=[-4, -3, -2, -1, 0, 1, 2, 3, 4], num_oov_indices=0)",
    "layers.IntegerLookup(vocabulary=[2, -3, 3], invert=True, mask_token=0)",
    "layers.IntegerLookup(vocabulary=[2, -3, 3], output_mode='one_hot')",
    "layers.IntegerLookup(vocabulary=[2, -3, 3], output_mode='tf_idf', idf_weights=[0.5, 1.5, 2.5])",
    "layers.IntegerLookup(9, vocabulary=[2, -3], output_mode='count', pad_to_max_tokens=True)",
    "layers.Hashing(5, mask_value=1)",
    "layers.Hashing(5, salt=[1, 2], output_mode='multi_hot')",
    "layers.Hashing(5, dtype='int32')",
]} | {
    "crossing": ("layers.HashedCrossing(7)", [(4,), (4,)], "layer([tf.cast(4 * x, 'int64') for x in (x0, x1)])"),
    "crossing, one hot": (
        "layers.HashedCrossing(7, 'one_hot')",
        [(4, 1), (4, 1)],
        "layer([tf.cast(4 * x, 'int64') for x in (x0, x1)])",
    ),
}  # fmt: skip

ERRORS = dict.fromkeys([
    "layers.RandomRotation(2.0)",
    "layers.RandomRotation((0.1, 0.2, 0.3))",
    "layers.RandomZoom(-1.0)",
    "layers.RandomTranslation('far', 0.1)",
    "layers.RandomContrast(1.5)",
    "layers.RandomBrightness(0.5, value_range=3)",
    "layers.RandomFlip(seed=1)(np.zeros((2, 2), 'float32'))",
    "layers.Resizing(2, 2, 'mine')(np.zeros((2, 2, 1), 'float32'))",
    "layers.Resizing(2, 2, fill_mode='wrap')(np.zeros((2, 2, 1), 'float32'))",
    "layers.Resizing(2, 2, colour='red')",
    "layers.Normalization(mean=1.0)",
    "layers.Normalization(mean=[1.0], variance=[1.0, 2.0])",
    "layers.Normalization(axis=3).build((2, 3))",
    "layers.Normalization(mean=[[1.0]], variance=[[2.0]])",
    "layers.CategoryEncoding()",
    "layers.CategoryEncoding(0)",
    "layers.CategoryEncoding(3, 'int')",
    "layers.CategoryEncoding(3)(np.array([1]), count_weights=np.array([1.0]))",
    "layers.Discretization()",
    "layers.Discretization([1.0], 3)",
    "layers.Discretization([1.0], output_mode='many')",
    "layers.Discretization([1.0]).adapt(np.zeros(3))",
    "layers.Discretization(num_bins=3)(np.zeros(3))",
    "layers.Hashing(0)",
    "layers.Hashing(3, salt='salt')",
    "layers.Hashing(3, output_mode='idf')",
    "layers.Hashing(3, dtype='float32')",
    "layers.HashedCrossing(3)(np.array([1]))",
    "layers.HashedCrossing(3)([np.array([1])])",
    "layers.HashedCrossing(3)([np.array([1.0]), np.array([1])])",
    "layers.HashedCrossing(3)([np.array([1]), np.array([1, 2])])",
    "layers.IntegerLookup(1)",
    "layers.IntegerLookup(vocabulary=[1, 1])",
    "layers.IntegerLookup(vocabulary=[])",
    "layers.IntegerLookup(vocabulary=[1, 0, 2], mask_token=0)",
    "layers.IntegerLookup(vocabulary=[1, -1, 2], invert=True)",
    "layers.IntegerLookup(3, vocabulary=[1, 2, 3])",
    "layers.IntegerLookup(num_oov_indices=-1)",
    "layers.IntegerLookup(vocabulary_dtype='int32')",
    "layers.IntegerLookup(pad_to_max_tokens=True)",
    "layers.IntegerLookup(invert=True, output_mode='count')",
    "layers.IntegerLookup(idf_weights=[1.0])",
    "layers.IntegerLookup(salt=3)",
    "layers.IntegerLookup(vocabulary=[1], output_mode='tf_idf')",
    "layers.IntegerLookup(vocabulary=[1], output_mode='tf_idf', idf_weights=[1.0, 2.0, 3.0])",
    "layers.IntegerLookup(vocabulary=[1]).adapt([1, 2])",
    "layers.StringLookup(vocabulary=['a', 'a'])",
    "layers.StringLookup(vocabulary='no such file')",
    "layers.StringLookup(colour='red')",
    "layers.TextVectorization(standardize='upper')",
    "layers.TextVectorization(split='comma')",
    "layers.TextVectorization(ngrams='two')",
    "layers.TextVectorization(output_mode='count', output_sequence_length=3)",
    "layers.TextVectorization(output_sequence_length=0.5)",
    "layers.TextVectorization(vocabulary=['a'])([['a', 'b']])",
], "ValueError")  # fmt: skip

if __name__ == "__main__":
    from layer_cases import record

    record(CASES, str(pathlib.Path(__file__).with_suffix(".npz")))
