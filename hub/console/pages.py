"""Pages: templates that escape whatever they are given, and headers that let a browser load nothing but the page itself."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

STYLE = "console.css"


def page(template: str, language: str, *, forms: bool = False, status: int = 200, **values: Any) -> Response:
    """An HTML answer. No script can run on it, its own style is named by its hash (https://www.w3.org/TR/CSP3/).

    forms  it may have forms, which lead to this hub alone
    """
    html = _environment().get_template(template).render(language=language, style=_style(), **values)
    return HTMLResponse(html, status_code=status, headers={**_headers(forms=forms), "Content-Language": language})


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hub.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _style() -> str:
    return files("hub.console").joinpath("templates", STYLE).read_text("utf-8")


@cache
def _headers(*, forms: bool) -> Mapping[str, str]:
    style = b64encode(sha256(_style().encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{style}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'self'" if forms else "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
    }
