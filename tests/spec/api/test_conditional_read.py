"""FHIR conditional read. https://hl7.org/fhir/R4/http.html#cread; RFC 9110 13.1.2, 13.1.3; FHIR.md 4b.2, 4b.4."""

from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import httpx
import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, observation, organization, patient

Json = dict[str, Any]


@pytest.fixture
def made(ehr: Caller) -> Json:
    """Version 2."""
    return ehr.update(ehr.create(organization("Un")), name="Deux")


def ask(caller: Caller, made: Json, method: str = "GET", path: str = "", **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return caller.request(method, f"Organization/{made['id']}{path}", headers=sent)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("known", ['W/"2"', '"2"', 'W/"1", W/"2"', '"x", W/"2"', '"a b",W/"2"', "*"])
def test_who_has_the_version_gets_no_content(ehr: Caller, made: Json, method: str, known: str) -> None:
    """RFC 9110 15.4.5: 304 with the headers that a 200 would have, and nothing to read."""
    answer = ask(ehr, made, method, If_None_Match=known)
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.headers["last-modified"]
    assert {one.strip() for one in answer.headers["vary"].split(",")} >= {"Accept"}
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("known", ['W/"1"', 'W/"3"', '"nonsense"', "2", 'W/"2', ","])
def test_who_has_another_version_gets_this_one(ehr: Caller, made: Json, known: str) -> None:
    answer = ask(ehr, made, If_None_Match=known)
    assert (answer.status_code, answer.json()) == (200, made)


def test_the_time_counts_to_the_second(ehr: Caller, made: Json) -> None:
    """RFC 9110 13.1.3: Last-Modified sent back is "not modified"; a second earlier it was."""
    modified = ask(ehr, made).headers["last-modified"]
    earlier = format_datetime(parsedate_to_datetime(modified) - timedelta(seconds=1), usegmt=True)
    later = format_datetime(parsedate_to_datetime(modified) + timedelta(days=1), usegmt=True)
    statuses = [ask(ehr, made, If_Modified_Since=since).status_code for since in (earlier, modified, later)]
    assert statuses == [200, 304, 304]


@pytest.mark.parametrize("since", ["yesterday", "2026-11-22T12:00:00Z", "Sun, 99 Nov 2026 00:00:00 GMT", "0"])
def test_a_date_that_is_none_is_passed_over(ehr: Caller, made: Json, since: str) -> None:
    """RFC 9110 13.1.3: a recipient must ignore the header field if the value is not a valid HTTP-date."""
    assert ask(ehr, made, If_Modified_Since=since).status_code == 200


def test_the_version_counts_before_the_time(ehr: Caller, made: Json) -> None:
    """RFC 9110 13.1.3: If-Modified-Since is ignored where If-None-Match is given."""
    modified = ask(ehr, made).headers["last-modified"]
    assert ask(ehr, made, If_None_Match='W/"1"', If_Modified_Since=modified).status_code == 200


def test_a_version_is_read_conditionally_too(ehr: Caller, made: Json) -> None:
    assert ask(ehr, made, path="/_history/1", If_None_Match='W/"1"').status_code == 304
    assert ask(ehr, made, path="/_history/1", If_None_Match='W/"2"').status_code == 200


def test_a_conditional_read_is_recorded_like_any_other(ehr: Caller, backstage: Backstage) -> None:
    """Law 2: that somebody asked and was told "as you know it" is an access."""
    person = ehr.create(patient())
    reading = ehr.create(observation(person["id"]))
    answer = ehr.get(f"Observation/{reading['id']}", headers={"If-None-Match": 'W/"1"'})
    assert answer.status_code == 304
    assert [(one.kind, one.outcome, one.patient) for one in backstage.records(answer.headers["x-request-id"])] == [
        ("read", "0", None),
        ("read", "0", backstage.patient_token(person["id"])),
    ]


@pytest.mark.parametrize(
    "header", [{"If-None-Match": "*"}, {"If-None-Match": 'W/"1"'}, {"If-Modified-Since": "Fri, 01 Jan 2126 00:00:00 GMT"}]
)
def test_what_is_hidden_absent_or_deleted_is_never_said_to_be_unchanged(ehr: Caller, stranger: Caller, header: dict[str, str]) -> None:
    """Law 3: the condition is looked at when everything else has said yes."""
    reading = ehr.create(observation(ehr.create(patient())["id"]))
    hidden, absent = (stranger.get(f"Observation/{id}", headers=header) for id in (reading["id"], ABSENT))
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, absent.content)
    ehr.request("DELETE", f"Observation/{reading['id']}")
    refused(ehr.get(f"Observation/{reading['id']}", headers=header), 410, "deleted")
