"""Pages: templates that escape whatever they are given, and headers that let a browser load nothing but the page itself."""

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

STYLE = "console.css"
SOURCE: Final = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?|[A-Za-z][A-Za-z0-9+.-]*:")
"""https://www.w3.org/TR/CSP3/#grammardef-source-expression: a host or a scheme, and nothing that means something else in a header."""
HEADERS_KEPT_MAX: Final = 64


def page(template: str, language: str, *, forms: bool = False, forms_to: str = "", status: int = 200, **values: Any) -> Response:
    """An HTML answer. No script can run on it, its own style is named by its hash (https://www.w3.org/TR/CSP3/).

    forms     it may have forms, which lead to this hub alone
    forms_to  where else a form may lead by a redirect, as `form_target` gives it: browsers hold that against the page's policy, too
    """
    html = _environment().get_template(template).render(language=language, style=_style(), **values)
    return HTMLResponse(html, status_code=status, headers={**_headers(forms=forms, forms_to=forms_to), "Content-Language": language})


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hub.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _style() -> str:
    return files("hub.console").joinpath("templates", STYLE).read_text("utf-8")


def form_target(url: str) -> str:
    """What `form-action` calls the place of a URL: its origin, or its scheme where an app on a phone has one of its own.

    "" for what a policy cannot name: nothing of a registration must end the directive and begin another one.
    """
    parts = urlsplit(url)
    source = f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("https", "http") else f"{parts.scheme}:"
    return source if SOURCE.fullmatch(source) else ""


@lru_cache(HEADERS_KEPT_MAX)
def _headers(*, forms: bool, forms_to: str) -> Mapping[str, str]:
    style = b64encode(sha256(_style().encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{style}'",
        "img-src data:",
        "base-uri 'none'",
        " ".join(("form-action 'self'", *((forms_to,) if forms_to else ()))) if forms else "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
    }
