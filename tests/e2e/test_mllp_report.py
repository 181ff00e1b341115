"""The report of an implant's interrogation over MLLP: acknowledged when it is durable, refused by its place. DEVICES 2.9."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.test_mllp import senders_file
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.idco import NAMED, TIME, implant, interrogation
from tests.support.mllp import line
from tests.support.payloads import identifier_system
from tests.support.process import HubProcess, free_port
from tests.support.resources import patient

WORD = "MLLP1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """A hub that a programmer's gateway sends to; the implant WORD is paired with `patient`."""

    process: HubProcess
    port: int
    caller: Caller
    patient: str


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    directory, port = tmp_path_factory.mktemp("mllp-report"), free_port()
    file = senders_file(directory, {"client": "gateway-client", "adapter": "idco", "trustedNetwork": "127.0.0.0/8"})
    process = HubProcess(directory / "data", "--mllp-port", str(port), "--mllp-senders", file).start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
            ehr = backstage.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
            scopes = "system/Observation.c system/DiagnosticReport.c system/DocumentReference.c system/Binary.c"
            backstage.register(new_client("gateway", scopes, organization=ehr.organization, consent_default="opt-out"))
            caller = Caller(http, ehr)
            person = caller.create(patient())["id"]
            backstage.pair(identifier_system("idco"), implant(WORD), f"Patient/{person}", from_us=0)
            yield Clinic(process=process, port=port, caller=caller, patient=person)
    finally:
        process.stop()


def test_a_report_is_acknowledged_and_then_there(clinic: Clinic) -> None:
    with line(clinic.port) as gateway:
        answer = gateway.ask(interrogation(WORD))
    assert answer[1].startswith("MSA|AA|R-1")
    (id,) = clinic.caller.found(f"DocumentReference?patient={clinic.patient}&type=18750-0")
    document = clinic.caller.get(f"DocumentReference/{id}").json()
    assert document["context"]["period"] == {"start": TIME}
    content = clinic.caller.get(document["content"][0]["attachment"]["url"], headers={"Accept": "application/pdf"}).content
    assert content == NAMED


def test_a_report_with_a_character_that_is_none_of_base64_is_refused_by_its_place(clinic: Clinic) -> None:
    """ERR says segment, code and what to do, and nothing of what stood there; neither does the log of the hub."""
    text = interrogation(WORD, control_id="R-2").replace("Base64^JVBERi0", "Base64^JVBE!Lovelace!")
    with line(clinic.port) as gateway:
        answer = gateway.ask(text)
    (error,) = [segment for segment in answer if segment.startswith("ERR")]
    assert "document-not-base64" in error
    assert "Character 5 of ED.5" in error
    assert not any("Lovelace" in said for said in (error, clinic.process.output.read_text()))
