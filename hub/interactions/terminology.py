"""FHIR operations on the terminology that the hub ships: ValueSet $expand, ValueSet and CodeSystem $validate-code.

https://hl7.org/fhir/R4/valueset-operations.html, https://hl7.org/fhir/R4/codesystem-operations.html. What rests on a code
system that is not shipped is refused with the reason instead of answered in part.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fhir_profiles.terminology import TerminologyError, library
from fhir_profiles.terminology.expansion import Wanted, expand
from fhir_profiles.terminology.validate_code import Asked, Verdict, any_in_value_set, in_code_system, in_value_set
from hub import numbers
from hub.errors import FhirError
from hub.http import json_response
from hub.instants import fhir_instant
from hub.interactions.operation import Given, bad, given, place_of
from hub.repository import Repository

CODE = ("url", "system", "systemVersion", "version", "code", "display", "coding", "codeableConcept", "abstract", "valueSet")


async def value_set_expand(request: Request, repository: Repository) -> Response:
    """The value set with its expansion. `filter`, `offset`, `count`, `activeOnly` are followed."""
    async with repository.recording("operation"):
        repository.rights.require("ValueSet", "r")
        parameters = await given(request, repository)
        parameters.only("url", "valueSet", "valueSetVersion", "filter", "offset", "count", "activeOnly")
        wanted = Wanted(
            filter=parameters.text("filter") or "",
            offset=parameters.number("offset") or 0,
            count=parameters.number("count"),
            active_only=parameters.flag("activeOnly"),
        )
        found = _told(lambda: expand(_value_set(parameters), wanted, timestamp=fhir_instant(repository.services.clock())))
    return json_response(numbers.dumps(found))


async def value_set_validate_code(request: Request, repository: Repository) -> Response:
    """Parameters with `result`, and `message` or `display`."""
    async with repository.recording("operation"):
        repository.rights.require("ValueSet", "r")
        parameters = await given(request, repository)
        parameters.only(*CODE)
        value_set, codings = _value_set(parameters), _codings(parameters)
        verdict: Verdict = _told(
            lambda: in_value_set(value_set, codings[0]) if len(codings) == 1 else any_in_value_set(value_set, tuple(codings))
        )
    return _verdict(verdict)


async def code_system_validate_code(request: Request, repository: Repository) -> Response:
    async with repository.recording("operation"):
        repository.rights.require("CodeSystem", "r")
        parameters = await given(request, repository)
        parameters.only(*CODE)
        system = parameters.text("url")
        codings = [Asked(system=one.system or system, code=one.code, display=one.display) for one in _codings(parameters)]
        verdicts: list[Verdict] = _told(lambda: [in_code_system(one) for one in codings])
    return _verdict(next((one for one in verdicts if one.result), verdicts[0]))


def _value_set(parameters: Given) -> Mapping[str, Any]:
    inline, url = parameters.one("valueSet"), parameters.text("url")
    if inline is not None:
        return _plain(inline)
    if url is None:
        bad("url", "is needed: the canonical url of a value set that the hub ships; or valueSet, one itself")
    found = library.value_set(url)
    if found is None:
        raise FhirError("not-found", "The hub ships no value set with this url.", expression=place_of("url"))
    return found


def _plain(inline: Any) -> Mapping[str, Any]:
    """A value set that is sent along, of which every code is told. Raises FhirError."""
    if not isinstance(inline, dict) or inline.get("resourceType") != "ValueSet":
        bad("valueSet", "must be a ValueSet resource in a Parameters resource")
    if (name := _without_value({part: inline.get(part) for part in ("compose", "expansion")})) is not None:
        bad("valueSet", f"has an extension where the value of {name} is needed")
    return inline


def _without_value(content: Any) -> str | None:
    """A primitive inside that has extensions and no value (https://hl7.org/fhir/R4/json.html#primitive), by its name."""
    if isinstance(content, list):
        return next((found for one in content if (found := _without_value(one)) is not None), None)
    if not isinstance(content, dict):
        return None
    told = {name.removeprefix("_") for name, value in content.items() if name.startswith("_") and _has_gap(content.get(name[1:]))}
    return min(told) if told else _without_value(list(content.values()))


def _has_gap(value: Any) -> bool:
    return value is None or (isinstance(value, list) and None in value)


def _codings(parameters: Given) -> list[Asked]:
    """One of code, coding, codeableConcept."""
    concept, coding = parameters.one("codeableConcept"), parameters.one("coding")
    given_codings = concept.get("coding", []) if isinstance(concept, dict) else [coding] if isinstance(coding, dict) else []
    made = [
        Asked(system=one.get("system"), code=str(one["code"]), version=one.get("version"), display=one.get("display"))
        for one in given_codings
        if isinstance(one, dict) and "code" in one
    ]
    code = parameters.text("code")
    if code is not None:
        made.append(
            Asked(system=parameters.text("system"), code=code, display=parameters.text("display"), abstract=parameters.flag("abstract"))
        )
    if not made:
        bad("code", "is needed, or coding, or codeableConcept")
    return made


def _told(ask: Any) -> Any:
    try:
        return ask()
    except TerminologyError as error:
        raise FhirError(error.code, f"{str(error)[:1].upper()}{str(error)[1:]}.", expression=place_of("url")) from None


def _verdict(verdict: Verdict) -> Response:
    parts: list[dict[str, Any]] = [{"name": "result", "valueBoolean": verdict.result}]
    if verdict.message is not None:
        parts.append({"name": "message", "valueString": verdict.message})
    if verdict.display is not None:
        parts.append({"name": "display", "valueString": verdict.display})
    return json_response(numbers.dumps({"resourceType": "Parameters", "parameter": parts}))
