"""FHIRPath in the flavour of R4, compiled: an expression is read once and becomes closures over parsed JSON.

https://hl7.org/fhirpath/N1/, https://hl7.org/fhir/R4/fhirpath.html

    compiled = compile_("name.where(use = 'official').family")
    compiled(patient)                          # ["Essai"]: JSON values as they stand in the resource
    compiled.nodes(patient)                    # the same with type and place (see `node.Node`)
    compile_("name.exists()").holds(patient)   # as an invariant: nothing counts as true
    compile_("start <= end").holds(period, type="Period", root=patient)

Everything is bounded: the length and depth of an expression, the steps of an evaluation, the texts that it makes; a
regular expression takes time linear to its text. An expression that is refused raises FhirPathSyntaxError when it is
compiled, one that goes wrong with a resource FhirPathEvaluationError; no text repeats a value.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypedDict, Unpack

from fhir_profiles.fhirpath.compiler import run, truth
from fhir_profiles.fhirpath.context import PLAIN, STEPS_MAX, Environment, Evaluation, Frame
from fhir_profiles.fhirpath.errors import FhirPathError, FhirPathEvaluationError, FhirPathSyntaxError, TooCostlyError
from fhir_profiles.fhirpath.model import UNTYPED, r4, type_of
from fhir_profiles.fhirpath.node import Node
from fhir_profiles.fhirpath.parser import parse
from fhir_profiles.fhirpath.syntax import Expression
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import Quantity

__all__ = [
    "PLAIN",
    "Compiled",
    "Environment",
    "FhirPathError",
    "FhirPathEvaluationError",
    "FhirPathSyntaxError",
    "Node",
    "Quantity",
    "Surroundings",
    "Temporal",
    "TooCostlyError",
    "compile_",
]

COMPILED_MAX = 4_096
"""Expressions kept compiled."""
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Surroundings(TypedDict, total=False):
    """What an evaluation may be told beside its focus, by name.

    type         of the focus, by its name in R4 ("Quantity", "Observation.component"), where it is no resource
    root         the resource that the focus stands in: %rootResource and %resource; the focus itself if not given
    resource     the contained resource that it stands in, where that is not the root: %resource
    variables    further `%name`
    environment  clock, resolution of references and terminology
    """

    type: str | None
    root: Any
    resource: Any
    variables: Mapping[str, Any]
    environment: Environment


class Compiled:
    """One expression, ready to be evaluated any number of times. `focus` is parsed JSON, or a Node found before."""

    __slots__ = ("_run", "_truth", "expression", "syntax")

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.syntax: Expression = parse(expression)
        self._run = run(self.syntax)
        self._truth = truth(self.syntax)

    def __call__(self, focus: Any, **surroundings: Unpack[Surroundings]) -> list[Any]:
        """The items found: JSON values where they stand in the resource, else what was computed."""
        return [item.value if type(item) is Node else item for item in self.nodes(focus, **surroundings)]

    def nodes(self, focus: Any, **surroundings: Unpack[Surroundings]) -> list[Any]:
        """The items found, elements as Nodes; computed values are str, bool, int, decimal.Decimal, Temporal or Quantity."""
        frame = _frame(focus, **surroundings)
        return self._run(frame.this, frame)

    def holds(self, focus: Any, **surroundings: Unpack[Surroundings]) -> bool:
        """As an invariant: everything but false is true. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""
        frame = _frame(focus, **surroundings)
        return self._truth(frame.this, frame) is not False

    def holds_within(self, focus: Any, steps: int, **surroundings: Unpack[Surroundings]) -> tuple[bool, int]:
        """The same within so many steps (at most STEPS_MAX), and how many of them it took. Raises TooCostlyError beyond."""
        frame = _frame(focus, **surroundings)
        frame.evaluation.steps = allowed = min(steps, STEPS_MAX)
        held = self._truth(frame.this, frame) is not False
        return held, allowed - frame.evaluation.steps


def _frame(
    focus: Any,
    *,
    type: str | None = None,
    root: Any = None,
    resource: Any = None,
    variables: Mapping[str, Any] = _NONE,
    environment: Environment = PLAIN,
) -> Frame:
    this = _node(focus, type)
    top = this if root is None else _node(root)
    context = [this]
    return Frame(Evaluation(environment, top, top if resource is None else _node(resource), context, variables), context)


def _node(value: Any, name: str | None = None) -> Node:
    if type(value) is Node:
        return value
    if name is not None:
        return Node(value, r4(name))
    return Node(value, type_of(value.get("resourceType")) if isinstance(value, Mapping) else UNTYPED)


@lru_cache(maxsize=COMPILED_MAX)
def compile_(expression: str) -> Compiled:
    """Raises FhirPathSyntaxError for what is no expression, is not offered, or is too large."""
    return Compiled(expression)
