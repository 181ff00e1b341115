"""fhir-kit-client (npm), unchanged, against a running hub. https://hl7.org/fhir/R4/http.html"""

import shutil

from tests.e2e.clients.given import HERE, RUN_S, STEPS, environment, need, once, run, steps_of
from tests.support.caller import Caller

SOURCE = HERE / "fhir_kit_client"


def test_fhir_kit_client_works_unchanged(ehr: Caller) -> None:
    """DESIGN 1: EHR systems read and write FHIR R4; with the client they have. `npm ci` installs what the lock file pins, by its hashes."""
    need("node", "npm")
    with once("fhir_kit_client") as folder:
        for name in ("package.json", "package-lock.json", "client.mjs"):
            shutil.copy(SOURCE / name, folder / name)
        if not (folder / "node_modules" / ".package-lock.json").exists():
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        output = run(["node", "client.mjs"], folder, RUN_S, **environment(ehr))
    assert steps_of(output) == list(STEPS)
