"""Where random numbers start: SeedGenerator, the one that is used without a seed, and set_random_seed."""

import random

import numpy as np

from nbflow.dtypes import int32, int64
from nbflow.function.context import name_scope
from nbflow.function.trace import init_scope
from nbflow.keras.settings import name_for, process
from nbflow.keras.variable import Variable
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.random.stateful import set_seed
from nbflow.tensor.tensor import to_tensor

_STEP = np.array([0, 1])
_MODULUS = 2**31 - 2


@export("keras.random.SeedGenerator")
class SeedGenerator:
    """A state that gives a new seed at each call, in compiled functions too (tf.keras.random.SeedGenerator).

    Args:
        seed: an int; by default one drawn by Python's random.
        name: its name.

    Raises:
        ValueError: seed is no int.

    Example:
        >>> import nbflow as nf
        >>> generator = nf.keras.random.SeedGenerator(7)
        >>> generator.next().numpy().tolist(), generator.next().numpy().tolist()
        ([7, 0], [7, 1])
    """

    def __init__(self, seed: int | None = None, name: str | None = None):
        self.name = name_for(type(self)) if name is None else name
        self._initial_seed = seed
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, int):
            raise ValueError(f"SeedGenerator: argument `seed` must be an integer. Received: seed={seed!r}")
        with name_scope(self.name):
            self.state = Variable(np.array([seed, 0]), dtype=int64, trainable=False, name="seed_generator_state")

    def next(self, ordered: bool = True):
        """The state, which is then moved on: the second number by 1, or both by a formula if not ordered."""
        seed = self.state.nbflow_tensor()
        self.state.assign(seed + _STEP if ordered else (seed + 1) * 5387 % 933199)
        return seed

    def save_own_variables(self, store) -> None:
        """Puts the state into a dict-like store."""
        store["0"] = self.state.numpy()

    def load_own_variables(self, store) -> None:
        """Sets the state from such a store."""
        self.state.assign(np.asarray(store["0"]).astype(np.int64))

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> "SeedGenerator":
        """A generator of these arguments."""
        return cls(**config)


def make_default_seed() -> int:
    """A seed drawn by Python's random."""
    return random.randint(1, 10**9)


def global_seed_generator() -> SeedGenerator:
    """The generator that functions without a seed use, made when it is first needed."""
    if process.seed_generator is None:
        with init_scope():
            process.seed_generator = SeedGenerator()
    return process.seed_generator


def draw_seed(seed):
    """Two int32 for the stateless functions, of an int, a SeedGenerator that moves on, or None: the global one.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(seed, SeedGenerator):
        drawn = seed.next()
    elif isinstance(seed, int):
        return to_tensor(np.array([seed % _MODULUS, 0], np.int32))
    elif seed is None:
        drawn = global_seed_generator().next(ordered=False)
    else:
        raise ValueError(
            f"Argument `seed` must be either an integer or an instance of `SeedGenerator`. "
            f"Received: seed={seed!r:.200} (of type {type(seed)})"
        )
    return TABLE["cast"](drawn % _MODULUS, dtype=int32)


@export("keras.utils.set_random_seed")
def set_random_seed(seed: int) -> None:
    """Seeds Python's random, NumPy, nf.random and the global SeedGenerator (tf.keras.utils.set_random_seed).

    Raises:
        ValueError: seed is no int.
    """
    if not isinstance(seed, int):
        raise ValueError(f"Expected `seed` argument to be an integer. Received: seed={seed!r} (of type {type(seed)})")
    process.seed_generator = None
    random.seed(seed)
    np.random.seed(seed)
    set_seed(seed)
