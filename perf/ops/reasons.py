"""Why functions may be slower than NumPy, by name; rows with a reason of their own give it themselves."""

REASONS = {
    "the same LAPACK routine": """linalg.cholesky linalg.inv linalg.det linalg.slogdet linalg.logdet linalg.solve
        linalg.qr linalg.svd linalg.eigh linalg.eigvalsh linalg.eig linalg.eigvals linalg.pinv linalg.matrix_rank
        linalg.lstsq""",
    "the same BLAS routine": "linalg.matmul linalg.tensordot",
    "NumPy's own sort": "sort",
    "NumPy's own transform": """signal.fft signal.fft2d signal.fft3d signal.fftnd signal.ifft signal.ifft2d
        signal.ifft3d signal.ifftnd signal.rfft signal.rfft2d signal.rfft3d
        signal.irfft signal.irfft2d signal.irfft3d""",
    "TensorFlow's numbers: each has a place of its own in the Philox stream": """random.gamma random.stateless_gamma
        random.poisson random.stateless_poisson random.stateless_binomial""",
    "several eager ops, which nf.function makes one loop of": """clip_by_norm clip_by_global_norm
        linalg.norm linalg.normalize linalg.cross linalg.global_norm nn.weighted_moments nn.sufficient_statistics
        math.is_non_decreasing math.is_strictly_increasing math.unsorted_segment_mean math.unsorted_segment_sqrt_n
        histogram_fixed_width image.adjust_brightness image.convert_image_dtype image.rgb_to_grayscale image.psnr
        saturate_cast""",
    "its zeros are written; NumPy's are pages that nobody has touched yet": "eye linalg.diag linalg.tensor_diag",
    "numbers are checked, and the greatest is looked for first": "math.bincount",
    "one pass for each axis": "roll signal.fftshift signal.ifftshift",
    "borders are copied piece by piece": "pad image.resize_with_crop_or_pad",
    "indices are checked, and the last of equal ones is found": "dynamic_stitch",
    "indices are checked": "math.confusion_matrix gather gather_nd",
    "a thousand elements: it is Python's overhead": "linalg.tensor_diag_part",
    "patches times filters, for any number of channels": "nn.conv1d",
    "weights for any size; NumPy's way knows that it is the double": "image.resize",
}
BY_FUNCTION = {name: reason for reason, names in REASONS.items() for name in names.split()}
