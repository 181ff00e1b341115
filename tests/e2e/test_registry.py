"""Products and units: registered by command, searched by the standard API. DEVICES 6.5 (registration and identity), 1.6."""

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from fhir_profiles.product import Product
from hub.registry import Registry
from hub.services import Services
from hub.units.standing import behind
from tests.support.caller import Caller, resources
from tests.support.fixtures import Running
from tests.support.resources import patient

Json = dict[str, Any]
STANDING = "http://hds-hub.invalid/fhir/CodeSystem/device-standing"
SYSTEM_ID = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"
WITHINGS = "https://developer.withings.com/api-reference#deviceid"
T0 = 1_577_836_800
"""2020-01-01T00:00:00Z"""


def eui() -> str:
    return "-".join(f"{one:02X}" for one in b"\x74" + secrets.token_bytes(7))


def gtin() -> str:
    body = f"9{secrets.randbelow(10**12):012d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return body + str((10 - total % 10) % 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    product: str
    gtin: str
    unit: str
    eui: str
    udi: str
    device: str
    maker: str
    model: str


@pytest.fixture
def made(running: Running) -> Made:
    """A product of its own and one unit of it."""
    hub, mark = running.process, secrets.token_hex(4)
    one = {"product": f"scale-{mark}", "gtin": gtin(), "unit": f"unit-{mark}", "eui": eui(), "maker": f"Works{mark}", "model": f"M{mark}"}
    udi = f"(01){one['gtin']}(17)300131(10)LOT{mark}(21)SER{mark}"
    flags = ("--standing", "medical-device", "--class", "mdr-iia", "--specialization", "scale", "--lifetime", "14d")
    names = ("--manufacturer", one["maker"], "--model", one["model"], "--udi-di", one["gtin"])
    added = hub.invoke("product", "add", one["product"], *names, *flags, "--reason", "tests")
    assert added.code == 0, added.err
    done = hub.invoke("device", "register", "withings", one["unit"], "--product", one["product"], "--udi", udi, "--eui64", one["eui"])
    assert done.code == 0, done.err
    return Made(**one, udi=udi, device=done.json()["device"])


def test_a_unit_is_found_by_whatever_names_it(made: Made, ehr: Caller) -> None:
    """https://hl7.org/fhir/R4/device.html#search: every parameter of Device that R4 has, and the tag of the standing."""
    id = made.device.removeprefix("Device/")
    asked = [
        f"udi-di={made.gtin}",
        f"udi-carrier={made.udi.replace('(', '%28').replace(')', '%29')}",
        f"identifier={SYSTEM_ID}|{made.eui}",
        f"identifier={quote(WITHINGS)}|{made.unit}",
        f"identifier={made.unit}",
        f"manufacturer={made.maker}",
        f"model={made.model}",
        f"device-name={made.model}",
    ]
    assert {query: ehr.found(f"Device?{query}") for query in asked} == {query: [id] for query in asked}
    narrow = f"Device?manufacturer={made.maker}"
    for more in (f"_tag={STANDING}|medical-device", f"_tag={STANDING}|mdr-iia", "type=65573", "status=active"):
        assert ehr.found(f"{narrow}&{more}") == [id], more
    for none in (f"_tag={STANDING}|wellness", f"_tag={STANDING}|mdr-iib", "status=inactive"):
        assert ehr.found(f"{narrow}&{none}") == [], none


def test_the_product_is_a_device_definition_that_the_unit_names(made: Made, ehr: Caller) -> None:
    """https://hl7.org/fhir/R4/devicedefinition.html, R4 Device.definition."""
    unit = ehr.get(made.device).json()
    (definition,) = resources(ehr.search(f"DeviceDefinition?identifier={made.product}"))
    assert unit["definition"]["reference"] == f"DeviceDefinition/{definition['id']}"
    assert (unit["manufacturer"], unit["modelNumber"], unit["serialNumber"]) == (made.maker, made.model, f"SER{made.unit[5:]}")
    assert ehr.found(f"DeviceDefinition?identifier={made.product}&_tag={STANDING}|medical-device") == [definition["id"]]


