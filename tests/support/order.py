"""In which order the files of tests begin, so that no long one begins when all others are done.

`make test` gives each process a whole file at a time, in this order (`--dist loadfile --no-loadscope-reorder`). Within a file, and among
files of the same kind, the order is pytest-randomly's: it is sorted after that, and stably.
"""

from collections.abc import Collection, Iterable

import pytest

LONGEST_FIRST = (
    "tests/spec/api/test_access_two_worlds.py",
    "tests/contracts/test_arrival.py",
    "tests/e2e/test_stranger.py",
    "tests/spec/api/test_access_two_worlds_persons.py",
    "tests/faults/test_changed_at_the_commit.py",
    "tests/e2e/test_bench_smoke.py",
    "tests/e2e/test_console.py",
    "tests/e2e/test_console_clients.py",
    "tests/faults/test_kill9.py",
    "tests/e2e/test_adapters_kit.py",
    "tests/faults/test_kill9_rederive.py",
    "tests/faults/test_embedded_mongod.py",
    "tests/e2e/test_guide_vendors.py",
    "tests/contracts/test_adapter_contract.py",
    "tests/e2e/test_mqtt.py",
    "tests/spec/api/test_audit_first.py",
    "tests/e2e/differential/test_differential.py",
    "tests/spec/api/test_access_callers.py",
    "tests/faults/test_confirm_death.py",
    "tests/e2e/differential/test_notices.py",
    "tests/faults/test_kill9_upload.py",
    "tests/contracts/test_simulated_fates.py",
    "tests/faults/test_kill9_watch.py",
    "tests/e2e/test_guide_devices_life.py",
    "tests/fuzz/test_schemathesis.py",
    "tests/faults/test_kill9_delete.py",
    "tests/faults/test_transaction_cut.py",
    "tests/e2e/test_commands.py",
    "tests/e2e/test_registry.py",
    "tests/spec/api/test_access_costs.py",
    "tests/faults/test_tampering.py",
    "tests/faults/test_kill9_mqtt.py",
    "tests/e2e/test_guide_ehr.py",
    "tests/e2e/test_smart_js_client.py",
    "tests/e2e/test_confirm.py",
    "tests/spec/demo/test_demo_run.py",
    "tests/e2e/test_people_federated.py",
    "tests/e2e/test_decided_meanwhile.py",
    "tests/spec/demo/test_load.py",
    "tests/faults/test_mllp_kill9.py",
    "tests/e2e/test_account_patients.py",
    "tests/faults/test_transaction_kill9.py",
    "tests/spec/api/test_openapi.py",
    "tests/adapters/test_declarative_mistakes.py",
    "tests/e2e/test_people_browser.py",
    "tests/e2e/test_first_page.py",
    "tests/e2e/test_sealed_bytes.py",
    "tests/faults/test_transaction_death.py",
    "tests/e2e/test_credentials.py",
    "tests/contracts/test_adapter_levels.py",
    "tests/e2e/test_console_quarantine.py",
    "tests/e2e/test_console_confirm.py",
    "tests/e2e/test_account_apps.py",
    "tests/faults/test_frozen_mongod.py",
    "tests/e2e/test_docs.py",
    "tests/e2e/test_ingest_upload.py",
    "tests/spec/api/test_paging.py",
    "tests/e2e/test_polling.py",
    "tests/spec/api/test_search_explain.py",
    "tests/spec/api/test_errors_located.py",
    "tests/e2e/test_mllp.py",
    "tests/spec/api/test_workers.py",
    "tests/e2e/test_unit_watch.py",
    "tests/e2e/test_linking.py",
    "tests/e2e/test_console_units.py",
    "tests/faults/test_kill9_poll.py",
    "tests/spec/ingest/test_pipeline_order.py",
    "tests/e2e/test_account_device.py",
    "tests/e2e/test_audit.py",
    "tests/e2e/test_ingest.py",
    "tests/spec/api/test_capabilities.py",
    "tests/e2e/clients/test_hapi.py",
    "tests/faults/test_transaction_race.py",
    "tests/e2e/test_accessibility.py",
    "tests/faults/test_open_transaction.py",
    "tests/e2e/test_guide_app.py",
    "tests/e2e/test_linking_page.py",
    "tests/spec/store/test_shipped.py",
    "tests/e2e/test_account_authorize.py",
    "tests/spec/api/test_history_oracle.py",
    "tests/spec/database/test_schema.py",
)
"""Files that take more than about twenty seconds on two busy cores, as measured in a run of everything, the longest first."""


def in_order(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """First the long files, then those with a test that needs a database, last what is done in an instant."""
    items = list(items)
    waiting = {file_of(item.nodeid) for item in items if item.get_closest_marker("database")}
    return sorted(items, key=lambda item: turn(file_of(item.nodeid), waiting))


def turn(file: str, waiting: Collection[str]) -> tuple[int, int]:
    """Of a file of tests; smaller ones come first. `waiting`: the files that wait for a database."""
    if file in LONGEST_FIRST:
        return 0, LONGEST_FIRST.index(file)
    return (1 if file in waiting else 2), 0


def file_of(node_id: str) -> str:
    """As a path below the checkout, with slashes."""
    return node_id.partition("::")[0]
