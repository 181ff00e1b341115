"""What is looked at from outside: a FHIR base, apps that are registered there, and people who can sign in.

Another server than the tests' own is named by the environment: HUB_SMART_TARGET is a JSON file.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

WHERE = "HUB_SMART_TARGET"
TIMEOUT_S = 60
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An app as it is registered.

    secret       of a symmetric client
    key          private key, PEM, of an asymmetric one; kid: as registered (the thumbprint unless it says otherwise)
    jwks_uri     where its keys are, if they were registered so
    origin       whose pages may call the token endpoint
    launch_url   where an EHR launch begins
    scope        what it may ask for
    """

    client_id: str
    redirect_uri: str = ""
    secret: str | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    kid: str | None = None
    jwks_uri: str | None = None
    origin: str = ""
    launch_url: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """Who signs in. `patient`: the id of the Patient that a launch is about; of a practitioner, whom to pick, and
    `patient_name` what to look for, `encounter` the visit that a launch from the EHR is about.
    """

    login: str
    password: str = field(default="", repr=False)
    totp: str | None = field(default=None, repr=False)
    patient: str = ""
    patient_name: str = ""
    fhir_user: str = ""
    encounter: str = ""


APPS = ("public", "symmetric", "asymmetric", "other", "backend", "limited", "introspector")
PEOPLE = ("patient", "practitioner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`apps`: by APPS; `other` is a second public client, of
    online access, `backend` and `limited` act by themselves (the latter may see Observations
    of vital signs only). `people`: by PEOPLE. `agent`: a command that brings an authorization request to its end, instead of
    the hub's own pages. `brands`: nothing to be set, it is discovered.
    """

    fhir: str
    apps: Mapping[str, Registration]
    people: Mapping[str, Somebody]
    agent: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        url = httpx.URL(self.fhir)
        return f"{url.scheme}://{url.netloc.decode()}"


def http_client() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False)


def from_environment() -> Target | None:
    """The target that HUB_SMART_TARGET names; None: the tests' own hub."""
    path = os.environ.get(WHERE)
    return None if path is None else read_target(Path(path))


def read_target(path: Path) -> Target:
    """A file of a target; keys are named by files beside it."""
    given: Json = json.loads(path.read_text())
    apps = {name: Registration(**{**one, **_key(path, one)}) for name, one in given["apps"].items()}
    people = {name: Somebody(**one) for name, one in given["people"].items()}
    return Target(fhir=given["fhir"].rstrip("/"), apps=apps, people=people, agent=tuple(given.get("agent", ())))


def _key(path: Path, one: Json) -> Json:
    return {"key": (path.parent / one["key"]).read_bytes()} if one.get("key") else {}