def test_readings_are_found_by_the_standing_of_what_measured_them(made: Made, running: Running, ehr: Caller, vendor: Caller) -> None:
    """A chained search: https://hl7.org/fhir/R4/search.html#chaining."""
    one = ehr.create(patient())["id"]
    paired = running.process.invoke("device", "pair", "withings", made.unit, "--patient", f"Patient/{one}", "--from", "2010-01-01")
    assert paired.json() | {"registered": False, "device": made.device} == paired.json()
    assert vendor.fates("withings", weight(made.unit, T0))[0]["fate"] == "stored"
    about = f"Observation?patient={one}"
    assert len(ehr.found(f"{about}&device:Device._tag={STANDING}|medical-device")) == 1
    assert len(ehr.found(f"{about}&device:Device._tag={STANDING}|wellness")) == 0
    assert len(ehr.found(f"{about}&device:Device.manufacturer={made.maker}")) == 1


def test_nothing_that_names_a_unit_lies_in_the_database_in_clear(made: Made, running: Running) -> None:
    """DESIGN 2, law 4."""
    words = [word.encode() for word in (made.unit, made.eui, made.gtin, made.maker, f"SER{made.unit[5:]}")]
    found = []
    for name in ("hub", "hub_audit"):
        database = running.backstage.admin[name]
        for collection in database.list_collection_names():
            for document in database[collection].find():
                found += [(name, collection, word) for word in words if word in repr(document).encode()]
    assert found == []


def test_each_act_is_in_the_log_with_who_and_why(made: Made, running: Running) -> None:
    """DESIGN 2, law 2; DESIGN 4: under the operating-system user and the reason given."""
    hub, unit = running.process, f"logged-{made.unit}"
    acts = [
        (("product", "add", f"logged-{made.product}", "--manufacturer", "A", "--model", "B"), "product-add"),
        (("product", "change", made.product, "--silence", "3d"), "product-change"),
        (("product", "list", "--json"), "product-list"),
        (("device", "register", "withings", unit, "--product", made.product), "device-register"),
        (("device", "show", "withings", unit), "device-show"),
        (("device", "units", "--json"), "device-show"),
        (("device", "retire", "withings", unit), "device-retire"),
    ]
    for arguments, kind in acts:
        (record,) = running.backstage.recorded_by(lambda: hub.invoke(*arguments, "--reason", "to see it recorded"))  # noqa: B023 - at once
        assert (record.kind, record.outcome) == (kind, "0"), arguments
        assert record.event["purposeOfEvent"][0]["text"] == "to see it recorded", record.event


def test_a_unit_that_was_paired_before_gets_its_product_later(made: Made, running: Running, ehr: Caller) -> None:
    one, unit = ehr.create(patient())["id"], f"before-{made.unit}"
    hub = running.process
    first = hub.invoke("device", "pair", "withings", unit, "--patient", f"Patient/{one}").json()["device"]
    second = hub.invoke("device", "register", "withings", unit, "--product", made.product)
    assert (second.code, second.json()["device"]) == (0, first), second.err
    assert ehr.get(first).json()["definition"]
    assert ehr.get(first).json()["meta"]["versionId"] == "2"
    again = hub.invoke("device", "register", "withings", unit, "--product", made.product)
    assert again.code == 1


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (["--udi", "(01)51022222233337"], 2, "last digit"),
        (["--udi", "(01)00844588003288"], 1, "none of"),
        (["--eui64", "74-E8"], 2, "EUI-64"),
        (["--bluetooth", "74-E8"], 2, "EUI-48"),
        (["--udi", "{udi}"], 1, "UDI and serial number"),
        (["--eui64", "{eui}"], 1, "EUI-64"),
        (["--udi", "{udi}", "--serial", "other"], 1, "serial number"),
        (["--expires", "soon"], 2, "--expires"),
    ],
)
def test_a_unit_is_refused_with_the_reason(made: Made, running: Running, ehr: Caller, flags: list[str], code: int, told: str) -> None:
    given = [flag.format(udi=made.udi, eui=made.eui) for flag in flags]
    other = f"other-{made.unit}"
    done = running.process.invoke("device", "register", "withings", other, "--product", made.product, *given)
    assert (done.code, done.out) == (code, "")
    assert told in " ".join(done.err.split())
    assert ehr.found(f"Device?identifier={other}") == []


