"""MQTT through a real Mosquitto: who sends what by the topic, acknowledged when durable, poison set aside. DEVICES 6.5; laws 1, 2, 5.

https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901234 (QoS), #_Toc3901072 (what a session keeps).
"""

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.operator import Operator
from tests.spec.oauth.test_jwks_fetch_tls import certificate
from tests.support.backstage import Account, Backstage, new_client
from tests.support.broker import Broker, Listener
from tests.support.caller import Caller, asked_alone
from tests.support.fixtures import Running
from tests.support.payloads import identifier_system, weight
from tests.support.process import free_port
from tests.support.resources import patient

Json = dict[str, Any]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path).start()
    yield made
    made.stop()


@pytest.fixture
def unit(ehr: Caller, backstage: Backstage) -> tuple[str, str]:
    """A patient and the scale that is theirs."""
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("withings"), f"M-{person}", f"Patient/{person}", from_us=0)
    return person, f"M-{person}"


@pytest.fixture
def listener(running: Running, broker: Broker, vendor: Caller) -> Iterator[Listener]:
    made = Listener(running.process.data_dir, broker, f"scales/{{device}}/weight=withings@{vendor.account.id}")
    yield made
    made.kill()


def total(ehr: Caller, person: str) -> int:
    count: int = ehr.search(f"Observation?patient={person}&_summary=count")["total"]
    return count


def test_a_message_becomes_a_reading_of_the_unit_that_the_topic_names(
    ehr: Caller, broker: Broker, listener: Listener, unit: tuple[str, str]
) -> None:
    person, device = unit
    listener.start()
    broker.publish([(f"scales/{device}/weight", weight(70_000)), (f"scales/{device}/weight", weight(70_000))])
    assert sorted(map(str, listener.fates(2))) == ["{'duplicate': 1}", "{'stored': 1}"]
    assert total(ehr, person) == 1
    assert listener.stop() == 0


def test_what_is_published_while_the_hub_is_away_waits_at_the_broker(
    ehr: Caller, broker: Broker, listener: Listener, unit: tuple[str, str]
) -> None:
    """MQTT 5 section 4.1: the session is kept, also when the hub was not stopped in order, and when the broker starts again."""
    person, device = unit
    listener.start().kill()
    broker.publish([(f"scales/{device}/weight", weight(70_000, number)) for number in range(5)])
    broker.stop()
    broker.start()
    listener.start()
    assert listener.fates(5) == [{"stored": 1}] * 5
    assert total(ehr, person) == 5


def test_the_broker_may_go_and_come_back(ehr: Caller, broker: Broker, listener: Listener, unit: tuple[str, str]) -> None:
    person, device = unit
    listener.start()
    broker.stop()
    broker.start()
    broker.publish([(f"scales/{device}/weight", weight(70_000))])
    assert listener.fates(1) == [{"stored": 1}]
    assert total(ehr, person) == 1


def test_a_message_that_cannot_be_read_waits_in_quarantine_and_others_go_on(
    vendor: Caller, broker: Broker, listener: Listener, unit: tuple[str, str]
) -> None:
    """There is nobody to tell; so nothing is dropped in silence."""
    _, device = unit
    listener.start()
    broker.publish([(f"scales/{device}/weight", body) for body in (b"\xff\xfe not JSON " + device.encode(), weight(70_000))])
    assert listener.fates(2) == [{"quarantined": 1}, {"stored": 1}]
    waiting = [one for one in vendor.get("/quarantine?_count=1000").json() if one["code"] == "message-structure"]
    assert waiting


def test_poison_in_the_middle_of_many_harms_none_of_them(
    ehr: Caller, vendor: Caller, broker: Broker, listener: Listener, unit: tuple[str, str]
) -> None:
    """They come at once and are committed together; each is told its own fate, in the order in which it came."""
    person, device = unit
    listener.start().kill()
    poison = {7: b"\xff " + device.encode(), 20: b"{}", 33: b"[" * 5_000}
    bodies = [poison.get(number) or weight(70_000, number, date=1_750_000_000 + number) for number in range(60)]
    broker.publish([(f"scales/{device}/weight", body) for body in bodies])
    listener.start()
    fates = listener.fates(60)
    assert [number for number, one in enumerate(fates) if one != {"stored": 1}] == sorted(poison)
    assert total(ehr, person) == 60 - len(poison)
    assert any(one["code"] == "message-structure" for one in vendor.get("/quarantine?_count=1000").json())


