"""What the form of an app is filled in with, made a client. Pure but for the id."""

from collections.abc import Mapping
from typing import Final

from security.oauth.clients import GRANT_CODE, GRANT_DEVICE, GRANT_REFRESH, App, Authentication, Client, new_client_id

METHODS: Final[tuple[Authentication, ...]] = ("none", "client_secret_basic")
"""Those that need nothing but the form; keys and certificates are registered by command, from files."""
EMPTY: Final[Mapping[str, str]] = {
    "name": "",
    "scope": "launch/patient openid fhirUser patient/Observation.rs",
    "redirects": "",
    "launch": "",
    "policy": "",
    "method": "none",
    "device": "",
    "bound": "",
}


def client_of(form: Mapping[str, str], secret_hash: bytes, now_us: int) -> Client:
    """Still to be checked as a registration. Raises ValueError with a text for who fills the form in."""
    method = form.get("method", "none")
    if method not in METHODS:
        raise ValueError("how it proves itself is one of those on the form")
    redirects = tuple(line.strip() for line in form.get("redirects", "").splitlines() if line.strip())
    grants = (*((GRANT_CODE,) if redirects else ()), *((GRANT_DEVICE,) if form.get("device") else ()), GRANT_REFRESH)
    return Client(
        client_id=new_client_id(form.get("name", "")),
        name=form.get("name", "").strip(),
        scopes=" ".join(form.get("scope", "").split()),
        organization="",
        purpose="TREAT",
        consent_default="opt-in",
        recorder=False,
        importer=False,
        jwks=None,
        jwks_uri=None,
        created_us=now_us,
        authentication=method,
        secret_hash=secret_hash if method == "client_secret_basic" else None,
        grants=grants,
        app=App(redirect_uris=redirects, launch_url=form.get("launch") or None, policy_uri=form.get("policy") or None),
        binding="dpop" if form.get("bound") else "none",
    )
