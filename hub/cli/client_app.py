"""What `hub client add --app` is told beside what every client is told: how an app proves itself, where it lives, what it may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, cast, get_args

import typer

from hub.cli.key_files import read_jwks, write_private
from hub.search.scope_query import check_scope_query
from security.oauth.certificates import thumbprint
from security.oauth.client_authentication import new_client_secret
from security.oauth.clients import (
    GRANT_CLIENT_CREDENTIALS,
    GRANT_CODE,
    GRANT_DEVICE,
    GRANT_REFRESH,
    App,
    Authentication,
    Binding,
    Client,
    new_client_keys,
)
from security.oauth.registration import checked, metadata

GRANTS: Final = {
    "authorization_code": GRANT_CODE,
    "refresh_token": GRANT_REFRESH,
    "device": GRANT_DEVICE,
    "client_credentials": GRANT_CLIENT_CREDENTIALS,
}
"""What a person types: the value of grant_type, of which one is a URN."""
DEFAULT_GRANTS: Final = (GRANT_CODE, GRANT_REFRESH)

IsApp = Annotated[bool, typer.Option("--app", help="People act through it: authorization code, consent screen, launch.")]
RedirectUris = Annotated[
    list[str] | None, typer.Option("--redirect-uri", help="Where a browser is sent back to, exactly; may be repeated.")
]
LaunchUrl = Annotated[str | None, typer.Option("--launch-url", help="Where a launch from the EHR begins.")]
Origins = Annotated[
    list[str] | None,
    typer.Option("--origin", help="Whose pages may call (CORS); default: the origins of the redirect URIs. May be repeated."),
]
Public = Annotated[bool, typer.Option("--public", help="It can keep no secret (browser, phone): PKCE alone.")]
SecretOut = Annotated[Path | None, typer.Option("--secret-out", help="Make a secret and write it here (0600), once.")]
Grants = Annotated[
    list[str] | None, typer.Option("--grant", help=f"{', '.join(GRANTS)}; may be repeated. Default: authorization_code, refresh_token.")
]
Homepage = Annotated[str | None, typer.Option("--homepage", help="For people who want to know whose it is.")]
PolicyUri = Annotated[str | None, typer.Option("--policy-uri", help="What it does with data, for people.")]
LogoUri = Annotated[str | None, typer.Option("--logo-uri", help="Its sign; the hub never loads it.")]
Contact = Annotated[str | None, typer.Option("--contact", help="Whom people may write to.")]
ParRequired = Annotated[
    bool, typer.Option("--par-required", help="Takes authorization requests that were pushed beforehand only (RFC 9126).")
]
BoundTo = Annotated[str, typer.Option("--binding", help="What its access tokens are bound to: none, dpop (RFC 9449) or mtls (RFC 8705).")]
Certificate = Annotated[
    Path | None, typer.Option("--certificate", help="Its certificate, PEM: to prove itself by (RFC 8705), or for tokens bound to it.")
]
Introspector = Annotated[bool, typer.Option("--introspector", help="May ask about tokens of other clients (RFC 7662).")]
Launcher = Annotated[bool, typer.Option("--launcher", help="An EHR that may open launches for practitioners of its organisation.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppOptions:
    """As they were typed."""

    app: bool
    redirect_uris: Sequence[str]
    launch_url: str | None
    origins: Sequence[str]
    public: bool
    secret_out: Path | None
    grants: Sequence[str]
    homepage: str | None
    policy_uri: str | None
    logo_uri: str | None
    contact: str | None
    par_required: bool
    binding: str
    certificate: Path | None
    introspector: bool
    launcher: bool

    @property
    def of_an_app(self) -> bool:
        """Was anything given that only an app has?"""
        texts = (self.launch_url, self.homepage, self.policy_uri, self.logo_uri, self.contact)
        return bool(self.redirect_uris or self.origins or self.public or self.secret_out or self.grants or any(texts) or self.par_required)


def options_of(given: Mapping[str, Any]) -> AppOptions:
    """Of the parameters of the command, by name; what may be repeated is called in the singular there."""
    many: dict[str, Any] = {"redirect_uris": given["redirect_uri"], "origins": given["origin"], "grants": given["grant"]}
    one: dict[str, Any] = {name: given[name] for name in AppOptions.__dataclass_fields__ if name not in many}
    one |= {name: tuple(values or ()) for name, values in many.items()}
    return AppOptions(**one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How it will prove itself: fields of `Client`, and the files that were written for it."""

    fields: dict[str, Any]
    written: tuple[Path, ...] = ()

    def take_back(self) -> None:
        """A key or a secret without a client would only stand in the way of the next try."""
        for path in self.written:
            path.unlink(missing_ok=True)


