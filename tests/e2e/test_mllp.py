"""HL7 v2 over MLLP against a running hub: real sockets, real TLS. HL7 v2.6 appendix C and section 2.9; DEVICES 2.9."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, Json, http_client, resources
from tests.support.mllp import EUI, Pair, certificate, fields, line, message, rate
from tests.support.payloads import identifier_system
from tests.support.process import HubProcess, free_port
from tests.support.resources import patient

SYSTEM = identifier_system("pcd01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """A hub that a gateway of the ward sends to; the pump EUI is paired with `patient`."""

    process: HubProcess
    port: int
    backstage: Backstage
    caller: Caller
    patient: str
    gateway: Account

    def rates(self) -> list[Json]:
        """What is stored of the pump's rate."""
        found = [one for page in self.caller.pages(f"Observation?patient={self.patient}&_count=200") for one in resources(page)]
        return [one for one in found if one["code"]["coding"][0]["code"] == "157784"]


def senders_file(directory: Path, *rows: Json) -> str:
    path = directory / "senders.json"
    path.write_text(json.dumps({"senders": rows}))
    return str(path)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    directory, port = tmp_path_factory.mktemp("mllp"), free_port()
    network = {"adapter": "pcd01", "trustedNetwork": "127.0.0.0/8"}
    file = senders_file(
        directory,
        {"client": "gateway-client", "application": "GW", **network},
        {"client": "leaver-client", "application": "LEAVER", **network},
    )
    process = HubProcess(directory / "data", "--mllp-port", str(port), "--mllp-senders", file).start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
            ehr = backstage.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
            gateway = new_client("gateway", "system/Observation.c", organization=ehr.organization, consent_default="opt-out")
            caller = Caller(http, ehr)
            person = caller.create(patient())["id"]
            backstage.pair(SYSTEM, EUI, f"Patient/{person}", from_us=0)
            yield Ward(
                process=process,
                port=port,
                backstage=backstage,
                caller=caller,
                patient=person,
                gateway=backstage.register(gateway),
            )
    finally:
        process.stop()


def verdict(segments: list[str]) -> list[str]:
    """MSA-1 and the ERR segments."""
    return [fields(segments[1])[1], *segments[2:]]


def test_a_reading_is_stored_and_then_acknowledged(ward: Ward) -> None:
    """What the acknowledgement promises is there when it arrives: value, device, channel, and the record of who sent it."""
    with line(ward.port) as gateway:
        answer = gateway.ask(message("A-1", rate("12.5"), time="1100"))
    assert (verdict(answer), fields(answer[1])[2]) == (["AA"], "A-1")
    (stored,) = [one for one in ward.rates() if one["effectiveDateTime"].startswith("2026-03-01T11:00:00")]
    assert (stored["valueQuantity"]["value"], stored["valueQuantity"]["code"]) == (12.5, "mL/h")
    assert stored["device"]["reference"].startswith("Device/")
    assert "1x1x1" in {extension.get("valueString") for extension in stored["extension"]}
    assert "Lovelace" not in json.dumps(stored)


def test_the_record_names_the_client_and_the_way(ward: Ward) -> None:
    """Law 2."""
    with line(ward.port) as gateway:
        records = ward.backstage.recorded_by(lambda: gateway.ask(message("A-2", time="1101")))
    event = next(one.event for one in records if one.kind == "ingest")
    assert ward.gateway.id in json.dumps(event)
    assert event["outcome"] == "0"


def test_a_message_that_comes_again_is_answered_as_before_and_stored_once(ward: Ward) -> None:
    text = message("A-3", rate(), "OBX|3|NM|199999^MDC_NOT_YET^MDC|1.1.1.3|1|262688^MDC_DIM_PERCENT^MDC|||||F", time="1102")
    before = len(ward.rates())
    with line(ward.port) as gateway:
        first = gateway.ask(text)
    with line(ward.port) as gateway:
        second = gateway.ask(text)
    assert verdict(first) == verdict(second)
    assert len(verdict(first)) == 2
    assert len(ward.rates()) == before + 1


