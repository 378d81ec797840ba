"""Names of keras.backend, which programs for Keras 2 call as K, for those of keras.ops."""

from nbflow.keras.ops import control, network, numeric, table  # noqa: F401  # they publish what is named here
from nbflow.keras.ops.control import shape
from nbflow.public import NAMES, export

_NAMES = """
    abs all any arange argmax argmin cast clip=clip concatenate constant=convert_to_tensor cos cumprod cumsum dot dtype
    elu equal exp expand_dims eye flatten=ravel greater greater_equal hard_sigmoid in_top_k less less_equal log max
    maximum mean min minimum ndim not_equal one_hot ones ones_like permute_dimensions=transpose pow=power prod relu
    repeat_elements=repeat reshape round sigmoid sign sin softmax softplus softsign sqrt square squeeze stack std
    stop_gradient sum tanh tile transpose var zeros zeros_like
"""

for _row in _NAMES.split():
    _name, _, _there = _row.partition("=")
    export(f"keras.backend.{_name}")(NAMES[f"keras.ops.{_there or _name}"])


@export("keras.backend.shape")
def symbolic_shape(x):
    """The sizes of x as a tensor."""
    return NAMES["shape"](x)


@export("keras.backend.int_shape")
def int_shape(x) -> tuple:
    """The sizes of x, None where they are open."""
    return tuple(size if isinstance(size, int) else None for size in shape(x))


@export("keras.backend.eval", "keras.backend.get_value")
def value_of(x):
    """The value of x as a NumPy array."""
    return NAMES["keras.ops.convert_to_numpy"](x)


@export("keras.backend.set_value")
def set_value(x, value) -> None:
    """Sets a Variable."""
    x.assign(value)


@export("keras.backend.gather")
def gather(reference, indices):
    """The rows of a tensor at indices."""
    return NAMES["gather"](reference, indices)


@export("keras.backend.switch")
def switch(condition, then_expression, else_expression):
    """then_expression where the condition holds, else else_expression; functions of no arguments are called."""
    if callable(then_expression):
        return NAMES["cond"](condition, then_expression, else_expression)
    return NAMES["where"](condition, then_expression, else_expression)


@export("keras.backend.random_normal")
def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Draws from a normal distribution."""
    return NAMES["keras.random.normal"](shape, mean, stddev, dtype, seed)


@export("keras.backend.random_uniform")
def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Draws from a uniform distribution."""
    return NAMES["keras.random.uniform"](shape, minval, maxval, dtype, seed)
