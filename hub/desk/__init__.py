"""Pages of the console: what they are given, and how their sessions differ from those of people with accounts.

What stands between them and the network is `hub.page_guard`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from hub.console.words import Language, Said
from hub.desk.words import DESK_WORDS
from hub.forms import desk_page
from hub.operator import Operator, OperatorError
from hub.page_guard import Kind, OpenedPage
from hub.sessions import Session, session_of
from security.browser_session import SESSION_US, SecretCookie, form_token

SIGN_IN = "/console/sign-in"
COOKIE = SecretCookie(plain="hub-console", same_site="Strict", age_us=SESSION_US)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk(OpenedPage):
    """What a page of the console is given."""

    signed: Session

    @property
    def operator(self) -> Operator:
        """Acts as the commands do, under the name of who signed in."""
        return Operator(self.hub, self.signed.reason, user=self.signed.user)

    def page(self, template: str, words: Mapping[str, Said] | None = None, *, status: int = 200, **values: Any) -> Response:
        """A page of the console. `words`: rows of the page's own, beside those that every page has."""
        shown = {"user": self.signed.user, "form_token": form_token(self.signed.cookie)}
        return desk_page(template, self.language, DESK_WORDS, words or {}, status=status, **shown, **values)


def refusal(language: Language, status: int, text: str) -> Response:
    return desk_page("desk_refusal.html", language, DESK_WORDS, status=status, text=text, user=None, form_token="")


def _sign_in(request: Request) -> str:
    return f"{SIGN_IN}?next={quote(request.url.path, safe='/')}"


DESK = Kind(
    cookie=COOKIE,
    session=session_of,
    sign_in=_sign_in,
    who=lambda signed: (signed.user, signed.reason),
    given=Desk,
    refusal=refusal,
    conflicts=(OperatorError,),
)
