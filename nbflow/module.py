"""nf.Module, and how things that are kept in attributes, lists and dicts are found."""

from collections.abc import Iterator
from typing import Any

from nbflow.function.context import name_scope
from nbflow.objects.lookup import snake_case
from nbflow.public import export
from nbflow.tensor.variable import Variable


def found(value, kinds: type | tuple[type, ...]) -> Iterator[Any]:
    """Everything of some kinds that a value is or holds, in order: in lists, tuples, dicts and sets, at any depth."""
    if isinstance(value, kinds):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from found(part, kinds)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in value:
            yield from found(part, kinds)


def unique(things) -> list:
    """Things in order, each once."""
    return list({id(thing): thing for thing in things}.values())


@export("Module")
class Module:
    """Something that keeps Variables and other modules in its attributes (tf.Module).

    Args:
        name: a name; by default that of the class in snake case.

    Example:
        >>> import nbflow as nf
        >>> class Dense(nf.Module):
        ...     def __init__(self, inputs, outputs):
        ...         super().__init__()
        ...         self.w = nf.Variable(nf.ones([inputs, outputs]), name="w")
        ...     def __call__(self, x):
        ...         return x @ self.w
        >>> [v.name for v in Dense(3, 2).trainable_variables]
        ['w:0']
    """

    def __init__(self, name: str | None = None):
        name = snake_case(type(self).__name__) if name is None else name
        if not name.isidentifier():
            raise ValueError(f"{name!r} is not a valid module name. Module names must be valid Python identifiers")
        self._name = name
        with name_scope(name) as scope:
            self._scope_name = scope

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def name_scope(self):
        """A block whose Variables and ops are named after this module."""
        return name_scope(self._scope_name)

    def _parts(self) -> list:
        """What the attributes hold, sorted by their names."""
        return [value for _, value in sorted(vars(self).items())]

    @property
    def variables(self) -> tuple:
        """All Variables: of its attributes, and of the modules and layers in them."""
        own = list(found(self._parts(), Variable))
        return tuple(unique(own + [v for part in self._direct() for v in part.variables]))

    @property
    def trainable_variables(self) -> tuple:
        """The Variables that are trainable."""
        own = [v for v in found(self._parts(), Variable) if v.trainable]
        return tuple(unique(own + [v for part in self._direct() for v in part.trainable_variables]))

    @property
    def non_trainable_variables(self) -> tuple:
        """The Variables that are not."""
        trained = {id(v) for v in self.trainable_variables}
        return tuple(v for v in self.variables if id(v) not in trained)

    @property
    def submodules(self) -> tuple:
        """All modules in it, at any depth."""
        direct = list(self._direct())
        inner = [m for part in direct for m in getattr(part, "submodules", ())]
        return tuple(unique(direct + inner))

    def _direct(self) -> list:
        return unique(p for p in found(self._parts(), TRACKED) if p is not self)

    @classmethod
    def with_name_scope(cls, method):
        """A method that runs in the module's name scope; used as a decorator."""

        def wrapped(self, *args, **kwargs):
            with self.name_scope:
                return method(self, *args, **kwargs)

        return wrapped


class Holder:
    """Base of other things with `variables`, `trainable_variables` and so on, that modules find: Keras' layers."""


TRACKED = (Module, Holder)
