"""The variables that a statement may change, as values to be taken out and put back."""

import types
from collections.abc import Callable, Sequence
from contextlib import suppress

from nbflow.function.control import Undefined


class _Cell:
    """A variable that functions share."""

    def __init__(self, name: str, cell: types.CellType):
        self.name, self.cell = name, cell

    def get(self):
        try:
            return self.cell.cell_contents
        except ValueError:
            return Undefined(self.name)

    def set(self, value) -> None:
        if type(value) is Undefined and value.name == self.name and not value.why:
            with suppress(ValueError):  # it is empty already
                del self.cell.cell_contents
        else:
            self.cell.cell_contents = value


class _Key:
    """A variable of a module, an attribute, or an element: what is kept in a container under a key."""

    def __init__(self, name: str, container, key, attribute: bool):
        self.name, self.container, self.key, self.attribute = name, container, key, attribute

    def get(self):
        try:
            return getattr(self.container, self.key) if self.attribute else self.container[self.key]
        except (AttributeError, KeyError, IndexError):
            return Undefined(self.name)

    def set(self, value) -> None:
        if isinstance(value, Undefined):
            if not isinstance(self.get(), Undefined):
                delattr(self.container, self.key) if self.attribute else self.container.__delitem__(self.key)
        elif self.get() is not value:
            if self.attribute:
                setattr(self.container, self.key, value)
            else:
                self.container[self.key] = value


class Variables:
    """Variables of converted code.

    Args:
        functions: those that share the variables, as cells or in their module.
        names: of variables.
        places: (text, function that gives (object, key, whether it is an attribute)) of attributes and elements.
    """

    def __init__(self, functions: Sequence[Callable | None], names: Sequence[str], places: Sequence = ()):
        cells: dict[str, types.CellType] = {}
        for function in functions:
            if function is not None:
                cells.update(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        module = next(f for f in functions if f is not None).__globals__
        self._all: list[_Cell | _Key] = [
            _Cell(name, cells[name]) if name in cells else _Key(name, module, name, False) for name in names
        ]
        for text, found in places:
            place = _place(text, found)
            if place is not None:
                self._all.append(place)

    @property
    def names(self) -> list[str]:
        """As the source has them."""
        return [spelled(v.name) for v in self._all]

    def get(self) -> list:
        """The values; Undefined for a variable without one."""
        return [v.get() for v in self._all]

    def set(self, values: Sequence) -> None:
        """Gives the variables values."""
        for variable, value in zip(self._all, values, strict=True):
            variable.set(value)


def _place(text: str, found: Callable) -> _Key | None:
    """An attribute or element; None where the object or the key cannot be had before the statement runs."""
    try:
        container, key, attribute = found()
        place = _Key(text, container, key, attribute)
        place.get()
    except Exception:
        return None
    return place


_SPELLED = {"ag__result": "the return value", "ag__returned": "whether the function returned"}


def spelled(name: str) -> str:
    """A variable's name for messages; those that the conversion made are described."""
    if name.startswith("ag__break"):
        return "whether the loop was left"
    return _SPELLED.get(name, "whether the round ended" if name.startswith("ag__continue") else name)
