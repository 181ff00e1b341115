"""The modifier `:missing`, which parameters of every type know.

https://hl7.org/fhir/R4/search.html#modifiers: has the resource a value for the parameter or not?
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.search.elements import elements, of_parameter
from hub.search.predicate import Between, Not
from hub.search.references import ABSOLUTE, LOCAL, literal
from hub.search.row import Parameter
from hub.search.times import OPEN_START_US
from hub.search.types.date import readable
from hub.search.value import UNDECIDED, BadValue, Narrowing, Opened, Resource, Tokens, Written

MODIFIER = "missing"
VALUES: Mapping[str, bool] = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class MissingValue:
    missing: bool

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:  # noqa: ARG002 (one way to ask all types)
        """Tokens say what is there, not what is missing; effective times say both."""
        if parameter.where != "de":
            return UNDECIDED
        present = Between("d", low=OPEN_START_US)
        return Narrowing(Not(present) if self.missing else present, exact=True)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:
        return _is_there(parameter, resource, opened.base) is not self.missing


def parse(written: Written) -> MissingValue:
    if written.text not in VALUES:
        raise BadValue("with the modifier :missing must be true or false")
    return MissingValue(VALUES[written.text])


def _is_there(parameter: Parameter, resource: Resource, base: str) -> bool:
    if parameter.type != "composite":
        return any(_is_value(parameter, element, base) for element in of_parameter(parameter, resource))
    found = (element for root in parameter.roots for element in elements(resource, root))
    return any(
        all(_is_there(one.parameter, resource if one.absolute else element, base) for one in parameter.components) for element in found
    )


def _is_value(parameter: Parameter, element: Any, base: str) -> bool:
    """R4 filters some paths by what they hold: `patient` is only a subject that is a Patient."""
    match parameter.type:
        case "date":
            return readable(element) is not None
        case "reference" if parameter.targets and not isinstance(element, str) and "reference" in element:
            reference = literal(element["reference"], base) or ""
            found = LOCAL.fullmatch(reference) or ABSOLUTE.fullmatch(reference)
            return found is None or found.group(1) in parameter.targets
        case _:
            return True
