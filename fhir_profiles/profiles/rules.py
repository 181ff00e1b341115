"""What one value of an element has to meet, each rule a row of ElementDefinition.

https://hl7.org/fhir/R4/elementdefinition.html. Texts name what the profile asks for and never what the resource says.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fhir_profiles.definitions import RESOURCE_TYPES, Definition, Element
from fhir_profiles.profiles.bindings import held
from fhir_profiles.profiles.finding import Path
from fhir_profiles.profiles.invariants import invariant
from fhir_profiles.profiles.run import Check, Run, target_type
from fhir_profiles.profiles.tree import Node
from fhir_profiles.profiles.values import fits, said, same

CANONICAL: Final = "http://hl7.org/fhir/StructureDefinition/"
EVERYWHERE: Final = frozenset({"ele-1", "ext-1"})
"""Constraints that published snapshots repeat at every element."""
STRENGTHS: Final = frozenset({"required", "extensible"})
MAX_VALUE_SET: Final = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
"""https://hl7.org/fhir/R4/extension-elementdefinition-maxvalueset.html"""
REFERENCES: Final = frozenset({"Reference", "canonical"})


def too_many(label: str, maximum: int) -> str:
    return f"{label} is not allowed" if maximum == 0 else f"{label} may be there {maximum} time{'s'[: maximum - 1]} at most"


def of_values(node: Node) -> Iterator[Check]:
    """fixed[x], pattern[x], maxLength, minValue[x], maxValue[x]."""
    if "fixed" in node.said:
        yield _compared(node, "fixed", same)
    if "pattern" in node.said:
        yield _compared(node, "pattern", fits)
    if "maxLength" in node.said:
        longest: int = node.said["maxLength"]
        yield _tested(
            lambda value: not isinstance(value, str) or len(value) <= longest, f"{node.name} may have {longest} characters at most"
        )
    for bound, holds in (("minValue", lambda value, limit: value >= limit), ("maxValue", lambda value, limit: value <= limit)):
        limit = node.said.get(bound)
        if isinstance(limit, int | float) and not isinstance(limit, bool):
            yield _bounded(holds, limit, f"{node.name} has to be {'at least' if bound == 'minValue' else 'at most'} {limit}")


def _compared(node: Node, kind: str, compare: Callable[[Any, Any], bool]) -> Check:
    expected = node.said[kind]
    if isinstance(expected, str):  # the fixed systems and codes of nearly all slices
        return _equal(expected, f"{node.name} has to be {expected}")
    return _tested(lambda value: compare(value, expected), f"{node.name} has to be {'' if kind == 'fixed' else 'or have '}{said(expected)}")


def _equal(expected: str, text: str) -> Check:
    def check(value: Any, path: Path, run: Run) -> None:
        if value != expected:
            run.add("error", "value", path, text)

    return check


def _bounded(holds: Callable[[Any, Any], bool], limit: float, text: str) -> Check:
    return _tested(lambda value: not isinstance(value, int | float) or holds(value, limit), text)


def _tested(holds: Callable[[Any], bool], text: str) -> Check:
    def check(value: Any, path: Path, run: Run) -> None:
        if not holds(value):
            run.add("error", "value", path, text)

    return check


def of_binding(node: Node, type: str, element: Element | None) -> Iterator[Check]:
    """A required binding is an error, an extensible one advice. What R4 itself binds on the element has been checked.

    Where a binding that is not required names a value set beyond which nobody may go, leaving that is an error too.
    """
    binding = node.said.get("binding", {})
    if element is None:
        return
    yield from _of_strength(node, binding, type, element)
    beyond: Mapping[str, Any] = next((one for one in binding.get("extension", ()) if one.get("url") == MAX_VALUE_SET), {})
    canonical = beyond.get("valueCanonical") or beyond.get("valueUri")
    if canonical is not None:
        yield from _held(node, {"strength": "required", "valueSet": canonical}, type, element)


def _of_strength(node: Node, binding: Mapping[str, Any], type: str, element: Element) -> Iterator[Check]:
    if binding.get("strength") not in STRENGTHS or "valueSet" not in binding:
        return
    base = element.binding
    if base is not None and base.strength == "required" and base.value_set == binding["valueSet"].partition("|")[0] and type == "code":
        return
    yield from _held(node, binding, type, element)


def _held(node: Node, binding: Mapping[str, Any], type: str, element: Element) -> Iterator[Check]:
    test = held(binding["valueSet"], type, choice=element.choice and len(node.types) != 1)
    if test is not None:
        yield _bound(test, binding, node.name)


def _bound(test: Callable[[Any], bool | None], binding: Mapping[str, Any], name: str) -> Check:
    required = binding["strength"] == "required"
    url = binding["valueSet"].partition("|")[0]
    text = f"{name} {'has to be' if required else 'should be, where one fits,'} a code of {url}"

    def check(value: Any, path: Path, run: Run) -> None:
        if not required and not run.advice:
            return
        answer = test(value)
        if answer is False:
            run.add("error" if required else "warning", "code-invalid", path, text)
        elif answer is None and run.advice and value is not None:
            run.add("information", "not-supported", path, f"whether {name} is a code of {url} cannot be told here")

    return check


def of_constraints(node: Node, structure: Definition, element: Element | None) -> Iterator[Check]:
    """Invariants that the profile adds to those of the type."""
    known = EVERYWHERE | {one.key for one in structure.invariants} | {one.key for one in (element.invariants if element else ())}
    for key, constraint in node.constraints.items():
        if key not in known and "expression" in constraint:
            yield invariant(constraint, structure.name)


def of_types(node: Node, type: str, element: Element | None, type_of: Callable[[str], str | None]) -> Iterator[Check]:
    """Profiles of the type, and what a reference may lead to."""
    if element is None:
        return
    rows = [one for one in node.types if one["code"] == type]
    profiles = [profile.partition("|")[0] for one in rows for profile in one.get("profile", ())]
    if profiles:
        yield _profiled(profiles)
    targets = [target.partition("|")[0] for one in rows for target in one.get("targetProfile", ())]
    if targets and type in REFERENCES:
        yield _targets(node.name, targets, type_of)


def _profiled(profiles: list[str]) -> Check:
    def check(value: Any, path: Path, run: Run) -> None:
        for finding in run.conforms(profiles, value, path):
            if finding not in run.findings:
                run.findings.append(finding)

    return check


def _targets(name: str, targets: list[str], type_of: Callable[[str], str | None]) -> Check:
    types = {_target_type(target, type_of) for target in targets}
    known = frozenset(type for type in types if type is not None)
    anything = None in types or "Resource" in known
    profiles = [target for target in targets if target.removeprefix(CANONICAL) not in RESOURCE_TYPES]

    def check(value: Any, path: Path, run: Run) -> None:
        if not isinstance(value, Mapping):
            return
        resolved = run.resolved(value)
        type = target_type(value, resolved)
        if type is not None and type not in known and not anything:
            run.add("error", "value", path, f"{name} has to refer to a {' or a '.join(sorted(known))}")
        elif resolved is not None and len(profiles) == len(targets) and run.conforms(profiles, resolved, path):
            run.add("error", "value", path, f"what {name} refers to here has to follow {' or '.join(profiles)}")

    return check


def _target_type(target: str, type_of: Callable[[str], str | None]) -> str | None:
    plain = target.removeprefix(CANONICAL)
    return plain if plain in RESOURCE_TYPES or plain == "Resource" else type_of(target)