def test_unknown_products_and_second_ones_are_refused(made: Made, running: Running) -> None:
    hub = running.process
    assert hub.invoke("device", "register", "withings", "x", "--product", "nothing").code == 1
    again = hub.invoke("product", "add", made.product, "--manufacturer", "A", "--model", "B")
    assert (again.code, again.out) == (1, "")
    for flags in (
        ["--silence", "soon"],
        ["--silence", "60s"],
        ["--class", "mdr-iia"],
        ["--standing", "sure"],
        ["--specialization", "toaster"],
    ):
        assert hub.invoke("product", "add", f"x-{made.product}", "--manufacturer", "A", "--model", "B", *flags).code == 2, flags
    wrong = hub.invoke("product", "add", f"x-{made.product}", "--manufacturer", "A", "--model", "B", "--udi-di", "123")
    assert (wrong.code, "GTIN" in wrong.err) == (1, True)


def test_products_are_listed_shown_and_get_other_limits(made: Made, running: Running, ehr: Caller) -> None:
    hub = running.process
    shown = hub.invoke("product", "show", made.product).json()
    assert (shown["standing"], shown["class"], shown["lifetime"], shown["silence"]) == ("medical-device", "mdr-iia", "14d", "2d")
    assert hub.invoke("product", "change", made.product, "--silence", "36h", "--battery-low", "10").json()["silence"] == "36h"
    listed = {one["product"]: one for one in hub.invoke("product", "list", "--json").json()}
    assert (listed[made.product]["silence"], listed[made.product]["battery_low"]) == ("36h", 10)
    assert ehr.get(shown["definition"]).json()["meta"]["versionId"] == "2"
    assert hub.invoke("product", "change", made.product).code == 2
    assert hub.invoke("product", "show", "nothing").code == 1


def test_another_standing_reaches_product_units_and_the_search_for_readings(
    made: Made, running: Running, ehr: Caller, vendor: Caller
) -> None:
    """docs/adr/0015: a reading is found by what its unit is now; what the unit was when it measured is in its history."""
    hub, one = running.process, ehr.create(patient())["id"]
    paired = ("device", "pair", "withings", made.unit, "--patient", f"Patient/{one}", "--from", "2010-01-01")
    assert hub.invoke(*paired).code == 0
    assert vendor.fates("withings", weight(made.unit, T0))[0]["fate"] == "stored"
    others = f"other-{made.unit}"
    assert hub.invoke("device", "register", "withings", others, "--product", made.product).code == 0

    def found(code: str) -> tuple[int, int, int]:
        tagged = f"_tag={STANDING}|{code}"
        definitions = ehr.found(f"DeviceDefinition?identifier={made.product}&{tagged}")
        units = ehr.found(f"Device?manufacturer={made.maker}&{tagged}")
        return len(definitions), len(units), len(ehr.found(f"Observation?patient={one}&device:Device.{tagged}"))

    assert (found("medical-device"), found("mdr-iia"), found("wellness")) == ((1, 2, 1), (1, 2, 1), (0, 0, 0))
    (*_, last) = running.backstage.recorded_by(
        lambda: hub.invoke("product", "change", made.product, "--standing", "wellness", "--reason", "certificate withdrawn")
    )
    assert (last.kind, last.event["purposeOfEvent"][0]["text"]) == ("product-change", "certificate withdrawn")
    assert made.device in str(last.event)
    assert (found("medical-device"), found("mdr-iia"), found("wellness")) == ((0, 0, 0), (0, 0, 0), (1, 2, 1))
    shown = ehr.get(made.device).json()
    assert (shown["meta"]["versionId"], shown["property"][0]["valueCode"][0]["coding"][0]["code"]) == ("2", "Y")
    assert shown["udiCarrier"][0]["carrierHRF"] == made.udi
    before = ehr.get(f"{made.device}/_history/1").json()
    assert [tag["code"] for tag in before["meta"]["tag"]] == ["medical-device", "mdr-iia"]
    again = hub.invoke("product", "change", made.product, "--standing", "medical-device", "--class", "mdr-iib")
    assert (again.json()["standing"], again.json()["class"], again.json()["units"]) == ("medical-device", "mdr-iib", 2)
    assert found("mdr-iib") == (1, 2, 1)
    assert hub.invoke("product", "change", made.product, "--class", "none").json()["class"] is None
    assert (found("mdr-iib"), found("medical-device")) == ((0, 0, 0), (1, 2, 1))
    assert hub.invoke("product", "change", made.product, "--standing", "not-known").json()["units"] == 2
    assert "property" not in ehr.get(made.device).json()


