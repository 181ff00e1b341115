"""HL7's own example resources of R4, from the package of their test cases (org.hl7.fhir.testcases:fhir-test-cases, Apache-2.0).

It is named by version and checksum, brought by Maven into the cache of the foreign clients, and read from there: nothing of it is
kept in this repository.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.xml import from_xml
from hub import numbers
from tests.e2e.clients.given import need, once, run

Json = dict[str, Any]

HERE: Final = Path(__file__).parent
COPY: Final = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies", "-DexcludeTransitive=true"]
CASES: Final = "org/hl7/fhir/testcases/r4/"

NO_RESOURCE: Final = re.compile(r"(?:graphql|liquid|patch|fhirpath|graphdefinition)/.*|.*\.(?!json$|xml$)[a-z]+")
"""Scripts of tests and what they expect, in formats of their own; files that are neither JSON nor XML."""

WRONG: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bundle-with-no-type.json": "a test of its name: Bundle.type is missing",
        "codesystem-example.xml": "one code is defined twice (csd-1)",
        "examples/codesystem-example.json": "one code is defined twice (csd-1)",
        "examples/bundle-questionnaire.json": "a Questionnaire whose items have no linkId",
        "examples/devicemetric-example.json": "parent is a DeviceDefinition, R4 allows a Device",
        "examples/deviceusestatement-example.json": "reasonReference is of a type that R4 does not allow",
        "examples/medicationrequest0301.json": "dispenseRequest.performer is a Practitioner, R4 allows an Organization",
        "explanationofbenefit-example.json": "of an earlier version: status, type, use and others are missing",
        "myconsent-ext.xml": "of an earlier version: elements that R4 does not have",
        "myconsent-resource.json": "of an earlier version: Consent.period",
        "patient-container-example.json": "an Organization without name or identifier (org-1), referred to without #",
        "patient-name-extensions.json": "_given is shorter than given",
        "r4-caredove-bundle.json": "ids that are none, an empty array",
    }
)
"""Files that R4 itself does not allow, and what is wrong with each."""


def jars() -> Path:
    """The folder of the packages, fetched once. Skips where Maven is not there; fails where they are not those we looked at."""
    need("mvn", "java")
    with once("examples") as folder:
        jars = folder / "jars"
        if _found(jars) != _expected():
            run([*COPY, f"-DoutputDirectory={jars}"], folder)
        assert _found(jars) == _expected()
    return jars


def cases() -> zipfile.ZipFile:
    """The package of the test cases, open."""
    return zipfile.ZipFile(next(jars().glob("fhir-test-cases-*.jar")))


def examples() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file of the test cases for R4 that holds one resource, right or wrong."""
    with cases() as archive:
        for name in sorted(archive.namelist()):
            short = name.removeprefix(CASES)
            if name.startswith(CASES) and not name.endswith("/") and NO_RESOURCE.fullmatch(short) is None:
                yield short, archive.read(name)


def read(name: str, body: bytes) -> Json:
    return numbers.loads(body) if name.endswith(".json") else from_xml(body, decimal=numbers.number)


def _expected() -> dict[str, str]:
    return {name: digest for digest, name in map(str.split, (HERE / "checksums.txt").read_text().splitlines())}


def _found(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}
