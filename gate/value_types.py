"""`dataclasses.dataclass(slots=True)` and `typing.NamedTuple` without code made at import.

The standard ones write the source of each class's methods and compile it, which took a sixth of the start for the types
on the way to the first request. The methods here are the same for all classes; only construction is slower, by some
microseconds. `dataclasses.fields`, `replace` and `asdict` work as usual. Fields are not inherited, and of the arguments
of `field`, `init` is not supported.
"""

import dataclasses
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Type checkers know what these do.
    from dataclasses import dataclass as dataclass  # noqa: PLC0414
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414
else:

    class _TupleType(type):
        """Makes a class whose instances are tuples, with a name for each value."""

        def __new__(cls, name, bases, space):
            """Read the fields from the annotations, and put in the place of a default what reads the field."""
            made = super().__new__(cls, name, bases, space | {"__slots__": ()})
            names = tuple(made.__annotations__) if bases != (tuple,) else ()
            made._fields = made.__match_args__ = names
            made._field_defaults = {field: space[field] for field in names if field in space}
            for index, field in enumerate(names):
                setattr(made, field, property(itemgetter(index)))
            return made

    class NamedTuple(tuple, metaclass=_TupleType):
        """Base class of tuples whose values have names."""

        def __new__(cls, /, *values, **named):
            """Return the tuple of the values; those of fields without a default must be given."""
            fields = cls._fields
            left = fields[len(values) :]
            if named or left:
                given = cls._field_defaults | named
                try:
                    values += tuple(given[field] for field in left)
                except KeyError as error:
                    raise TypeError(f"{cls.__name__} needs a value for {error.args[0]}") from None
            if len(values) > len(fields) or not named.keys() <= set(left):
                raise TypeError(f"{cls.__name__} has no such field left to set: {values[len(fields) :]}, {[*named]}")
            return tuple.__new__(cls, values)

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({shown})"

        def _replace(self, /, **named):
            """Return a copy in which the named fields have other values."""
            return type(self)(**self._asdict() | named)

        def _asdict(self):
            """Return the values by name."""
            return dict(zip(self._fields, self, strict=True))

    def dataclass(*, slots, frozen=False, kw_only=False, eq=True):
        """Return the decorator; the arguments are those of the standard one."""
        assert slots
        methods = _COMMON | (_BY_VALUE if eq else {}) | (_FROZEN if frozen else {})
        if eq and not frozen:
            methods["__hash__"] = None
        return lambda cls: _with_slots(cls, methods, kw_only=kw_only)


def _with_slots(cls: type, methods: dict[str, Any], *, kw_only: bool) -> type:
    """Return the class with a slot for each of its annotations, and with the methods."""
    names = tuple(cls.__annotations__)
    space = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    given = {name: space.pop(name) for name in names if name in space}
    space |= methods | {
        "__slots__": names,
        "__dataclass_fields__": _Fields(given, kw_only=kw_only),
        "_names": names,
        "_positional": () if kw_only else names,
        "_defaults": {name: _default(value) for name, value in given.items()},
    }
    made = type(cls)(cls.__name__, cls.__bases__, space)
    made.__qualname__ = cls.__qualname__
    return made


def _default(given: Any) -> Any:
    """Return the default of a field; a `Field` where it has none or a factory."""
    is_plain = isinstance(given, dataclasses.Field) and given.default is not dataclasses.MISSING
    return given.default if is_plain else given


class _Fields:
    """The fields as `dataclasses` wants them: made when one of its functions first asks."""

    def __init__(self, given: dict[str, Any], *, kw_only: bool) -> None:
        """`given`: the default of each field that has one, or what `dataclasses.field` has returned."""
        self._given = given
        self._kw_only = kw_only

    def __get__(self, instance: object, cls: type) -> dict[str, Any]:
        """Return the fields by name, and keep them in the class instead of this."""
        namespace = {**self._given, "__annotations__": cls.__annotations__, "__doc__": cls.__doc__}
        standard: Any = dataclasses.dataclass(
            type(cls.__name__, (), namespace), init=False, repr=False, eq=False, kw_only=self._kw_only
        )
        fields: dict[str, Any] = standard.__dataclass_fields__
        type.__setattr__(cls, "__dataclass_fields__", fields)
        return fields


def _init(self: Any, /, *values: Any, **named: Any) -> None:
    given = dict(zip(self._positional, values, strict=False))
    if len(given) < len(values):
        raise TypeError(f"{type(self).__name__} takes {len(given)} values without a name")
    for name, value in named.items():
        if name in given or name not in self._names:
            raise TypeError(f"{type(self).__name__} has no field {name} left to set")
        given[name] = value
    for name in self._names:
        value = given[name] if name in given else self._defaults.get(name, dataclasses.MISSING)
        if name not in given and isinstance(value, dataclasses.Field):
            value = value.default_factory() if value.default_factory is not dataclasses.MISSING else dataclasses.MISSING
        if value is dataclasses.MISSING:
            raise TypeError(f"{type(self).__name__} needs a value for {name}")
        object.__setattr__(self, name, value)
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _repr(self: Any) -> str:
    shown = [field.name for field in dataclasses.fields(self) if field.repr]
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self._names]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self._names, state, strict=True):
        object.__setattr__(self, name, value)


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, field.name) for field in dataclasses.fields(self) if field.compare)


def _eq(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _setattr(self: Any, name: str, value: object) -> None:  # noqa: ARG001 - Python's signature
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> None:  # noqa: ARG001 - likewise
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


_COMMON = {"__init__": _init, "__repr__": _repr, "__getstate__": _state, "__setstate__": _set_state}
_BY_VALUE = {"__eq__": _eq, "__hash__": _hash}
_FROZEN = {"__setattr__": _setattr, "__delattr__": _delattr}
