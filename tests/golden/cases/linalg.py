"""Linear algebra: products, factorizations, systems, functions of matrices, norms, diagonals.

Factorizations leave signs or phases open, so that their cases return what does not depend on them.
"""

from .common import *
from .common import Case

C64, C128 = np.complex64, np.complex128


def some(*shape: int) -> np.ndarray:
    """Complex numbers, the same for the same shape; their real parts are the real samples."""
    rng = np.random.default_rng([12, *shape])
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


SQUARE = some(2, 3, 3) + 3 * np.eye(3)
POSITIVE = SQUARE @ SQUARE.conj().swapaxes(-1, -2) + np.diag([0, 2, 5])
TALL, WIDE = some(2, 4, 3), some(3, 5)
SIDES = some(2, 3, 2)
DIAGONALS = some(2, 3, 4) + np.array([0, 6, 0])[:, None]
BANDS = some(2, 4) + np.array([5, 0])[:, None]
COLUMNS = some(2, 4, 2)
CUBE = some(2, 3, 4)


def cast(x: np.ndarray, dtype) -> np.ndarray:
    real = not np.issubdtype(dtype, np.complexfloating)
    return np.asarray(x.real if real and np.iscomplexobj(x) else x, dtype)


def call(function, *arguments, **options):
    """A function, or the one of a name in nf.linalg, with the case's inputs first."""
    if callable(function):
        return function
    return lambda tf, *inputs: getattr(tf.linalg, function)(*inputs, *arguments, **options)


def each(name: str, function, inputs: list, *arguments, dtypes=(F32, C128), gradient=True, **options) -> list[Case]:
    """A case for each dtype."""
    tolerance = options.pop("tolerance", 1024)
    return [
        Case(
            f"{name}/{np.dtype(d).name}",
            call(function, *arguments, **options),
            [cast(x, d) if x.dtype.kind in "fc" else x for x in inputs],
            gradient,
            tolerance,
        )
        for d in dtypes
    ]


# --- what does not depend on signs ------------------------------------------------------------------------------------


def _singular(full_matrices: bool):
    def function(tf, x):
        s, u, v = tf.linalg.svd(x, full_matrices=full_matrices)
        k = s.shape[-1]
        scaled = u[..., :k] * tf.cast(s * s, x.dtype)[..., None, :]
        return [s, tf.matmul(scaled, v[..., :k], adjoint_b=True)]

    return function


def _self_adjoint(tf, x):
    e, v = tf.linalg.eigh(x)
    return [e, tf.matmul(v * tf.cast(e * e, x.dtype)[..., None, :], v, adjoint_b=True)]


def _eigenvalues(tf, x):
    e, _ = tf.linalg.eig(x)
    return [tf.reduce_sum(e * e, -1), tf.reduce_sum(tf.linalg.eigvals(x) ** 3, -1)]


def _lower_upper(tf, x, b):
    factors, order = tf.linalg.lu(x)
    found = [factors, order, tf.linalg.lu_solve(factors, order, b), tf.linalg.lu_matrix_inverse(factors, order)]
    return [*found, tf.linalg.lu_reconstruct(factors, order)]


def _tridiagonal(select: str, chosen):
    def function(tf, alpha, beta):
        e, v = tf.linalg.eigh_tridiagonal(alpha, beta, False, select, chosen)
        return [e, tf.abs(v)]

    return function


# --- cases ------------------------------------------------------------------------------------------------------------


def _factorizations() -> list[Case]:
    found = each("cholesky", "cholesky", [POSITIVE])
    for name, x in (("tall", TALL), ("wide", WIDE), ("square", SQUARE)):
        found += each(f"qr/{name}", "qr", [x])
        found += each(f"svd/{name}", _singular(False), [x])
        found += each(f"svd/values/{name}", "svd", [x], compute_uv=False)
    found += each("qr/full", "qr", [TALL], full_matrices=True, gradient=False)
    found += each("svd/full", _singular(True), [TALL])
    found += each("eigh", _self_adjoint, [POSITIVE])
    found += each("eigvalsh", "eigvalsh", [POSITIVE])
    found += each("eig", _eigenvalues, [SQUARE], dtypes=(F64, C64), tolerance=4096)
    found += each("lu", _lower_upper, [SQUARE, SIDES], gradient=False)
    found += each("lu/int64", "lu", [SQUARE], np.int64, dtypes=(F32,), gradient=False)
    line = [CUBE[0, 0].real, CUBE[0, 1, :3].real]
    for select, chosen in (("a", None), ("i", (1, 2)), ("v", (-0.5, 10.0))):
        found += each(f"eigh_tridiagonal/{select}", _tridiagonal(select, chosen), line, dtypes=(F64,), gradient=False)
    return found