def test_a_change_of_standing_that_was_interrupted_is_finished_by_giving_it_again(made: Made, running: Running, ehr: Caller) -> None:
    """The product is written first, then its units."""
    hub = running.process
    definition = ehr.get(hub.invoke("product", "show", made.product).json()["definition"]).json()
    tags = [{"system": STANDING, "code": "wellness", "display": "Wellness product"}, {"system": "urn:x", "code": "kept"}]
    ehr.update(definition, meta={**definition["meta"], "tag": tags})
    assert ehr.get(made.device).json()["meta"]["tag"][0]["code"] == "medical-device"
    given = ("product", "change", made.product, "--standing", "wellness")
    assert [hub.invoke(*given).json()["units"] for _ in range(2)] == [1, 0]
    assert ehr.get(made.device).json()["meta"]["tag"][0]["code"] == "wellness"
    kept = ehr.get(f"DeviceDefinition/{definition['id']}").json()["meta"]["tag"]
    assert {(tag["system"], tag["code"]) for tag in kept} == {(STANDING, "wellness"), ("urn:x", "kept")}


def test_of_two_who_change_a_standing_at_once_the_later_holds_for_the_units_too(
    made: Made, running: Running, ehr: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first has seen which units are behind when the second comes, and goes on when the second is done."""
    hub, seen = running.backstage.hub, list[list[str]]()

    async def overtaken(services: Services, definition: str, product: Product) -> list[str]:
        seen.append(await behind(services, definition, product))
        if len(seen) == 1:
            await Registry(hub, "second").change_product(made.product, {"standing": "not-known"})
        return seen[0] if len(seen) < 4 else []

    monkeypatch.setattr("hub.registry.behind", overtaken)
    running.backstage.run(Registry(hub, "first").change_product(made.product, {"standing": "wellness"}))
    monkeypatch.undo()
    assert seen[0] == [made.device]
    assert running.process.invoke("product", "show", made.product).json()["standing"] == "not-known"
    tags = ehr.get(made.device).json()["meta"].get("tag", ())
    assert not {tag["code"] for tag in tags} & {"wellness", "medical-device"}


def test_a_standing_that_cannot_be_is_refused(made: Made, running: Running) -> None:
    """A class is a medical device's; where the standing changes, it goes."""
    hub = running.process
    for flags in (["--standing", "sure"], ["--class", "mdr-iv"]):
        assert hub.invoke("product", "change", made.product, *flags).code == 2
    refused = hub.invoke("product", "change", made.product, "--standing", "wellness", "--class", "mdr-iia")
    assert (refused.code, "has a class" in refused.err) == (1, True)
    assert hub.invoke("product", "show", made.product).json()["standing"] == "medical-device"


def test_a_unit_is_shown_listed_and_retired(made: Made, running: Running, ehr: Caller) -> None:
    hub = running.process
    shown = hub.invoke("device", "show", "withings", made.unit).json()
    assert (shown["id"], shown["udiCarrier"][0]["carrierHRF"]) == (made.device.removeprefix("Device/"), made.udi)
    listed = {one["device"]: one for one in hub.invoke("device", "units", "--json").json()}
    mine = listed[made.device]
    assert (mine["product"], mine["status"], mine["paired"]) == (made.product, "active", None)
    one = ehr.create(patient())["id"]
    hub.invoke("device", "pair", "withings", made.unit, "--patient", f"Patient/{one}")
    worn = hub.invoke("device", "retire", "withings", made.unit)
    assert (worn.code, "unpair" in worn.err) == (1, True)
    hub.invoke("device", "unpair", "withings", made.unit)
    assert hub.invoke("device", "retire", "withings", made.unit).json()["status"] == "inactive"
    assert ehr.get(made.device).json()["status"] == "inactive"
    assert hub.invoke("device", "show", "withings", "nobody's").code == 1


def weight(unit: str, at_s: int, kg: int = 70) -> bytes:
    """A scale's reading as Withings sends it."""
    group = {
        "grpid": at_s,
        "attrib": 0,
        "date": at_s,
        "created": at_s,
        "category": 1,
        "deviceid": unit,
        "measures": [{"value": kg, "type": 1, "unit": 0}],
    }
    return orjson.dumps({"status": 0, "body": {"measuregrps": [group]}})
