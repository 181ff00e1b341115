"""/account/apps: what a person lets apps do, and the end of it. SMART 2.2 `management_endpoint`; GDPR Art. 7(3), OWASP ASVS 5.0 10.7.3."""

from starlette.requests import Request
from starlette.responses import Response

from hub.account.app_words import APP_WORDS
from hub.account.showing import about_of, shown
from hub.account.viewing import name_in_context
from hub.authorizations import Authorizations
from hub.errors import FhirError
from hub.oauth.withdrawing import withdraw
from hub.people.visit import Visit
from security.oauth.authorization import Authorization

APPS = "/account/apps"
NO_SUCH = "You have let in no such app, or its end is more than a month ago."


async def apps(request: Request, visit: Visit) -> Response:
    """GET /account/apps: all of them, those that are over last."""
    services, account = visit.services, visit.signed.account
    async with visit.recording("authorization-list"):
        held = await Authorizations(services).of_account(account.id)
        rows = [
            shown(one, await visit.hub.oauth.find_client(one.client_id), visit.language, services.clock(), about_of(one))
            for one in (each.authorization for each in held)
        ]
    parts = (("apps-now", [row for row in rows if row.over is None]), ("apps-over", [row for row in rows if row.over is not None]))
    return visit.page("account_apps.html", APP_WORDS, parts=parts, done=request.query_params.get("done") == "withdrawn")


async def app(request: Request, visit: Visit) -> Response:
    """GET /account/apps/{id}: one of them in whole, with the button that ends it."""
    async with visit.recording("authorization-list"):
        found = await _own(visit, request.path_params["id"])
    client = await visit.hub.oauth.find_client(found.client_id)
    about = about_of(found)
    if about == "about-patient" and client is not None:
        about = await name_in_context(visit, client, found) or "about-hidden"
    one = shown(found, client, visit.language, visit.services.clock(), about)
    return visit.page("account_app.html", APP_WORDS, one=one)


async def app_withdraw(request: Request, visit: Visit) -> Response:
    """POST /account/apps/{id}/withdraw"""
    async with visit.recording("authorization-end") as recording:
        ended = await withdraw(visit.services, visit.signed.account.id, request.path_params["id"], recording)
        if ended is None:
            raise FhirError("not-found", NO_SUCH)
    return visit.done(f"{APPS}?done=withdrawn")


async def _own(visit: Visit, id: str) -> Authorization:
    """Raises FhirError not-found for what there is not, and for what is somebody else's."""
    held = await Authorizations(visit.services).find(id)
    if held is None or held.authorization.person.account != visit.signed.account.id:
        raise FhirError("not-found", NO_SUCH)
    return held.authorization
