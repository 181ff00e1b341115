"""The manifests are valid for Kubernetes and keep to the restricted Pod Security standard (DESIGN 2, law 4; SECURITY 4).

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted. Nothing is fetched: kubernetes-validate
carries the schemas. Where kubectl is there, what kustomize builds is looked at as well as what is written.
"""

import shutil
import subprocess
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from hub.settings import Settings
from tests.architecture.tree import ROOT

BASE = ROOT / "k8s/base"
OVERLAYS = sorted((ROOT / "k8s/overlays").iterdir())
OLDEST, NEWEST = "1.28", "1.34"
NOT_FOR_THE_API = {"kustomization.yaml"}

NARROW = {4: 16, 6: 48}
"""A network of pods, and not a hospital's."""

Manifest = dict[str, Any]


def written() -> list[Manifest]:
    names = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    return [document for name in names for document in yaml.safe_load_all((BASE / name).read_text())]


def built(folder: Path) -> list[Manifest]:
    made = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(made.stdout))


SOURCES: dict[str, Callable[[], list[Manifest]]] = {"written": written}
if shutil.which("kubectl"):
    SOURCES |= {folder.name: lambda folder=folder: built(folder) for folder in (BASE, *OVERLAYS)}


@pytest.fixture(scope="module", params=SOURCES)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return SOURCES[request.param]()


@pytest.fixture
def deployment(manifests: list[Manifest]) -> Manifest:
    return next(one for one in manifests if one["kind"] == "Deployment")


@pytest.fixture
def pod(deployment: Manifest) -> Manifest:
    made: Manifest = deployment["spec"]["template"]["spec"]
    return made


@pytest.fixture
def containers(pod: Manifest) -> list[Manifest]:
    return [*pod["initContainers"], *pod["containers"]]


def policies(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one["spec"] for one in manifests if one["kind"] == "NetworkPolicy"}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_valid(manifests: list[Manifest], version: str) -> None:
    """Strictly: a field that Kubernetes does not know would be dropped in silence."""
    for manifest in manifests:
        assert kubernetes_validate.validate(manifest, version, strict=True) == version


@pytest.mark.parametrize("folder", [BASE, *OVERLAYS], ids=lambda folder: folder.name)
def test_no_file_is_left_out(folder: Path) -> None:
    resources = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert {path.name for path in folder.iterdir()} - NOT_FOR_THE_API == {name for name in resources if "/" not in name}


