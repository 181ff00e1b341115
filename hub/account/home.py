"""GET /account: where a person begins."""

from starlette.requests import Request
from starlette.responses import Response

from hub.account.app_words import APP_WORDS
from hub.people.visit import Visit
from security.oauth.person import Role

PLACES: tuple[tuple[str, str, frozenset[Role] | None], ...] = (
    ("apps", "/account/apps", None),
    ("launch", "/account/launch", frozenset({"practitioner", "patient"})),
    ("device", "/account/device", None),
    ("security", "/account/security", None),
)
"""Key of the words, path, for which roles; None: for all."""


async def account(_: Request, visit: Visit) -> Response:
    role = visit.signed.account.person.role
    async with visit.recording("account"):
        places = [(key, path) for key, path, roles in PLACES if roles is None or role in roles]
        return visit.page("account.html", APP_WORDS, places=places)
