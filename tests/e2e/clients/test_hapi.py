"""The HAPI FHIR client (Java), unchanged, against a running hub. https://hl7.org/fhir/R4/http.html"""

from hashlib import sha256
from pathlib import Path

from tests.e2e.clients.given import HERE, RUN_S, STEPS, environment, need, once, run, steps_of
from tests.support.caller import Caller

SOURCE = HERE / "hapi"
COPY = ["mvn", "-q", "-B", "-f", str(SOURCE / "pom.xml"), "dependency:copy-dependencies"]


def checksums() -> dict[str, str]:
    """File name -> SHA-256 of every jar that the pinned versions stand for."""
    lines = (SOURCE / "checksums.txt").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def installed(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}


def test_the_hapi_client_works_unchanged(ehr: Caller) -> None:
    """DESIGN 1: EHR systems read and write FHIR R4; with the client they have. Not one jar runs that is not the one we looked at."""
    need("java", "javac", "mvn")
    with once("hapi") as folder:
        jars = folder / "jars"
        if installed(jars) != checksums():
            run([*COPY, f"-DoutputDirectory={jars}"], folder)
        assert installed(jars) == checksums()
        output = run(["java", "-cp", f"{jars}/*", str(SOURCE / "HubClient.java")], folder, RUN_S, **environment(ehr))
    assert steps_of(output) == list(STEPS)
