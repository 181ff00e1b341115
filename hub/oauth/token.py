"""POST /oauth/token: by the kind of grant, as rows.

https://www.rfc-editor.org/rfc/rfc6749#section-3.2. The client is proved before anything else is looked at.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from hub.oauth.answers import Asking, answered, oauth_json
from hub.oauth.binding import binding_of
from hub.oauth.client_used import first_today, seen_today
from hub.oauth.code_grant import authorization_code
from hub.oauth.device_grant import device_code
from hub.oauth.refresh_grant import refresh_token
from hub.repository.redoing import redoing
from security.oauth.client_authentication import ProvedClient
from security.oauth.clients import GRANT_CLIENT_CREDENTIALS, GRANT_CODE, GRANT_DEVICE, GRANT_REFRESH
from security.oauth.errors import OAuthError
from security.oauth.token_endpoint import issue_to

Grant = Callable[[Asking, ProvedClient], Awaitable[Mapping[str, Any]]]
"""The body of the answer, once its record is durable. Raises OAuthError."""


async def token(request: Request) -> Response:
    return await answered(request, "token", _token)


async def _token(asking: Asking) -> Response:
    grant = GRANTS.get(asking.needed("grant_type"))
    if grant is None:
        raise OAuthError("unsupported_grant_type", f"grant_type must be one of {', '.join(GRANTS)}")
    proved = await asking.client()
    return oauth_json(await grant(asking, proved))


async def client_credentials(asking: Asking, proved: ProvedClient) -> Mapping[str, Any]:
    """https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html#obtain-access-token"""
    given = await issue_to(proved, asking.form, dependencies=asking.dependencies, bind=partial(binding_of, asking.request))
    services, id = asking.services, given.client_id

    async def recorded() -> None:
        await asking.recording.token_issued(id, given.jti, notes=await first_today(services, id))

    await redoing(recorded, lambda: (f"used {id}",), services.turns)
    seen_today(services, id)
    return given.body()


GRANTS: Final[Mapping[str, Grant]] = {
    GRANT_CLIENT_CREDENTIALS: client_credentials,
    GRANT_CODE: authorization_code,
    GRANT_REFRESH: refresh_token,
    GRANT_DEVICE: device_code,
}
