"""A proxy that nobody named is noticed: in the log, by /readyz, by `hub doctor`. OWASP ASVS 5.0 4.1.3; docs/cluster.md.

Whose word counts for a client's address is never guessed; while nobody is named all clients of a proxy are one sender.
"""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from tests.support.fixtures import Running
from tests.support.inprocess import InProcess, in_process
from tests.support.process import Done

READY, SETTING = "ready", "HUB_PROXY_NETWORKS"
SENDER = "192.0.2.1"


@pytest.fixture
async def hub(running: Running, request: pytest.FixtureRequest) -> AsyncIterator[InProcess]:
    """With the settings that the test asks for, on the data of the hub of all tests. Requests come from 127.0.0.1."""
    async with in_process(running.process.data_dir, running.backstage.endpoint, **getattr(request, "param", {})) as opened:
        yield opened


async def said(hub: InProcess) -> str:
    """Beside being ready: it is no reason to get no requests."""
    answer = await hub.http.get("/readyz")
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Client-Cert"])
async def test_what_proxies_write_is_noticed_where_it_comes_from_nobody_who_is_named(hub: InProcess, header: str) -> None:
    """Once for each process; the address is not told, for anybody can write such a header (law 4)."""
    assert await said(hub) == READY
    with capture_logs() as told:
        for _ in range(3):
            await hub.http.get("/livez", headers={header: SENDER})
    assert [one["event"] for one in told] == ["proxy_not_named"]
    assert SENDER not in str(told)
    text = await said(hub)
    assert SETTING in text
    assert SENDER not in text


@pytest.mark.parametrize("hub", [{"proxy_networks": ("127.0.0.0/8",)}], indirect=True)
async def test_of_a_proxy_that_is_named_nothing_is_said(hub: InProcess) -> None:
    """It writes what it should."""
    await hub.http.get("/livez", headers={"X-Forwarded-For": SENDER})
    assert await said(hub) == READY


@pytest.mark.parametrize("hub", [{"base_url": "https://hub.example.org"}], indirect=True)
async def test_a_hub_that_clients_reach_by_https_and_that_speaks_http_has_a_proxy(hub: InProcess) -> None:
    """Known before the first request."""
    assert SETTING in await said(hub)


def test_the_doctor_finds_a_proxy_that_is_not_named(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 until it is."""

    def asked() -> Done:
        return running.process.invoke("doctor", "--json")

    assert asked().code == 0
    monkeypatch.setenv("HUB_BASE_URL", "https://hub.example.org")
    missed = asked()
    assert [one["what"] for one in missed.json() if not one["well"]] == ["proxy"]
    assert (missed.code, SETTING in missed.out) == (1, True)
    monkeypatch.setenv(SETTING, "10.4.0.0/24")
    assert asked().code == 0
