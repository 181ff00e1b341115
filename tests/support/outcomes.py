"""What an error must look like: an OperationOutcome that R4 allows. https://hl7.org/fhir/R4/operationoutcome.html"""

from typing import Any

import httpx

ISSUE_TYPES = frozenset(
    """
    invalid structure required value invariant security login unknown expired forbidden suppressed processing
    not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule
    conflict transient lock-error no-store exception timeout incomplete throttled informational
    """.split()  # noqa: SIM905 (31 quoted codes would be half a page)
)
"""https://hl7.org/fhir/R4/valueset-issue-type.html"""
SEVERITIES = frozenset({"fatal", "error", "warning", "information"})

Json = dict[str, Any]


def issues(answer: httpx.Response) -> list[Json]:
    """The issues of an OperationOutcome that is well formed."""
    assert answer.headers["content-type"] == "application/fhir+json", answer.headers
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    found: list[Json] = body["issue"]
    assert found
    for issue in found:
        assert issue["severity"] in SEVERITIES
        assert issue["code"] in ISSUE_TYPES, issue
        assert issue["diagnostics"]
        assert all(isinstance(one, str) and one for one in issue.get("expression", ["-"]))
    return found


def refused(answer: httpx.Response, status: int, code: str, *, expression: str | None = None) -> list[Json]:
    """Refused with this status; the first issue has this code and, if given, names this place."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:300]}"
    found = issues(answer)
    assert found[0]["code"] == code, found
    if expression is not None:
        assert expression in [one for issue in found for one in issue.get("expression", ())], found
    return found
