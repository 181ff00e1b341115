"""What an evaluation knows beside its focus, and how far it may go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from fhir_profiles.fhirpath.errors import TooCostlyError
from fhir_profiles.fhirpath.node import Node

STEPS_MAX: Final = 1_000_000
"""Elements that one evaluation may look at: descendants of descendants of a large Bundle end here."""

Plugged = Callable[[Node, str], bool | None]
"""An element and a canonical URL; None where nobody can tell."""


def _cannot_tell(_: Node, __: str) -> bool | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the surroundings lend to expressions.

    clock        asked by now(), today() and timeOfDay(), once for an evaluation; without one they are refused
    resolve      the resource that a reference names, beside those that are contained or in the same Bundle
    member_of    is this code, Coding or CodeableConcept in the value set?
    conforms_to  does this element conform to the profile?
    """

    clock: Callable[[], datetime] | None = None
    resolve: Callable[[str], Mapping[str, Any] | None] = lambda _: None
    member_of: Plugged = _cannot_tell
    conforms_to: Plugged = _cannot_tell


PLAIN: Final = Environment()


@dataclass(slots=True)
class Evaluation:
    """One evaluation: `root` is %rootResource, `resource` %resource (root, or the contained one), `context` %context."""

    environment: Environment
    root: Node
    resource: Node
    context: list[Any]
    variables: Mapping[str, Any]
    steps: int = STEPS_MAX
    moment: datetime | None = None
    entries: dict[str, Node] | None = None
    traced: list[tuple[str, int]] = field(default_factory=list)

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TooCostlyError(f"an evaluation looks at no more than {STEPS_MAX} elements")


class Frame:
    """The `$this`, `$index` and `$total` of the function that is at work."""

    __slots__ = ("evaluation", "index", "this", "total")

    def __init__(self, evaluation: Evaluation, this: list[Any], index: int | None = None, total: list[Any] | None = None) -> None:
        self.evaluation = evaluation
        self.this = this
        self.index = index
        self.total = total or []
