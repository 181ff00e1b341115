"""What takes the place of a deleted resource, so that its versions go on and are never used twice.

https://hl7.org/fhir/R4/http.html#delete: a deleted resource may be brought back by an update, its history may be read.
"""

from hub import numbers
from hub.instants import fhir_instant
from hub.repository.reading import Opened
from hub.store.protocol import Stored
from hub.vault import Vault
from security.envelope import DataKey


def tombstone(opened: Opened, *, now_us: int, key: DataKey, vault: Vault) -> Stored:
    """The next version of what was opened, without content.

    Patient, named patients, tokens and times stay: by them and by the deleted content, sealed apart, it is decided who
    may know that there was something. The mark of a reading stays too: a device that sends it again brings nothing back.
    """
    old, version = opened.stored, opened.stored.version + 1
    meta = {"versionId": str(version), "lastUpdated": fhir_instant(now_us)}
    left = numbers.dumps({"resourceType": old.type, "id": opened.content["id"], "meta": meta})
    return old._replace(
        version=version,
        updated_us=now_us,
        sealed=vault.seal(key, old.type, old.id, version, old.patient, left),
        key_version=key.version,
        raw=None,
        revived=False,
        deleted=vault.seal(key, old.type, old.id, version, old.patient, opened.json, purpose="deleted"),
    )
