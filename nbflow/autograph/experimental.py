"""nf.autograph.experimental: what users say about conversions (see nbflow.autograph.interface)."""

import enum

from nbflow.public import export


@export("autograph.experimental.Feature")
class Feature(enum.Enum):
    """Parts of the conversion that TensorFlow has switches for (tf.autograph.experimental.Feature); all are on."""

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"

    @classmethod
    def all(cls):
        """All features."""
        return tuple(cls)

    @classmethod
    def all_but(cls, exclude):
        """All features but some."""
        excluded = exclude if isinstance(exclude, (list, tuple, set, frozenset)) else (exclude,)
        return tuple(f for f in cls if f not in excluded and f is not cls.ALL)
