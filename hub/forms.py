"""What pages with forms have in common: the language asked for, the fields that came, whether cookies go over TLS."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub.console.pages import page
from hub.console.words import LANGUAGE_NAMES, LANGUAGES, Language, language_of
from hub.errors import FhirError
from hub.http import read_body
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


def is_secure(base_url: str) -> bool:
    return base_url.startswith("https:")


def desk_page(template: str, language: Language, t: Mapping[str, str], *, status: int = 200, **values: Any) -> Response:
    """A page with forms that lead to this hub alone."""
    languages = [(code, LANGUAGE_NAMES[code]) for code in LANGUAGES]
    return page(template, language, forms=True, status=status, t=t, languages=languages, **values)
