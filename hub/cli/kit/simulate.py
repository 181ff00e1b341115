"""Simulated payloads into files, or to a hub: patients made, devices paired, each answer held against what was expected."""

import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from adapters.kit.checks.simulation import sender_names
from adapters.kit.simulation import TIME_ZONE, Batch, Plan, batches
from hub.cli.prover import Prover
from hub.cli.token import fetch_token
from hub.instants import now_us
from hub.operator import Operator
from hub.wiring import Hub

TIMEOUT_S: Final = 120
TOKEN_S: Final = 200
"""A token lives for five minutes; a new one is asked for before."""
TRIES_MAX: Final = 20
WAIT_S_MAX: Final = 30
PATIENTS: Final = "urn:hds-hub:simulated"
"""Identifier.system of patients who do not exist."""
REASON: Final = "simulation"
SUFFIXES: Final[Mapping[str, str]] = {"text/csv": "csv", "application/json": "json", "application/x-ndjson": "ndjson"}


class SendingFailed(Exception):
    """The hub answered something that stops the simulation; says what."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was expected of one kind of batch, and what came; `why` has the codes of what was not expected."""

    batches: int = 0
    expected: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    why: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Batch, items: Sequence[Mapping[str, Any]]) -> None:
        found = Counter(str(item["fate"]) for item in items)
        self.batches += 1
        self.found.update(found)
        if batch.expected is None:
            wrong = bool(found["stored"] or found["corrected"])
        else:
            self.expected.update(batch.expected)
            wrong = dict(found) != dict(batch.expected)
        self.wrong += wrong
        self.why.update(str(item["code"]) for item in items if wrong and item.get("code"))


def write_files(plan: Plan, folder: Path) -> list[Path]:
    """One file a batch, and expected.json with the fates of each."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = SUFFIXES.get(plan.adapter.manifest.media_types[0], "bin")
    made, expected = [], {}
    for number, batch in enumerate(batches(plan), start=1):
        path = folder / f"{number:05}-patient-{batch.patient}-{batch.what}.{suffix}"
        path.write_bytes(batch.payload)
        expected[path.name] = batch.expected
        made.append(path)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    return made


class Sender:
    """One client, over HTTP as a vendor would."""

    def __init__(self, http: httpx.Client, base_url: str, client_id: str, key: Path, prover: Prover | None = None) -> None:
        """`prover`: its tokens are bound to this key, and each request bears a proof."""
        self._http, self._base, self._prover = http, base_url.rstrip("/"), prover
        self._account = (client_id, key)
        self._token, self._since = "", float("-inf")

    def patient(self, seed: int, number: int) -> str:
        """Patient/ID of the simulated person, made if not there. https://hl7.org/fhir/R4/http.html#ccreate"""
        identifier = f"{seed}-{number}"
        content = {
            "resourceType": "Patient",
            "identifier": [{"system": PATIENTS, "value": identifier}],
            "name": [{"family": "Simulated", "given": [f"No {number}"]}],
        }
        answer = self._post(
            "/fhir/Patient",
            json.dumps(content).encode(),
            {},
            **{"Content-Type": "application/fhir+json", "If-None-Exist": f"identifier={PATIENTS}|{identifier}"},
        )
        if answer.is_error:
            raise SendingFailed(f"a patient could not be made: {_why(answer)}; the client needs system/Patient.crs and --recorder")
        return f"Patient/{answer.json()['id']}"

    def send(self, plan: Plan, batch: Batch) -> Sequence[Mapping[str, Any]]:
        """What became of each item; a payload of which nothing could be read counts as one refused."""
        manifest = plan.adapter.manifest
        asked = {"timeZone": TIME_ZONE} if manifest.needs_time_zone else {}
        if sender_names(plan.simulator):
            asked["device"] = plan.device(batch.patient)
        headers = {"Content-Type": manifest.media_types[0], "Content-Encoding": "gzip", "Accept": "application/json"}
        answer = self._post(f"/ingest/{manifest.name}", gzip.compress(batch.payload, 1), asked, **headers)
        if answer.status_code in {400, 413, 422}:
            return [{"fate": "refused"}]
        if answer.is_error:
            raise SendingFailed(_why(answer))
        items: list[dict[str, Any]] = answer.json()
        return items

    def _post(self, path: str, body: bytes, asked: Mapping[str, str], **headers: str) -> httpx.Response:
        """Sent again while the hub asks for patience (429, 503), or for a nonce in the proof."""
        url = self._base + path
        for _ in range(TRIES_MAX):
            try:
                answer = self._http.post(url, content=body, params=asked, headers={**headers, **self._shown(url)})
            except httpx.HTTPError as error:
                raise SendingFailed(f"the hub does not answer ({type(error).__name__})") from None
            if self._prover is not None and self._prover.asked_again(answer):
                continue
            if answer.status_code not in {429, 503}:
                return answer
            waiting = answer.headers.get("Retry-After", "1")
            time.sleep(min(int(waiting) if waiting.isdecimal() else 1, WAIT_S_MAX))
        raise SendingFailed(f"the hub kept asking for patience: {_why(answer)}")

    def _shown(self, url: str) -> dict[str, str]:
        """Headers of a request by POST to this URL."""
        if time.monotonic() - self._since > TOKEN_S:
            self._token, self._since = fetch_token(self._base, *self._account, prover=self._prover), time.monotonic()
        if self._prover is None:
            return {"Authorization": f"Bearer {self._token}"}
        return self._prover.headers("POST", url, self._token)


async def pair(hub: Hub, plan: Plan, patients: Iterable[str]) -> None:
    """Each simulated unit with its patient, from the first day on."""
    manifest = plan.adapter.manifest
    first = int(datetime.combine(plan.first, datetime.min.time(), UTC).timestamp()) - 86_400
    for number, patient in enumerate(patients):
        await Operator(hub, REASON).pair(
            system=manifest.identifier_system,
            manufacturer=manifest.manufacturer,
            product=manifest.product,
            identifier=plan.device(number),
            patient=patient,
            from_us=min(first * 1_000_000, now_us()),
            to_us=None,
        )


def send_all(plan: Plan, sender: Sender, advance: Callable[[], None]) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    for batch in batches(plan):
        tallies.setdefault(batch.what, Tally()).add(batch, sender.send(plan, batch))
        advance()
    return tallies


def _why(answer: httpx.Response) -> str:
    try:
        issues: list[dict[str, Any]] = answer.json()["issue"]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
    return "; ".join(str(issue.get("diagnostics", issue.get("code"))) for issue in issues)
