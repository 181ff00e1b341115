"""The payloads there are for each adapter: fixtures of our own, and real samples beside the checkout."""

from collections.abc import Mapping
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "adapters" / "fixtures"
BESIDE = (".fhir.json", ".expected.json", ".context.json", ".names.json", "exemptions.json")
"""Ends of the names of what stands beside a fixture: the FHIR that it becomes, and what the conformance kit is told of it."""
SAMPLES_OF: Mapping[str, tuple[str, ...]] = {
    "cied": ("fhir-cied/Observation-IDCOExample2.json",),
    "pocd": ("fhir-pocd/Observation-ECGSampleArrayObservation.xml",),
    "phd": (
        "fhir-phd/coin-example-timefault.json",
        "fhir-phd/compound-numeric-blood-pressure.json",
        "fhir-phd/glucose-observation.json",
        "fhir-phd/numeric-observation-not-a-number.json",
        "fhir-phd/rtsa-example.json",
    ),
    "aecg": ("aecg/minimum_aecg.xml",),
    "withings": ("withings/getmeas.json", "withings/getmeas-positions.json", "withings/withings-body-measures.json"),
    "open-mhealth": ("open-mhealth/omh_blood-pressure_4-0.json", "open-mhealth/blood-pressure-4.0-descriptive-statistic.json"),
    "libreview": ("libreview-csv/libre3-synthetic-head.csv",),
    "tidepool": ("tidepool/cbg-input.json", "tidepool/cbg-output.json", "tidepool/deviceEvent-input.json"),
    "dexcom-clarity": ("dexcom-clarity-csv/clarity-synthetic-head.csv",),
    "nightscout": ("nightscout/entries-sgv.json",),
    "librelinkup": ("librelinkup/graph.json",),
    "edf": ("edf/SC4001EC-Hypnogram.edf", "edf/short_psg.edf"),
    "apple-health": ("apple-health/export.xml",),
    "pcd01": ("hl7v2-pcd01/monitor-ihe-pcd01.hl7",),
    "oru": ("hl7v2-oru/ORU-R01-01.hl7",),
    "fit": ("fit/WeightScaleSingleUser.fit", "fit/MonitoringFile.fit"),
    "fitbit": ("fitbit/fitbit-activities-heart-1d-1m-intraday.json",),
    "google-fit": ("google-fit/googlefit-merge-heart-rate.json",),
    "ihealth": ("ihealth/ihealth-bp.json",),
    "withings-sleep": ("withings/withings-sleep-summary.json",),
}
"""Real payloads by adapter, as paths below the folder of samples."""


def fixtures(folder: str = "*") -> list[Path]:
    """The fixtures of one adapter's folder, or of all."""
    return sorted(path for path in FIXTURES.glob(f"{folder}/*") if not path.name.endswith(BESIDE))
