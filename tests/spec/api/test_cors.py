"""Which pages may read the hub's answers. https://fetch.spec.whatwg.org/#http-cors-protocol; SMART App Launch 2.2, CORS."""

from collections.abc import Callable

import httpx
import pytest
from pydantic import ValidationError

from hub.cors import DISCOVERY, PEOPLE
from hub.routes import ROUTES
from hub.settings import Settings
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.process import PAGES
from tests.support.resources import ABSENT, observation, patient

STRANGE = "https://elsewhere.example"
ALLOWED = "access-control-allow-origin"
READABLE = ("ETag", "Location", "Last-Modified", "Content-Location", "X-Request-Id")
SENT = (
    "authorization",
    "content-encoding",
    "content-type",
    "prefer",
    "if-match",
    "if-none-match",
    "if-none-exist",
    "if-modified-since",
    "x-provenance",
)
CALLABLE = [row for row in ROUTES if row.path.startswith(("/fhir", "/oauth")) and row.path not in PEOPLE]
OTHERS = [row for row in ROUTES if row not in CALLABLE and row.path not in DISCOVERY]


def preflight(http: httpx.Client, path: str, method: str, origin: str = PAGES, **more: str) -> httpx.Response:
    return http.options(path, headers={"Origin": origin, "Access-Control-Request-Method": method, **more})


def words(answer: httpx.Response, header: str) -> set[str]:
    return {word.strip().lower() for word in answer.headers[header].split(",")}


@pytest.mark.parametrize("row", CALLABLE, ids=lambda row: f"{row.method} {row.path}")
def test_a_preflight_permits_every_route_to_a_page_of_ours(row: object, http: httpx.Client, backstage: Backstage) -> None:
    """Fetch, CORS-preflight: before a page may send a token the browser asks; nothing is decided or recorded by that."""
    log = backstage.admin["hub_audit"]["records"]
    before = log.count_documents({})
    asked = {"Access-Control-Request-Headers": "authorization,content-type"}
    answer = preflight(http, row.path, row.method, **asked)  # type: ignore[attr-defined]
    assert answer.status_code == 204
    assert answer.headers[ALLOWED] in (PAGES, "*")
    assert row.method.lower() in words(answer, "access-control-allow-methods")  # type: ignore[attr-defined]
    assert set(SENT) <= words(answer, "access-control-allow-headers")
    assert int(answer.headers["access-control-max-age"]) > 0
    assert log.count_documents({}) == before


def test_a_preflight_tells_an_unknown_page_nothing(http: httpx.Client) -> None:
    """Fetch: without permission in the answer the browser does not send the request."""
    answer = preflight(http, "/fhir/Patient", "POST", STRANGE)
    assert answer.status_code == 204
    assert [name for name in answer.headers if name.startswith("access-control")] == []
    assert answer.headers["vary"] == "Origin"


def test_options_without_an_origin_is_no_preflight(http: httpx.Client) -> None:
    """http.html#summary: R4 has no interaction by OPTIONS."""
    assert http.options("/fhir/Patient").status_code == 405


def test_a_page_may_read_an_answer_with_its_headers(ehr: Caller) -> None:
    """SMART, CORS: registered origins reach FHIR; the version and the place of a resource are in headers."""
    made = ehr.post("Patient", patient(), headers={"Origin": PAGES})
    assert (made.status_code, made.headers[ALLOWED], made.headers["vary"]) == (201, PAGES, "Accept, Origin")
    assert {name.lower() for name in READABLE} <= words(made, "access-control-expose-headers")


def test_no_page_sends_anything_but_a_token(ehr: Caller) -> None:
    """Law 1: who calls is who the token says, never who is logged in somewhere in the same browser."""
    answer = ehr.get("Patient", headers={"Origin": PAGES, "Cookie": "a=b"})
    assert "access-control-allow-credentials" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("origin", [STRANGE, "null", PAGES + ":443", PAGES.upper(), f"{PAGES}.evil.example", f"{PAGES}, {STRANGE}"])
