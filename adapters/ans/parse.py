"""ANS Bundles -> readings. The checks are those of the guide's table of errors (422), in its order."""

from collections.abc import Iterable, Iterator
from typing import Any

from adapters import json_payload
from adapters.ans.mapping import (
    BASES,
    BMI,
    BMI_CODE,
    BY_NAME,
    CONDITION,
    DAYS,
    GLUCOSE,
    HBA1C_CODE,
    INDICATOR,
    LOINC_SYSTEMS,
    MEALS,
    MOMENT,
    NAMES,
    NCIT_SYSTEMS,
    OID,
    OWN_CODES,
    PHD_DEVICE,
    REVISED_CODES,
    Profile,
)
from adapters.contract import Unreadable
from adapters.device_facts import DeviceFacts
from adapters.fhir import devices, items, keep
from adapters.fhir.bundle import BUNDLE, Bundle, Entry, bundles
from adapters.fhir.observation import Reader, Shape
from adapters.fhir.terms import Term, codings, measures_of
from adapters.json_fields import word
from adapters.json_values import Json, listed, part
from adapters.reading import Coded, Item, Value
from adapters.refusal import ItemRefused
from fhir_profiles.canonical import MDC
from fhir_profiles.catalogue import MEASURES

POST = "POST"


class Fault(ItemRefused):
    """A refusal with its place in the payload; for good, as a 422 is."""

    def __init__(self, code: str, hint: str, at: str) -> None:
        super().__init__(code, hint, keep=False)
        self.at = at


def parse(payload: bytes) -> Iterable[Item]:
    """Read one Bundle or a list of them. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    if type(document) is dict and document.get("resourceType") != BUNDLE:
        raise Unreadable("no-bundle", "Send a Bundle of type transaction, with an Observation and the Device that measured.")
    return _items(bundles(document))


def device_facts(payload: bytes) -> Iterable[DeviceFacts]:
    """Raises Unreadable before the first fact."""
    return items.parse_facts(payload, identify)


def identify(fields: Json) -> str | None:
    """`urn:oid:…|value`, as `ifNoneExist` has it: each editor's identifiers lie under an OID of its own."""
    return next((f"{system}|{value}" for system, value in devices.identifiers(fields) if OID.fullmatch(system)), None)


def _items(found: Iterable[Bundle]) -> Iterator[Item]:
    for bundle in found:
        yield from _read(bundle)


def _read(bundle: Bundle) -> Iterator[Item]:
    observations = list(bundle.of_type("Observation"))
    try:
        check_structure(bundle, observations)
        check_observation(bundle, observations[0])
    except Fault as fault:
        raw = keep.bare(observations[0] if observations else Entry(pointer="", resource={"resourceType": BUNDLE}))
        yield fault.item(pointer=fault.at or "/entry", raw=raw)
        return
    yield from Reader(bundle, observations[0], SHAPE).items()


def check_structure(bundle: Bundle, observations: list[Entry]) -> None:
    """Raises Fault for what the guide calls errors of structure and of the link."""
    if bundle.kind is None:
        raise Fault("no-bundle", "Send a Bundle of type transaction, with an Observation and the Device that measured.", bundle.pointer)
    if bundle.kind != "transaction":
        raise Fault("bundle-not-transaction", "`type` of the Bundle must be transaction.", f"{bundle.pointer}/type")
    for entry in bundle.entries:
        if entry.type not in {"Observation", "Device"} or entry.request.get("method") != POST or entry.request.get("url") != entry.type:
            raise Fault("resource-not-supported", "Only Observation and Device are taken, by POST to their type.", entry.pointer)
    owned = list(bundle.of_type("Device"))
    if len(owned) != 1 or not word(dict(owned[0].request), "ifNoneExist"):
        at = owned[-1].pointer if owned else f"{bundle.pointer}/entry"
        raise Fault("device-creation-missing", "There must be one conditional creation of a Device (POST with ifNoneExist).", at)
    check_condition(owned[0])
    if len(observations) != 1:
        raise Fault("observation-creation-missing", "There must be one creation of an Observation (POST).", f"{bundle.pointer}/entry")


