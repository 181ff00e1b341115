"""The app that the SMART JavaScript client is driven in: fhirclient (npm), unchanged, in a page of an origin of its own.

`npm ci` installs what the lock file pins, by its hashes; the page loads the library's own build for browsers.
"""

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from joserfc.jwk import ECKey

from security.oauth.clients import Authentication
from tests.e2e.clients.given import HERE, need, once, run
from tests.support.apps import Registered, register_app
from tests.support.appserver import SCRIPT, AppServer, serving_app
from tests.support.backstage import Backstage

SOURCE = HERE / "smart_js_client"
BUILD = Path("node_modules/fhirclient/build/fhir-client.js")
CONTEXT = "launch launch/patient openid fhirUser offline_access"
ASKED = "openid fhirUser offline_access patient/*.rs"


def library() -> bytes:
    """The build of the SMART JavaScript client for browsers."""
    need("node", "npm")
    with once("smart_js_client") as folder:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(SOURCE / name, folder / name)
        if not (folder / BUILD).exists():
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        return (folder / BUILD).read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class JsApp:
    """One registered app with its pages."""

    server: AppServer
    registered: Registered
    folder: str

    @property
    def redirect_uri(self) -> str:
        return f"{self.server.origin}/{self.folder}/index.html"

    @property
    def launch_url(self) -> str:
        return f"{self.server.origin}/{self.folder}/launch.html"

    def standalone(self, iss: str) -> str:
        """Where a person opens the app by itself."""
        return f"{self.launch_url}?{urlencode({'iss': iss})}"


@contextmanager
def serving_library() -> Iterator[AppServer]:
    with serving_app() as server:
        server.place("/fhir-client.js", library(), SCRIPT)
        yield server


def js_app(server: AppServer, backstage: Backstage, organization: str, authentication: Authentication, context: str) -> JsApp:
    """Registers an app and puts its pages up. `context`: launch (from the EHR) or launch/patient (standalone)."""
    folder = secrets.token_hex(4)
    root = f"{server.origin}/{folder}"
    registered = register_app(
        backstage,
        f"{CONTEXT} patient/*.rs",
        (f"{root}/index.html",),
        authentication=authentication,
        organization=organization,
        name="Carnet de mesures",
        launch_url=f"{root}/launch.html",
        origins=(server.origin,),
    )
    for name in ("launch.html", "index.html"):
        server.place_file(f"/{folder}/{name}", SOURCE / name)
    config: dict[str, Any] = {
        "clientId": registered.id,
        "scope": f"{context} {ASKED}",
        "redirectUri": f"{root}/index.html",
        "pkceMode": "required",
    }
    if registered.secret is not None:
        config["clientSecret"] = registered.secret
    if registered.key is not None:
        key = ECKey.import_key(registered.key)
        config["clientPrivateJwk"] = {**key.as_dict(private=True), "kid": key.thumbprint(), "alg": "ES384"}
    server.place(f"/{folder}/config.js", f"const CONFIG = {json.dumps(config)};", SCRIPT)
    return JsApp(server=server, registered=registered, folder=folder)
