"""A registered client: who it acts for, what it may ask for, and which keys prove it.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from joserfc.jwk import ECKey

from security.context import PolicyDefault, UnitOf
from security.oauth.scope_request import ScopeRequest
from security.scopes import Scopes

Authentication = Literal["private_key_jwt", "client_secret_basic", "tls_client_auth", "none"]
"""How a client proves itself at the token endpoint (RFC 8414 `token_endpoint_auth_method`; `none`: a public client)."""
Binding = Literal["none", "dpop", "mtls"]
"""What its access tokens are bound to: nothing, a DPoP key (RFC 9449), a certificate (RFC 8705)."""

BY_KEY: frozenset[Authentication] = frozenset({"private_key_jwt", "tls_client_auth"})
"""Ways of proving in which nothing that proves is sent."""

GRANT_CLIENT_CREDENTIALS = "client_credentials"
GRANT_CODE = "authorization_code"
GRANT_REFRESH = "refresh_token"
GRANT_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What a registration says besides, of a client through which people act. Texts are shown to people, escaped.

    redirect_uris  compared as text, never by prefix (RFC 9700 section 2.1)
    launch_url     where the EHR launch begins; None: it has none
    origins        whose pages may call the token endpoint and the FHIR API (CORS)
    homepage, policy_uri, logo_uri  https; the last is never loaded by the hub, nor by its pages
    contact        whom people may write to
    par_required   authorize takes requests pushed beforehand only (RFC 9126)
    """

    redirect_uris: tuple[str, ...] = ()
    launch_url: str | None = None
    origins: tuple[str, ...] = ()
    homepage: str | None = None
    policy_uri: str | None = None
    logo_uri: str | None = None
    contact: str | None = None
    par_required: bool = False


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
    authentication   how it proves itself; secret_hash: SHA-256 of its secret (256 bits from the system), for client_secret_basic
    certificate      base64url SHA-256 of its certificate (RFC 8705 `x5t#S256`), for tls_client_auth and for tokens bound by mTLS
    grants           values of grant_type it may use
    app              of a client through which people act
    binding          what its access tokens are bound to
    introspector     may ask about tokens of other clients (RFC 7662)
    launcher         an EHR backend that may open launches for practitioners of its organisation (SMART, EHR launch)
    pending          it registered itself, and nobody has approved it yet: as if it were not there
    registration_token  SHA-256 of the token by which an app that registered itself looks after its registration (RFC 7592)
    ended_tokens     (jti, exp_us) of its own tokens revoked one by one (RFC 7009)
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
    authentication: Authentication = "private_key_jwt"
    secret_hash: bytes | None = None
    certificate: str | None = None
    grants: tuple[str, ...] = (GRANT_CLIENT_CREDENTIALS,)
    app: App | None = None
    binding: Binding = "none"
    introspector: bool = False
    launcher: bool = False
    pending: bool = False
    registration_token: bytes | None = None
    ended_tokens: tuple[tuple[str, int], ...] = ()
    revision: int = 0

    def __post_init__(self) -> None:
        if self.authentication == "private_key_jwt" and (self.jwks is None) == (self.jwks_uri is None):
            raise ValueError("a client has its keys inline or at a URL, exactly one of the two")
        if (self.authentication == "client_secret_basic") != (self.secret_hash is not None):
            raise ValueError("a client has a secret if it proves itself by one, and none otherwise")
        if self.authentication == "tls_client_auth" and self.certificate is None:
            raise ValueError("a client that proves itself by a certificate needs one")
        if self.authentication == "none" and GRANT_CLIENT_CREDENTIALS in self.grants:
            raise ValueError("a public client has nothing to prove itself by, so it cannot act by itself")
        if self.launcher and not (self.authentication in BY_KEY and GRANT_CLIENT_CREDENTIALS in self.grants):
            raise ValueError("who opens launches is a backend that acts by itself and proves itself by a key or a certificate")

    @property
    def granted(self) -> Scopes:
        """The registration as a set of scopes."""
        return self.allowed.resources

    @property
    def allowed(self) -> ScopeRequest:
        """The same with the words that speak about a person's session."""
        return ScopeRequest.registered(self.scopes)

    def holds(self, kid: str, now_us: int) -> bool:
        """Is this key good now? Of keys at a URL whoever fetches them finds out."""
        if self.jwks is None:
            return True
        known = any(one.get("kid") == kid for one in self.jwks["keys"])
        return known and all(now_us < one.until_us for one in self.key_ends if one.kid == kid)

    def is_good(self, kid: str | None, now_us: int) -> bool:
        """Approved, not revoked; and a key that was taken away, because somebody else has it, takes its tokens with it.

        kid  of the token
        """
        return self.revoked_us is None and not self.pending and (kid is None or self.holds(kid, now_us))

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
        found["app"] = None if found.get("app") is None else _app(found["app"])
        found["grants"] = tuple(found.get("grants", (GRANT_CLIENT_CREDENTIALS,)))
        found["ended_tokens"] = tuple((jti, exp_us) for jti, exp_us in found.get("ended_tokens", ()))
        return Client(**found)


def _app(found: Mapping[str, Any]) -> App:
    return App(**{**found, "redirect_uris": tuple(found["redirect_uris"]), "origins": tuple(found["origins"])})


def new_client_id(name: str) -> str:
    """Says to people which client it is, and is not guessed by others. It is no secret."""
    slug = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower()).strip("-")[:32]
    return f"{slug or 'client'}-{secrets.token_hex(4)}"


def new_client_keys() -> tuple[bytes, dict[str, Any]]:
    """A new ES384 key: the private half as PEM (PKCS 8, unencrypted: for the client alone), the public half as a JWKS.

    The `kid` is the thumbprint of RFC 7638, so that who holds the PEM can name it.
    """
    key = ECKey.generate_key("P-384", private=True)
    public = key.as_dict(private=False, kid=key.thumbprint(), use="sig", alg="ES384")
    return key.as_pem(private=True), {"keys": [dict(public)]}
