"""ANS "Mesures de santé" 3.1.1 as rows: profiles in both spellings, names of codes, moments of a glucose value.

https://interop.esante.gouv.fr/ig/fhir/mesures; the names are those of its list of codes.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.fhir.terms import ANS_LOINC
from fhir_profiles.canonical import LOINC
from fhir_profiles.shapes.tables import (
    ANS_EXTENSIONS,
    ANS_MEASURES,
    ANS_MOMENT_OF_MEAL,
    ANS_OLDER_PROFILES,
    ANS_PROFILES,
    PHD_PROFILES,
)

BASES = (ANS_PROFILES, ANS_PROFILES.replace("https:", "http:"), *ANS_OLDER_PROFILES)
"""Of profiles and extensions: since release 3.0, with and without TLS in its name, and before."""
PHD_DEVICE = f"{PHD_PROFILES}PhdDevice"
OLDER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "mesures-fr-observation-oxygen-sat": "MesFrObservationOxygenSat",
        "mesures-fr-observation-resp-rate": "MesFrObservationRespRate",
        "mesures-observation-hb1ac": "MesObservationHb1Ac",
    }
)
"""Of profiles that came with release 3.0: what senders of the older form call them, as they would have been called."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile by its id and by its older name, with the measures that it is for."""

    id: str
    name: str
    measures: tuple[str, ...]


def _profiles() -> Iterator[Profile]:
    """Those of the table that is written by, too: one profile may be for several measures."""
    for url in dict.fromkeys(row.profile for row in ANS_MEASURES):
        rows = [row for row in ANS_MEASURES if row.profile == url]
        id = url.removeprefix(ANS_PROFILES)
        older = next((one for row in rows for one in row.older), "").rpartition("/")[2]
        yield Profile(id, older or OLDER_NAMES[id], tuple(row.key for row in rows))


GLUCOSE = "mesures-observation-glucose"
BMI = "mesures-fr-observation-bmi"
PROFILES = tuple(_profiles())
BY_NAME: Mapping[str, Profile] = MappingProxyType(
    {name: row for row in PROFILES for name in (row.id, row.name, row.name.replace("Mes", "ENS_", 1))}
)
MEASURES = tuple(sorted({measure for row in PROFILES if row.id != BMI for measure in row.measures} | {"glucose-context-meal"}))

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "poids corporel": "29463-7",
        "taille": "8302-2",
        "fréquence cardiaque": "8867-4",
        "pression artérielle": "85354-9",
        "tension artérielle systolique": "8480-6",
        "tension artérielle diastolique": "8462-4",
        "température corporelle": "8310-5",
        "indice de masse corporelle (imc)": "39156-5",
        "tour de taille": "8280-0",
        "glucose sanguin": "2339-0",
        "nombre de pas quotidien": "41950-7",
        "niveau de douleur": "72514-3",
        "périmètre cranien": "8287-5",
        "périmètre crânien": "8287-5",
    }
)
"""Names that the list of codes has, in lower case."""

BMI_CODE = "39156-5"
HBA1C_CODE = "4548-4"
BLOOD_CODE = "2339-0"
LOINC_SYSTEMS = frozenset({LOINC, ANS_LOINC})
NCIT_SYSTEMS = frozenset(
    {"http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl", "https://mos.esante.gouv.fr/NOS/TRE_R307-NCIT/FHIR/TRE-R307-NCIT"}
)
OWN_CODES: Mapping[str, str] = MappingProxyType(
    {coding.code: row.key for row in ANS_MEASURES for coding in row.beside if coding.system in NCIT_SYSTEMS}
)
"""Codes of the NCI Thesaurus."""
REVISED_CODES: Mapping[str, str] = MappingProxyType({"8287-5": "head-circumference"})
"""A head measured with a tape; the measure's own code, of R4's profile, does not say with what."""
INDICATOR = "glucose-management-indicator"
"""What 4548-4 means under the profile of glucose: an estimate of HbA1c, worked out from days of sensor values."""


def _extension(kind: str, *older: str) -> frozenset[str]:
    return frozenset({ANS_EXTENSIONS[kind].removeprefix(ANS_PROFILES), *older})


MOMENT = _extension("moment", "MesMomentOfMeasurement", "ENS_MomentOfMeasurement", "mes-moment-of-measurement")
DAYS = _extension("days", "MesNumberOfDays", "ENS_NumberOfDays", "mes-number-of-days")
_SAID = Counter(ANS_MOMENT_OF_MEAL.values())
MEALS: Mapping[str, str] = MappingProxyType({moment: meal for meal, moment in ANS_MOMENT_OF_MEAL.items() if _SAID[moment] == 1})
"""JDV_J157 -> the meal in MDC: after it, fasting, before it. After exercise, feeling unwell and others are no meal."""

CONDITION = re.compile(r"identifier=urn:oid:(?P<oid>[0-9]+(?:\.[0-9]+)+)\|(?P<value>[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*)", re.ASCII)
"""The published form of `ifNoneExist`."""
OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
