"""Signing in with another OpenID provider: the button, and where the browser is led back to."""

from starlette.responses import RedirectResponse, Response

from hub.account.sign_in import WRONG, sign_in_page
from hub.errors import FhirError
from hub.page_guard import SEE_OTHER
from hub.people.federating import Federating
from hub.people.open_pages import HOME, Caller, opened, place_of
from hub.people.proving import NotRight

PATH = "/account/federated"


@opened("federated")
async def federated(caller: Caller) -> Response:
    """POST /account/federated/{provider}: on to the provider's own page."""
    url = await _federating(caller).begin(caller.cookie, place_of(caller.form.get("next")), caller.language)
    return caller.kept(RedirectResponse(url, SEE_OTHER))


@opened("federated-back")
async def federated_back(caller: Caller) -> Response:
    """GET /account/federated/{provider}: with a code, or with an error, which proves nobody."""
    try:
        entered = await _federating(caller).finish(caller.cookie, caller.asked)
    except NotRight:
        return sign_in_page(caller, HOME, fault="elsewhere-not", status=WRONG)
    return caller.entered(entered)


def _federating(caller: Caller) -> Federating:
    provider = caller.providers.get(caller.asked.get("provider", ""))
    if provider is None:
        raise FhirError("not-found", "This hub knows no such provider.")
    return Federating(
        entering=caller.entering,
        outbound=caller.outbound,
        discovery=caller.discovery,
        provider=provider,
        redirect_uri=f"{caller.hub.base_url}{PATH}/{provider.name}",
    )
