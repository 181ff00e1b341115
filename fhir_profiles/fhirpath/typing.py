"""`is`, `as` and `ofType`. https://hl7.org/fhirpath/N1/#types, https://hl7.org/fhir/R4/fhirpath.html#types"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.fhirpath.errors import FhirPathSyntaxError
from fhir_profiles.fhirpath.node import Node
from fhir_profiles.fhirpath.syntax import Expression, Name, Path, TypeName
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import Quantity

IsType = Callable[[Any], bool]

SYSTEM: Final[Mapping[str, IsType]] = MappingProxyType(
    {
        "Boolean": lambda item: isinstance(item, bool),
        "String": lambda item: isinstance(item, str),
        "Integer": lambda item: isinstance(item, int) and not isinstance(item, bool),
        "Decimal": lambda item: isinstance(item, Decimal),
        "Date": lambda item: isinstance(item, Temporal) and item.kind == "date",
        "DateTime": lambda item: isinstance(item, Temporal) and item.kind == "dateTime",
        "Time": lambda item: isinstance(item, Temporal) and item.kind == "time",
        "Quantity": lambda item: isinstance(item, Quantity),
    }
)


def type_predicate(type: TypeName) -> IsType:
    """Without a namespace it is FHIR's type of an element and System's of a computed value."""
    if type.namespace == "System":
        return _system(type.name)
    if type.namespace not in {None, "FHIR"}:
        raise FhirPathSyntaxError("types are those of FHIR and of System")
    name = type.name
    computed = SYSTEM.get(name) if type.namespace is None else None

    def is_type(item: Any) -> bool:
        if item.__class__ is Node:
            return bool(item.type.is_a(name, item.value))
        return computed is not None and computed(item)

    return is_type


def _system(name: str) -> IsType:
    if name not in SYSTEM:
        raise FhirPathSyntaxError("System has no such type")
    return SYSTEM[name]


def type_name(expression: Expression) -> TypeName:
    """A type given as an argument, as in `ofType(FHIR.Quantity)`."""
    match expression:
        case Name(name):
            return TypeName(None, name)
        case Path(Name(namespace), Name(name)):
            return TypeName(namespace, name)
    raise FhirPathSyntaxError("the name of a type is expected")