def _systems() -> list[Case]:
    found = []
    for adjoint in (False, True):
        found += each(f"inv/{adjoint}", "inv", [SQUARE], adjoint=adjoint)
        found += each(f"solve/{adjoint}", "solve", [SQUARE, SIDES], adjoint=adjoint)
        for lower in (False, True):
            options = {"lower": lower, "adjoint": adjoint}
            found += each(f"triangular/{lower}/{adjoint}", "triangular_solve", [SQUARE, SIDES], **options)
            side = BANDS if lower else BANDS[::-1].copy()
            found += each(f"banded/{lower}/{adjoint}", "banded_triangular_solve", [side, COLUMNS[0]], **options)
    found += each("triangular/broadcast", "triangular_solve", [SQUARE[0], SIDES])
    found += each("cholesky_solve", "cholesky_solve", [SQUARE, SIDES])
    for name in ("det", "slogdet"):
        found += each(name, name, [SQUARE])
    found += each("logdet", "logdet", [POSITIVE])
    found += each("pinv", "pinv", [TALL], dtypes=(F32, F64))
    found += each("pinv/rcond", "pinv", [TALL], 0.5, dtypes=(F64,), gradient=False)
    found += each("matrix_rank", "matrix_rank", [TALL], dtypes=(F32, F64), gradient=False)
    for name, x, b in (("tall", TALL, COLUMNS), ("wide", WIDE, SIDES[0])):
        found += each(f"lstsq/{name}", "lstsq", [x, b], tolerance=8192)
        found += each(f"lstsq/{name}/regular", "lstsq", [x, b], 0.5, dtypes=(F32, C64))
        found += each(f"lstsq/{name}/slow", "lstsq", [x, b], fast=False, gradient=False)
    found += each("tridiagonal_solve", "tridiagonal_solve", [DIAGONALS, COLUMNS])
    found += each("tridiagonal_solve/vector", "tridiagonal_solve", [DIAGONALS, COLUMNS[..., 0]])
    turned = COLUMNS.swapaxes(-1, -2)
    options = {"transpose_rhs": True, "conjugate_rhs": True}
    found += each("tridiagonal_solve/turned", "tridiagonal_solve", [DIAGONALS, turned], **options)
    full = some(4, 4) + 5 * np.eye(4)
    found += each("tridiagonal_solve/matrix", "tridiagonal_solve", [full, COLUMNS[0]], "matrix")
    found += each("tridiagonal_matmul", "tridiagonal_matmul", [DIAGONALS, COLUMNS])
    found += each("tridiagonal_matmul/matrix", "tridiagonal_matmul", [full, COLUMNS[0]], "matrix")
    rows = [DIAGONALS[:, k] for k in range(3)]
    for name in ("tridiagonal_solve", "tridiagonal_matmul"):

        def sequence(tf, above, main, below, b, name=name):
            return getattr(tf.linalg, name)([above, main, below], b, "sequence")

        found += each(f"{name}/sequence", sequence, [*rows, COLUMNS])
    return found


