"""What a person let an app do: one authorization, from the consent screen to its end.

The OAuth grant of RFC 6749 section 1.3, called after what it is, for `grant` is what Consents come to in this hub. Access and refresh
tokens name it; who ends it ends them all, on every process, with the next request.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from security.oauth.person import Person

DAY_US = 86_400 * 1_000_000
ENDED_TOKENS_MAX = 64
"""Access tokens revoked one by one (RFC 7009); beyond it the whole authorization is ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Launch context, as it goes out with the token (SMART 2.2, scopes-and-launch-context).

    patient, encounter  ids, without type
    fhir_context        objects of `fhirContext`
    """

    patient: str | None = None
    encounter: str | None = None
    fhir_context: tuple[Mapping[str, Any], ...] = ()
    need_patient_banner: bool | None = None
    intent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """Times in microseconds since 1970 UTC.

    scope       canonical text of `ScopeRequest`: what was granted
    purpose     code of v3-ActReason, bound into each token
    offline     refresh tokens go on without the person (offline_access); otherwise they end with `expires_us` of the session
    expires_us  nothing of it is good after that, whatever is refreshed (ASVS 5.0 10.4.8)
    auth_us     when the person signed in; acr, amr: how (OpenID Connect Core section 2)
    nonce       of the authentication request, for the id_token
    session     of the session that online access ends with: the key of its note in hex; None: it goes on without one
    jkt         thumbprint of the DPoP key that its tokens are bound to (RFC 9449); None: not bound
    ended_us    when it was ended, by whoever; None: it holds
    ended_tokens  (jti, exp_us) of access tokens revoked one by one
    used_us     the day on which the app got a token last, by its first moment in UTC; None: none since days are kept
    """

    id: str
    client_id: str
    person: Person
    scope: str
    purpose: str
    offline: bool
    created_us: int
    expires_us: int
    auth_us: int
    acr: str | None = None
    amr: tuple[str, ...] = ()
    nonce: str | None = None
    session: str | None = None
    jkt: str | None = None
    launch: Launch = field(default_factory=Launch)
    ended_us: int | None = None
    ended_tokens: tuple[tuple[str, int], ...] = ()
    used_us: int | None = None

    def holds(self, now_us: int, jti: str | None = None) -> bool:
        """Is it good now, and so is this access token of it?"""
        alive = self.ended_us is None and now_us < self.expires_us
        return alive and all(jti != ended for ended, _ in self.ended_tokens)

    def used(self, now_us: int) -> "Authorization":
        """The app gets a token now. To the day: what changes once a day is written once a day, and nobody's hours are kept."""
        return replace(self, used_us=now_us - now_us % DAY_US)

    def to_document(self) -> dict[str, Any]:
        """Plain JSON, to be sealed; `from_document` is its inverse."""
        return asdict(self)

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "Authorization":
        """A field that is missing or unknown is an error (TypeError), never a default."""
        found = dict(document)
        launch = dict(found["launch"])
        found["launch"] = Launch(**{**launch, "fhir_context": tuple(launch["fhir_context"])})
        found["person"] = Person(**found["person"])
        found["amr"] = tuple(found["amr"])
        found["ended_tokens"] = tuple((jti, exp_us) for jti, exp_us in found["ended_tokens"])
        return Authorization(**found)
