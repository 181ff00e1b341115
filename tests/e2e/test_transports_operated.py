"""What an operator does to transports has its own word in the log, and takes effect at once. Law 2; DEVICES 6.5."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.payloads import weight

Json = dict[str, Any]


def kinds(backstage: Backstage, act: Callable[[], object]) -> list[str]:
    return [one.kind for one in backstage.recorded_by(act)]


def test_each_act_over_a_webhook_has_its_own_word(running: Running, backstage: Backstage, vendor: Caller) -> None:
    hub = running.process
    made: list[Json] = []
    add = ("webhook", "add", "withings", "--client-id", vendor.account.id, "--scheme", "hmac")
    assert kinds(backstage, lambda: made.append(hub.invoke(*add).json())) == ["webhook-add"]
    hook = made[0]["hook"]
    assert kinds(backstage, lambda: hub.invoke("webhook", "rotate", hook)) == ["webhook-rotate"]
    assert kinds(backstage, lambda: hub.invoke("webhook", "list")) == ["webhook-list"]
    assert kinds(backstage, lambda: hub.invoke("webhook", "revoke", hook)) == ["webhook-revoke"]


def test_a_quota_is_changed_after_registration_and_counts_from_the_next_request_on(
    running: Running, backstage: Backstage, another: Callable[..., Caller]
) -> None:
    """RFC 6585 section 4: what is above it is 429."""
    hub, sender = running.process, another("system/Observation.c")
    made: list[Json] = []

    def change(*flags: str) -> Json:
        done = hub.invoke("client", "quota", sender.account.id, *flags)
        assert done.code == 0, done.err
        made.append(done.json())
        return made[-1]

    assert sender.ingest("withings", weight(70_000)).status_code == 200
    assert kinds(backstage, lambda: change("--requests-per-minute", "1")) == ["client-quota"]
    assert (made[0]["requests_per_minute"], made[0]["requests_left"], made[0]["own"]) == (1, 1, True)
    assert [sender.ingest("withings", weight(70_000)).status_code for _ in range(2)] == [200, 429]
    seen = change()
    assert (seen["requests_per_minute"], seen["requests_left"]) == (1, 0)
    answer = sender.ingest("withings", weight(70_000))
    refused(answer, 429, "throttled")
    usual = change("--default")
    assert usual["own"] is False
    assert usual["requests_per_minute"] > 1


@pytest.mark.parametrize("flags", [("nobody",), ("nobody", "--requests-per-minute", "5")])
def test_a_quota_of_nobody_is_an_error(running: Running, flags: tuple[str, ...]) -> None:
    done = running.process.invoke("client", "quota", *flags)
    assert (done.code, "no client of this id" in done.err) == (1, True)


def test_default_and_a_number_contradict_each_other(running: Running, vendor: Caller) -> None:
    assert running.process.invoke("client", "quota", vendor.account.id, "--default", "--items-per-minute", "5").code == 2
