"""What the hub tells the log about one interaction: who, for what purpose, what, on what basis, with what outcome.

Nothing of a resource's content has a place here: resources are named, never shown.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal[
    "read",
    "vread",
    "search",
    "create",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "history-system",
    "search-system",
    "batch",
    "transaction",
    "operation",
    "capabilities",
    "token-issued",
    "token-refused",
    "authentication-failed",
    "ingest",
    "pair",
    "unpair",
    "device-list",
    "client-add",
    "client-revoke",
    "client-list",
    "client-register",
    "client-approve",
    "client-refuse",
    "client-change",
    "client-secret-rotate",
    "client-token-rotate",
    "client-token-end",
    "client-key-add",
    "client-key-retire",
    "client-key-list",
    "webhook-add",
    "webhook-rotate",
    "webhook-revoke",
    "webhook-list",
    "credential-invite",
    "credential-add",
    "credential-enrol",
    "credential-rotate",
    "credential-revoke",
    "credential-list",
    "quarantine-list",
    "quarantine-replay",
    "confirm-list",
    "confirm-assign",
    "confirm-reject",
    "quarantine-read",
    "quarantine-discard",
    "quarantine-expire",
    "contents-sweep",
    "raw-sweep",
    "rederive-plan",
    "rederive-apply",
    "audit-query",
    "audit-verify",
    "audit-export",
    "demo-load",
    "conformance-load",
    "start",
    "stop",
    "keys-status",
    "keys-rotate",
    "keys-backup",
    "product-add",
    "product-change",
    "product-list",
    "device-register",
    "device-show",
    "device-retire",
    "device-exchange",
    "device-status",
    "device-watch",
    "console",
    "console-link",
    "console-sign-in",
    "console-sign-out",
    "client-quota",
    "cloud-link",
    "cloud-unlink",
    "cloud-list",
    "account",
    "authorize-shown",
    "authorization-list",
    "authorization-end",
    "launch-list",
    "launch-begin",
    "launch-open",
    "device-code-shown",
    "sign-in",
    "sign-in-begun",
    "sign-in-refused",
    "sign-out",
    "second-factor",
    "account-password",
    "account-sessions",
    "account-security",
    "account-link",
    "account-add",
    "account-change",
    "account-list",
    "authorize",
    "authorize-granted",
    "authorize-denied",
    "token-refreshed",
    "token-reused",
    "token-revoked",
    "token-introspected",
    "userinfo",
]
"""Each is a row of `audit.kinds`."""

Outcome = Literal["0", "4", "8", "12"]
"""https://hl7.org/fhir/R4/valueset-audit-event-outcome.html: done, refused or faulty request, failed, out of order."""


class Item(NamedTuple):
    """A resource that was returned or written, once for each patient it concerns.

    reference  "Observation/abc"
    version    "3", None where versions do not matter
    patient    "Patient/x", None for what concerns no patient
    basis      why it was allowed: "consent Consent/y/_history/2", "policy opt-out", "scope", …
    category   kind of data ("vital-signs"), origin   where it came from ("withings"): EHDS annex II 3.2 (c) and (e);
               they are recorded with the patient only
    """

    reference: str
    patient: str | None
    basis: str
    version: str | None = None
    category: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One interaction, allowed or refused.

    recorded_us     microseconds since 1970 UTC
    outcome_code    why not, as a code without personal data ("no-scope", "not-found"); None when all went well
    client_id, client_name   the OAuth client as registered; None when none is known
    organization    "Organization/x" for which the client acts
    token_id        `jti` of the access token used, or issued
    issuer, subject   the other authorization server that vouched for the client, and its name for it; None where it was the hub itself
    person          "Practitioner/x" or "Patient/x", whom somebody is who acts through the client; None for who is no resource
    account, role   the account that person signed in with, and what the person is to the hub; None where the client acts by itself
    user, reason    operating-system user of a command, and the reason that was given
    purpose         code of v3-ActReason; None: the kind's own purpose
    basis           why it was allowed as a whole, where no item says it; None: the kind's own
    network         address of the client
    method, query   HTTP method; path and query string as sent. Secrets in it are left out
    target          what the request named: "Observation/abc" or "Observation"
    aimed           patients whom the request aimed at although nothing of theirs is among the items
    """

    kind: Kind
    recorded_us: int
    request_id: str
    outcome: Outcome = "0"
    outcome_code: str | None = None
    client_id: str | None = None
    client_name: str | None = None
    organization: str | None = None
    token_id: str | None = None
    issuer: str | None = None
    subject: str | None = None
    person: str | None = None
    account: str | None = None
    role: str | None = None
    user: str | None = None
    reason: str | None = None
    purpose: str | None = None
    basis: str | None = None
    network: str | None = None
    method: str | None = None
    query: str | None = None
    target: str | None = None
    items: tuple[Item, ...] = ()
    aimed: tuple[str, ...] = ()
