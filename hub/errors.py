"""The one error type of the FHIR side: an issue code of the specification and a text a person can act on.

https://hl7.org/fhir/R4/valueset-issue-type.html. Nobody but `hub.outcomes` turns it into a status or a body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

CHALLENGE = 'Bearer realm="fhir"'
CHALLENGE_INVALID = 'Bearer realm="fhir", error="invalid_token"'
IssueCode = Literal[
    "invalid",
    "structure",
    "required",
    "value",
    "invariant",
    "code-invalid",
    "login",
    "forbidden",
    "not-found",
    "unknown-operation",
    "deleted",
    "conflict",
    "duplicate",
    "precondition",
    "multiple-matches",
    "not-supported",
    "method-not-allowed",
    "media-type",
    "not-acceptable",
    "too-costly",
    "too-long",
    "uri-too-long",
    "head-too-long",
    "business-rule",
    "undecidable",
    "throttled",
    "transient",
    "lock-error",
    "exception",
    "informational",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One line of an OperationOutcome: what is wrong, and where (FHIRPath) if a place can be named."""

    code: IssueCode
    text: str
    expression: str | None = None


class FhirError(Exception):
    """Ends the interaction. The first issue decides the HTTP status (`hub.outcomes`)."""

    def __init__(self, code: IssueCode, text: str, *, expression: str | None = None, more: tuple[Issue, ...] = ()) -> None:
        super().__init__(text)
        self.issues: tuple[Issue, ...] = (Issue(code=code, text=text, expression=expression), *more)

    @classmethod
    def of(cls, issues: Sequence[Issue]) -> Self:
        """Of one issue or more."""
        first, *more = issues
        return cls(first.code, first.text, expression=first.expression, more=tuple(more))

    @property
    def code(self) -> IssueCode:
        return self.issues[0].code


class Unprocessable(FhirError):
    """A resource of R4 that breaks a profile it has to follow: 422, whatever the code of the issue.

    https://hl7.org/fhir/R4/http.html#create
    """


class Deleted(FhirError):
    """The resource is deleted, for a caller who could see it before; `version` is that of the deletion.

    https://hl7.org/fhir/R4/http.html#read
    """

    def __init__(self, version: int) -> None:
        super().__init__("deleted", "This resource has been deleted.")
        self.version = version


class Unauthenticated(FhirError):
    """401 (RFC 6750). `nonce`: for DPoP-Nonce. For the log only, if a valid signature says so: `claimed` is the client the token names,
    `who` what the record says besides of the person who acts in it, or of who else vouched for the client.
    """

    def __init__(self, *, challenge: str, claimed: str | None = None, nonce: str | None = None) -> None:
        super().__init__("login", "A valid access token is needed: send it as `Authorization: Bearer …`.")
        self.challenge = challenge
        self.claimed = claimed
        self.who: Mapping[str, str | None] = {}
        self.nonce = nonce


class Throttled(FhirError):
    """429: the same may be sent again after so many seconds (RFC 6585 section 4)."""

    def __init__(self, text: str, retry_after_s: int) -> None:
        super().__init__("throttled", text)
        self.retry_after_s = retry_after_s
