"""A registered client: who it acts for, what it may ask for, and which keys prove it.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from joserfc.jwk import ECKey

from security.context import PolicyDefault, UnitOf
from security.scopes import Scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEnd:
    """A key of the registration is good until then, in microseconds since 1970 UTC."""

    kid: str
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What `hub client add` registers.

    scopes           canonical text, what the client may ask for at most
    organization     "Organization/{id}" it acts for
    purpose          code of http://terminology.hl7.org/CodeSystem/v3-ActReason, bound into each of its tokens
    consent_default  what holds for its patients when no Consent speaks
    recorder         may create Patient and Consent
    importer         may bring its own ids
    administrator    may have searches explained; who was registered before there was such a thing is none
    requests_per_minute, items_per_minute  how much it may send in; None: what holds for everybody
    confirmer        may say whose a reading is that a shared unit does not tell
    jwks, jwks_uri   its public keys inline, or where they are; exactly one of the two
    key_ends         until when keys are good that do not go on (`security.oauth.rotation`)
    unit             of a credential of a single unit: which one
    signs            each of its batches bears a signature of its own
    revision         counts the changes of the registration
    created_us       microseconds since 1970 UTC, as is `revoked_us`
    """

    client_id: str
    name: str
    scopes: str
    organization: str
    purpose: str
    consent_default: PolicyDefault
    recorder: bool
    importer: bool
    jwks: Mapping[str, Any] | None
    jwks_uri: str | None
    created_us: int
    revoked_us: int | None = None
    administrator: bool = False
    confirmer: bool = False
    requests_per_minute: int | None = None
    items_per_minute: int | None = None
    key_ends: tuple[KeyEnd, ...] = ()
    unit: UnitOf | None = None
    signs: bool = False
    revision: int = 0

    def __post_init__(self) -> None:
        if (self.jwks is None) == (self.jwks_uri is None):
            raise ValueError("a client has its keys inline or at a URL, exactly one of the two")

    @property
    def granted(self) -> Scopes:
        """The registration as a set of scopes."""
        return Scopes.parse(self.scopes)

    def holds(self, kid: str, now_us: int) -> bool:
        """Is this key good now? Of keys at a URL whoever fetches them finds out."""
        if self.jwks is None:
            return True
        known = any(one.get("kid") == kid for one in self.jwks["keys"])
        return known and all(now_us < one.until_us for one in self.key_ends if one.kid == kid)

    def is_good(self, kid: str | None, now_us: int) -> bool:
        """Not revoked; and a key that was taken away, because somebody else has it, takes its tokens with it. `kid`: of the token."""
        return self.revoked_us is None and (kid is None or self.holds(kid, now_us))

    def good_jwks(self, now_us: int) -> Mapping[str, Any] | None:
        """The keys that are good now; None where they are at a URL."""
        if self.jwks is None or not self.key_ends:
            return self.jwks
        return {"keys": [one for one in self.jwks["keys"] if self.holds(str(one.get("kid")), now_us)]}

    def under(self, owner: "Client") -> "Client":
        """A unit's credential as it is now: in whose name it sends is its owner's to say, and it ends with its owner."""
        return replace(
            self,
            organization=owner.organization,
            purpose=owner.purpose,
            consent_default=owner.consent_default,
            requests_per_minute=owner.requests_per_minute,
            items_per_minute=owner.items_per_minute,
            revoked_us=self.revoked_us if owner.revoked_us is None else owner.revoked_us,
            revision=self.revision + owner.revision,  # neither goes back, so whatever changes of either shows
        )

    def to_document(self) -> dict[str, Any]:
        """For the store; `from_document` is its inverse."""
        return asdict(self)

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "Client":
        """From the store. A field that is missing or unknown is an error (TypeError), never a default."""
        found = {name: value for name, value in document.items() if name != "_id"}
        found["key_ends"] = tuple(KeyEnd(**one) for one in found.get("key_ends", ()))
        found["unit"] = None if found.get("unit") is None else UnitOf(**found["unit"])
        return Client(**found)


def new_client_keys() -> tuple[bytes, dict[str, Any]]:
    """A new ES384 key: the private half as PEM (PKCS 8, unencrypted: for the client alone), the public half as a JWKS.

    The `kid` is the thumbprint of RFC 7638, so that who holds the PEM can name it.
    """
    key = ECKey.generate_key("P-384", private=True)
    public = key.as_dict(private=False, kid=key.thumbprint(), use="sig", alg="ES384")
    return key.as_pem(private=True), {"keys": [dict(public)]}