def test_another_message_under_a_used_control_id_is_another_message(ward: Ward) -> None:
    with line(ward.port) as gateway:
        gateway.ask(message("A-4", rate("1"), time="1103"))
        gateway.ask(message("A-4", rate("2"), time="1104"))
    assert {one["valueQuantity"]["value"] for one in ward.rates() if one["effectiveDateTime"][11:16] in ("11:03", "11:04")} == {1, 2}


def test_a_bad_row_is_named_and_the_good_one_stored(ward: Ward) -> None:
    """ERR-2 says which OBX."""
    bad = "OBX|3|NM|150456^MDC_CO2_ET^MDC|1.1.1.9|36|266016^MDC_DIM_MMHG^MDC|||||F"
    before = len(ward.rates())
    with line(ward.port) as gateway:
        code, err = verdict(gateway.ask(message("A-5", rate(), bad, time="1105")))
    assert (code, fields(err)[2], fields(err)[5]) == ("AA", "OBX^3", "code-name-mismatch^^L")
    assert len(ward.rates()) == before + 1


def test_several_messages_at_once_and_one_in_single_bytes_are_answered_in_order(ward: Ward) -> None:
    with line(ward.port) as gateway:
        texts = [message(f"B-{number}", time=f"12{number:02}") for number in range(5)]
        gateway.socket.sendall(b"".join(b"\x0b" + text.encode() + b"\x1c\r" for text in texts))
        assert [fields(gateway.receive()[1])[2] for _ in texts] == [f"B-{number}" for number in range(5)]
        for byte in b"\x0b" + message("B-9", time="1209").encode() + b"\x1c\r":
            gateway.socket.sendall(bytes([byte]))
        assert fields(gateway.receive()[1])[1:3] == ["AA", "B-9"]


def test_accept_and_application_acknowledgement_come_as_asked(ward: Ward) -> None:
    """Enhanced mode: MSH-15 and MSH-16. A message that asks for nothing gets nothing, and is stored."""
    with line(ward.port) as gateway:
        gateway.send(message("C-1", mode="NE|NE", time="1301"))
        gateway.send(message("C-2", mode="AL|AL", time="1302"))
        assert [fields(gateway.receive()[1])[1:3] for _ in range(2)] == [["CA", "C-2"], ["AA", "C-2"]]
    assert len([one for one in ward.rates() if one["effectiveDateTime"].startswith("2026-03-01T13:01")]) == 1


def test_latin_1_is_read_and_answered(ward: Ward) -> None:
    """French sites write 8859/1."""
    text = message("C-3", time="1303").replace("UNICODE UTF-8", "8859/1").replace("Ada", "Adélaïde")
    with line(ward.port) as gateway:
        assert verdict(gateway.ask(text.encode("latin-1"))) == ["AA"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (message("D-1", type="ADT^A01"), "message-type"),
        (message("D-2", application="OTHER"), "sender-unknown"),
        (message(""), "control-id-missing"),
    ],
)
def test_what_cannot_be_taken_is_said_and_the_next_message_goes_on(ward: Ward, text: str, code: str) -> None:
    with line(ward.port) as gateway:
        said, err = verdict(gateway.ask(text))
        assert (said in ("AR", "AE"), fields(err)[5]) == (True, f"{code}^^L")
        assert verdict(gateway.ask(message(f"D-{code}", time="1400"))) == ["AA"]


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x0bPID|1\x1c\r", b"\x0b\x00\xff\x1c\r"])
def test_what_is_no_hl7_ends_its_connection_alone(ward: Ward, data: bytes) -> None:
    with line(ward.port) as other, line(ward.port) as gateway:
        other.socket.sendall(data)
        assert other.receive() == []
        assert verdict(gateway.ask(message("D-9", time="1409"))) == ["AA"]


def test_a_revoked_client_sends_no_more(ward: Ward) -> None:
    """Looked up for each message: on an open connection too. Nothing is acknowledged."""
    leaver = ward.backstage.register(new_client("leaver", "system/Observation.c", organization=ward.gateway.organization))
    with line(ward.port) as gateway:
        assert verdict(gateway.ask(message("E-1", application="LEAVER")))[0] == "AA"
        ward.backstage.revoke(leaver)
        assert gateway.ask(message("E-2", application="LEAVER")) == []


