"""Pages for people who signed in with an account: what they are given, and how their sessions differ from the console's.

What stands between them and the network is `hub.page_guard`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from hub.console.words import Language, Said
from hub.errors import FhirError
from hub.forms import desk_page
from hub.page_guard import Kind, OpenedPage
from hub.people.sessions import SignedIn, signed_in
from hub.people.words import PEOPLE_WORDS, in_french
from security.browser_session import SESSION_US, SecretCookie, form_token

SIGN_IN = "/account/sign-in"
COOKIE = SecretCookie(plain="hub-person", same_site="Lax", age_us=SESSION_US)
"""Lax and not Strict: an app leads the browser to `authorize` by a link, and a session has to be seen then; what changes anything is a form
with the session's token."""
UNKNOWN_STEP = "The form asks for something that this page does not do."

Step = TypeVar("Step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(OpenedPage):
    """What a page for people is given; `signed`: who signed in."""

    signed: SignedIn

    def page(self, template: str, words: Mapping[str, Said] | None = None, *, status: int = 200, **values: Any) -> Response:
        """A page with forms. `words`: rows of the page's own, beside those that every page has."""
        shown = {"user": self.signed.account.name, "form_token": form_token(self.signed.cookie)}
        return desk_page(template, self.language, PEOPLE_WORDS, words or {}, status=status, **shown, **values)

    def step(self, steps: Mapping[str, Step]) -> Step:
        """What the button that was pressed does: the row that `do` names. Raises FhirError invalid."""
        found = steps.get(self.form.get("do", ""))
        if found is None:
            raise FhirError("invalid", UNKNOWN_STEP)
        return found


def refusal(language: Language, status: int, text: str) -> Response:
    told = in_french(text) if language == "fr" else text
    return desk_page("people_refusal.html", language, PEOPLE_WORDS, status=status, text=told, user=None, form_token="")


def _sign_in(request: Request) -> str:
    """It leads back to path and query of a page, to the path alone of a form."""
    query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
    return f"{SIGN_IN}?next={quote(request.url.path + query, safe='')}"


PERSON = Kind(
    cookie=COOKIE,
    session=signed_in,
    sign_in=_sign_in,
    who=lambda signed: (signed.account.id, None),
    given=Visit,
    refusal=refusal,
)
