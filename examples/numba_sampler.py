"""Hamiltonian Monte Carlo in a loop of one's own: Numba code that calls an nbflow function and its gradient.

    python examples/numba_sampler.py             # draws 20,000 samples in a second or two, most of it compiling

The density is written in nbflow, which differentiates and compiles it. The sampler has branches and random numbers that
depend on each other step by step, which is what Numba is for. `density.njit` joins the two; see docs/numba.md.
"""

import argparse
import time

import numba
import numpy as np

import nbflow as nf

# --- the density, in nbflow

POINTS, NOISE = 60, 0.3


@nf.function
def log_density(w, x, y):
    """The logarithm of how probable the weights of a linear model are, up to a constant, with a prior of width 1."""
    errors = nf.linalg.matvec(x, w) - y
    return -nf.reduce_sum(nf.square(errors)) / (2 * NOISE**2) - nf.reduce_sum(nf.square(w)) / 2


density = log_density.njit("float64(float64[:], float64[:,:], float64[:])", gradient="w")


# --- the sampler, in Numba


@numba.njit
def sample(w, x, y, count, leaps, step, seed):
    """Draws weights by Hamiltonian Monte Carlo; returns them and the fraction of proposals that were accepted."""
    np.random.seed(seed)
    found, accepted = np.empty((count, w.size)), 0
    value, slope = density(w, x, y)
    for k in range(count):
        momentum = np.random.normal(0.0, 1.0, w.size)
        energy = value - 0.5 * np.sum(momentum**2)
        new_w, new_value, new_slope = w, value, slope
        for _ in range(leaps):
            half = momentum + 0.5 * step * new_slope
            new_w = new_w + step * half
            new_value, new_slope = density(new_w, x, y)
            momentum = half + 0.5 * step * new_slope
        if np.log(np.random.random()) < new_value - 0.5 * np.sum(momentum**2) - energy:
            w, value, slope = new_w, new_value, new_slope
            accepted += 1
        found[k] = w
    return found, accepted / count


def problem(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points on a noisy plane."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(POINTS, 3))
    return x, x @ np.array([0.5, -1.0, 2.0]) + NOISE * rng.normal(size=POINTS)


def exact(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the standard deviations of the weights, which this density has in closed form."""
    covariance = np.linalg.inv(x.T @ x / NOISE**2 + np.eye(3))
    return covariance @ x.T @ y / NOISE**2, np.sqrt(np.diag(covariance))


def main() -> None:
    """Compares the samples with the closed form."""
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    x, y = problem()
    sample(np.zeros(3), x, y, 1, 1, 0.02, 0)  # compiles
    count, leaps = 20_000, 12
    start = time.perf_counter()
    drawn, rate = sample(np.zeros(3), x, y, count, leaps, 0.02, 1)
    seconds = time.perf_counter() - start
    mean, deviation = exact(x, y)
    print(f"accepted: {rate:.0%}; {seconds / (count * leaps) * 1e9:.0f} ns a step, value and gradient included")
    print("mean      sampled", drawn[100:].mean(0).round(3), "exact", mean.round(3))
    print("deviation sampled", drawn[100:].std(0).round(3), "exact", deviation.round(3))


if __name__ == "__main__":
    main()
