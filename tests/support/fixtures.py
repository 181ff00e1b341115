"""A running hub for each pytest process, with its clients. Loaded by tests/conftest.py for every test.

running     the hub as a process, with what goes on behind the scenes (`backstage`)
ehr         reads and writes everything, recorder, opt-out: sees the patients that its organisation manages
reader      the same organisation, the same rights, but no recorder
stranger    another organisation, opt-in: sees nobody who has not consented
researcher  as stranger, for the purpose HRESCH
auditor     may read the log and nothing else
vendor      sends readings in for the organisation of `ehr`
importer    as ehr, and may bring its own ids
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.process import HubProcess

CLINICAL = "system/*.cruds"
PATIENTS_OWN = "opt-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A hub at work."""

    process: HubProcess
    backstage: Backstage
    http: httpx.Client

    def caller(self, account: Account) -> Caller:
        return Caller(self.http, self.backstage.register(account))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    process = HubProcess(tmp_path_factory.mktemp("running") / "data").start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
            yield Running(process=process, backstage=backstage, http=http)
    finally:
        process.stop()


@pytest.fixture(scope="session")
def backstage(running: Running) -> Backstage:
    return running.backstage


@pytest.fixture(scope="session")
def http(running: Running) -> httpx.Client:
    """Without any token."""
    return running.http


@pytest.fixture(scope="session")
def ehr(running: Running) -> Caller:
    return running.caller(new_client("ehr", CLINICAL, consent_default=PATIENTS_OWN, recorder=True))


@pytest.fixture(scope="session")
def reader(running: Running, ehr: Caller) -> Caller:
    return running.caller(new_client("reader", CLINICAL, organization=ehr.account.organization, consent_default=PATIENTS_OWN))


@pytest.fixture(scope="session")
def stranger(running: Running) -> Caller:
    return running.caller(new_client("stranger", CLINICAL))


@pytest.fixture(scope="session")
def researcher(running: Running) -> Caller:
    return running.caller(new_client("researcher", CLINICAL, purpose="HRESCH"))


@pytest.fixture(scope="session")
def auditor(running: Running) -> Caller:
    return running.caller(new_client("auditor", "system/AuditEvent.rs"))


@pytest.fixture(scope="session")
def vendor(running: Running, ehr: Caller) -> Caller:
    account = new_client("vendor", "system/Observation.c", organization=ehr.account.organization, consent_default=PATIENTS_OWN)
    return running.caller(account)


@pytest.fixture(scope="session")
def importer(running: Running) -> Caller:
    return running.caller(new_client("importer", CLINICAL, consent_default=PATIENTS_OWN, recorder=True, importer=True))


@pytest.fixture(scope="session")
def another(running: Running) -> Callable[..., Caller]:
    """Register one more client for a test that needs it for itself."""
    made = iter(range(1_000_000))

    def register(scope: str = CLINICAL, **more: object) -> Caller:
        return running.caller(new_client(f"another-{next(made)}", scope, **more))  # type: ignore[arg-type]

    return register
