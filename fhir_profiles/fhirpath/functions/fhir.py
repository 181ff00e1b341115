"""What R4 adds to FHIRPath. https://hl7.org/fhir/R4/fhirpath.html#functions"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.fhirpath.context import Evaluation, Frame
from fhir_profiles.fhirpath.errors import FhirPathEvaluationError
from fhir_profiles.fhirpath.functions.row import Arguments, Function, Items, Run, Truth, over, saying
from fhir_profiles.fhirpath.model import PRIMITIVES, type_of
from fhir_profiles.fhirpath.node import Node
from fhir_profiles.fhirpath.operators import single
from fhir_profiles.narrative import is_narrative

_LIKE_A_TYPE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _has_value(focus: Items) -> bool:
    if len(focus) != 1:
        return False
    value = focus[0].value if type(focus[0]) is Node else focus[0]
    return value is not None and type(value) is not dict


def _get_value(focus: Items) -> Items:
    return [single(focus)] if _has_value(focus) else []


def _extension(focus: Items, url: Items) -> Items:
    wanted = single(url)
    found: list[Node] = []
    for item in focus:
        if type(item) is Node:
            item.named("extension", found)
    return [one for one in found if type(one.value) is dict and one.value.get("url") == wanted]


def _html_checks(focus: Items) -> bool | None:
    """txt-1 and txt-2: https://hl7.org/fhir/R4/narrative.html"""
    return all(is_narrative(value) for item in focus if isinstance(value := getattr(item, "value", item), str))


def _plugged(name: str) -> Function:
    """Answered by the environment; nothing where it cannot tell."""

    def build(arguments: Arguments) -> Truth:
        url = arguments.run(0)

        def says(focus: Items, frame: Frame) -> bool | None:
            wanted = single(url(frame.this, frame))
            if not focus or not isinstance(wanted, str):
                return None
            if len(focus) > 1:
                raise FhirPathEvaluationError("one item is needed where there are several")
            answer: bool | None = getattr(frame.evaluation.environment, name)(focus[0], wanted)
            return answer

        return says

    return Function(1, 1, truth=build)


def _resolve(_: Arguments) -> Run:
    def resolve(focus: Items, frame: Frame) -> Items:
        references = [reference for item in focus if (reference := _reference(item)) is not None]
        return [found for reference in references if (found := _resolved(reference, frame.evaluation)) is not None]

    return resolve


def _reference(item: Any) -> str | None:
    """Of a Reference, a canonical or a uri."""
    value = item.value.get("reference") if type(item) is Node and type(item.value) is dict else getattr(item, "value", item)
    return value if isinstance(value, str) else None


def _resolved(reference: str, evaluation: Evaluation) -> Node | None:
    """Contained, in the same Bundle, or lent by the environment; else an item without content of the type that the reference names."""
    if reference.startswith("#"):
        return _contained(reference[1:], evaluation)
    found = _entries(evaluation).get(reference)
    if found is not None:
        return found
    lent = evaluation.environment.resolve(reference)
    if lent is not None:
        return Node(lent, type_of(lent.get("resourceType")))
    return _named(reference)


def _contained(id: str, evaluation: Evaluation) -> Node | None:
    if not id:
        return evaluation.root
    found: list[Node] = []
    evaluation.root.named("contained", found)
    return next((one for one in found if type(one.value) is dict and one.value.get("id") == id), None)


def _entries(evaluation: Evaluation) -> Mapping[str, Node]:
    """https://hl7.org/fhir/R4/bundle.html#references: by full URL, and by the type and id at its end."""
    if evaluation.entries is None:
        evaluation.entries = {}
        entries: list[Node] = []
        evaluation.root.named("entry", entries)
        for entry in entries:
            url = entry.value.get("fullUrl") if type(entry.value) is dict else None
            resources: list[Node] = []
            entry.named("resource", resources)
            if isinstance(url, str) and resources:
                evaluation.entries.setdefault(url, resources[0])
                evaluation.entries.setdefault("/".join(url.split("/")[-2:]), resources[0])
    return evaluation.entries


def _named(reference: str) -> Node | None:
    parts = reference.partition("?")[0].partition("/_history/")[0].split("/")
    if len(parts) < 2 or parts[-2][:1] not in _LIKE_A_TYPE or not parts[-2].isalpha() or not parts[-1]:  # noqa: PLR2004 -- type and id
        return None
    return Node({"resourceType": parts[-2]}, type_of(parts[-2]))


def _type(focus: Items) -> Items:
    return [Node({"namespace": namespace, "name": name}) for namespace, name in map(_type_of, focus)]


def _type_of(item: Any) -> tuple[str, str]:
    if type(item) is not Node:
        return "System", {bool: "Boolean", int: "Integer", str: "String"}.get(type(item), type(item).__name__)
    named = item.type.of(item.value).name if type(item.value) is dict else item.type.name
    guessed = next((name for name in PRIMITIVES if item.type.is_a(name, item.value)), "Element")
    return "FHIR", named or guessed


TABLE: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "hasValue": saying(_has_value),
        "getValue": over(_get_value),
        "extension": over(_extension, 1),
        "htmlChecks": saying(_html_checks),
        "resolve": Function(0, 0, run=_resolve),
        "memberOf": _plugged("member_of"),
        "conformsTo": _plugged("conforms_to"),
        "type": over(_type),
    }
)
