"""The name of a criterion: a parameter with its modifier, a chain, a reverse chain, each inside the other.

https://hl7.org/fhir/R4/search.html#chaining and #has. `subject:Patient.organization.name:exact` goes over two
references; `_has:Observation:patient:code` asks for what refers to us.
"""

import re
from collections.abc import Mapping, Sequence

from hub.search import missing
from hub.search.asked import Chain, Criterion, Has, Search
from hub.search.follow import canonical_types
from hub.search.grammar import split
from hub.search.parameters import Parameter, ResourceType, resource_type
from hub.search.result import RESULT_PARAMETERS
from hub.search.types import SEARCH_TYPES
from hub.search.understood import BadName, NotTaken, UnknownName
from hub.search.value import BadValue, Value, Written

HAS = "_has"
LIST = "_list"
OF_LIST = f"{HAS}:List:item:_id"
"""What `_list` asks: https://hl7.org/fhir/R4/search.html#list."""
HOPS_MAX = 4
BRANCHES_MAX = 64
"""A chain without types goes to each type that a reference allows, over and over."""
SHAPING = (*(name for name in RESULT_PARAMETERS if name != "_page"), "_include", "_revinclude", HAS, LIST)
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]+")

UNAVAILABLE: Mapping[str, str] = {
    "_text": "is not offered: resources are sealed one by one, and there is no index of their words",
    "_content": "is not offered: resources are sealed one by one, and there is no index of their words",
    "_filter": "is not offered: write the conditions as parameters, which all hold together",
    "_query": "is not offered: this hub has no named queries",
    "_containedType": "is not offered: contained resources come inside those that contain them",
    "_type": "belongs to a search of the whole system: the type stands in the URL here",
}
"""Parameters that R4 defines and the hub refuses, each with its reason."""


class Names:
    """Reads one pair of a query. Raises NotTaken or BadValue."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._branches = 0

    def read(self, row: ResourceType, name: str, value: str, hops: int = 0) -> Criterion | Chain | Has | None:
        """None if the name is known and the value is empty: R4 lets it be ignored."""
        if hops > HOPS_MAX:
            raise BadName(f"goes over more than {HOPS_MAX} references")
        if name == LIST:
            if value.startswith("$"):
                raise BadName("takes the id of a List that is stored here; lists that a server keeps up by itself are not offered")
            name = OF_LIST
        if name.startswith(HAS + ":"):
            return self._has(row, name, value, hops)
        head, dot, rest = name.partition(".")
        code, colon, modifier = head.partition(":")
        parameter = row.parameters.get(code)
        if parameter is None:
            raise UnknownName(UNAVAILABLE.get(code) or row.refused.get(code) or _unknown(row))
        if dot:
            return self._chain(parameter, modifier if colon else None, rest, value, hops)
        self._branches += 1
        if self._branches > BRANCHES_MAX:
            raise BadName("leads to too many types: name the type of each reference, as in subject:Patient.name")
        check_modifier(parameter, modifier if colon else None)
        return self._criterion(parameter, modifier or None, value)

    def _chain(self, parameter: Parameter, type: str | None, rest: str, value: str, hops: int) -> Chain | None:
        if parameter.type != "reference":
            raise UnknownName(f"is no chain: {parameter.code} is no reference")
        found: dict[str, Search] = {}
        refusals: list[ValueError] = []
        for target in _targets(parameter, type):
            row = resource_type(target)
            try:
                if row is None:
                    raise UnknownName(f"leads to {target}, which the hub does not search")
                inner = self.read(row, rest, value, hops + 1)
            except (NotTaken, BadValue) as refusal:
                refusals.append(refusal)
                continue
            if inner is None:
                return None
            found[target] = Search(type=target, criteria=(inner,))
        if not found:
            raise _worst(refusals)
        return Chain(parameter=parameter, targets=found)

    def _has(self, row: ResourceType, name: str, value: str, hops: int) -> Has | None:
        _, type, code, rest = (*name.split(":", 3), "", "", "")[:4]
        referring = resource_type(type)
        parameter = None if referring is None else referring.parameters.get(code)
        if referring is None or parameter is None or not rest:
            raise UnknownName("is not understood: write _has:TYPE:REFERENCE:PARAMETER, as in _has:Observation:patient:code")
        if parameter.type != "reference" or row.name not in (canonical_types(parameter) or parameter.targets or (row.name,)):
            raise BadName(f"asks for what {type} does not have: its {code} refers to no {row.name}")
        inner = self.read(referring, rest, value, hops + 1)
        return None if inner is None else Has(type=type, parameter=parameter, inner=Search(type=type, criteria=(inner,)))

    def _criterion(self, parameter: Parameter, modifier: str | None, value: str) -> Criterion | None:
        if not value:
            return None
        pieces = split(value, ",")
        if "" in pieces:
            raise BadValue("has an empty value between commas: write \\, for a comma inside a value")
        values = tuple(_value(parameter, Written(text=piece, modifier=modifier, base=self._base)) for piece in pieces)
        return Criterion(parameter=parameter, modifier=modifier, values=values)


def check_modifier(parameter: Parameter, modifier: str | None) -> None:
    """R4 #modifiers: a modifier that is not supported SHALL be refused; lenient handling does not change that."""
    known = SEARCH_TYPES[parameter.type].modifiers(parameter)
    if modifier is None or modifier in known or (modifier == missing.MODIFIER and parameter.type != "id"):
        return
    if "[type]" in known and _TYPE_NAME.fullmatch(modifier):
        return
    takes = ", ".join(f":{one}" for one in sorted({*known, missing.MODIFIER})) if parameter.type != "id" else "no modifier"
    raise BadName(f"has a modifier that is not supported; {parameter.code} takes {takes}")


def _value(parameter: Parameter, written: Written) -> Value:
    if written.modifier == missing.MODIFIER:
        return missing.parse(written)
    return SEARCH_TYPES[parameter.type].parse(written, parameter)


def _targets(parameter: Parameter, type: str | None) -> tuple[str, ...]:
    if type is None:
        if not parameter.targets:
            raise BadName(f"leads to any type: write {parameter.code}:TYPE.PARAMETER")
        return parameter.targets
    if parameter.targets and type not in parameter.targets:
        raise BadName(f"names a type that {parameter.code} does not lead to: {', '.join(parameter.targets)}")
    return (type,)


def _worst(refusals: Sequence[ValueError]) -> ValueError:
    """Of several types' refusals the one that came nearest to an answer."""
    return max(refusals, key=lambda refusal: (isinstance(refusal, BadValue), isinstance(refusal, BadName)))


def _unknown(row: ResourceType) -> str:
    return f"is not supported for {row.name}: use {', '.join(sorted((*row.parameters, *SHAPING)))}"
