"""/openapi.json, /docs and /docs/{type}: the reference over HTTP, for everybody, about no data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub.console.pages import page
from hub.console.words import LANGUAGE_NAMES, LANGUAGES, Language, in_language, language_of, said
from hub.reference.described import Described
from hub.reference.interactions import described
from hub.reference.openapi import DETAILED, SPECIFICATION, Row, detailed
from hub.reference.openapi import openapi as document
from hub.reference.searching import RESULTS, TYPES, example, search_type
from hub.reference.statuses import REFUSED
from hub.reference.words import DOCS
from hub.rendering import FHIR_JSON
from hub.search.parameters import RESOURCE_TYPES, resource_type
from hub.search.result import RESULT_PARAMETERS

FOR_EVERYBODY = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
SHOWN = ("/fhir", "/oauth", "/ingest")
ONLY_REFUSED = ("GET", "/fhir/{type}/$validate")
"""It is there to say why: without a body there is nothing to validate."""
DATA: Mapping[str, str] = {
    "resource": f"-H 'Content-Type: {FHIR_JSON}' -d @resource.json",
    "bundle": f"-H 'Content-Type: {FHIR_JSON}' -d @bundle.json",
    "parameters": f"-H 'Content-Type: {FHIR_JSON}' -d @parameters.json",
    "patch": "-H 'Content-Type: application/json-patch+json' -d @patch.json",
    "search": "-d _count=2",
    "token": (
        "-d grant_type=client_credentials -d 'scope=system/*.rs' -d client_assertion=$ASSERTION "
        "-d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    ),
    "payload": "--data-binary @payload.json",
}
OPERATION = ("/$", r"/\$")
"""An operation's own dollar is none of the shell's."""
PLACES: Mapping[str, str] = {
    "{id}": "$ID",
    "{version_id}": "1",
    "{adapter}": "withings",
    "{compartment}": "Patient",
    "{within}": "Observation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An interaction as the page shows it."""

    method: str
    path: str
    title: str
    spec: str
    command: str
    headers: Sequence[str]
    answers: Sequence[tuple[int, str]]


async def openapi(request: Request) -> Response:
    state = request.app.state
    return Response(_document(state.routes, state.base_url), media_type="application/json", headers=FOR_EVERYBODY)


@lru_cache(4)
def _document(rows: tuple[Row, ...], base_url: str) -> bytes:
    return orjson.dumps(document(rows, RESOURCE_TYPES, base_url))


async def docs(request: Request) -> Response:
    language = _language(request)
    base: str = request.app.state.base_url
    return page(
        "docs.html",
        language,
        t=said(language, DOCS),
        languages=_languages(),
        base=base,
        start=(
            f"BASE={base}",
            "TOKEN=$(.venv/bin/hub token --base-url $BASE --client-id CLIENT_ID --key my-app.pem)",
        ),
        interactions=[shown(row, "{type}", language) for row in _rows(request)],
        types=[(one.name, len(one.parameters)) for one in detailed(RESOURCE_TYPES)],
        others=sorted((name, len(one.parameters)) for name, one in RESOURCE_TYPES.items() if name not in DETAILED),
        values=[(name, in_language(language, row.how), row.example) for name, row in TYPES.items() if name in _types_used()],
        results=[(name, in_language(language, row.how), row.example) for name, row in RESULTS.items() if name in RESULT_PARAMETERS],
        errors=[(status, in_language(language, why)) for status, why in REFUSED.items()],
    )


async def docs_type(request: Request) -> Response:
    type = resource_type(request.path_params["type"])
    if type is None:
        raise HTTPException(404)
    language = _language(request)
    rows = [row for row in _rows(request) if "{type}" in row.path]
    return page(
        "docs_type.html",
        language,
        t=said(language, DOCS),
        languages=_languages(),
        base=request.app.state.base_url,
        type=type.name,
        spec=f"{SPECIFICATION}{type.name.lower()}.html",
        interactions=[shown(row, type.name, language) for row in rows],
        parameters=[
            (one.code, search_type(one.type), f"{type.name}?{one.code}={example(type.name, one)}")
            for one in sorted(type.parameters.values(), key=lambda one: one.code)
        ],
    )


def shown(row: Row, type: str, language: Language) -> Shown:
    described_as = described(row.interaction)
    words = said(language, DOCS)
    done = [(status, words["not-modified" if status == 304 else "done"]) for status in described_as.done]  # noqa: PLR2004
    refused = [(status, in_language(language, REFUSED[status])) for status in sorted(set(described_as.refused))]
    spec = described_as.spec
    return Shown(
        method=row.method,
        path=row.path.replace("{type}", type),
        title=in_language(language, described_as.title),
        spec=spec if not spec or "://" in spec else SPECIFICATION + spec,
        command=command(row, "Observation" if type == "{type}" else type, described_as),
        headers=described_as.headers,
        answers=done + refused,
    )


def command(row: Row, type: str, said: Described) -> str:
    """What to paste into a shell in which BASE, TOKEN and, where it is asked for, ID are set."""
    path = row.path.replace("{type}", type).replace(*OPERATION)
    for place, value in PLACES.items():
        path = path.replace(place, value)
    query = "?_count=2" if "search" in said.query and row.method == "GET" else ""
    parts = ["curl -s", "" if row.method in ("GET", "POST") else f"-X {row.method}"]
    parts.append('-H "Authorization: Bearer $TOKEN"' if row.guard == "fhir" else "")
    parts.append(DATA.get(said.body, "") if row.method in ("POST", "PUT", "PATCH") else "")
    return " ".join(part for part in (*parts, f'"$BASE{path}{query}"') if part)


def _rows(request: Request) -> list[Row]:
    rows: tuple[Row, ...] = request.app.state.routes
    shown = (row for row in rows if row.path.startswith(SHOWN) and (row.method, row.path) != ONLY_REFUSED)
    return sorted(shown, key=lambda row: (row.path, row.method))


@lru_cache(1)
def _types_used() -> frozenset[str]:
    return frozenset(search_type(one.type) for type in RESOURCE_TYPES.values() for one in type.parameters.values())


def _language(request: Request) -> Language:
    return language_of(request.query_params.get("lang"), request.headers.get("accept-language", ""))


def _languages() -> list[tuple[str, str]]:
    return [(code, LANGUAGE_NAMES[code]) for code in LANGUAGES]
