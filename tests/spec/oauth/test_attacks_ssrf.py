"""Every URL that the hub ever calls goes through one guard: what the source says, function by function. SECURITY 1.5 (ASVS 5.0 1.3.6).

What the guard refuses is in test_jwks_fetch and test_attacks_jwks; that nothing goes past it is shown here.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, parsed

OUTBOUND = ROOT / "hub/outbound.py"
HUB = sorted(path for room in ("hub", "security", "audit", "adapters", "fhir_profiles") for path in (ROOT / room).rglob("*.py"))
CALLERS = frozenset(
    {"httpx", "requests", "aiohttp", "urllib3", "urllib.request", "http.client", "ftplib", "smtplib", "telnetlib", "xmlrpc"}
)
"""Modules that connect to where somebody says."""
CONNECTING = frozenset({"create_connection", "open_connection", "open_unix_connection", "connect", "connect_ex", "urlopen", "sock_connect"})
"""Names of functions that do so by themselves."""
AT_THE_OPERATORS_WORD = {
    "hub/cli": "commands that call a hub, a broker or a database which the operator names on the command line",
    "hub/store": "the database, whose address is a setting",
}
"""Places that may, for no request and no registration reaches what they call."""
BOUNDED = frozenset({"call", "fetch_object"})
"""The two ways out."""
GUARDED = BOUNDED | {"fetch_jwks"}
"""And what goes by one of them."""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_excused(path: Path) -> bool:
    return any(relative(path).startswith(f"{place}/") for place in AT_THE_OPERATORS_WORD)


def named(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_one_module_knows_how_to_call_and_the_commands() -> None:
    """No other imports a library that connects."""
    found = {relative(path) for path in HUB if not CALLERS.isdisjoint(imported(path))}
    assert {name for name in found if not name.startswith("hub/cli/")} == {"hub/outbound.py"}


def test_the_import_contract_says_the_same() -> None:
    """So that it is noticed before a test runs."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (one,) = [contract for contract in contracts if contract["name"].startswith("One outbound HTTP client")]
    assert set(one["ignore_imports"]) == {"hub.outbound -> httpx", "hub.cli.** -> httpx"}
    assert {"httpx", "requests", "aiohttp", "urllib3"} <= set(one["forbidden_modules"])


def test_nothing_opens_a_connection_by_itself() -> None:
    """Beside the operator's commands and the database."""
    found = [
        f"{relative(path)}:{call.lineno}"
        for path in HUB
        if not is_excused(path) and path != OUTBOUND
        for call in calls(parsed(path))
        if named(call) in CONNECTING
    ]
    assert found == []


def functions() -> dict[str, ast.AsyncFunctionDef]:
    """Of the class that calls."""
    (made,) = [node for node in parsed(OUTBOUND).body if isinstance(node, ast.ClassDef) and node.name == "Outbound"]
    return {node.name: node for node in made.body if isinstance(node, ast.AsyncFunctionDef)}


def test_whatever_is_sent_was_checked_in_the_same_function_first() -> None:
    """Form of the URL, then every address; and the request goes to the address that was checked."""
    sending = {name: made for name, made in functions().items() if {"send", "build_request"} & {named(call) for call in calls(made)}}
    assert sending
    for made in sending.values():
        lines = {named(call): call.lineno for call in calls(made)}
        assert lines["_check_form"] < lines["_checked_address"] < lines["build_request"] < lines["send"]
        (copied,) = [call for call in calls(made) if named(call) == "copy_with"]
        assert ast.unparse(copied) == "target.copy_with(host=str(address))"
        assert ast.unparse(next(call for call in calls(made) if named(call) == "_checked_address")) == "self._checked_address(target)"


def test_the_ways_out_are_bounded_in_time() -> None:
    """Each public way is one `asyncio.timeout` around everything, or goes by one that is."""
    for name in BOUNDED:
        (block,) = [node for node in ast.walk(functions()[name]) if isinstance(node, ast.AsyncWith)]
        assert ast.unparse(block.items[0].context_expr).startswith("asyncio.timeout(")
    for name in GUARDED - BOUNDED:
        assert {named(call) for call in calls(functions()[name]) if ast.unparse(call.func).startswith("self.")} <= BOUNDED


def test_the_client_follows_nothing_trusts_no_environment_and_keeps_nothing() -> None:
    """Redirects, proxies of the environment, cookies, connections."""
    (made,) = [call for call in calls(parsed(OUTBOUND)) if named(call) == "AsyncClient"]
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in made.keywords}
    assert given["follow_redirects"] == given["trust_env"] == "False"
    assert "allowed_domains=()" in given["cookies"]
    assert "max_keepalive_connections=0" in given["limits"]
    assert "httpx." not in "".join(ast.unparse(call.func) for call in calls(parsed(OUTBOUND)) if named(call) in {"get", "post", "request"})


def test_every_client_is_made_with_the_operators_policy() -> None:
    """None with a policy of its own."""
    found = [(relative(path), call) for path in HUB for call in calls(parsed(path)) if named(call) == "Outbound"]
    assert len(found) >= 3
    for place, call in found:
        policy = ast.unparse(call.args[0])
        assert policy.startswith("outbound_policy("), place


@pytest.mark.parametrize(
    "path", [path for path in HUB if "outbound" in path.read_text() and "hub.outbound" in set(imported(path))], ids=relative
)
def test_whoever_has_the_client_uses_its_ways_out_alone(path: Path) -> None:
    """Nobody reaches through to what is inside."""
    inside = [node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute) and node.attr in {"_client", "build_request"}]
    assert inside == []
    words = ("outbound", "self._outbound", "client")
    used = {
        node.attr
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in words[:2] and not node.attr.startswith("__")
    }
    assert used <= {*GUARDED, "aclose"}
