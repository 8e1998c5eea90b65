"""Frozen value types like `dataclasses.dataclass(frozen=True, slots=True, kw_only=True)`, without code made at import.

The standard decorator writes the source of each class's methods and compiles it. For the types that are on the way to
the first request, that was a tenth of the start. The methods here are the same for all classes; only construction is
slower, by some microseconds. `dataclasses.fields`, `replace` and `asdict` work as usual.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - type checkers know what it does
else:

    def dataclass(*, frozen, slots, kw_only):
        """Return the decorator; the arguments are those of the standard one and say what this one does."""
        assert frozen
        assert slots
        assert kw_only
        return _frozen


def _frozen(cls: type) -> type:
    """Return the class with slots and with the methods below."""
    made: type = dataclasses.dataclass(cls, init=False, repr=False, eq=False, slots=True, kw_only=True)
    for name, method in _METHODS.items():
        setattr(made, name, method)
    return made


def _init(self: Any, **values: Any) -> None:
    for name, field in self.__dataclass_fields__.items():
        if name in values:
            value = values.pop(name)
        elif field.default is not dataclasses.MISSING:
            value = field.default
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        else:
            raise TypeError(f"{type(self).__name__} needs a value for {name}")
        object.__setattr__(self, name, value)
    if values:
        raise TypeError(f"{type(self).__name__} has no {', '.join(values)}")
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__dataclass_fields__]


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name, field in self.__dataclass_fields__.items() if field.compare)


def _repr(self: Any) -> str:
    shown = [field.name for field in dataclasses.fields(self) if field.repr]
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def _eq(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _setattr(self: Any, name: str, value: object) -> None:  # noqa: ARG001 - Python's signature
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> None:  # noqa: ARG001 - likewise
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__dataclass_fields__, state, strict=True):
        object.__setattr__(self, name, value)


_METHODS = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__getstate__": _state,
    "__setstate__": _set_state,
}