def test_the_namespace_enforces_the_restricted_standard(manifests: list[Manifest]) -> None:
    labels = next(one for one in manifests if one["kind"] == "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_pod_runs_without_any_privilege(pod: Manifest, containers: list[Manifest]) -> None:
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    for container in containers:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_the_pod_gets_no_credentials_for_the_cluster(manifests: list[Manifest], pod: Manifest) -> None:
    account = next(one for one in manifests if one["kind"] == "ServiceAccount")
    assert account["metadata"]["name"] == pod["serviceAccountName"]
    assert account["automountServiceAccountToken"] is pod["automountServiceAccountToken"] is False


def test_every_container_says_what_it_needs_and_may_take(containers: list[Manifest]) -> None:
    for container in containers:
        assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys() == {"cpu", "memory"}


def test_no_secret_lies_in_the_repository(manifests: list[Manifest], containers: list[Manifest]) -> None:
    """Law 4 and SECURITY: keys and passwords come by reference."""
    assert not [one for one in manifests if one["kind"] == "Secret"]
    secret = {f"HUB_{name.upper()}" for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    given = {variable["name"]: variable for container in containers for variable in container.get("env", ())}
    assert secret <= given.keys()
    assert all("secretKeyRef" in given[name]["valueFrom"] and "value" not in given[name] for name in secret)


def test_the_master_key_is_copied_into_memory_and_never_onto_the_volume(pod: Manifest) -> None:
    """`security.kms.local` refuses a key file of another owner; the volume's backups must not hold the key."""
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in pod["containers"][0]["volumeMounts"]}
    assert volumes[mounts["/var/lib/hub/keys"]["name"]]["emptyDir"]["medium"] == "Memory"
    assert mounts["/var/lib/hub/keys"]["readOnly"] is True
    assert "/run/secrets/hub" not in mounts
    assert "--mode=0600" in pod["initContainers"][0]["command"]


def test_signed_heads_outlive_the_pod(manifests: list[Manifest], pod: Manifest) -> None:
    """DESIGN 6: the signed head goes to a file outside the database."""
    claims = {one["metadata"]["name"] for one in manifests if one["kind"] == "PersistentVolumeClaim"}
    data = next(volume for volume in pod["volumes"] if volume["name"] == "data")
    assert data["persistentVolumeClaim"]["claimName"] in claims


def test_one_hub_holds_the_data_directory(deployment: Manifest) -> None:
    """DESIGN 4: a second live hub on a directory is refused, so a rollout must end the old one first."""
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_it_is_asked_whether_it_lives_and_whether_it_is_ready(pod: Manifest) -> None:
    """DESIGN 4: /livez, /readyz."""
    hub = pod["containers"][0]
    asked = {kind: hub[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {kind: probe["path"] for kind, probe in asked.items()} == {
        "startupProbe": "/livez",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    ports = {port["name"] for port in hub["ports"]}
    assert all(probe["port"] in ports for probe in asked.values())


def test_the_network_is_closed_but_for_what_is_named(manifests: list[Manifest]) -> None:
    """Law 1 for packets: silence means no."""
    found = policies(manifests)
    assert found["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    into = [(port["port"], sender) for rule in found["hub"]["ingress"] for port in rule["ports"] for sender in rule["from"]]
    assert [port for port, _ in into] == [8000]
    assert all(sender["namespaceSelector"]["matchLabels"] for _, sender in into)
    out = {port["port"] for rule in found["hub"]["egress"] for port in rule["ports"]}
    assert out == {53, 27017}
    assert all(receiver["namespaceSelector"]["matchLabels"] for rule in found["hub"]["egress"] for receiver in rule["to"])


def test_everything_that_selects_the_hub_finds_it(manifests: list[Manifest], deployment: Manifest) -> None:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    by_kind = {one["kind"]: one["spec"] for one in manifests if "spec" in one}
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        by_kind["Service"]["selector"],
        by_kind["PodDisruptionBudget"]["selector"]["matchLabels"],
        policies(manifests)["hub"]["podSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)


@pytest.mark.parametrize("folder", [BASE, *OVERLAYS], ids=lambda folder: folder.name)
def test_settings_given_are_settings_the_hub_knows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/settings.md: a name with a slip in it would be ignored."""
    given = literals(folder)
    assert given.keys() <= {f"HUB_{name.upper()}" for name in Settings.model_fields}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Settings().origin == given["HUB_BASE_URL"]


def literals(folder: Path) -> dict[str, str]:
    generated = yaml.safe_load((folder / "kustomization.yaml").read_text()).get("configMapGenerator", [])
    return dict(literal.split("=", 1) for one in generated for literal in one["literals"])


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda folder: folder.name)
def test_an_overlay_names_the_proxy_and_a_base_without_one_is_noticed(overlay: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY 1.5: whose word counts for the address of a client is named, never guessed; where nobody named it the hub says so."""
    for name, value in literals(BASE).items():
        monkeypatch.setenv(name, value)
    assert Settings().has_unnamed_proxy
    for name, value in literals(overlay).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert not settings.has_unnamed_proxy
    assert all(ip_network(network).prefixlen >= NARROW[ip_network(network).version] for network in settings.proxy_networks)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda folder: folder.name)
def test_an_overlay_asks_for_tokens_that_are_bound(overlay: Path) -> None:
    """SECURITY 1.5: what is rolled out begins in the production profile, and leaving it is a decision."""
    (settings,) = yaml.safe_load((overlay / "kustomization.yaml").read_text())["configMapGenerator"]
    assert "HUB_PROFILE=production" in settings["literals"]