def test_an_unknown_origin_gets_no_header(origin: str, ehr: Caller) -> None:
    """Fetch, CORS check: origins are compared byte by byte."""
    answer = ehr.get("Patient", headers={"Origin": origin})
    assert answer.status_code == 200
    assert [name for name in answer.headers if name.startswith("access-control")] == []
    assert answer.headers["vary"] == "Accept, Origin"


def test_a_cache_keeps_answers_apart_by_origin(ehr: Caller) -> None:
    """Fetch, CORS and caches: Vary also in the answer to a request without Origin."""
    assert ehr.get("Patient").headers["vary"] == "Accept, Origin"


@pytest.mark.parametrize(
    ("send", "status"),
    [
        (lambda caller, sent: caller.http.get("/fhir/Patient", headers=sent), 401),
        (lambda caller, sent: caller.get(f"Patient/{ABSENT}", headers=sent), 404),
        (lambda caller, sent: caller.get("/fhir/no/such/path/at/all", headers=sent), 404),
        (lambda caller, sent: caller.request("DELETE", "/fhir/Patient/x/_history", headers=sent), 405),
        (lambda caller, sent: caller.get("Patient", headers={**sent, "Accept": "image/png"}), 406),
        (lambda caller, sent: caller.post("Observation", observation(ABSENT), headers=sent), 422),
    ],
)
def test_a_page_may_read_errors_too(send: Callable[..., httpx.Response], status: int, ehr: Caller) -> None:
    """A page that cannot read why it was refused cannot tell its user."""
    answer = send(ehr, {"Origin": PAGES})
    assert answer.status_code == status
    assert answer.headers[ALLOWED] in (PAGES, "*")


@pytest.mark.parametrize("path", ["/fhir/metadata", "/fhir/.well-known/smart-configuration", "/fhir/metadata?_format=nonsense"])
@pytest.mark.parametrize("origin", [PAGES, STRANGE])
def test_discovery_is_for_pages_of_any_origin(path: str, origin: str, http: httpx.Client) -> None:
    """SMART App Launch 2.2, CORS: for requests from any origin, public discovery endpoints; their errors as well."""
    assert http.get(path, headers={"Origin": origin}).headers[ALLOWED] == "*"
    assert preflight(http, path.partition("?")[0], "GET", origin).headers[ALLOWED] == "*"


def test_a_token_is_had_by_a_page_of_ours_only(ehr: Caller) -> None:
    """SMART App Launch 2.2, CORS: the token endpoint for registered origins."""
    form = {"grant_type": "client_credentials"}
    for origin, said in ((PAGES, PAGES), (STRANGE, None)):
        assert ehr.http.post("/oauth/token", data=form, headers={"Origin": origin}).headers.get(ALLOWED) == said


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: f"{row.method} {row.path}")
def test_nothing_else_is_for_pages_from_elsewhere(row: object, http: httpx.Client) -> None:
    """What no browser application needs is not opened to any."""
    answer = http.request(row.method, row.path, headers={"Origin": PAGES})  # type: ignore[attr-defined]
    assert ALLOWED not in answer.headers


def test_the_statement_says_whether_pages_may_call(http: httpx.Client) -> None:
    """capabilitystatement.html: rest.security.cors"""
    assert http.get("/fhir/metadata").json()["rest"][0]["security"]["cors"] is True


@pytest.mark.parametrize("origins", ["*", "app.example", "https://app.example/", "https://app.example/path", "null", "HTTPS://app.example"])
def test_what_no_browser_sends_as_origin_is_refused_at_start(origins: str) -> None:
    """DESIGN 4: a setting that could never match says so instead of failing in silence."""
    with pytest.raises(ValidationError, match="as browsers write them"):
        Settings(cors_origins=origins)  # type: ignore[arg-type]
