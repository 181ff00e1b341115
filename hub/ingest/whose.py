"""Whether a payload contradicts a pairing about whose a reading is. docs/adr/0019

The pairing decides whose it is, whatever the payload says. But where the payload gives an identifier of a system in which the hub
knows the paired patient under another one, the unit has changed hands or was paired wrongly: storing would put one person's values
into the record of another.
"""

import hashlib
from collections.abc import Iterable, Mapping

from adapters.reading import Whose
from hub import numbers
from hub.ingest.wearing import Binding
from hub.services import Services

Known = Mapping[str, frozenset[str]]
"""System of an identifier -> digests of the values that a patient has in it."""


async def known_by(services: Services, bindings: Iterable[Binding]) -> dict[bytes, Known]:
    """The identifiers of each patient who may be meant; of one who is not there, none."""
    known: dict[bytes, Known] = {}
    for patient, id in {one.patient: one.patient_reference.removeprefix("Patient/") for one in bindings}.items():
        rows = await services.store.currents([f"Patient/{one}" for one in sorted(services.row_ids("Patient", id))])
        found = [stored for stored in rows.values() if stored.patient == patient]
        key = await services.vault.key(patient) if found else None
        contents = [] if key is None else [numbers.loads(services.vault.open(key, stored)) for stored in found]
        known[patient] = _digests(one for content in contents for one in content.get("identifier", ()))
    return known


def contradicts(said: Iterable[Whose], known: Known) -> bool:
    """Does one of the identifiers lie in a system in which the patient has others only? What is not known contradicts nothing."""
    return any(known.get(one.system) and one.digest not in known[one.system] for one in said)


def _digests(identifiers: Iterable[Mapping[str, str]]) -> Known:
    found: dict[str, set[str]] = {}
    for one in identifiers:
        if one.get("system") and one.get("value"):
            found.setdefault(one["system"], set()).add(hashlib.sha256(one["value"].strip().encode()).hexdigest())
    return {system: frozenset(values) for system, values in found.items()}