def check_condition(device: Entry) -> None:
    """Raises Fault unless `ifNoneExist` has the published form and names the Device that is sent."""
    at = f"{device.pointer.removesuffix('/resource')}/request/ifNoneExist"
    form = CONDITION.fullmatch(device.request["ifNoneExist"])
    if form is None:
        raise Fault("device-condition-invalid", "`ifNoneExist` must be identifier=urn:oid:<OID>|<id of the device>.", at)
    named = [system for system, value in devices.identifiers(device.resource) if value == form["value"] and OID.fullmatch(system)]
    if not any(_related(system.removeprefix("urn:oid:"), form["oid"]) for system in named):
        raise Fault("device-condition-mismatch", "`ifNoneExist` must name an identifier of the Device that is sent.", at)


def _related(one: str, other: str) -> bool:
    """Equal, or one lies under the other."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def check_observation(bundle: Bundle, entry: Entry) -> None:
    """Raises Fault for what the guide calls errors of the link, of the Observation and of the Device."""
    fields, at = entry.resource, entry.pointer
    device = next(bundle.of_type("Device"))
    if entry.full_url is None:
        raise Fault("full-url-missing", "The entry of the Observation needs a `fullUrl`.", f"{at.removesuffix('/resource')}/fullUrl")
    if not word(part(fields, "device"), "reference"):
        raise Fault("device-reference-missing", "`Observation.device.reference` is mandatory.", f"{at}/device")
    if bundle.follow(fields["device"], inside=fields) is not device.resource:
        raise Fault("device-not-linked", "`Observation.device.reference` must be Device/ and the `id` of the Device sent.", f"{at}/device")
    profile = check_profile(fields, at)
    check_source(fields, at)
    check_value(fields, at)
    if profile.id == BMI or _has(fields, LOINC_SYSTEMS, BMI_CODE):
        raise Fault("bmi-refused", "A body mass index is worked out by the server and cannot be created.", f"{at}/code")
    identified = part(part(fields, "subject"), "identifier")
    if not word(identified, "value") and "_value" not in identified:
        raise Fault("subject-identifier-missing", "`Observation.subject.identifier` is mandatory.", f"{at}/subject")
    if profile.id == GLUCOSE:
        check_glucose(fields, at)
    if PHD_DEVICE not in _profiles(device.resource):
        raise Fault("device-profile-missing", "The Device must have PhdDevice in `meta.profile`.", f"{device.pointer}/meta/profile")


def check_profile(fields: Json, at: str) -> Profile:
    """The profile of the guide that is claimed, in any of its spellings, if it is one for the code. Raises Fault."""
    given = _profiles(fields)
    known = [row for url in given if (row := profile_of(url)) is not None]
    if not known:
        code = "observation-profile-unknown" if given else "observation-profile-missing"
        raise Fault(code, "The Observation must have a profile of the guide in `meta.profile`.", f"{at}/meta/profile")
    try:
        terms = {term.measure for term in _terms(fields)}
    except ItemRefused:
        return known[0]  # the reader says it, with what is wrong
    if terms.isdisjoint(known[0].measures):
        raise Fault("profile-code-mismatch", "The code is not one of the profile that `meta.profile` claims.", f"{at}/code")
    return known[0]


def profile_of(url: str) -> Profile | None:
    """The row of a profile by its address, in any spelling, with a version behind it or without."""
    return next((BY_NAME.get(name) for base in BASES if (name := url.partition("|")[0].removeprefix(base)) != url.partition("|")[0]), None)


def check_source(fields: Json, at: str) -> None:
    """Whose software it was; which OIDs are the sender's, the adapter does not know. Raises Fault."""
    source = part(fields, "meta").get("source")
    if source is not None and (type(source) is not str or OID.fullmatch(source) is None):
        raise Fault("source-not-an-oid", "`meta.source`, if it is there, is the OID of the software: urn:oid:…", f"{at}/meta/source")


