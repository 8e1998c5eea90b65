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
            defaults = tuple(made._field_defaults.values())
            made._rest = {len(names) - count: defaults[len(defaults) - count :] for count in range(len(defaults) + 1)}
            for index, field in enumerate(names):
                setattr(made, field, property(itemgetter(index)))
            return made

    class NamedTuple(tuple, metaclass=_TupleType):
        """Base class of tuples whose values have names."""

        def __new__(cls, /, *values, **named):
            """Return the tuple of the values; those of fields without a default must be given."""
            rest = None if named else cls._rest.get(len(values))
            return tuple.__new__(cls, cls._completed(values, named) if rest is None else values + rest)

        @classmethod
        def _completed(cls, values, named):
            """Return the values of all fields, from those by position, those by name, and the defaults."""
            fields = cls._fields
            left = fields[len(values) :]
            given = cls._field_defaults | named
            if len(values) > len(fields) or not named.keys() <= set(left):
                raise TypeError(f"{cls.__name__} has no such field left to set: {values[len(fields) :]}, {[*named]}")
            try:
                return values + tuple([given[field] for field in left])
            except KeyError as error:
                raise TypeError(f"{cls.__name__} needs a value for {error.args[0]}") from None

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({shown})"

        def _replace(self, /, **named):
            """Return a copy in which the named fields have other values."""
            made = tuple.__new__(type(self), map(named.pop, self._fields, self))
            if named:
                raise TypeError(f"{type(self).__name__} has no such field to replace: {[*named]}")
            return made

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


_MISSING = dataclasses.MISSING
"""Stands for a default that a field does not have."""


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
        "_defaults": {name: default for name, value in given.items() if (default := _default(value)) is not _MISSING},
        "_factories": {name: factory for name, value in given.items() if (factory := _factory(value)) is not _MISSING},
    }
    made = type(cls)(cls.__name__, cls.__bases__, space)
    made.__qualname__ = cls.__qualname__
    setters = {name: vars(made)[name].__set__ for name in names}  # not hindered by a `__setattr__` that refuses
    type.__setattr__(made, "_setters", setters)
    return made


def _default(given: Any) -> Any:
    """Return the default of a field."""
    return given.default if isinstance(given, dataclasses.Field) else given


def _factory(given: Any) -> Any:
    """Return what makes the default of a field."""
    return given.default_factory if isinstance(given, dataclasses.Field) else _MISSING


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
    given = self._defaults | (_by_name(self, values, named) if values else named)
    for name, factory in self._factories.items():
        if name not in given:
            given[name] = factory()
    try:
        for name, set_field in self._setters.items():
            set_field(self, given[name])
    except KeyError as error:
        raise TypeError(f"{type(self).__name__} needs a value for {error.args[0]}") from None
    if len(given) > len(self._setters):
        unknown = next(name for name in given if name not in self._setters)
        raise TypeError(f"{type(self).__name__} has no field {unknown} left to set")
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _by_name(self: Any, values: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Return the values that were given by position and by name, by name."""
    given = dict(zip(self._positional, values, strict=False))
    if len(given) < len(values):
        raise TypeError(f"{type(self).__name__} takes {len(given)} values without a name")
    if not given.keys().isdisjoint(named):
        raise TypeError(f"{type(self).__name__} has no field {(given.keys() & named).pop()} left to set")
    return given | named


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
