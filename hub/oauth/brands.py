"""GET /brands: whose hub this is, for everybody. https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.rendering import FHIR_JSON
from hub.settings import Settings
from security.oauth.brands import BRANDS_PATH, Brand, bundle
from security.oauth.metadata import fhir_base

OPEN = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
ETAG_DIGITS = 24


async def brands(request: Request) -> Response:
    state = request.app.state
    return _answer(*_published(state.brand, state.base_url), request.headers)


def brand_of(settings: Settings, base_url: str) -> Brand:
    """What the settings say; what they leave out is the hub's own: its origin, its pages for people, its documentation."""
    return Brand(
        name=settings.brand_name,
        identifier=settings.brand_identifier or base_url,
        website=settings.brand_website or base_url,
        portal_name=settings.brand_portal_name or settings.brand_name,
        portal=settings.brand_portal_url or f"{base_url}/account",
        developers=settings.brand_developers_url or f"{base_url}/docs",
        fhir_base=fhir_base(base_url),
        updated=settings.brand_updated,
        aliases=settings.brand_aliases,
        categories=settings.brand_categories,
        description=settings.brand_description,
        logo=settings.brand_logo,
        logo_terms=settings.brand_logo_terms,
    )


@lru_cache(4)
def _published(brand: Brand, base_url: str) -> tuple[bytes, str]:
    body = orjson.dumps(bundle(brand, f"{base_url}{BRANDS_PATH}"))
    return body, f'W/"{sha256(body).hexdigest()[:ETAG_DIGITS]}"'


def _answer(body: bytes, etag: str, headers: Mapping[str, str]) -> Response:
    """https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2: compared weakly, `*` knows whatever there is."""
    asked = {one.strip() for one in headers.get("if-none-match", "").split(",")}
    if asked & {etag, etag.removeprefix("W/"), "*"}:
        return Response(status_code=304, headers={**OPEN, "ETag": etag})
    return Response(body, media_type=FHIR_JSON, headers={**OPEN, "ETag": etag})