def check_value(fields: Json, at: str) -> None:
    """An Observation without value is refused; a blood pressure has it in each component. Raises Fault."""
    parts = [one for one in listed(fields, "component") if type(one) is dict]
    if not all(type(one.get("valueQuantity")) is dict for one in parts or [fields]):
        raise Fault("value-quantity-missing", "An Observation without `valueQuantity` is refused.", f"{at}/valueQuantity")


def check_glucose(fields: Json, at: str) -> None:
    """A moment for glucose in blood, a number of days for what is measured over days; not the other way round. Raises Fault."""
    try:
        blood = any(term.measure == "glucose-blood" for term in _terms(fields))
    except ItemRefused:
        return
    for names, wanted, what in ((MOMENT, blood, "moment"), (DAYS, not blood, "days")):
        there = _extension(fields, names) is not None
        if there != wanted:
            code = f"glucose-{what}-missing" if wanted else f"glucose-{what}-not-allowed"
            need = "needs" if wanted else "cannot have"
            what_for = "in blood" if blood else "in interstitial fluid, or its indicator,"
            raise Fault(code, f"Glucose {what_for} {need} the extension for the {EXTENDED[what]}.", f"{at}/extension")


EXTENDED = {"moment": "moment of the measurement", "days": "number of days"}


def _profiles(fields: Json) -> list[str]:
    return [url for url in listed(part(fields, "meta"), "profile") if type(url) is str]


def _extension(fields: Json, names: frozenset[str]) -> tuple[int, Json] | None:
    """The first of these that says something: one without a value that is kept is not there."""
    wanted = {f"{base}{name}" for base in BASES for name in names}
    found = ((index, one) for index, one in enumerate(listed(fields, "extension")) if type(one) is dict)
    return next(((index, one) for index, one in found if word(one, "url") in wanted and keep.extensions({"extension": [one]})), None)


def _has(fields: Json, systems: frozenset[str], code: str) -> bool:
    return any(coding["system"] in systems and coding["code"] == code for coding in codings(fields.get("code")))


def _terms(fields: Json) -> tuple[Term, ...]:
    own = _own(fields)
    return (own,) if own is not None else measures_of(fields.get("code"), names=NAMES)


def _own(fields: Json) -> Term | None:
    """Codes that the catalogue does not have, or that mean something else under a profile of this guide."""
    for coding in codings(fields.get("code")):
        key = OWN_CODES.get(coding["code"]) if coding["system"] in NCIT_SYSTEMS else None
        if coding["system"] in LOINC_SYSTEMS:
            key = REVISED_CODES.get(coding["code"])
            if coding["code"] == HBA1C_CODE and any(row is not None and row.id == GLUCOSE for row in map(profile_of, _profiles(fields))):
                key = INDICATOR
        if key is not None:
            return Term(key, None, MEASURES[key])
    return None


def _meal(fields: Json) -> list[tuple[str, str, Value]]:
    """The moment of a glucose value as a reading of its own, where it is one of meals."""
    found = _extension(fields, MOMENT)
    if found is None:
        return []
    row = MEASURES["glucose-context-meal"]
    codes = [MEALS[one["code"]] for one in codings(_concept(found[1])) if one["system"] in LOINC_SYSTEMS and one["code"] in MEALS]
    return [(f"/extension/{found[0]}", row.key, Coded(system=MDC, code=code, display=row.codes[MDC, code])) for code in codes[:1]]


def _concept(extension: Json) -> Any:
    return extension.get("valueCodeableConcept")


SHAPE = Shape(identify=identify, names=NAMES, measure=_own, besides=_meal)
