"""Where resources are sealed and opened: the right key, the right place, the right dictionary.

Everything stored passes through here, so that nothing can be sealed without being bound to where it lies (DESIGN 5).
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from hub.store.protocol import SYSTEM_KEY, Stored
from security.dictionaries import by_id, for_type
from security.envelope import DataKey, Purpose, aad, open_, seal
from security.keys import KeyRing

RULES_TYPE = "_rules"
PAIRING_TYPE = "_pairing"
QUARANTINE_TYPE = "_quarantine"
CONTENT_TYPE = "_content"
SPOOL_TYPE = "_spool"
NOTE_TYPE = "_note"
UNIT_TYPE = "_unit"
AUDIT_TYPE = "AuditEvent"

NOBODY: AbstractSet[bytes] = frozenset()


class Vault:
    """Seals and opens for the hub. Keys come from the ring; a patient's key exists from the patient's creation on."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def key(self, patient: bytes | None) -> DataKey:
        """The newest key of the patient, or the system's. Raises KeyError if the patient has none (erased)."""
        wanted = patient or SYSTEM_KEY
        return (await self._ring.get([wanted]))[wanted]

    async def keys(self, patients: Sequence[bytes | None]) -> Mapping[bytes | None, DataKey]:
        """Keys of several; who has none is missing."""
        found = await self._ring.get({patient or SYSTEM_KEY for patient in patients})
        return {patient: found[patient or SYSTEM_KEY] for patient in patients if (patient or SYSTEM_KEY) in found}

    async def keys_afresh(
        self, patients: Sequence[bytes], since: float, nobody: AbstractSet[bytes] = NOBODY
    ) -> Mapping[bytes | None, DataKey]:
        """As `keys`, in one question to the key store, however many are known; but for those that were asked of it since that `moment`.

        nobody  those among them that are known to have none
        """
        return dict((await self._ring.get_afresh(patients, since, nobody)).items()) if patients else {}

    def moment(self) -> float:
        """When something begins that will ask for keys."""
        return self._ring.moment()

    async def create_key(self, patient: bytes) -> DataKey:
        return (await self._ring.create([patient]))[patient]

    def seal(
        self, key: DataKey, type: str, id: str, version: int, patient: bytes | None, plain: bytes, *, purpose: Purpose = "resource"
    ) -> bytes:
        bound = aad(resource_type=type, id=id, version=version, patient=patient, key_version=key.version, purpose=purpose)
        return seal(key, bound, plain, for_type(type))

    def open(self, key: DataKey, stored: Stored) -> bytes:
        """The resource's JSON. Raises EnvelopeError if the row is not what was sealed, or lies where it was not put."""
        purpose: Purpose = "audit" if stored.type == AUDIT_TYPE else "resource"
        return self.open_sealed(key, stored.type, stored.id, stored.version, stored.patient, stored.sealed, purpose=purpose)

    def open_sealed(
        self, key: DataKey, type: str, id: str, version: int, patient: bytes | None, sealed: bytes, *, purpose: Purpose = "resource"
    ) -> bytes:
        bound = aad(resource_type=type, id=id, version=version, patient=patient, key_version=key.version, purpose=purpose)
        return open_(key, bound, sealed, by_id)

    def open_deleted(self, key: DataKey, stored: Stored, deleted: bytes) -> bytes:
        """The JSON of what was deleted, from its tombstone."""
        return self.open_sealed(key, stored.type, stored.id, stored.version, stored.patient, deleted, purpose="deleted")

    def seal_rules(self, key: DataKey, patient: bytes, version: int, plain: bytes) -> bytes:
        return self.seal(key, RULES_TYPE, patient.hex(), version, patient, plain, purpose="rules")

    def open_rules(self, key: DataKey, patient: bytes, version: int, sealed: bytes) -> bytes:
        return self.open_sealed(key, RULES_TYPE, patient.hex(), version, patient, sealed, purpose="rules")
