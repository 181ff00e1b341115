"""A page of another origin in a real browser calls the hub with fetch(). https://fetch.spec.whatwg.org, SMART App Launch 2.2, CORS."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from tests.support.caller import FHIR_JSON, Caller
from tests.support.fixtures import Running
from tests.support.process import PAGES
from tests.support.resources import ABSENT, patient

Json = dict[str, Any]

STRANGE = "https://elsewhere.example"
FETCH = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    const headers = Object.fromEntries(answer.headers.entries()), text = await answer.text();
    return {status: answer.status, headers, body: text ? JSON.parse(text) : null};
  } catch (error) { return {refused: error.name}; }
}"""


@contextmanager
def page_of(browser: Browser, origin: str) -> Iterator[Page]:
    """An empty page that a browser believes to come from this origin."""
    context = browser.new_context()
    page = context.new_page()
    page.route(f"{origin}/", lambda route: route.fulfill(body="<!doctype html><title>app</title>", content_type="text/html"))
    page.goto(f"{origin}/")
    yield page
    context.close()


def fetched(page: Page, url: str, **options: Any) -> Json:
    made: Json = page.evaluate(FETCH, [url, options])
    return made


def test_an_application_in_the_browser_writes_reads_and_reads_errors(browser: Browser, running: Running, ehr: Caller) -> None:
    """Fetch, CORS-preflight and CORS check as a browser does them: with a token, with JSON, with a condition."""
    sent = {"Authorization": f"Bearer {ehr.token}", "Content-Type": FHIR_JSON}
    with page_of(browser, PAGES) as page:
        made = fetched(page, f"{ehr.base}/Patient", method="POST", headers=sent, body='{"resourceType": "Patient"}')
        assert made["status"] == 201
        assert made["headers"]["etag"] == 'W/"1"'
        assert made["headers"]["location"].startswith(f"{ehr.base}/Patient/{made['body']['id']}")
        one = f"{ehr.base}/Patient/{made['body']['id']}"
        read = fetched(page, one, headers=sent)
        assert (read["status"], read["body"], bool(read["headers"]["x-request-id"])) == (200, made["body"], True)
        stale = fetched(page, one, method="PUT", headers={**sent, "If-Match": 'W/"7"'}, body=json.dumps(made["body"]))
        assert (stale["status"], stale["body"]["resourceType"]) == (412, "OperationOutcome")
        assert fetched(page, f"{ehr.base}/Patient/{ABSENT}", headers=sent)["status"] == 404
        assert fetched(page, f"{ehr.base}/Patient", headers={"Authorization": "Bearer x"})["status"] == 401
        assert fetched(page, f"{running.process.url}/oauth/token", method="POST")["status"] == 400


def test_a_page_of_an_unknown_origin_reads_discovery_and_nothing_else(browser: Browser, running: Running, ehr: Caller) -> None:
    """SMART, CORS: any origin for discovery. Everything else the browser withholds, even for a page that holds a token."""
    ehr.create(patient())
    with page_of(browser, STRANGE) as page:
        for path in ("/fhir/metadata", "/fhir/.well-known/smart-configuration"):
            assert fetched(page, running.process.url + path)["status"] == 200
        for path, headers in (("/fhir/Patient", {"Authorization": f"Bearer {ehr.token}"}), ("/fhir/Patient", {}), ("/readyz", {})):
            assert fetched(page, running.process.url + path, headers=headers) == {"refused": "TypeError"}
