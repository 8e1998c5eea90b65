"""The value types behave as the standard library's dataclasses do."""

import collections
import copy
import dataclasses
import pickle
from typing import Any

import pytest

from gate import model, settings
from gate.codearts import session
from gate.core import ports, select
from gate.core.asks import Ask, Priority
from gate.core.evidence import Evidence
from gate.errors import UsageProblem
from gate.model import Stage, Target
from gate.settings import Reports, Rules, Token
from gate.value_types import NamedTuple
from tests.tables import each_row

TYPES = [
    kind
    for module in (model, settings)
    for kind in vars(module).values()
    if dataclasses.is_dataclass(kind) and isinstance(kind, type)
]

TUPLES = [
    kind
    for module in (model, ports, select, session)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, NamedTuple) and kind is not NamedTuple
]


def test_fields_and_replace_work_as_usual() -> None:
    """Settings are made from the fields, and outcomes from others."""
    target = Target(label="app", job_id="a", build_number=57)
    assert dataclasses.replace(target, label="web") == Target(label="web", job_id="a", build_number=57)
    assert {target: 1}[copy.copy(target)] == 1
    assert pickle.loads(pickle.dumps(target)) == target  # noqa: S301 - its own
    assert dataclasses.asdict(target)["label"] == "app"


@each_row("kind", TYPES)
def test_type_is_frozen_and_has_slots(kind: type[Any]) -> None:
    """Nothing can be assigned, removed or added."""
    instance: Any = object.__new__(kind)
    first = dataclasses.fields(kind)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(instance, first, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(instance, first)
    assert not hasattr(instance, "__dict__")


def test_secrets_stay_out_of_repr() -> None:
    """A field that is not to be shown is not."""
    assert repr(Token(value="s3cr3t")) == "Token(file=None, source='GATE_TOKEN')"


def test_field_that_is_not_compared_makes_no_difference() -> None:
    """Where a name came from is no part of what it means."""
    assert Reports(named_by={"junit": "--junit"}) == Reports()
    assert Reports(json=True) != Reports()


def test_wrong_fields_and_values_are_refused() -> None:
    """A field without a default, an unknown one, and what the class itself checks."""
    incomplete: Any = Target
    with pytest.raises(TypeError, match="needs a value for"):
        incomplete(label="app")
    with pytest.raises(TypeError, match="has no field labels"):
        incomplete(label="app", job_id="a", labels=1)
    with pytest.raises(UsageProblem):
        Rules(timeout=0)


def test_type_that_is_not_frozen_can_be_changed_and_has_no_hash() -> None:
    """Lists and sets among the defaults are made anew for each instance."""
    one, other = Evidence(), Evidence()
    assert one == other
    one.read.add(7)
    one.now = 1.0
    assert (one.read, other.read) == ({7}, set())
    assert one != other
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
    with pytest.raises(AttributeError):
        one.wrong = 1  # type: ignore[attr-defined]


def test_type_without_equality_is_compared_by_identity_and_takes_values_by_position() -> None:
    """Asks are keys of dictionaries."""
    one, other = Ask[int](int, 1.0), Ask[int](int, 1.0, priority=Priority.SIDE)
    assert (one.call, one.not_before, one.priority, other.priority) == (int, 1.0, Priority.POLL, Priority.SIDE)
    assert one != Ask[int](int, 1.0)
    assert len({one, other}) == 2
    incomplete: Any = Ask
    with pytest.raises(TypeError, match="has no field not_before left"):
        incomplete(int, 1.0, not_before=2.0)
    by_name_only: Any = Target
    with pytest.raises(TypeError, match="takes 0 values without a name"):
        by_name_only("a")


@each_row("kind", TUPLES)
def test_tuple_with_names_behaves_as_the_standard_one(kind: type[Any]) -> None:
    """Whatever the fields and the defaults."""
    make: Any = collections.namedtuple  # what mypy knows of it takes literals only
    standard = make(kind.__name__, kind._fields, defaults=kind._field_defaults.values())
    values = [f"value {number}" for number in range(len(kind._fields))]
    least = len(values) - len(kind._field_defaults)
    for given in [values[:count] for count in range(least, len(values) + 1)]:
        one, other = kind(*given), standard(*given)
        assert (one, repr(one), one._asdict()) == (other, repr(other), other._asdict())
        assert [getattr(one, name) for name in one._fields] == list(one)
    assert kind.__match_args__ == standard.__match_args__
    assert kind(**dict(zip(kind._fields, values, strict=True))) == tuple(values)
    assert pickle.loads(pickle.dumps(kind(*values))) == copy.copy(kind(*values)) == tuple(values)  # noqa: S301
    assert not hasattr(kind(*values), "__dict__")


def test_tuple_refuses_wrong_fields() -> None:
    """A value that is missing, one too many, an unknown name, a name given twice."""
    kind: Any = Stage
    assert kind("Maven", step="a")._replace(name="Ant") == Stage("Ant", step="a")
    for values, named in (((), {}), (range(6), {}), (("a",), {"word": "b"}), (("a",), {"name": "b"})):
        with pytest.raises(TypeError, match="Stage"):
            kind(*values, **named)
    with pytest.raises(AttributeError):
        kind("a").name = "b"
