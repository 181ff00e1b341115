"""Fixtures of the black-box suite. Everything is seen from outside; of the tests' own hub only the registrations come from behind.

Where another server is named nothing of the hub is imported, here or in the tests.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.spec.smart.blackbox.agent import Agent, Command, Hands
from tests.spec.smart.blackbox.launches import Launches
from tests.spec.smart.blackbox.party import Party
from tests.spec.smart.blackbox.target import Target, from_environment, http_client

Json = dict[str, Any]

_named = from_environment()
collect_ignore = ["test_tls.py"] if _named is not None and _named.fhir.startswith("http://") else []
"""A server that is named by a plain address has its TLS elsewhere: point the suite there to look at it."""


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """The server that the environment names, or else the tests' own hub, which is started only then."""
    named = from_environment()
    if named is not None:
        return named
    from tests.spec.smart.blackbox.own import given_data, own_target

    running, ehr = request.getfixturevalue("running"), request.getfixturevalue("ehr")
    return own_target(running.backstage, running.process.url, ehr, given_data(ehr))


@pytest.fixture(scope="session")
def web() -> Iterator[httpx.Client]:
    """Without token, cookie or redirect."""
    with http_client() as client:
        yield client


@pytest.fixture(scope="session")
def discovered(target: Target, web: httpx.Client) -> Json:
    answer = web.get(f"{target.fhir}/.well-known/smart-configuration")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


@pytest.fixture(scope="session")
def party(target: Target, web: httpx.Client, discovered: Json) -> Callable[[str], Party]:
    """An app by its name in the target."""
    return lambda name: Party(http=web, discovered=discovered, fhir=target.fhir, registration=target.apps[name])


@pytest.fixture(scope="session")
def public(party: Callable[[str], Party]) -> Party:
    return party("public")


@pytest.fixture(scope="session")
def backend(party: Callable[[str], Party]) -> Party:
    return party("backend")


@pytest.fixture(scope="session")
def agent(target: Target) -> Iterator[Agent]:
    if target.agent:
        yield Command(target.agent)
        return
    hands = Hands(target)
    yield hands
    hands.close()


@pytest.fixture(scope="session")
def launches(target: Target, agent: Agent) -> Launches:
    return Launches(target, agent)
