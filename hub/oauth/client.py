"""Which client sends a request to an OAuth endpoint: one way in for all of them."""

from collections.abc import Mapping

from starlette.requests import Request

from hub.oauth.certificate import peer_certificate
from security.oauth.client_authentication import Presented, ProofDependencies, ProvedClient, prove
from security.oauth.errors import OAuthError

IN_THE_BODY = "parameters go into the body: what stands in a URL is written down on its way (RFC 6749 section 2.3.1)"
NEVER_IN_URL = frozenset(
    {"client_id", "client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "token", "device_code", "password"}
)


async def proved_client(request: Request, form: Mapping[str, str], dependencies: ProofDependencies) -> ProvedClient:
    """The client that proved itself, by the one method that it is registered with. Raises OAuthError.

    form  the parameters of the body, each once (see `parse_form`)
    """
    return await prove(presented(request, form), dependencies)


def presented(request: Request, form: Mapping[str, str]) -> Presented:
    """What the request shows of its client. Raises OAuthError invalid_request for a parameter in the URL."""
    if not NEVER_IN_URL.isdisjoint(request.query_params):
        raise OAuthError("invalid_request", IN_THE_BODY)
    lines = tuple(request.headers.getlist("authorization"))
    return Presented(form=form, authorization=lines, certificate=peer_certificate(request))
