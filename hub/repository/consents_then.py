"""What patients permitted at moments that have passed, as their Consents stood then: what was measured while a consent was withdrawn.

The decision about a resource is by the consents of now (DESIGN 6). Whoever fetches by itself what lies elsewhere asks besides whether the
patient had withdrawn it at the time: what somebody kept to themselves then is not caught up on afterwards.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from hub.errors import FhirError
from hub.repository.visibility import PatientRules, Visibility
from hub.search.index import TYPE
from hub.services import Services
from hub.store.protocol import Histories, Stored
from security.consent import Rule, rules_of

VERSIONS_MAX: Final = 10_000
"""Of one patient's Consents."""
BATCH_ROWS: Final = 200
ALWAYS_US: Final = -(2**62)
"""Before any Consent was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """From `from_us` on, until the next one, these rules stood."""

    from_us: int
    rules: PatientRules


class ConsentsThen:
    """For one caller who collects."""

    def __init__(self, services: Services, visibility: Visibility) -> None:
        self._services = services
        self._visibility = visibility
        self._eras: dict[bytes, Sequence[Era]] = {}

    async def load(self, rules: Mapping[bytes, PatientRules | None]) -> None:
        """Of these patients, by their rules of now. Raises FhirError too-costly."""
        self._eras = {patient: await self._read(patient, now) for patient, now in rules.items() if now is not None}

    def has_changed(self, patient: bytes) -> bool:
        """Did the patient ever say anything? If not, nothing was withdrawn."""
        return len(self._eras.get(patient, ())) > 1

    def withdrawn_during(self, patient: bytes, content: Mapping[str, Any], start_us: int, end_us: int) -> bool:
        """At the beginning or at the end of what was measured, the end exclusive."""
        return any(self.withdrawn(patient, content, at_us) for at_us in {start_us, max(start_us, end_us - 1)})

    def withdrawn(self, patient: bytes, content: Mapping[str, Any], at_us: int) -> bool:
        """Was this resource not to be collected at the moment, when it had been before?"""
        eras = self._eras.get(patient, ())
        place = bisect_right([era.from_us for era in eras], at_us) - 1
        if place < 1 or self._permits(eras[place], content, at_us):
            return False
        return any(self._permits(era, content, era.from_us) for era in eras[:place])

    def _permits(self, era: Era, content: Mapping[str, Any], at_us: int) -> bool:
        return self._visibility.decide(era.rules, content, "collect", at_us).permit

    async def _read(self, patient: bytes, now: PatientRules) -> Sequence[Era]:
        found: list[tuple[int, str, tuple[Rule, ...]]] = []
        key, of_type = await self._services.vault.key(patient), self._services.blind.token(TYPE, "Consent")
        async with self._services.store.snapshot() as snapshot:
            # By the names of its rows, whoever else they name (a parent who gave it): over all Consents it would be a look at everybody's.
            for row in sorted(await snapshot.rows_ever("Consent", of_type, patient)):
                async with aclosing(snapshot.history(Histories(row=row, descending=False), BATCH_ROWS)) as versions:
                    async for stored, _ in versions:
                        if len(found) >= VERSIONS_MAX:
                            raise FhirError("too-costly", f"This patient has more than {VERSIONS_MAX} versions of Consents.")
                        found.append((stored.updated_us, stored.row, self._rules(stored, key)))
        return eras_of(sorted(found, key=lambda one: one[:2]), now)

    def _rules(self, stored: Stored, key: Any) -> tuple[Rule, ...]:
        if stored.deleted is not None:
            return ()
        content = orjson.loads(self._services.vault.open(key, stored))
        return rules_of(content, id=content["id"], version=str(stored.version))


def eras_of(versions: Iterable[tuple[int, str, tuple[Rule, ...]]], now: PatientRules) -> Sequence[Era]:
    """From versions of Consents, oldest first: when each was written, which one it is, and what it says. A rule that begins or ends by
    itself begins an era, too.
    """
    stood: dict[str, tuple[Rule, ...]] = {}
    eras = [Era(from_us=ALWAYS_US, rules=replace(now, rules=()))]
    for written_us, row, said in versions:
        stood[row] = said
        rules = replace(now, rules=tuple(rule for each in stood.values() for rule in each))
        eras.append(Era(from_us=written_us, rules=rules))
    return [part for era, end_us in zip(eras, [*(one.from_us for one in eras[1:]), 2**62], strict=True) for part in _parts(era, end_us)]


def _parts(era: Era, end_us: int) -> list[Era]:
    turns = {us for rule in era.rules.rules for us in (rule.start_us, rule.end_us) if era.from_us < us < end_us}
    return [era, *(replace(era, from_us=us) for us in sorted(turns))]
