"""Initializer: gives the values that a weight starts with."""

from nbflow.public import export


@export("keras.initializers.Initializer", "keras.Initializer")
class Initializer:
    """Base class: `__call__(shape, dtype=None)` gives a tensor (tf.keras.initializers.Initializer).

    dtype is floatx() by default. Subclasses have a get_config that returns their constructor's arguments.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.initializers.get("ones")([2]).numpy().tolist()
        [1.0, 1.0]
    """

    def __call__(self, shape, dtype=None):
        """A tensor of a shape and dtype."""
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict):
        """An initializer of these arguments."""
        return cls(**config)

    def clone(self):
        """Another one of the same arguments."""
        return self.from_config(self.get_config())
