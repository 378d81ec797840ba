"""Products, factorizations and solvers, of one matrix and of many small ones, about 1e6 elements each."""

import numpy as np

from perf.ops.case import CUBE, MATRIX, case, complexes, normal, positive_definite, uniform

BATCH, HALF, COLUMN = (10_000, 10, 10), (500, 500), (1000, 1)
LAPACK = "LAPACK is one thread here, and as many as there are cores in NumPy"

case("linalg.matmul", np.matmul, normal(MATRIX), normal(MATRIX, seed=1))
case("linalg.matmul", np.matmul, normal(MATRIX, "float64"), normal(MATRIX, "float64", seed=1), what="float64")
case("linalg.matmul", np.matmul, complexes(MATRIX), complexes(MATRIX, seed=2), what="complex64")
case("linalg.matmul", np.matmul, normal(CUBE), normal(CUBE, seed=1), what="100 of 100×100")
case("linalg.matmul", np.matmul, normal(BATCH), normal(BATCH, seed=1), what="10000 of 10×10")
case("linalg.matmul", lambda x, y: x.T @ y, normal(MATRIX), normal(MATRIX, seed=1), what="transposed",
     transpose_a=True)  # fmt: skip
case("linalg.matmul", np.matmul, normal((100_000, 10)), normal((10, 10), seed=1), what="tall")
case("linalg.matvec", np.matvec, normal(MATRIX), normal((1000,), seed=1))
case("linalg.matvec", np.matvec, normal(BATCH), normal((10_000, 10), seed=1), what="10000 of 10×10")
case("linalg.einsum", lambda x, y: np.einsum("ij,jk->ik", x, y, optimize=True), normal(MATRIX), normal(MATRIX, seed=1),
     what="ij,jk->ik", call=lambda f, x, y: f("ij,jk->ik", x, y))  # fmt: skip
for _rule, _one, _two in (("ij,ij->", MATRIX, MATRIX), ("ij,ij->i", MATRIX, MATRIX), ("i,j->ij", (1000,), (1000,)),
                          ("bij,bjk->bik", CUBE, CUBE), ("ij,j->i", MATRIX, (1000,)),
                          ("ijk,kj->i", CUBE, (100, 100))):  # fmt: skip
    case("linalg.einsum", lambda x, y, _rule=_rule: np.einsum(_rule, x, y), normal(_one), normal(_two, seed=1),
         what=_rule, call=lambda f, x, y, _rule=_rule: f(_rule, x, y))  # fmt: skip
case("linalg.einsum", lambda x: np.einsum("ijk->ik", x), normal(CUBE), what="ijk->ik",
     call=lambda f, x: f("ijk->ik", x))  # fmt: skip
case("linalg.tensordot", lambda x, y: np.tensordot(x, y, 1), normal(CUBE), normal((100, 100), seed=1), axes=1)
case("linalg.cross", np.cross, normal((333_333, 3)), normal((333_333, 3), seed=1))

for _what, _shape in (("", MATRIX), ("10000 of 10×10", BATCH), ("100 of 100×100", CUBE)):
    _general, _definite = normal(_shape), positive_definite(_shape)
    _rhs = normal((*_shape[:-1], 1), seed=1)
    case("linalg.cholesky", np.linalg.cholesky, _definite, what=_what)
    case("linalg.inv", np.linalg.inv, _general, what=_what)
    case("linalg.det", np.linalg.det, uniform(-0.01, 0.01, _shape), what=_what)
    case("linalg.slogdet", np.linalg.slogdet, _general, what=_what)
    case("linalg.solve", np.linalg.solve, _general, _rhs, what=_what)
    case("linalg.qr", np.linalg.qr, _general, what=_what)
    if _shape != MATRIX:
        case("linalg.svd", lambda x: np.linalg.svd(x, False), _general, what=_what)
        case("linalg.eigh", np.linalg.eigh, _definite, what=_what)
        case("linalg.eigvalsh", np.linalg.eigvalsh, _definite, what=_what)
case("linalg.svd", lambda x: np.linalg.svd(x, False), normal(HALF), what="500×500")
case("linalg.svd", lambda x: np.linalg.svd(x, compute_uv=False), normal(HALF), what="500×500, values", compute_uv=False)
case("linalg.eigh", np.linalg.eigh, positive_definite(HALF), what="500×500")
case("linalg.eigvalsh", np.linalg.eigvalsh, positive_definite(HALF), what="500×500")
case("linalg.eig", np.linalg.eig, normal((200, 200)), what="200×200")
case("linalg.eigvals", np.linalg.eigvals, normal((200, 200)), what="200×200")
case("linalg.logdet", lambda x: np.linalg.slogdet(x)[1], positive_definite(MATRIX))
case("linalg.pinv", np.linalg.pinv, normal(HALF), what="500×500")
case("linalg.matrix_rank", np.linalg.matrix_rank, normal(HALF), what="500×500")
case("linalg.lstsq", lambda x, y: np.linalg.lstsq(x, y), normal((10_000, 100)), normal((10_000, 1), seed=1))
case("linalg.lu", None, normal(MATRIX))
case("linalg.triangular_solve", None, positive_definite(MATRIX), normal((1000, 1000), seed=1))
case("linalg.cholesky_solve", None, positive_definite(MATRIX), normal((1000, 1000), seed=1))
case("linalg.tridiagonal_solve", None, normal((3, 333_333)), normal((333_333,), seed=1))
case("linalg.tridiagonal_matmul", None, normal((3, 333_333)), normal((333_333, 1), seed=1))
case("linalg.banded_triangular_solve", None, uniform(1, 2, (3, 333_333)), normal((333_333, 1), seed=1))
case("linalg.eigh_tridiagonal", None, normal((1000,)), normal((999,), seed=1))

case("linalg.trace", lambda x: np.trace(x, axis1=1, axis2=2), normal(BATCH))
case("linalg.diag", np.diag, normal((1000,)))
case("linalg.diag_part", lambda x: np.diagonal(x, axis1=1, axis2=2).copy(), normal(BATCH))
case("linalg.set_diag", lambda x, d: np.where(np.eye(1000, dtype=bool), d, x), normal(MATRIX), normal((1000,), seed=1))
case("linalg.tensor_diag", np.diag, normal((1000,)))
case("linalg.tensor_diag_part", lambda x: np.diagonal(x).copy(), normal(MATRIX))
case("linalg.band_part", np.tril, normal(MATRIX), num_lower=-1, num_upper=0)
case("linalg.band_part", np.tril, normal(CUBE), what="100 of 100×100", num_lower=-1, num_upper=0)
case("linalg.norm", np.linalg.norm, normal(MATRIX))
case("linalg.norm", lambda x: np.linalg.norm(x, axis=1), normal(MATRIX), what="rows", axis=1)
case("linalg.normalize", lambda x: x / np.linalg.norm(x), normal(MATRIX))
case("linalg.expm", None, uniform(-0.1, 0.1, BATCH), what="10000 of 10×10")
case("linalg.sqrtm", None, positive_definite((100, 10, 10)), what="100 of 10×10")
case("linalg.logm", None, complexes((100, 10, 10)), what="100 of 10×10")
