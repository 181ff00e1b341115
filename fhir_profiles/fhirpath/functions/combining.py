"""https://hl7.org/fhirpath/N1/#combining"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhir_profiles.fhirpath.functions.row import Function, Items, over
from fhir_profiles.fhirpath.operators import distinct


def union(focus: Items, other: Items) -> Items:
    return distinct([*focus, *other])


TABLE: Final[Mapping[str, Function]] = MappingProxyType(
    {"union": over(union, 1), "combine": over(lambda focus, other: [*focus, *other], 1)},
)
