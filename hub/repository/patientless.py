"""What the hub itself stores about nobody: conformance resources, organisations, devices. Sealed with the system's key (DESIGN 5)."""

from collections.abc import Mapping
from typing import Any

from hub import numbers
from hub.repository.preparing import with_meta
from hub.search.index import index
from hub.services import Services
from hub.store.protocol import Stored
from security.envelope import DataKey


def patientless(services: Services, key: DataKey, row: str, version: int, content: Mapping[str, Any], id: str, now_us: int) -> Stored:
    """The row of one version; whether R4 allows its content is the caller's to check.

    row  where it lies, "Type/id"; the part behind the slash is keyed where the id was brought and not made
    id   of the resource, as it is read
    """
    type, row_id = row.split("/")
    made = with_meta(content, id, version, now_us)
    indexed = index(made, token=services.blind.token, patient_token=services.blind.patient, base=services.base_url)
    return Stored(
        type=type,
        id=row_id,
        version=version,
        updated_us=now_us,
        sealed=services.vault.seal(key, type, row_id, version, None, numbers.dumps(made)),
        key_version=key.version,
        tokens=tuple(sorted(indexed.k)),
        global_tokens=tuple(sorted(indexed.g)),
        start_us=indexed.start_us,
        end_us=indexed.end_us,
    )