def proof_of(options: AppOptions, key_out: Path | None, jwks: str | None) -> Proof:
    """Exactly one way of proving itself. Raises typer.BadParameter."""
    if options.binding not in get_args(Binding):
        raise typer.BadParameter(f"--binding is one of {', '.join(get_args(Binding))}")
    ways = [options.public, options.secret_out is not None, key_out is not None, jwks is not None]
    certificate = None if options.certificate is None else _thumbprint(options.certificate)
    more = {
        "binding": cast("Binding", options.binding),
        "certificate": certificate,
        "introspector": options.introspector,
        "launcher": options.launcher,
    }
    if not options.app and options.of_an_app:
        raise typer.BadParameter("these options go with --app")
    if certificate is not None and not any(ways):
        return Proof(fields={"authentication": "tls_client_auth", "jwks": None, "jwks_uri": None, **more})
    if options.binding == "mtls" and certificate is None:
        raise typer.BadParameter("--binding mtls needs --certificate")
    if sum(ways) != 1:
        others = ", --public (it can keep no secret) or --secret-out (the hub makes a secret)" if options.app else ""
        raise typer.BadParameter(f"give either --key-out (the hub makes a key) or --jwks (the client has its own){others}")
    if options.public:
        return Proof(fields={**_without_keys("none"), **more})
    if options.secret_out is not None:
        secret, kept = new_client_secret()
        write_private(options.secret_out, secret.encode(), "--secret-out")
        return Proof(fields={**_without_keys("client_secret_basic"), "secret_hash": kept, **more}, written=(options.secret_out,))
    public, uri = _keys(key_out, jwks)
    return Proof(fields={"jwks": public, "jwks_uri": uri, **more}, written=() if key_out is None else (key_out,))


def app_fields(options: AppOptions) -> dict[str, Any]:
    """Fields of `Client` that only an app has. Raises typer.BadParameter."""
    if not options.app:
        return {}
    if set(options.grants) - set(GRANTS):
        raise typer.BadParameter(f"--grant is one of {', '.join(GRANTS)}")
    app = App(
        redirect_uris=tuple(options.redirect_uris),
        launch_url=options.launch_url,
        origins=tuple(options.origins),
        homepage=options.homepage,
        policy_uri=options.policy_uri,
        logo_uri=options.logo_uri,
        contact=options.contact,
        par_required=options.par_required,
    )
    return {"grants": tuple(GRANTS[one] for one in dict.fromkeys(options.grants)) or DEFAULT_GRANTS, "app": app}


def registrable_app(client: Client) -> Client:
    """In canonical form, if it may be registered. Raises typer.BadParameter."""
    try:
        return checked(client, check_scope_query)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def shown_app(client: Client) -> dict[str, Any]:
    """What is shown of a client that is more than a backend with a key."""
    plain = client.binding == "none" and client.authentication == "private_key_jwt"
    if client.app is None and plain and not (client.introspector or client.launcher):
        return {}
    said = {name: value for name, value in metadata(client).items() if name not in ("client_name", "scope", "jwks")}
    allowed = list(client.app.origins) if client.app is not None else []
    return {**said, "origins": allowed, "introspector": client.introspector, "launcher": client.launcher, "certificate": client.certificate}


def _without_keys(authentication: Authentication) -> dict[str, Any]:
    return {"authentication": authentication, "jwks": None, "jwks_uri": None}


def _thumbprint(path: Path) -> str:
    try:
        return thumbprint(path.read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"--certificate: {error.strerror}") from None
    except ValueError as error:
        raise typer.BadParameter(f"--certificate: {error}") from None


def _keys(key_out: Path | None, jwks: str | None) -> tuple[dict[str, Any] | None, str | None]:
    """Public keys inline, or where they are. A private key that the hub made is written once and not kept."""
    if key_out is not None:
        pem, public = new_client_keys()
        write_private(key_out, pem)
        return public, None
    if jwks is not None and "://" in jwks:
        if not jwks.startswith(("https://", "http://")):
            raise typer.BadParameter("--jwks: a URL must be https (http on this machine, for trying things out)")
        return None, jwks
    return read_jwks(Path(str(jwks))), None