def test_a_patient_who_has_not_consented_is_as_an_unknown_device(ward: Ward) -> None:
    """Law 3: the leaver's organisation has no say over anybody else's patient, and learns nothing."""
    stranger = message("E-3", rate()).replace("ACDE48234567ABCD", "0102030405060708")
    with line(ward.port) as gateway:
        code, err = verdict(gateway.ask(stranger))
    assert (code, fields(err)[3], fields(err)[5]) == ("AA", "204^Unknown key identifier^HL70357", "device-not-paired^^L")


# -- TLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """A hub that demands certificates."""

    port: int
    hub: Pair
    gateway: Pair
    stranger: Pair
    context: Callable[..., ssl.SSLContext]
    process: HubProcess
    backstage: Backstage


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    directory, port = tmp_path_factory.mktemp("mllp-tls"), free_port()
    hub, gateway, stranger = (certificate(directory, name) for name in ("hub", "gateway", "stranger"))
    authorities = directory / "authorities.pem"
    authorities.write_bytes(gateway.certificate.read_bytes() + stranger.certificate.read_bytes())
    file = senders_file(directory, {"client": "gateway-client", "adapter": "pcd01", "certificate": gateway.fingerprint})
    flags = ("--tls-cert", str(hub.certificate), "--tls-key", str(hub.key), "--mllp-client-ca", str(authorities))
    process = HubProcess(directory / "data", "--mllp-port", str(port), "--mllp-senders", file, *flags).start()

    def context(pair: Pair | None = None) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(hub.certificate))
        if pair is not None:
            made.load_cert_chain(pair.certificate, pair.key)
        return made

    try:
        with Backstage(process.data_dir, process.url) as backstage:
            backstage.register(new_client("gateway", "system/Observation.c"))
            yield Secured(port=port, hub=hub, gateway=gateway, stranger=stranger, context=context, process=process, backstage=backstage)
    finally:
        process.stop()


def test_a_sender_is_known_by_its_certificate(secured: Secured) -> None:
    with line(secured.port, secured.context(secured.gateway)) as gateway:
        assert verdict(gateway.ask(message("T-1")))[0] == "AA"


def test_without_a_certificate_nobody_gets_in(secured: Secured) -> None:
    """With TLS 1.3 the refusal arrives after the client's handshake, as an alert or as the end of the connection."""
    answer: list[str] = []
    with suppress(ssl.SSLError, ConnectionError), line(secured.port, secured.context()) as nobody:
        answer = nobody.ask(message("T-2"))
    assert answer == []


def test_a_certificate_that_no_row_names_is_let_go_unanswered_and_recorded(secured: Secured) -> None:
    """Law 2: a failed authentication is in the log, whatever MSH-3 said."""
    before = secured.backstage.admin["hub_audit"]["records"].count_documents({})
    with line(secured.port, secured.context(secured.stranger)) as stranger:
        assert stranger.receive() == []
    assert secured.backstage.admin["hub_audit"]["records"].count_documents({}) > before


def test_plain_text_is_not_answered(secured: Secured) -> None:
    """What comes back is TLS's alert at most, never a block."""
    with socket.create_connection(("127.0.0.1", secured.port), timeout=60) as plain:
        plain.sendall(b"\x0b" + message("T-3").encode() + b"\x1c\r")
        with suppress(ConnectionError):
            assert not plain.recv(100).startswith(b"\x0b")


def test_a_hub_that_is_stopped_with_an_open_connection_ends_in_order(tmp_path: Path) -> None:
    port = free_port()
    file = senders_file(tmp_path, {"client": "nobody-yet", "adapter": "oru", "trustedNetwork": "127.0.0.1/32"})
    process = HubProcess(tmp_path / "data", "--mllp-port", str(port), "--mllp-senders", file).start()
    with line(port) as idle:
        assert process.stop() == 0
        assert idle.receive() == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--mllp-port", "2575"), "HUB_MLLP_PORT and HUB_MLLP_SENDERS go together"),
        (("--mllp-port", "2575", "--mllp-senders", "/nowhere.json"), "the file of MLLP senders cannot be read"),
    ],
)
def test_a_hub_that_cannot_do_as_asked_says_so_before_it_starts(tmp_path: Path, flags: tuple[str, ...], said: str) -> None:
    done = HubProcess(tmp_path / "data").invoke("serve", *flags)
    assert done.code != 0
    assert said in " ".join(done.err.replace("│", " ").split())
