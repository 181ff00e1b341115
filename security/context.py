"""Who is asking: a caller whose token has been verified, and what the hub knows about it."""

from dataclasses import dataclass
from typing import Literal

from security.oauth.person import Person
from security.scopes import Scopes

PolicyDefault = Literal["opt-in", "opt-out"]
Action = Literal["access", "collect"]
"""https://hl7.org/fhir/R4/valueset-consent-action.html, the two the hub decides on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOf:
    """What a credential of a single unit is bound to: it pushes this unit's readings through this adapter, and nothing else.

    owner    client_id of the vendor's client in whose name it sends: its organisation, purpose, policy and quota hold
    device   the unit's pseudonym; sealed, key_version: its identifier, for people
    """

    owner: str
    adapter: str
    device: bytes
    sealed: bytes
    key_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A registration as it was looked up, so that it can be told whether it is still as it was.

    ids       client_id; of a unit's credential its owner's, too
    revision  of the registration, or the sum of the two
    changes   of what is decided by, as many as were known of before it was looked up; None: it is not known
    """

    ids: tuple[str, ...]
    revision: int
    changes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """By which other authorization server, and under which name it knows the client. Both stand in the configuration."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessContext:
    """A caller whose token has been verified. Only `hub.authenticate` makes one.

    client_id        the OAuth client
    client_name      as registered, for the audit record
    organization     "Organization/{id}" the client acts for
    scopes           what the token grants
    purpose          code of http://terminology.hl7.org/CodeSystem/v3-ActReason bound in the token
    consent_default  what holds when no Consent speaks (hub client add --consent-default)
    recorder         may create Patient and Consent
    importer         may bring its own ids
    administrator    may have it explained how a search runs (docs/search.md); sees no more data for it
    confirmer        may say whose a reading is that a shared unit does not tell
    requests_per_minute, items_per_minute  how much it may send in; None: what holds for everybody
    unit             of a credential of a single unit: which one
    signs            each of its batches bears a signature of its own
    registered       the registration that all this was read from; None only where nobody registered (tests)
    request_id       links the audit records of one interaction
    token_id         `jti` of the access token, for the audit record
    vouched          who vouches for the caller, where it is another authorization server; None: this hub does
    person           who acts through the client; None: the client itself does (system scopes)
    patient          id of the patient in context, whose compartment `patient/` scopes reach; None: they reach nothing
    words            scope words of the token that speak about a person's session (openid, fhirUser, …)
    app_organization  "Organization/{id}" for which the app of a person is registered: a Consent may refuse it by name
    authorization    id of what the person allowed, which ends the token when it ends
    rests_on         of the authorization's note as it was looked up: its key and its version
    key_id           the client's key by which the token was obtained, which ends with it; None where the token does not say
    """

    client_id: str
    client_name: str
    organization: str
    scopes: Scopes
    purpose: str
    consent_default: PolicyDefault
    recorder: bool
    importer: bool
    request_id: str
    token_id: str | None = None
    vouched: Vouched | None = None
    key_id: str | None = None
    administrator: bool = False
    confirmer: bool = False
    requests_per_minute: int | None = None
    items_per_minute: int | None = None
    unit: UnitOf | None = None
    signs: bool = False
    registered: Registered | None = None
    person: Person | None = None
    patient: str | None = None
    authorization: str | None = None
    words: frozenset[str] = frozenset()
    app_organization: str = ""
    rests_on: tuple[bytes, int] | None = None

    @property
    def account(self) -> str:
        """The client whose quota and whose quarantine it is: of a unit its owner's."""
        return self.client_id if self.unit is None else self.unit.owner
