"""https://hl7.org/fhirpath/N1/#tree-navigation"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhir_profiles.fhirpath.context import Frame
from fhir_profiles.fhirpath.functions.row import Arguments, Function, Items, Run
from fhir_profiles.fhirpath.node import Node


def _children(focus: Items, frame: Frame) -> Items:
    found: Items = []
    for item in focus:
        if type(item) is Node:
            found.extend(item.children())
    frame.evaluation.spend(len(found))
    return found


def _descendants(focus: Items, frame: Frame) -> Items:
    """Level by level; the JSON ends somewhere and so does this."""
    found: Items = []
    level = _children(focus, frame)
    while level:
        found.extend(level)
        level = _children(level, frame)
    return found


def _plain(run: Run) -> Function:
    def build(_: Arguments) -> Run:
        return run

    return Function(0, 0, run=build)


TABLE: Final[Mapping[str, Function]] = MappingProxyType({"children": _plain(_children), "descendants": _plain(_descendants)})
