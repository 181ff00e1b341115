"""The functions of FHIRPath, one module for each section of https://hl7.org/fhirpath/N1/#functions and one for R4's own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhir_profiles.fhirpath.functions import combining, conversion, existence, fhir, filtering, math, strings, subsetting, tree, utility
from fhir_profiles.fhirpath.functions.row import Function

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        **existence.TABLE,
        **filtering.TABLE,
        **subsetting.TABLE,
        **combining.TABLE,
        **conversion.TABLE,
        **strings.TABLE,
        **math.TABLE,
        **tree.TABLE,
        **utility.TABLE,
        **fhir.TABLE,
    }
)
