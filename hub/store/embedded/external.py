"""A MongoDB that the operator runs: looked at once before the hub relies on it."""

from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from hub.store.embedded.bootstrap import WIRE_VERSION_MIN
from hub.store.embedded.errors import NoDatabase

ANSWER_TIMEOUT_S = 10
AUTHENTICATION_FAILED = 18


def require_usable(url: str, *, setting: str = "HUB_MONGODB_URL", timeout_s: float = ANSWER_TIMEOUT_S) -> None:
    """Raises NoDatabase unless a replica set or sharded cluster of a sufficient version answers there.

    The driver's own texts are not passed on: some of them repeat the URL, and with it the password.
    """
    hosts = _hosts(url, setting)
    hello = _hello(url, f"{setting}: {hosts}", timeout_s)
    if hello["maxWireVersion"] < WIRE_VERSION_MIN:
        raise NoDatabase(f"{setting}: {hosts} is too old: MongoDB 5.0 or later is needed")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise NoDatabase(
            f"{setting}: {hosts} is a standalone server, and transactions need a replica set or a sharded cluster; "
            "start it with --replSet and call rs.initiate() once (one member is enough)"
        )


def _hosts(url: str, setting: str) -> str:
    """The addresses alone, without user and password."""
    try:
        return ", ".join(f"{host}:{port}" for host, port in parse_uri(url)["nodelist"])
    except (PyMongoError, ValueError):
        raise NoDatabase(
            f"{setting} cannot be read or its name cannot be resolved; mongodb://USER:PASSWORD@HOST:PORT/?replicaSet=NAME is expected, "
            "with : / ? # @ in user and password percent-encoded"
        ) from None


def _hello(url: str, what: str, timeout_s: float) -> dict[str, Any]:
    try:
        with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=int(timeout_s * 1_000)) as client:
            return client.admin.command("hello")
    except OperationFailure as error:
        why = "refuses the credentials" if error.code == AUTHENTICATION_FAILED else f"answers with error {error.code}"
        raise NoDatabase(f"{what} {why}; check user, password and authSource") from None
    except (PyMongoError, ValueError) as error:
        raise NoDatabase(
            f"{what} does not answer within {timeout_s:g} s ({type(error).__name__}); check address, network and TLS options"
        ) from None
