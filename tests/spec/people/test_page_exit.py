"""How a page with forms is left when something fails. https://www.rfc-editor.org/rfc/rfc9110#section-15, OWASP ASVS 5.0 16.5.1."""

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from structlog.testing import capture_logs

from hub.console.words import Language
from hub.desk import DESK
from hub.operator import OperatorError
from hub.outcomes import unavailable, unexpected
from hub.page_guard import Exit
from hub.people.visit import PERSON
from hub.recording import RequestFacts
from hub.store.protocol import Unavailable

TEXT = "a value of somebody's record"
REQUEST = {"type": "http", "method": "GET", "path": "/console", "query_string": b"", "headers": []}


def refusal(_: Language, status: int, text: str) -> Response:
    return PlainTextResponse(text, status)


async def left_by(error: Exception, *, debug: bool = False, **more: Any) -> Response:
    """After something of it was recorded: the refusal asks for no record of its own."""

    async def answer(facts: RequestFacts, _: Language) -> Response:
        facts.recorded = True
        raise error

    services: Any = SimpleNamespace(new_id=lambda: "1", settings=SimpleNamespace(debug=debug))
    return await Exit(interaction="console", refused_as="console", refusal=refusal, **more).of(Request(REQUEST), services, answer)


@pytest.mark.parametrize("debug", [False, True])
async def test_the_text_of_an_error_is_in_the_log_of_a_developer_alone(debug: bool) -> None:
    """Law 4: it may repeat values; the page has it in neither case."""
    error = RuntimeError(TEXT)
    with capture_logs() as logs:
        response = await left_by(error, debug=debug)
    assert (response.status_code, response.body.decode()) == (500, str(unexpected()))
    assert [(one["error"], one["exc_info"]) for one in logs] == [("RuntimeError", error if debug else None)]


async def test_a_store_that_does_not_answer_is_said_to_pass() -> None:
    """RFC 9110 section 15.6.4."""
    response = await left_by(Unavailable())
    assert (response.status_code, response.body.decode()) == (503, str(unavailable()))


async def test_what_the_hubs_state_does_not_allow_is_said_in_its_words() -> None:
    """RFC 9110 section 15.5.10: whoever reads it can mend it."""
    response = await left_by(OperatorError("The unit is paired already."), conflicts=DESK.conflicts)
    assert (response.status_code, response.body.decode()) == (409, "The unit is paired already.")


async def test_what_an_operator_is_told_no_person_is() -> None:
    """Such a text may name what somebody with an account does not see."""
    with capture_logs():
        response = await left_by(OperatorError(TEXT), conflicts=PERSON.conflicts)
    assert (response.status_code, TEXT in response.body.decode()) == (500, False)
