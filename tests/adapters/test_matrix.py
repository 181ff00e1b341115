"""The coverage matrix says what the manifests say, in the command and in the documentation. DEVICES 6.6."""

import json
import re

import pytest

from adapters.discovery import adapters
from adapters.kit import matrix
from adapters.kit.matrix import COLUMNS
from tests.architecture.tree import ROOT
from tests.support.process import invoke
from tests.support.samples import SAMPLES_TABLE

OURS = [one.manifest for one in adapters().values() if type(one).__module__.startswith("adapters.")]
"""Those that come with the hub; a vendor's package may be installed beside it."""


def test_the_page_is_made_of_the_manifests() -> None:
    """Make it again with `hub adapters list --markdown > docs/devices.md`."""
    assert (ROOT / "docs/devices.md").read_text() == matrix.markdown(OURS)


def test_every_adapter_has_a_row_with_all_that_it_declares() -> None:
    listed = {one["name"]: one for one in json.loads(invoke("adapters", "list", "--json").out)}
    for name, adapter in adapters().items():
        row, manifest = listed[name], adapter.manifest
        assert (row["measures"], row["transports"], row["time_kinds"], row["evidence"]) == (
            sorted(manifest.measures),
            list(manifest.transports),
            list(manifest.time_kinds),
            manifest.evidence,
        )


def test_each_adapter_is_measured_beside_its_floor() -> None:
    """DESIGN 3: `python -m bench --only adapters`, whose figures are in docs/performance.md."""
    measured = set(re.findall(r"^\| ([a-z0-9-]+) \| [\d,]+ readings in ", (ROOT / "docs/performance.md").read_text(), re.MULTILINE))
    assert measured == {one.name for one in OURS}


def test_a_format_is_marked_synthetic_unless_others_published_a_sample_of_it() -> None:
    """Row by row against the table of public samples, which a test holds against the folder; a sample that is refused shows nothing."""
    shown = {row[0]: row[COLUMNS.index("evidence")] for row in matrix.rows(OURS)}
    sampled = {one.adapter for one in SAMPLES_TABLE if one.reader and not one.refused}
    assert {name for name, evidence in shown.items() if not evidence.startswith("synthetic")} == sampled & shown.keys()
    assert {name for name, evidence in shown.items() if evidence == "public-sample"} == sampled & shown.keys()


@pytest.mark.parametrize("flags", [(), ("--markdown",)])
def test_the_matrix_is_shown_to_people(flags: tuple[str, ...]) -> None:
    shown = invoke("adapters", "list", "libreview", *flags).out
    assert "glucose" in shown.replace("\n", "")
    assert "withings" not in shown
