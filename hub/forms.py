"""What pages with forms have in common: the language asked for, the fields that came and whether from a page of ours, the words."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub.console.pages import page
from hub.console.words import LANGUAGE_NAMES, LANGUAGES, Language, Said, language_of, said
from hub.errors import FhirError
from hub.http import read_body
from security.browser_session import FORM_TOKEN, is_ours
from security.oauth.errors import OAuthError
from security.oauth.form import FORM_MAX_BYTES, parse_form

PAGE_FIELDS_MAX = 512
"""A box for each thing that each scope of a request would do, and what every form has."""


def language_asked(request: Request) -> Language:
    return language_of(request.query_params.get("lang"), request.headers.get("accept-language", ""))


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form. Raises FhirError."""
    try:
        body = await read_body(request, FORM_MAX_BYTES)
        return parse_form(request.headers.get("content-type", ""), body, fields_max=PAGE_FIELDS_MAX)
    except OAuthError as error:
        raise FhirError("invalid", str(error)) from None


async def own_form(request: Request, cookie: str | None, not_ours: str) -> Mapping[str, str]:
    """The fields of a form of a page that was made for this cookie; a GET has none. Raises FhirError forbidden, with `not_ours`."""
    if request.method != "POST":
        return {}
    form = await form_of(request)
    if cookie is None or not is_ours(cookie, form.get(FORM_TOKEN, ""), request.headers):
        raise FhirError("forbidden", not_ours)
    return form


def desk_page(template: str, language: Language, *words: Mapping[str, Said], status: int = 200, **values: Any) -> Response:
    """A page with forms that lead to this hub alone. `words`: beside those that every page has; the later take the place of the earlier."""
    t = {**said(language)}
    for rows in words:
        t |= said(language, rows)
    languages = [(code, LANGUAGE_NAMES[code]) for code in LANGUAGES]
    return page(template, language, forms=True, status=status, t=t, languages=languages, **values)
