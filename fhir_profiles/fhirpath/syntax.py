"""What an expression consists of. https://hl7.org/fhirpath/N1/grammar.html"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A value, or none: `{}`."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """An element of the focus. `rooted` at the beginning of an expression, where it may also name the type of the focus."""

    name: str
    rooted: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """One of `$this`, `$index` and `$total`."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """`%resource` and the like."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the focus."""

    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Path:
    """`left.right`: what is on the left is the focus of what is on the right."""

    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Item:
    """`left[index]`"""

    left: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True)
class Sign:
    """`-operand`; a plus sign changes nothing."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class TypeName:
    """`FHIR.Patient`, `System.String`, or without namespace."""

    namespace: str | None
    name: str


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`operand is type`, `operand as type`"""

    operator: str
    operand: "Expression"
    type: TypeName


Expression: TypeAlias = Literal | Name | Variable | Constant | Call | Path | Item | Sign | Binary | TypeTest


def parts(expression: Expression) -> Iterator[Expression]:
    """What the expression is made of, one level down."""
    for field in fields(expression):
        value = getattr(expression, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Expression):
                yield part


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all that it is made of."""
    waiting = [expression]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(parts(one))
