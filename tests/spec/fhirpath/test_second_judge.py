"""The same expressions, evaluated here and by `fhirpathpy`, which somebody else wrote. docs/adr/0011

Where the two differ it says why, expression by expression; a row that no longer differs fails, so that the list stays true.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import fhirpathpy
import orjson
import pytest
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models

from fhir_profiles.definitions import RESOURCE_TYPES
from fhir_profiles.fhirpath import FhirPathError, compile_
from hub import numbers
from tests.spec.fhirpath import test_functions, test_operators
from tests.spec.fhirpath.given import PATIENT, PLAIN, shown
from tests.support.generated import resource, seeded
from tests.support.invariants import invariants_in

Json = dict[str, Any]

NOT_OFFERED = "has no such function or variable"
FAULT = "is mistaken or breaks down"
CLOCK = "asks the clock of the machine"
READING = "reads N1 otherwise"

DIFFERENT: Mapping[str, str] = {
    # every element of `_given` is counted beside those of `given`: https://hl7.org/fhir/R4/json.html#primitive
    **dict.fromkeys(["name.select(given.count())", "name.given.select($index)", "name.given.take(-1)"], FAULT),
    # N1 section 5.4: a union has no duplicates; section 5.5: 'true', a date as text, a day that exists, an hour that exists
    **dict.fromkeys(["name.first().given | 'Anne'", "true.toString()", "birthDate.toString()"], FAULT),
    **dict.fromkeys(["'2026-11-22T10'.toDate()", "'2026-13'.toDate()", "'25:00'.convertsToTime()"], FAULT),
    # N1 sections 5.7 and 6.6: quantities have abs(), order and sums; what overflows is empty
    **dict.fromkeys(["(-5.5 'mg').abs() = 5.5 'mg'", "1 'cm' < 1 'm'", "1 'cm' < 1 'g'", "1 'mg' + 2 'mg' = 3 'mg'"], FAULT),
    **dict.fromkeys(["2 * 3 'mg' = 6 'mg'", "2.power(100000000)", "1.5.round()", "@9999-12-31 + 1 day", "@T23:30 + 45 minutes"], FAULT),
    **dict.fromkeys(["2.0 'cm' * 2.0 'm' = 0.040 'm2'", "4 'g' / 2 'm' = 2 'g/m'", "1 'm' / 1 'm' = 1 '1'"], FAULT),
    **dict.fromkeys(["1 'm' / 0 'm'", "1 year * 2 'm'"], FAULT),
    # HL7's test suite says so of an empty pattern, and that parts of a day are left aside
    **dict.fromkeys(["'abc'.replaceMatches('', 'x')", "@2026-01-01T10:00:00.000Z + 7.7 days"], FAULT),
    # N1 section 6.1: values of two types are not equal, units of two dimensions give nothing, equivalence knows no order
    **dict.fromkeys(["1 = true", "(1 | 2) ~ (2 | 1)", "4 'g' = 4 'cm'"], FAULT),
    # N1 sections 4.5 and 6.3: a single item counts as true; the types of System are the types of literals
    **dict.fromkeys(["1 and true", "@2026 is Date", "$this.is(Patient)", "@T09", "text.div"], FAULT),
    # a text beside a date, a moment without a zone beside one with, the zone of a sum
    **dict.fromkeys(["birthDate = '1980-02-29'", "@2026-01-01T10:00 < @2026-01-01T11:00Z"], READING),
    **dict.fromkeys(["@2026-01-01T23:30:00Z + 45 minutes", "@2026-01-01T10:00:00.5+01:00 + 500 milliseconds"], READING),
    **dict.fromkeys(["name[0].given.single()"], "answers an error as a value"),
    **dict.fromkeys(["today()", "now()", "timeOfDay()", "today() - 1 'd'"], CLOCK),
    **dict.fromkeys(["birthDate.hasValue()", "name.given.last().hasValue()", "name.given.hasValue()"], NOT_OFFERED),
    **dict.fromkeys(["name.first().hasValue()", "birthDate.getValue()", "name.first().getValue()"], NOT_OFFERED),
    **dict.fromkeys(["managingOrganization.resolve().name", "managingOrganization.resolve() is Organization"], NOT_OFFERED),
    "generalPractitioner.where(resolve() is Practitioner).reference": NOT_OFFERED,
    "generalPractitioner.where(resolve() is Organization).count()": NOT_OFFERED,
    "generalPractitioner.first().memberOf('http://example.org/vs')": NOT_OFFERED,
    **dict.fromkeys(["%loinc", "%`vs-administrative-gender`", "%'ext-patient-birthTime'"], NOT_OFFERED),
}
"""What `fhirpathpy` does where it says something else."""

EXPRESSIONS = [row[0] for row in (*test_functions.TABLE, *test_operators.TABLE)]
SURROUNDINGS = {"resource": PATIENT, "rootResource": PATIENT}
BROKEN = "an error"


def here(expression: str) -> Any:
    try:
        return shown(compile_(expression)(PATIENT, environment=PLAIN))
    except FhirPathError:
        return BROKEN


def there(expression: str) -> Any:
    try:
        return list(map(plain, fhirpathpy.evaluate(PATIENT, expression, SURROUNDINGS, models["r4"])))
    except Exception:  # noqa: BLE001 -- it raises Exception itself, and whatever it meets
        return BROKEN


def plain(item: Any) -> Any:
    """Moments have their text under another name there."""
    return float(item) if isinstance(item, Decimal) else getattr(item, "asStr", item)


@pytest.mark.parametrize("expression", [one for one in EXPRESSIONS if one not in DIFFERENT])
def test_both_say_the_same(expression: str) -> None:
    """https://hl7.org/fhirpath/N1/"""
    assert here(expression) == there(expression)


