"""The answer of the token endpoint for a person: access token, id_token, launch context.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token,
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from security.oauth import id_token
from security.oauth.access_token import ACCESS_TOKEN_LIFETIME_S, Acting
from security.oauth.access_token import issue as issue_access_token
from security.oauth.authorization import Authorization
from security.oauth.binding import token_type
from security.oauth.client_authentication import ProvedClient
from security.oauth.scope_request import ScopeRequest
from security.oauth.token_endpoint import TokenDependencies


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonToken:
    """`body`: the JSON object of RFC 6749 section 5.1, without refresh token. `jti`: for the audit record."""

    jti: str
    body: Mapping[str, Any] = field(repr=False)


def issue(
    proved: ProvedClient,
    authorization: Authorization,
    scope: ScopeRequest,
    *,
    dependencies: TokenDependencies,
    cnf: Mapping[str, str],
    first: bool,
) -> PersonToken:
    """For what the person allowed, or the part of it that `scope` is.

    first  the code is redeemed: who signed in is told then, and not again with each refresh
    """
    now_us, keys, jti = dependencies.now_us(), dependencies.signing_keys(), dependencies.new_id()
    launch = authorization.launch
    token = issue_access_token(
        key=keys.current,
        issuer=dependencies.issuer,
        audience=dependencies.audience,
        client_id=authorization.client_id,
        scope=scope.text(),
        purpose=authorization.purpose,
        jti=jti,
        now_us=now_us,
        kid=proved.kid,
        acting=Acting(person=authorization.person, authorization=authorization.id, patient=launch.patient, encounter=launch.encounter),
        cnf=cnf,
    )
    body: dict[str, Any] = {
        "access_token": token,
        "token_type": token_type(cnf),
        "expires_in": ACCESS_TOKEN_LIFETIME_S,
        "scope": scope.text(),
        **launch_context(authorization),
    }
    if first and id_token.OPENID in scope.context:
        body["id_token"] = id_token.issue(
            key=keys.identity,
            issuer=dependencies.issuer,
            fhir_base=dependencies.audience,
            authorization=authorization,
            context=scope.context,
            access_token=token,
            now_us=now_us,
        )
    return PersonToken(jti=jti, body=body)


def launch_context(authorization: Authorization) -> dict[str, Any]:
    """The parameters that there are, the same at the token endpoint and at introspection."""
    launch = authorization.launch
    said = {
        "patient": launch.patient,
        "encounter": launch.encounter,
        "fhirContext": [dict(one) for one in launch.fhir_context] or None,
        "need_patient_banner": launch.need_patient_banner,
        "intent": launch.intent,
        "tenant": authorization.person.organization.removeprefix("Organization/") or None,
    }
    return {name: value for name, value in said.items() if value is not None}
