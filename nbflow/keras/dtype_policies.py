"""Dtype policies: the dtype that a layer computes in and the one that it keeps its weights in."""

from nbflow.dtypes import DType, as_dtype
from nbflow.keras.settings import floatx
from nbflow.public import export

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_global: list["DTypePolicy"] = []


@export(
    "keras.DTypePolicy",
    "keras.dtype_policies.DTypePolicy",
    "keras.mixed_precision.DTypePolicy",
    "keras.mixed_precision.Policy",
)
class DTypePolicy:
    """What a layer computes in and keeps (tf.keras.DTypePolicy).

    Args:
        name: a dtype such as "float32" for both; "mixed_float16" and "mixed_bfloat16" compute in
            halves and keep float32.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.DTypePolicy("mixed_bfloat16").variable_dtype
        'float32'
    """

    def __init__(self, name: str | None = None):
        self._name = name or floatx()
        if not isinstance(self._name, str):
            raise TypeError(f"'name' must be a string, such as 'mixed_float16'. Received: name={name!r}")
        try:
            self._compute = as_dtype(_MIXED.get(self._name, self._name)).name
        except (TypeError, ValueError):
            raise ValueError(
                f"Cannot convert '{name}' to a dtype policy: it takes a dtype, 'mixed_float16' or 'mixed_bfloat16'"
            ) from None
        self._variable = "float32" if self._name in _MIXED else self._compute

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype that layers compute in."""
        return self._compute

    @property
    def variable_dtype(self) -> str:
        """The dtype of weights."""
        return self._variable

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'

    def __eq__(self, other) -> bool:
        return isinstance(other, DTypePolicy) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    def get_config(self) -> dict:
        """The arguments that make it again."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict) -> "DTypePolicy":
        """The policy of a configuration."""
        return cls(**config)


@export("keras.config.set_dtype_policy", "keras.mixed_precision.set_global_policy", "keras.config.set_global_policy")
def set_dtype_policy(policy) -> None:
    """Sets the policy that new layers have by default: a name or a DTypePolicy."""
    _global[:] = [policy_of(policy)]


@export(
    "keras.config.dtype_policy",
    "keras.mixed_precision.dtype_policy",
    "keras.mixed_precision.global_policy",
    "keras.config.global_policy",
)
def dtype_policy() -> DTypePolicy:
    """The policy that new layers have by default."""
    return _global[0] if _global else DTypePolicy(floatx())


def policy_of(value) -> DTypePolicy:
    """A layer's dtype argument as a policy: None, a policy, a dtype, a name or a configuration."""
    if value is None:
        return dtype_policy()
    if isinstance(value, DTypePolicy):
        return value
    if isinstance(value, dict):
        return DTypePolicy(value["config"]["name"])
    return DTypePolicy(value if isinstance(value, str) else as_dtype(value).name)


@export("keras.dtype_policies.get")
def get(identifier) -> DTypePolicy:
    """A policy from its name, a dtype or a configuration."""
    return policy_of(identifier)


@export("keras.dtype_policies.serialize")
def serialize(policy: DTypePolicy) -> dict:
    """The configuration of a policy."""
    return {"module": "keras", "class_name": "DTypePolicy", "config": policy.get_config(), "registered_name": None}


@export("keras.dtype_policies.deserialize")
def deserialize(config, custom_objects=None) -> DTypePolicy:
    """The policy of a configuration."""
    return policy_of(config)


def dtype_name(dtype: DType | str) -> str:
    """The name of a dtype."""
    return as_dtype(dtype).name