@pytest.mark.parametrize("expression", [one for one, why in DIFFERENT.items() if why != CLOCK])
def test_where_they_differ_they_still_differ(expression: str) -> None:
    """Else the reason no longer holds, and the row goes back to the others."""
    assert expression in EXPRESSIONS
    assert here(expression) != there(expression)


AROUND = frozenset({"sdf-8", "sdf-8a"})
"""Speak of the resource around them, where it has none (`LEFT_OUT`)."""
JUDGED_MIN = 130
"""Keys of which it has an opinion: it breaks down on hasValue() and htmlChecks()."""


def test_both_find_the_same_invariants_of_r4_kept() -> None:
    """https://hl7.org/fhir/R4/conformance-rules.html#constraints, over resources of all types with all kinds of elements."""
    judged = set()
    for type in sorted(RESOURCE_TYPES):
        for seed in range(2):
            content = plainer(orjson.loads(numbers.dumps(resource(type, seeded(type, seed), fullness=0.25 + 0.2 * seed))))
            for key, expression, value, of in invariants_in(content):
                other = kept_there(expression, value, of, content)
                if other is not None and key not in AROUND:
                    judged.add(key)
                    assert (type, seed, key, compile_(expression).holds(value, type=of, root=content)) == (type, seed, key, other)
    assert len(judged) >= JUDGED_MIN


def plainer(content: Any) -> Any:
    """Without extensions of primitive values, which it takes for values of their own."""
    if isinstance(content, list):
        return [plainer(item) for item in content if item is not None]
    return {name: plainer(item) for name, item in content.items() if name[0] != "_"} if isinstance(content, dict) else content


def kept_there(expression: str, value: Any, type: str | None, root: Json) -> bool | None:
    """None where it breaks down."""
    focus = value if type is None else ResourceNode.create_node(value, type)
    try:
        found = fhirpathpy.apply_parsed_path(focus, parsed(expression), {"resource": root, "rootResource": root}, models["r4"])
    except Exception:  # noqa: BLE001 -- as above
        return None
    return bool(found[:1] != [False])


parsed = cache(fhirpathpy.parse)
