"""Constraints of a profile, in FHIRPath, compiled once (`fhir_profiles.fhirpath`).

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint
"""

from collections.abc import Mapping
from typing import Any

from fhir_profiles.fhirpath import FhirPathError, FhirPathSyntaxError, compile_
from fhir_profiles.fhirpath.errors import TooCostlyError
from fhir_profiles.profiles.finding import Path, ProfileError, Severity
from fhir_profiles.profiles.run import Check, Run


def invariant(constraint: Mapping[str, Any], type: str) -> Check:
    """Raises ProfileError for an expression that is not FHIRPath. The sentence of the constraint is what a person reads."""
    try:
        compiled = compile_(constraint["expression"])
    except FhirPathSyntaxError as error:
        raise ProfileError(f"the constraint {constraint['key']} is not FHIRPath as R4 has it") from error
    severity: Severity = "warning" if constraint["severity"] == "warning" else "error"
    text = f"{constraint['key']}: {constraint['human']}"

    def check(value: Any, path: Path, run: Run) -> None:
        if severity == "warning" and not run.advice:
            return
        if value is not None and not _holds(value, run):
            run.add(severity, "invariant", path, text)

    def _holds(value: Any, run: Run) -> bool:
        try:
            if run.budget is None:
                return compiled.holds(value, type=type, root=run.root)
            held, steps = compiled.holds_within(value, run.budget.left, type=type, root=run.root)
        except TooCostlyError as error:
            if run.budget is None:
                return False
            raise ProfileError(f"the constraint {constraint['key']} takes more steps than are allowed") from error
        except FhirPathError:
            return False
        run.budget.spend(steps + 1)
        return held

    return check