def test_every_message_has_a_record(backstage: Backstage, broker: Broker, listener: Listener, unit: tuple[str, str]) -> None:
    """Law 2."""
    _, device = unit
    listener.start()
    before = backstage.admin["hub_audit"]["records"].count_documents({})
    broker.publish([(f"scales/{device}/weight", weight(70_000))])
    listener.fates(1)
    assert backstage.admin["hub_audit"]["records"].count_documents({}) >= before + 2


def test_a_client_that_is_revoked_takes_in_nothing_more_and_the_message_stays_at_the_broker(
    running: Running, ehr: Caller, backstage: Backstage, broker: Broker, unit: tuple[str, str]
) -> None:
    """Law 1: looked up for each message. Another client may take it in."""
    person, device = unit
    account = backstage.register(
        new_client("mqtt-gone", "system/Observation.c", consent_default="opt-out", organization=ehr.account.organization)
    )
    listener = Listener(running.process.data_dir, broker, f"scales/{{device}}/weight=withings@{account.id}").start()
    backstage.revoke(account)
    broker.publish([(f"scales/{device}/weight", weight(70_000))])
    assert listener.ended() == 1
    assert total(ehr, person) == 0


class Ward:
    """Two rows, each with a client of its own, and a unit of each."""

    def __init__(self, running: Running, ehr: Caller, backstage: Backstage, broker: Broker) -> None:
        self.backstage, self.ehr, self.broker = backstage, ehr, broker
        self.listeners: list[Listener] = []
        self.accounts: list[Account] = [self.account() for _ in range(2)]
        self.people: list[str] = [ehr.create(patient())["id"] for _ in self.accounts]
        for person in self.people:
            backstage.pair(identifier_system("withings"), f"W-{person}", f"Patient/{person}", from_us=0)
        self.admin_port = free_port()
        self.data_dir = running.process.data_dir

    def account(self) -> Account:
        organization, name = self.ehr.account.organization, f"mqtt-{secrets.token_hex(4)}"
        return self.backstage.register(new_client(name, "system/Observation.c", consent_default="opt-out", organization=organization))

    def listener(self) -> Listener:
        made = Listener(self.data_dir, self.broker, self.topics, {"HUB_MQTT_ADMIN_PORT": str(self.admin_port)})
        self.listeners.append(made)
        return made.start()

    @property
    def topics(self) -> str:
        return ",".join(f"ward{number}/{{device}}=withings@{one.id}" for number, one in enumerate(self.accounts))

    def publish(self, row: int, date: int) -> None:
        self.broker.publish([(f"ward{row}/W-{self.people[row]}", weight(70_000, date=date))])

    def totals(self) -> list[int]:
        return [total(self.ehr, person) for person in self.people]

    def rows(self) -> dict[str, float]:
        """As /metrics shows them."""
        shown = asked_alone("GET", f"http://127.0.0.1:{self.admin_port}/metrics").text
        return {state: float(number) for state, number in re.findall(r'^hub_mqtt_rows\{state="(\w+)"\} (\S+)$', shown, re.MULTILINE)}

    def restore(self, account: Account) -> None:
        operator = Operator(self.backstage.hub, "tests")
        self.backstage.run(
            operator.change_client("client-revoke", account.id, lambda client: replace(client, revoked_us=None), revoked_too=True)
        )


@pytest.fixture
def ward(running: Running, ehr: Caller, backstage: Backstage, broker: Broker) -> Iterator[Ward]:
    made = Ward(running, ehr, backstage, broker)
    yield made
    for listener in made.listeners:
        listener.kill()


