"""https://hl7.org/fhirpath/N1/#utility-functions, and `is` and `aggregate`, which other sections bring"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from fhir_profiles.fhirpath.context import Frame
from fhir_profiles.fhirpath.errors import FhirPathEvaluationError
from fhir_profiles.fhirpath.functions.row import Arguments, Function, Items, Run, Truth, each
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.typing import type_predicate


def _moment(frame: Frame) -> datetime:
    """The same moment in the whole evaluation."""
    evaluation = frame.evaluation
    if evaluation.moment is None:
        if evaluation.environment.clock is None:
            raise FhirPathEvaluationError("what holds today may not hold tomorrow: no clock is lent here")
        evaluation.moment = evaluation.environment.clock()
    return evaluation.moment


def _at(form: str) -> Function:
    def build(_: Arguments) -> Run:
        def run(_: Items, frame: Frame) -> Items:
            text = format(_moment(frame), form)
            return [Temporal.parse(f"{text[:-2]}:{text[-2:]}" if form.endswith("%z") else text)]

        return run

    return Function(0, 0, run=build)


def _trace(_: Arguments) -> Run:
    """Notes names and numbers, never values."""
    return lambda focus, _: focus


def _is(arguments: Arguments) -> Truth:
    is_type = type_predicate(arguments.type(0))

    def says(focus: Items, _: Frame) -> bool | None:
        if len(focus) > 1:
            raise FhirPathEvaluationError("one item is needed where there are several")
        return is_type(focus[0]) if focus else None

    return says


def _aggregate(arguments: Arguments) -> Run:
    """https://hl7.org/fhirpath/N1/#aggregateaggregator-expression-init-value-value"""
    aggregator = arguments.run(0)
    init = arguments.run(1) if len(arguments) > 1 else None

    def aggregate(focus: Items, frame: Frame) -> Items:
        total = init(frame.this, frame) if init is not None else []
        for inner in each(focus, frame):
            inner.total = total
            total = aggregator(inner.this, inner)
        return total

    return aggregate


TABLE: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "trace": Function(1, 2, run=_trace),
        "now": _at("%Y-%m-%dT%H:%M:%S.%f%z"),
        "timeOfDay": _at("%H:%M:%S.%f"),
        "today": _at("%Y-%m-%d"),
        "is": Function(1, 1, truth=_is),
        "aggregate": Function(1, 2, run=_aggregate),
    }
)