def _functions() -> list[Case]:
    found = []
    for scale in (0.05, 0.5, 3.0):
        found += each(f"expm/{scale}", "expm", [some(2, 3, 3) * scale], tolerance=8192)
    found += each("expm/zero", "expm", [np.zeros((2, 2))], dtypes=(F32,))
    found += each("sqrtm", "sqrtm", [POSITIVE + SQUARE])
    found += each("sqrtm/turn", "sqrtm", [np.array([[0.0, -2], [2, 0]])], dtypes=(F64,))
    found += each("logm", "logm", [POSITIVE + SQUARE], dtypes=(C64, C128), gradient=False)
    for order in ("euclidean", 1, 2, np.inf, 3, 0.5):
        for axis in (None, -2) if order == "euclidean" else (-2,):
            found += each(f"norm/{order}/{axis}", "norm", [CUBE], order, axis)
    for order in ("euclidean", "fro", 1, 2, np.inf):
        for axes in ((0, 2), (-1, 1)) if order == 2 else ((-1, 1),):
            found += each(f"norm/matrix/{order}/{axes}", "norm", [CUBE], order, axes, keepdims=True)
    found += each("norm/zero", "norm", [np.zeros(3)], dtypes=(F32,))
    found += each("normalize", "normalize", [CUBE], axis=1)
    found += each("normalize/1", "normalize", [CUBE], 1, (0, 1), dtypes=(F64,))
    return found


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ba", (2, 3)),
    ("ii->i", (3, 3)),
    ("iij->j", (2, 2, 3)),
    ("i,j->ij", (2,), (3,)),
    ("ij->", (2, 3)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 2)),
    ("i...->...", (2, 3, 2)),
    ("ab,bc,cd->ad", (2, 3), (3, 4), (4, 2)),
    ("abc,abd,acd->bcd", (2, 2, 3), (2, 2, 2), (2, 3, 2)),
    ("...ii->...i", (3, 2, 2)),
    ("i,->i", (3,), ()),
    ("ij,ij->ij", (2, 3), (2, 3)),
]


def _products() -> list[Case]:
    found = []
    for equation, *shapes in EQUATIONS:
        found += each(
            f"einsum/{equation}",
            lambda tf, *xs, equation=equation: tf.einsum(equation, *xs),
            [some(*shape) for shape in shapes],
            dtypes=(C64,),
            tolerance=64,
        )
    for axes, a, b in (
        (1, (2, 3), (3, 4)),
        (2, (2, 3), (2, 3)),
        (0, (2,), (3,)),
        ([[1, -1], [1, 0]], (2, 3, 4), (4, 3, 2)),
    ):
        inputs = [some(*a), some(*b)]
        found += each(f"tensordot/{axes}", "tensordot", inputs, axes, dtypes=(C64,), tolerance=64)
    for flags in ({}, {"transpose_a": True}, {"adjoint_a": True}):
        inputs = [SQUARE, SIDES[..., 0]]
        found += each(f"matvec/{'/'.join(flags)}", "matvec", inputs, dtypes=(C64,), tolerance=64, **flags)
    for flags in ({"adjoint_a": True}, {"adjoint_b": True}, {"transpose_a": True, "adjoint_b": True}):
        inputs = [SQUARE, SQUARE[:1]]
        found += each(f"matmul/{'/'.join(flags)}", "matmul", inputs, dtypes=(C64,), tolerance=64, **flags)
    small = np.array([[100, -2], [3, 127]], np.int8)
    found.append(Case("matmul/int8", lambda tf, x: tf.matmul(x, x, output_type=tf.int32), [small]))
    found += each("cross", "cross", [SQUARE, SQUARE[::-1]], dtypes=(F32,), tolerance=64)
    for name in ("adjoint", "trace", "diag", "diag_part"):
        found += each(name, name, [CUBE], dtypes=(F32, C64), tolerance=64)
    found += each("matrix_transpose", "matrix_transpose", [CUBE], conjugate=True, dtypes=(C64,))
    found += each("global_norm", lambda tf, x, y: tf.linalg.global_norm([x, None, y]), [CUBE, TALL], dtypes=(F32, F64))
    return found


def _diagonals() -> list[Case]:
    found = []
    for k, size in ((0, (4,)), (1, (3,)), (-1, (3,)), ((-1, 1), (3, 4)), ((-2, 0), (3, 4))):
        for align in ("RIGHT_LEFT", "LEFT_RIGHT") if len(size) > 1 else ("RIGHT_LEFT",):
            options = {"k": k, "align": align, "dtypes": (F32,)}
            x, d = np.arange(16.0).reshape(4, 4), np.arange(1, 13.0)[: np.prod(size)].reshape(size)
            found += each(f"diag_part/{k}/{align}", "diag_part", [x], padding_value=9, **options)
            found += each(f"set_diag/{k}/{align}", "set_diag", [x, d], **options)
            found += each(f"diag/{k}/{align}", "diag", [d], padding_value=-1, **options)
    found += each("tensor_diag", "tensor_diag", [np.arange(6.0).reshape(2, 3)], dtypes=(F32,))
    found += each("tensor_diag_part", "tensor_diag_part", [np.arange(36.0).reshape(2, 3, 2, 3)], dtypes=(F32,))
    for lower, upper in ((0, 0), (1, -1), (-1, 0), (2, 1)):
        found += each(f"band_part/{lower}/{upper}", "band_part", [CUBE], lower, upper, dtypes=(F32, C64))
    return found


