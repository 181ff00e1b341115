"""Errors as OperationOutcome and HTTP status: the only place where one is made.

https://hl7.org/fhir/R4/operationoutcome.html, https://hl7.org/fhir/R4/http.html#Status-Codes.
Texts say what to do and never repeat a value of a resource: they also end up in other people's logs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from hub.errors import FhirError, Issue, IssueCode, Unprocessable

STATUS: Mapping[IssueCode, int] = {
    "invalid": 400,
    "structure": 400,
    "required": 400,
    "value": 400,
    "invariant": 422,
    "code-invalid": 422,
    "login": 401,
    "forbidden": 403,
    "not-found": 404,
    "unknown-operation": 404,
    "method-not-allowed": 405,
    "not-acceptable": 406,
    "conflict": 409,
    "duplicate": 409,
    "deleted": 410,
    "precondition": 412,
    "multiple-matches": 412,
    "too-long": 413,
    "uri-too-long": 414,
    "head-too-long": 431,
    "media-type": 415,
    "business-rule": 422,
    "undecidable": 422,
    "throttled": 429,
    "not-supported": 400,
    "too-costly": 403,
    "exception": 500,
    "transient": 503,
    "lock-error": 503,
}

R4_CODE: Mapping[IssueCode, str] = {
    "media-type": "not-supported",
    "method-not-allowed": "not-supported",
    "not-acceptable": "not-supported",
    "precondition": "conflict",
    "undecidable": "not-supported",
    "unknown-operation": "not-supported",
    "uri-too-long": "too-long",
    "head-too-long": "too-long",
}
"""Ours where R4's issue-type has no finer word; what leaves is always a code of the R4 value set."""

FAILURES: frozenset[IssueCode] = frozenset({"exception", "transient", "lock-error"})
"""Not the request's fault: the same may succeed later."""

ABSENT = "The hub knows no such resource."
"""One text for what does not exist and for what this caller may not see (law 3)."""


def status(error: FhirError) -> int:
    return 422 if isinstance(error, Unprocessable) else STATUS[error.code]


def operation_outcome(issues: Sequence[Issue], severity: str = "error") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [_issue(issue, severity) for issue in issues]}


def body(error: FhirError) -> bytes:
    severity = "fatal" if error.code in FAILURES else "error"
    return orjson.dumps(operation_outcome(error.issues, severity))


def absent() -> FhirError:
    return FhirError("not-found", ABSENT)


def unknown_operation() -> FhirError:
    return FhirError("unknown-operation", "The hub does not offer this operation here; see /fhir/metadata for those that it does.")


def forbidden() -> FhirError:
    return FhirError("forbidden", "The access token's scopes do not cover this interaction.")


def unavailable() -> FhirError:
    return FhirError("transient", "The hub cannot make this durable right now; nothing was done. Try again.")


def unsure() -> FhirError:
    return FhirError(
        "transient",
        "The database went away: what was to be written is stored as a whole or not at all. Look before you send it again, or send it "
        "on a condition (If-None-Exist, If-Match).",
    )


def unsettled() -> FhirError:
    return FhirError(
        "transient",
        "It is stored and holds for everything that begins now. A write that had begun before has not ended, and may go by what was said "
        "before; look again in a minute.",
    )


def locked() -> FhirError:
    return FhirError("lock-error", "A write that has not ended holds what this one needs; nothing was done. Try again after Retry-After.")


def unexpected() -> FhirError:
    return FhirError("exception", "The hub failed; nothing was disclosed. The request id helps to find out why.")


def _issue(issue: Issue, severity: str) -> dict[str, Any]:
    made: dict[str, Any] = {"severity": severity, "code": R4_CODE.get(issue.code, issue.code), "diagnostics": issue.text}
    if issue.expression is not None:
        made["expression"] = [issue.expression]
    return made


DONE = {
    "created": "Stored.",
    "updated": "Stored as a new version.",
    "unchanged": "It says what the current version says; no new one was made.",
    "found": "There is a match already; nothing was created.",
    "deleted": "Deleted.",
}


def done(how: str) -> bytes:
    """For `Prefer: return=OperationOutcome`."""
    issue = {"severity": "information", "code": "informational", "diagnostics": DONE[how]}
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


def deleted() -> bytes:
    issue = {"severity": "information", "code": "informational", "diagnostics": "Deleted."}
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


def found(issues: Sequence[tuple[str, Issue]]) -> bytes:
    """What a validation says, each with its severity."""
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": [_issue(issue, severity) for severity, issue in issues]})


def warnings(issues: Sequence[Issue], explained: Sequence[str] = ()) -> bytes | None:
    """What goes along with an answer that left something out of account, or of which it is told how it came about; None without either."""
    told = [{"severity": "information", "code": "informational", "diagnostics": line} for line in explained]
    made = [*(_issue(issue, "warning") for issue in issues), *told]
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": made}) if made else None
