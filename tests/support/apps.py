"""Apps through which people act, registered behind the scenes of a running hub."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import cast

from hub.instants import now_us
from hub.operator import Operator
from security.context import PolicyDefault
from security.oauth.clients import GRANT_CODE, GRANT_REFRESH, App, Authentication, Client, new_client_keys
from security.oauth.scope_request import ScopeRequest
from tests.support.backstage import Backstage


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An app through which people act. `secret` of a symmetric one, `key` (PEM) of an asymmetric one."""

    client: Client
    secret: str | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return self.client.client_id


def register_app(
    backstage: Backstage,
    scope: str,
    redirect_uris: Sequence[str],
    *,
    authentication: Authentication = "none",
    organization: str = "",
    consent_default: str = "opt-out",
    name: str = "App of the tests",
    grants: Sequence[str] = (GRANT_CODE, GRANT_REFRESH),
    **app: object,
) -> Registered:
    """`app`: further fields of `App`, such as launch_url and origins."""
    secret = secrets.token_urlsafe(32) if authentication == "client_secret_basic" else None
    pem, public = new_client_keys() if authentication == "private_key_jwt" else (None, None)
    client = Client(
        client_id=f"app-{secrets.token_hex(8)}",
        name=name,
        scopes=ScopeRequest.parse(scope).text(),
        organization=organization,
        purpose="TREAT",
        consent_default=cast("PolicyDefault", consent_default),
        recorder=False,
        importer=False,
        jwks=public,
        jwks_uri=None,
        created_us=now_us(),
        authentication=authentication,
        secret_hash=None if secret is None else sha256(secret.encode()).digest(),
        grants=tuple(grants),
        app=replace(App(redirect_uris=tuple(redirect_uris)), **app),  # type: ignore[arg-type]
    )
    added = backstage.run(Operator(backstage.hub, "tests").add_client(client, None))
    return Registered(client=added, secret=secret, key=pem)