def _edges() -> list[Case]:
    found = []
    for shape in ((0, 0), (0, 2, 2)):
        names = ("cholesky", "inv", "det", "slogdet", "eigh", "eigvals", "lu", "svd", "qr", "sqrtm", "expm")
        for name in names:
            found += each(f"{name}/{shape}", name, [np.zeros(shape)], dtypes=(F32,), gradient=False)
    singular = np.array([[1.0, 2], [2, 4]])
    for name in ("det", "slogdet"):
        found += each(f"{name}/singular", name, [singular], dtypes=(F32,), gradient=False)
    stack = np.stack([np.eye(2), -np.eye(2), 4 * np.eye(2)])
    found += each("cholesky/indefinite", "cholesky", [stack], dtypes=(F32,), gradient=False)
    unknown = np.array([[np.nan, 1], [1, 1]])
    for name in ("expm", "sqrtm", "det"):
        found += each(f"{name}/nan", name, [unknown], dtypes=(F32,), gradient=False)
    return found


def cases() -> list[Case]:
    return _factorizations() + _systems() + _functions() + _products() + _diagonals() + _edges()


def errors() -> list[Case]:
    oblong, vector = np.ones((2, 3), F32), np.ones(2, F32)
    singular = np.array([[1, 2], [2, 4]], F32)
    unknown = np.array([[np.nan, 1], [1, 3]], F32)
    names = ("cholesky", "inv", "det", "slogdet", "eigh", "eigvals", "lu", "sqrtm", "expm")
    found = [Case(f"{name}/oblong", call(name), [oblong]) for name in names]
    found += [Case(f"{name}/vector", call(name), [vector]) for name in (*names, "svd", "qr", "trace", "adjoint")]
    found += [Case(f"{name}/singular", call(name), [singular]) for name in ("inv", "lu")]
    found += [Case(f"{name}/nan", call(name), [unknown]) for name in ("eigh", "eigvals", "lu")]
    found += [
        Case("solve/singular", call("solve"), [singular, singular]),
        Case("solve/rows", call("solve"), [singular, oblong.T]),
        Case("solve/vector", call("solve"), [singular, vector]),
        Case("solve/stacks", call("solve"), [np.ones((2, 2, 2), F32), np.ones((3, 2, 1), F32)]),
        Case("triangular_solve/oblong", call("triangular_solve"), [oblong, vector[:, None]]),
        Case("banded/singular", call("banded_triangular_solve"), [np.zeros((2, 2), F32), singular]),
        Case("banded/rows", call("banded_triangular_solve"), [oblong, singular]),
        Case("tridiagonal/format", call("tridiagonal_solve", "diagonal"), [np.ones((3, 2), F32), vector]),
        Case("tridiagonal/count", call("tridiagonal_solve"), [singular, vector]),
        Case("norm/order", call("norm", "nuc"), [singular]),
        Case("norm/negative", call("norm", -np.inf), [singular]),
        Case("norm/axes", call("norm", 1, (0, 1, 1)), [singular]),
        Case("norm/vector fro", call("norm", "fro"), [vector]),
        Case("logm/real", call("logm"), [singular]),
        Case("cross/size", call("cross"), [vector, vector]),
        Case("tensordot/sizes", call("tensordot", 1), [oblong, oblong]),
        Case("einsum/labels", lambda tf, x: tf.einsum("ij->iz", x), [oblong]),
        Case("einsum/sizes", lambda tf, x: tf.einsum("ij,jk", x, x), [oblong]),
        Case("einsum/rank", lambda tf, x: tf.einsum("ijk->i", x), [oblong]),
        Case("matmul/transpose and adjoint", call("matmul", transpose_a=True, adjoint_a=True), [singular, singular]),
        Case("diag_part/k", call("diag_part", k=5), [singular]),
        Case("set_diag/size", call("set_diag"), [singular, np.ones(3, F32)]),
        Case("band_part/limit", call("band_part", 5, 0), [singular]),
        Case("tensor_diag_part/shape", call("tensor_diag_part"), [oblong]),
    ]
    return found
