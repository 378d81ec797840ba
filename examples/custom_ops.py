"""Three ops that no library ships, written in Python: an activation, a stencil with its adjoint, a loss with a solver.

    python examples/custom_ops.py             # runs all three, in a few seconds
    python examples/custom_ops.py --kernels   # shows the compiled code of the first one as well

What they show is explained in docs/custom-ops.md.
"""

import argparse
import math

import numpy as np

import nbflow as nf

# --- 1. an activation: nf.op


@nf.op
def squareplus(x, b=4.0):
    """A smooth ReLU without exponentials (Barron, 2021)."""
    return 0.5 * (x + math.sqrt(x * x + b))


class CurveFitter:
    """A network of one hidden layer that learns y = sin(3x), and the root of b, the activation's bend."""

    def __init__(self, hidden: int = 32, seed: int = 1):
        nf.random.set_seed(seed)
        self.w1 = nf.Variable(nf.random.normal([1, hidden], stddev=2.0))
        self.b1 = nf.Variable(nf.random.normal([hidden], stddev=1.0))
        self.w2 = nf.Variable(nf.random.normal([hidden, 1], stddev=0.2))
        self.b = nf.Variable(1.0)
        self.optimizer = nf.keras.optimizers.Adam(learning_rate=0.02)

    def __call__(self, x):
        """The curve at x, of shape [n, 1]."""
        return nf.matmul(squareplus(nf.matmul(x, self.w1) + self.b1, nf.square(self.b)), self.w2)

    @nf.function
    def train_step(self, x, y):
        """One step of Adam; returns the mean squared error before it."""
        variables = [self.w1, self.b1, self.w2, self.b]
        with nf.GradientTape() as tape:
            loss = nf.reduce_mean(nf.square(self(x) - y))
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss


def activation(steps: int = 400) -> tuple[float, float, CurveFitter]:
    """Trains the network; returns the first and the last loss, and the network."""
    x = np.linspace(-1, 1, 128, dtype=np.float32).reshape(-1, 1)
    y = np.sin(3 * x)
    fitter = CurveFitter()
    losses = [float(fitter.train_step(x, y)) for _ in range(steps)]
    return losses[0], losses[-1], fitter


# --- 2. a stencil: nf.kernel


@nf.kernel
def heat_step(u, out, begin, end, rate=0.2):
    """One explicit step of the heat equation on a plate whose edges let no heat through; threads share the rows."""
    n, m = u.shape
    for i in range(begin, end):
        for j in range(m):
            around = u[max(i - 1, 0), j] + u[min(i + 1, n - 1), j] + u[i, max(j - 1, 0)] + u[i, min(j + 1, m - 1)]
            out[i, j] = u[i, j] + rate * (around - 4 * u[i, j])


@heat_step.gradient
def _(upstream, u, rate):
    """The adjoint: the step is a symmetric matrix, so it is the step itself."""
    return heat_step(upstream, rate=rate)


def diffused(u, steps: int):
    """The temperature after some time."""
    for _ in range(steps):
        u = heat_step(u)
    return u


def stencil(rounds: int = 200, steps: int = 10) -> tuple[float, float]:
    """Finds where the heat was from a picture of it later: gradients go back through all steps.

    Returns:
        The mean squared difference to the true start, of the picture and of what was found.
    """
    start = np.zeros((48, 48), np.float32)
    start[10:20, 12:30], start[30:42, 25:33] = 1.0, 0.7
    picture = diffused(nf.constant(start), steps)
    guess = nf.Variable(picture)
    optimizer = nf.keras.optimizers.Adam(learning_rate=0.02)

    @nf.function
    def improve():
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(nf.square(diffused(guess, steps) - picture))
        optimizer.apply_gradients([(tape.gradient(loss, guess), guess)])
        guess.assign(nf.maximum(guess, 0.0))
        return loss

    for _ in range(rounds):
        improve()
    return float(np.mean((picture.numpy() - start) ** 2)), float(np.mean((guess.numpy() - start) ** 2))


# --- 3. a loss with a solver inside


@nf.op
def lambert_w(z):
    """W(z), the solution of w eʷ = z for z >= -1/e, by Halley's iteration."""
    root = math.sqrt(max(2 * (math.e * z + 1), 0.0))
    w = root - 1 if z < 1 else math.log(z + 1)
    for _ in range(8):
        e = math.exp(w)
        f = w * e - z
        if abs(f) <= 1e-7 * (1 + abs(z)):
            break
        w -= f / (e * (w + 1) - (w + 2) * f / (2 * w + 2))
    return w


@lambert_w.gradient
def _(z):
    """W' = e⁻ʷ / (1 + w), by the implicit function theorem: no need to differentiate the iteration."""
    w = lambert_w(z)
    return math.exp(-w) / max(1 + w, 1e-4)


@nf.op
def super_loss(loss, threshold, *, strength=0.5):
    """SuperLoss (Castells et al., 2020): losses above the threshold count the less, the larger they are."""
    log_weight = -lambert_w(0.5 * max((loss - threshold) / strength, -2 / math.e))
    return (loss - threshold) * math.exp(log_weight) + strength * log_weight**2


def solver(steps: int = 300) -> tuple[float, float]:
    """Fits a line of slope 2 to points of which a quarter are wrong.

    Returns:
        The error of the slope with the squared error as loss, and with the SuperLoss of it.
    """
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 200).astype(np.float32)
    y = 2 * x + 0.1 * rng.standard_normal(200).astype(np.float32)
    y[:50] = -3 * x[:50] + 2

    def slope(of_errors) -> float:
        line = nf.Variable([0.0, 0.0])
        optimizer = nf.keras.optimizers.Adam(learning_rate=0.05)

        @nf.function
        def step():
            with nf.GradientTape() as tape:
                loss = nf.reduce_mean(of_errors(nf.square(line[0] * x + line[1] - y)))
            optimizer.apply_gradients([(tape.gradient(loss, line), line)])

        for _ in range(steps):
            step()
        return float(line.numpy()[0])

    return abs(slope(lambda e: e) - 2), abs(slope(lambda e: super_loss(e, 0.1, strength=0.1)) - 2)


def main() -> None:
    """Runs the three examples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", action="store_true", help="show the compiled code of the first example")
    arguments = parser.parse_args()
    first, last, fitter = activation()
    print(f"activation: mean squared error {first:.4f} -> {last:.6f}, b learned to be {float(fitter.b) ** 2:.3f}")
    print("stencil: mean squared error of the start {:.5f} -> {:.5f}".format(*stencil()))
    print("solver: error of the slope {:.3f} with the squared error, {:.3f} with SuperLoss".format(*solver()))
    if arguments.kernels:
        print(fitter.train_step.kernels())


if __name__ == "__main__":
    main()
