"""ANS "Mesures de santé" 3.1.1 as rows: profiles in both spellings, names of codes, moments of a glucose value.

https://interop.esante.gouv.fr/ig/fhir/mesures; the names are those of its list of codes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.fhir.terms import ANS_LOINC
from fhir_profiles.canonical import LOINC

BASES = (
    "https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/",
    "http://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/",
    "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/",
)
"""Of profiles and extensions: since release 3.0, with and without TLS in its name, and before."""
PHD_DEVICE = "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdDevice"


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile by its id and by its older name, with the measures that it is for."""

    id: str
    name: str
    measures: tuple[str, ...]


GLUCOSE = "mesures-observation-glucose"
BMI = "mesures-fr-observation-bmi"
PROFILES = (
    Profile("mesures-fr-observation-body-weight", "MesFrObservationBodyWeight", ("body-weight",)),
    Profile("mesures-fr-observation-bodyheight", "MesFrObservationBodyHeight", ("body-height",)),
    Profile("mesures-fr-observation-heartrate", "MesFrObservationHeartrate", ("heart-rate",)),
    Profile("mesures-fr-observation-bp", "MesFrObservationBp", ("blood-pressure",)),
    Profile("mesures-fr-observation-body-temperature", "MesFrObservationBodyTemperature", ("body-temperature",)),
    Profile("mesures-fr-observation-oxygen-sat", "MesFrObservationOxygenSat", ("oxygen-saturation",)),
    Profile("mesures-fr-observation-resp-rate", "MesFrObservationRespRate", ("respiratory-rate",)),
    Profile(BMI, "MesFrObservationBmi", ("body-mass-index",)),
    Profile(GLUCOSE, "MesObservationGlucose", ("glucose-blood", "glucose-interstitial", "glucose-management-indicator")),
    Profile("mesures-observation-hb1ac", "MesObservationHb1Ac", ("hba1c",)),
    Profile("mesures-observation-head-circumference", "MesObservationHeadCircumference", ("head-circumference",)),
    Profile("mesures-observation-pain-severity", "MesObservationPainSeverity", ("pain-severity",)),
    Profile("mesures-observation-steps-by-day", "MesObservationStepsByDay", ("steps-per-day",)),
    Profile("mesures-observation-waist-circumference", "MesObservationWaistCircumference", ("waist-circumference",)),
)
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
OWN_CODES: Mapping[str, str] = MappingProxyType({"C159776": "glucose-interstitial"})
"""Codes of the NCI Thesaurus."""
REVISED_CODES: Mapping[str, str] = MappingProxyType({"8287-5": "head-circumference"})
"""A head measured with a tape; the measure's own code, of R4's profile, does not say with what."""
INDICATOR = "glucose-management-indicator"
"""What 4548-4 means under the profile of glucose: an estimate of HbA1c, worked out from days of sensor values."""

MOMENT = frozenset({"mesures-moment-of-measurement", "MesMomentOfMeasurement", "ENS_MomentOfMeasurement", "mes-moment-of-measurement"})
DAYS = frozenset({"mesures-number-of-days", "MesNumberOfDays", "ENS_NumberOfDays", "mes-number-of-days"})
MEALS: Mapping[str, str] = MappingProxyType({"16915-1": "8417872", "53049-3": "8417876", "88365-2": "8417868"})
"""JDV_J157 -> the meal in MDC: after it, fasting, before it. After exercise, feeling unwell and others are no meal."""

CONDITION = re.compile(r"identifier=urn:oid:(?P<oid>[0-9]+(?:\.[0-9]+)+)\|(?P<value>[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*)", re.ASCII)
"""The published form of `ifNoneExist`."""
OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