def test_a_client_that_is_revoked_stops_its_own_row_and_goes_on_when_it_is_good_again(
    running: Running, backstage: Backstage, ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came meanwhile has waited at the broker."""
    listener = ward.listener()
    assert ward.rows() == {"taken": 2.0, "stopped": 0.0}
    backstage.revoke(ward.accounts[0])
    ward.publish(0, 1_750_000_000)
    assert listener.says("mqtt_rows_stopped")
    for number in range(3):
        ward.publish(1, 1_750_000_000 + number)
    assert listener.fates(3) == [{"stored": 1}] * 3
    assert (ward.totals(), ward.rows()) == ([0, 3], {"taken": 1.0, "stopped": 1.0})
    monkeypatch.setenv(
        "HUB_MQTT_TOPICS", f"ward0/{{device}}=withings@{ward.accounts[0].id},ward1/{{device}}=withings@{ward.accounts[1].id}"
    )
    told = {one["what"]: one for one in running.process.invoke("doctor", "--json").json()}
    assert told["mqtt"]["well"] is False
    assert told["mqtt"]["text"] == f"row 1 is stopped: {ward.accounts[0].id} is not there or revoked"
    ward.restore(ward.accounts[0])
    assert listener.fates(4)[-1] == {"stored": 1}
    assert (ward.totals(), ward.rows()) == ([1, 3], {"taken": 2.0, "stopped": 0.0})
    assert running.process.invoke("doctor").code == 0
    assert listener.stop() == 0


def test_a_row_that_is_stopped_from_the_start_holds_nobody_up_and_another_client_finds_what_waited(
    backstage: Backstage, ward: Ward
) -> None:
    """A supervisor may start it again and again: the others are taken in each time."""
    backstage.revoke(ward.accounts[0])
    listener = ward.listener()
    ward.publish(0, 1_750_000_000)
    ward.publish(1, 1_750_000_000)
    assert listener.fates(1) == [{"stored": 1}]
    assert listener.stop() == 0
    ward.accounts[0] = ward.account()
    following = ward.listener()
    assert following.fates(1) == [{"stored": 1}]
    assert (ward.totals(), following.stop()) == ([1, 1], 0)


def test_over_tls_the_broker_has_to_bear_a_certificate_that_is_trusted(
    running: Running, vendor: Caller, tmp_path: Path, unit: tuple[str, str]
) -> None:
    """RFC 9325: the name it was reached by is in the certificate."""
    _, device = unit
    pem = certificate("localhost", tmp_path)
    broker = Broker(tmp_path, certificate=(pem, pem, pem)).start()
    try:
        topics = f"scales/{{device}}/weight=withings@{vendor.account.id}"
        listener = Listener(running.process.data_dir, broker, topics, {"HUB_MQTT_CA": str(pem)}).start()
        broker.publish([(f"scales/{device}/weight", weight(70_000))])
        assert listener.fates(1) == [{"stored": 1}]
        assert listener.stop() == 0
        trusting_others = Listener(running.process.data_dir, broker, topics).start(wait=False)
        assert trusting_others.says("broker_lost")
        trusting_others.kill()
    finally:
        broker.stop()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"HUB_MQTT_URL": "mqtt://broker.example.org"}, "mqtts://"),
        ({"HUB_MQTT_URL": "http://127.0.0.1"}, "mqtts://HOST"),
        ({"HUB_MQTT_TOPICS": ""}, "no topic is read"),
        ({"HUB_MQTT_TOPICS": "a/b"}, "FILTER=ADAPTER@CLIENT"),
        ({"HUB_MQTT_TOPICS": "a/#/b=withings@x"}, "whole levels"),
        ({"HUB_MQTT_TOPICS": "a=nonsense@x"}, "adapter"),
    ],
)
def test_wrong_settings_are_said(running: Running, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str) -> None:
    for name, value in {"HUB_MQTT_URL": "mqtt://127.0.0.1:1", "HUB_MQTT_TOPICS": "a=withings@x", **settings}.items():
        monkeypatch.setenv(name, value)
    done = running.process.invoke("mqtt")
    assert done.code == 2
    assert said in " ".join(done.err.replace("│", " ").split())


def test_lines_of_output_name_nobody(broker: Broker, listener: Listener, unit: tuple[str, str]) -> None:
    """Law 4: neither topic nor unit."""
    _, device = unit
    listener.start()
    broker.publish([(f"scales/{device}/weight", weight(70_000))])
    listener.fates(1)
    assert device not in listener.output()
    assert [json.loads(line) for line in listener.output().splitlines() if line.startswith("{")]
