"""Fourier and cosine transforms, frames and windows."""

import numpy as np

from perf.ops.case import CUBE, MATRIX, SIZE, case, complexes, normal

ROWS = (1000, 1024)

for _name in ("fft", "ifft"):
    _theirs = getattr(np.fft, _name)
    case(f"signal.{_name}", _theirs, complexes(ROWS), what="rows of 1024")
    case(f"signal.{_name}", _theirs, complexes((SIZE,)), what="vector")
    case(f"signal.{_name}2d", getattr(np.fft, f"{_name}2"), complexes(MATRIX))
    case(f"signal.{_name}3d", getattr(np.fft, f"{_name}n"), complexes(CUBE))
    case(f"signal.{_name}nd", lambda x, _f=_theirs: _f(x, axis=1), complexes(CUBE), axes=(1,))
case("signal.rfft", np.fft.rfft, normal(ROWS), what="rows of 1024")
case("signal.rfft", np.fft.rfft, normal((SIZE,)), what="vector")
case("signal.rfft2d", np.fft.rfft2, normal(MATRIX))
case("signal.rfft3d", np.fft.rfftn, normal(CUBE))
case("signal.irfft", np.fft.irfft, complexes((2000, 513)), what="rows of 1024")
case("signal.irfft2d", np.fft.irfft2, complexes((1000, 501)))
case("signal.irfft3d", np.fft.irfftn, complexes((100, 100, 51)))
case("signal.fftshift", np.fft.fftshift, complexes(MATRIX))
case("signal.ifftshift", np.fft.ifftshift, complexes(MATRIX))
case("signal.dct", None, normal(ROWS))
case("signal.idct", None, normal(ROWS))
case("signal.frame", lambda x: np.lib.stride_tricks.sliding_window_view(x, 400)[::160].copy(), normal((400_000,)),
     frame_length=400, frame_step=160)  # fmt: skip
case("signal.overlap_and_add", None, normal((2500, 400)), frame_step=160)
case("signal.stft", None, normal((400_000,)), frame_length=400, frame_step=160)
case("signal.inverse_stft", None, complexes((2500, 257)), frame_length=400, frame_step=160)
case("signal.mdct", None, normal((SIZE,)), frame_length=400)
case("signal.inverse_mdct", None, normal((5000, 200)))
