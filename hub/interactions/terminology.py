"""FHIR operations on terminology: ValueSet $expand, ValueSet and CodeSystem $validate-code; on a type and on an instance.

https://hl7.org/fhir/R4/valueset-operations.html, https://hl7.org/fhir/R4/codesystem-operations.html. What rests on a code
system that is not known here is refused with the reason instead of answered in part.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response

from fhir_profiles.terminology import TerminologyError
from fhir_profiles.terminology.code_systems import CodeSystem, read
from fhir_profiles.terminology.expansion import Wanted, expand
from fhir_profiles.terminology.gaps import untold
from fhir_profiles.terminology.terms import Needed, needed
from fhir_profiles.terminology.validate_code import Asked, Verdict, any_in_value_set, in_code_system, in_value_set, of_code_system
from hub import numbers
from hub.errors import FhirError
from hub.http import json_response
from hub.instants import fhir_instant
from hub.interactions.operation import Given, bad, given, place_of
from hub.recording import Recording
from hub.repository import Repository
from hub.repository.terminology import told

T = TypeVar("T")
Resource = Mapping[str, Any]

VALUE_SET = ("url", "valueSet", "valueSetVersion")
CODE_SYSTEM = ("url", "codeSystem", "version")
"""Which one is meant; on an instance it is the instance."""
EXPANDING = ("filter", "offset", "count", "activeOnly")
CODING = ("code", "display", "coding", "codeableConcept", "abstract")
IN_VALUE_SET = ("system", "systemVersion", *CODING)


async def value_set_expand(request: Request, repository: Repository) -> Response:
    """The value set with its expansion. `filter`, `offset`, `count`, `activeOnly` are followed."""
    async with repository.recording("operation") as recording:
        repository.rights.require("ValueSet", "r")
        parameters = await _parameters(request, repository, VALUE_SET, EXPANDING)
        wanted = Wanted(
            filter=parameters.text("filter") or "",
            offset=parameters.number("offset") or 0,
            count=parameters.number("count"),
            active_only=parameters.flag("activeOnly"),
        )
        value_set = await _value_set(request, parameters, repository, recording)
        terms = await repository.terminology.terms(needed(value_set), recording)
        timestamp = fhir_instant(repository.services.clock())
        found = _told(lambda: expand(value_set, wanted, timestamp=timestamp, terms=terms))
    return json_response(numbers.dumps(found))


async def value_set_validate_code(request: Request, repository: Repository) -> Response:
    """Parameters with `result`, and `message` or `display`."""
    async with repository.recording("operation") as recording:
        repository.rights.require("ValueSet", "r")
        parameters = await _parameters(request, repository, VALUE_SET, IN_VALUE_SET)
        codings = _codings(parameters, parameters.text("system"), parameters.text("systemVersion"))
        value_set = await _value_set(request, parameters, repository, recording)
        terms = await repository.terminology.terms((*needed(value_set), *_systems(codings)), recording)
        verdict = _told(
            lambda: in_value_set(value_set, codings[0], terms) if len(codings) == 1 else any_in_value_set(value_set, tuple(codings), terms)
        )
    return _verdict(verdict)


async def code_system_validate_code(request: Request, repository: Repository) -> Response:
    """The same for a code system."""
    async with repository.recording("operation") as recording:
        repository.rights.require("CodeSystem", "r")
        parameters = await _parameters(request, repository, CODE_SYSTEM, CODING)
        codings = _codings(parameters, parameters.text("url"), parameters.text("version"))
        system = await _code_system(request, parameters, repository, recording)
        if system is not None:
            verdicts = _told(lambda: [_of(system, one) for one in codings])
        else:
            terms = await repository.terminology.terms(_systems(codings), recording)
            verdicts = _told(lambda: [in_code_system(one, terms) for one in codings])
    return _verdict(next((one for one in verdicts if one.result), verdicts[0]))


async def _parameters(request: Request, repository: Repository, which: Sequence[str], rest: Sequence[str]) -> Given:
    parameters = await given(request, repository)
    parameters.only(*(() if "id" in request.path_params else which), *rest)
    return parameters


async def _value_set(request: Request, parameters: Given, repository: Repository, recording: Recording) -> Resource:
    inline, url = parameters.one("valueSet"), parameters.text("url")
    if "id" in request.path_params:
        return await _instance("ValueSet", request.path_params["id"], repository, recording)
    if inline is not None:
        return _sent("valueSet", "ValueSet", inline)
    if url is None:
        bad("url", "is needed: the canonical url of a value set; or valueSet, one itself")
    version = parameters.text("valueSetVersion")
    found = await repository.terminology.value_set(url if version is None else f"{url}|{version}", recording)
    if found is None:
        raise FhirError("not-found", "No value set of this url, or not in this version, is known here.", expression=place_of("url"))
    return found


async def _code_system(request: Request, parameters: Given, repository: Repository, recording: Recording) -> CodeSystem | None:
    """The one that is meant itself; None where it is to be looked up."""
    if "id" in request.path_params:
        return read(await _instance("CodeSystem", request.path_params["id"], repository, recording))
    inline = parameters.one("codeSystem")
    return None if inline is None else read(_sent("codeSystem", "CodeSystem", inline))


async def _instance(type: str, id: str, repository: Repository, recording: Recording) -> Resource:
    return told(orjson.loads((await repository.read_within(type, id, recording)).json))


def _sent(name: str, type: str, inline: Any) -> Resource:
    """What is sent along, of which every code is told. Raises FhirError."""
    if not isinstance(inline, dict) or inline.get("resourceType") != type:
        bad(name, f"must be a {type} resource in a Parameters resource")
    if (element := untold(inline)) is not None:
        bad(name, f"has an extension where the value of {element} is needed")
    return inline


def _of(system: CodeSystem, asked: Asked) -> Verdict:
    """A coding says itself of which code system, and of which version of it, it is."""
    if asked.system not in (None, system.url) or asked.version not in (None, system.version):
        return Verdict(result=False, message="The coding is of another code system, or of another version of it.")
    return of_code_system(system, asked)


def _systems(codings: Sequence[Asked]) -> list[Needed]:
    systems = {one.system if one.version is None else f"{one.system}|{one.version}" for one in codings if one.system is not None}
    return [Needed("CodeSystem", one) for one in sorted(filter(None, systems))]


def _codings(parameters: Given, system: str | None, version: str | None) -> list[Asked]:
    """One of code, coding, codeableConcept; `system` and `version` where a coding does not say them."""
    concept, coding = parameters.one("codeableConcept"), parameters.one("coding")
    sent = concept.get("coding", []) if isinstance(concept, dict) else [coding] if isinstance(coding, dict) else []
    abstract = parameters.flag("abstract")
    made = [
        Asked(
            system=one.get("system", system),
            code=str(one["code"]),
            version=one.get("version", version),
            display=one.get("display"),
            abstract=abstract,
        )
        for one in sent
        if isinstance(one, dict) and "code" in one
    ]
    code = parameters.text("code")
    if code is not None:
        made.append(Asked(system=system, code=code, version=version, display=parameters.text("display"), abstract=abstract))
    if not made:
        bad("code", "is needed, or coding, or codeableConcept", "required")
    return made


def _told(ask: Callable[[], T]) -> T:
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
