"""Vendors' clouds polled: tokens renewed, pages followed, the cursor written with the readings, consent asked each time.

DEVICES 2.1, 2.2; https://developer.withings.com/api-reference, https://developer.dexcom.com/docs/dexcomv3; laws 1, 2, 4, 5.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx
from structlog.testing import capture_logs

from adapters.discovery import adapters
from hub.ingest.clouds import DEXCOM, WITHINGS, CloudRefused, Credentials, Tokens
from hub.ingest.confirming import NOT_ASSIGNABLE
from hub.ingest.fates import NOT_PAIRED, Answer
from hub.ingest.links import Link, Links
from hub.ingest.polling import At, Poller
from hub.ingest.replay import How, replay_as_sent
from hub.ingest.sender import Senders
from hub.ingest.wakes import KIND, wake_name
from hub.notebook import Notebook
from hub.outbound import Outbound
from hub.store.protocol import Unavailable, Unit
from hub.store.quarantine import WaitingAsked
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import WEIGHT, group, identifier_system
from tests.support.resources import consent, patient

Json = dict[str, Any]
ADDRESS = "93.184.215.14"
"""Public, as the resolver of these tests says of every name."""
YESTERDAY = int(time.time()) - 86_400
OWN = Credentials(client_id="hub-at-withings", client_secret="a-secret-of-the-tests")


class Withings:
    """The far side of the internet: pages of two groups, tokens that are good once renewed."""

    def __init__(self, router: respx.MockRouter, groups: list[Json]) -> None:
        self.groups, self.asked, self.renewed, self.status = groups, [], 0, 0
        router.post(f"https://{ADDRESS}/measure").mock(side_effect=self._measure)
        router.post(f"https://{ADDRESS}/v2/oauth2").mock(side_effect=self._renew)
        router.post(f"https://{ADDRESS}/v2/heart").mock(side_effect=self._heart)
        router.post(f"https://{ADDRESS}/v2/sleep").mock(side_effect=self._sleep)
        self.series: dict[str, list[Json]] = {"heart": [], "sleep": []}

    def _measure(self, request: httpx.Request) -> httpx.Response:
        form = {name: one for name, (one, *_) in parse_qs(request.content.decode()).items()}
        self.asked.append(form)
        if self.status or request.headers["authorization"] != f"Bearer access-{self.renewed}":
            return httpx.Response(200, json={"status": self.status or 401, "body": {}})
        offset = int(form.get("offset", 0))
        page = [one for one in self.groups if one["date"] >= int(form["lastupdate"])][offset : offset + 2]
        more = len(self.groups) > offset + 2
        body = {"updatetime": 1_750_000_500 + len(self.groups), "measuregrps": page, "more": int(more), "offset": offset + 2 if more else 0}
        return httpx.Response(200, json={"status": 0, "body": body})

    def _heart(self, request: httpx.Request) -> httpx.Response:
        form = {name: one for name, (one, *_) in parse_qs(request.content.decode()).items()}
        self.asked.append(form)
        if form["action"] == "get":
            body = {"signal": [int(form["signalid"]), -13, 20], "sampling_frequency": 300, "wearposition": 1}
            return httpx.Response(200, json={"status": 0, "body": body})
        start, end = int(form["startdate"]), int(form["enddate"])
        return self._page([one for one in self.series["heart"] if start <= one["timestamp"] <= end], int(form.get("offset", 0)))

    def _sleep(self, request: httpx.Request) -> httpx.Response:
        form = {name: one for name, (one, *_) in parse_qs(request.content.decode()).items()}
        self.asked.append(form)
        assert "total_sleep_time" in form["data_fields"].split(",")
        return self._page([one for one in self.series["sleep"] if one["modified"] >= int(form["lastupdate"])], int(form.get("offset", 0)))

    @staticmethod
    def _page(series: list[Json], offset: int) -> httpx.Response:
        more = len(series) > offset + 2
        body = {"series": series[offset : offset + 2], "more": more, "offset": offset + 2 if more else 0}
        return httpx.Response(200, json={"status": 0, "body": body})

    def _renew(self, request: httpx.Request) -> httpx.Response:
        form = {name: one for name, (one, *_) in parse_qs(request.content.decode()).items()}
        assert form["client_secret"] == OWN.client_secret
        if form["refresh_token"] != f"refresh-{self.renewed}":
            return httpx.Response(200, json={"status": 503, "body": {}})
        self.renewed += 1
        tokens = {"access_token": f"access-{self.renewed}", "refresh_token": f"refresh-{self.renewed}", "expires_in": 10_800}
        return httpx.Response(200, json={"status": 0, "body": tokens})


@pytest.fixture
def internet() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        router.route(host="127.0.0.1").pass_through()
        yield router


class Scene:
    def __init__(self, backstage: Backstage, ehr: Caller, client: str, further: Json | None = None) -> None:
        self.backstage, self.ehr = backstage, ehr
        self.person: str = ehr.create(patient())["id"]
        self.unit = f"C-{self.person}"
        backstage.pair(identifier_system("withings"), self.unit, f"Patient/{self.person}", from_us=0)
        tokens = Tokens(access="", refresh="refresh-0", expires_us=0)
        self.link = Link(
            cloud="withings",
            user=f"u-{self.person}",
            client=client,
            patient=f"Patient/{self.person}",
            tokens=tokens,
            cursor={"since": 1_700_000_000},
            device=self.unit,
            further=further or {},
        )
        for name in further or {}:
            backstage.pair(identifier_system(f"withings-{name}"), self.unit, f"Patient/{self.person}", from_us=0)
        self.links = Links(backstage.hub.services)

        self.rewrite(self.link)

    def rewrite(self, link: Link) -> None:
        async def write() -> None:
            page = await self.links.page(link)
            await self.backstage.hub.services.store.commit(Unit(notes=[await self.links.write(page, link)]))

        self.backstage.run(write())

    def poll(self, *, only_due: bool = False) -> list[Counter[str]]:
        """One look at every link."""
        told: list[Counter[str]] = []

        async def resolve(_: str, __: int) -> list[str]:
            return [ADDRESS]

        async def run() -> None:
            hub, stop = self.backstage.hub, asyncio.Event()
            senders = Senders(services=hub.services, find_client=hub.oauth.find_client)
            clouds = {"withings": At(base="https://wbsapi.withings.net", own=OWN)}
            async with Outbound(resolve=resolve) as outbound:

                def tell(fates: Counter[str]) -> None:
                    told.append(fates)

                poller = Poller(senders, outbound, clouds, told=tell, chance=lambda: 0.5)
                if only_due:
                    asyncio.get_running_loop().call_later(1, stop.set)  # what is due is read in the first look
                await poller.run(900, 60 if only_due else None, stop)

        self.backstage.run(run())
        return told

    def now(self) -> Link:
        return self.backstage.run(self.links.read(self.link))[1]

    def total(self) -> int:
        count: int = self.ehr.search(f"Observation?patient={self.person}&_summary=count")["total"]
        return count


@pytest.fixture
def scene(backstage: Backstage, ehr: Caller, vendor: Caller) -> Iterator[Scene]:
    backstage.admin["hub"]["notes"].delete_many({"kd": "link"})
    yield Scene(backstage, ehr, vendor.account.id)
    backstage.admin["hub"]["notes"].delete_many({"kd": "link"})


def groups(count: int) -> list[Json]:
    return [group(number, (WEIGHT, 70 + number, 0), date=1_750_000_000 + number) for number in range(count)]


def test_what_is_new_is_read_page_by_page_and_the_cursor_moves(internet: respx.MockRouter, scene: Scene) -> None:
    cloud = Withings(internet, groups(5))
    assert scene.poll() == [Counter(stored=5)]
    assert [form.get("offset") for form in cloud.asked] == [None, "2", "4"]
    assert scene.total() == 5
    assert scene.now().cursor == {"since": 1_750_000_505}
    assert scene.poll() == [Counter()]
    assert cloud.asked[-1]["lastupdate"] == "1750000505"


def test_new_tokens_are_kept_and_used_until_they_end(internet: respx.MockRouter, scene: Scene) -> None:
    """RFC 6749 section 6; Withings gives a new refresh token each time."""
    cloud = Withings(internet, groups(1))
    scene.poll()
    scene.poll()
    assert (cloud.renewed, scene.now().tokens.refresh) == (1, "refresh-1")


def test_a_token_that_is_refused_is_renewed_at_the_next_turn(internet: respx.MockRouter, scene: Scene) -> None:
    cloud = Withings(internet, groups(1))
    scene.poll()
    cloud.renewed = 5  # somebody else has used it
    scene.poll()
    assert (scene.now().failures, scene.now().tokens.expires_us) == (1, 0)


@pytest.fixture
def wide(backstage: Backstage, ehr: Caller, vendor: Caller) -> Iterator[Scene]:
    """A link that reads ECGs and nights besides."""
    backstage.admin["hub"]["notes"].delete_many({"kd": "link"})
    since = {"since": 1_750_000_000}
    yield Scene(backstage, ehr, vendor.account.id, {"heart": since, "sleep": since})
    backstage.admin["hub"]["notes"].delete_many({"kd": "link"})


def ecg(number: int, **more: Any) -> Json:
    said = {"timestamp": YESTERDAY + 60 * number, "model": 93, "heart_rate": 60 + number, **more}
    return {"ecg": {"signalid": number, "afib": 0}, **said}


def night(number: int) -> Json:
    start = 1_750_000_000 + 86_400 * number
    data = {"total_sleep_time": 27_000 + number}
    return {"id": number, "startdate": start, "enddate": start + 28_800, "modified": start + 30_000, "data": data}


def test_ecgs_are_read_with_their_signals_each_once(internet: respx.MockRouter, wide: Scene) -> None:
    """Heart v2 - List, then Get for each signal. ECGs come late, so a week is asked for again; what was read costs no question."""
    cloud = Withings(internet, [])
    cloud.series["heart"] = [ecg(number) for number in (1, 2, 3)]
    (fates,) = wide.poll()
    assert fates == Counter(stored=9)
    assert [form["signalid"] for form in cloud.asked if form.get("action") == "get"] == ["1", "2", "3"]
    cloud.series["heart"].append(ecg(4))
    assert wide.poll() == [Counter(stored=3)]
    assert [form["signalid"] for form in cloud.asked if form.get("action") == "get"] == ["1", "2", "3", "4"]
    cloud.series["heart"][0] = ecg(1, modified=YESTERDAY + 5_000)
    wide.poll()
    assert [form["signalid"] for form in cloud.asked if form.get("action") == "get"][4:] == ["1"]
    assert wide.total() == 12


def test_nights_are_read_from_where_the_last_round_began(internet: respx.MockRouter, wide: Scene) -> None:
    """Sleep v2 - Getsummary by `lastupdate`, page by page; the cursors of the feeds are each their own."""
    cloud = Withings(internet, groups(1))
    cloud.series["sleep"] = [night(number) for number in range(3)]
    (fates,) = wide.poll()
    assert fates == Counter(stored=4)
    (again,) = wide.poll()
    assert set(again) <= {"duplicate"}
    assert wide.now().further["sleep"]["since"] > 1_750_000_000
    assert wide.now().cursor == {"since": 1_750_000_501}


def test_a_feed_that_fails_keeps_what_the_others_have_read(internet: respx.MockRouter, wide: Scene) -> None:
    cloud = Withings(internet, groups(1))
    internet.post(f"https://{ADDRESS}/v2/heart").mock(return_value=httpx.Response(200, json={"status": 503}))
    assert wide.poll() == [Counter(stored=1)]
    assert (wide.now().cursor, wide.now().failures, wide.now().further["heart"]) == ({"since": 1_750_000_501}, 1, {"since": 1_750_000_000})
    assert wide.now().why == "status 503"
    assert cloud.renewed == 1


def test_of_two_processes_one_asks_for_new_tokens(internet: respx.MockRouter, scene: Scene) -> None:
    """RFC 6749 section 10.4: a refresh token may be good once. Both read the link before either renews it."""
    cloud = Withings(internet, groups(1))
    renew, both = cloud._renew, []

    async def slowly(request: httpx.Request) -> httpx.Response:
        """While the cloud thinks, another process comes to the same link."""
        both.append(1)
        if len(both) == 1:
            await second()
        return renew(request)

    async def second() -> None:
        hub, told = scene.backstage.hub, both
        senders = Senders(services=hub.services, find_client=hub.oauth.find_client)
        clouds = {"withings": At(base="https://wbsapi.withings.net", own=OWN)}

        async def resolve(_: str, __: int) -> list[str]:
            return [ADDRESS]

        async with Outbound(resolve=resolve) as outbound:
            poller = Poller(senders, outbound, clouds, told=lambda fates: told.append(fates.total()), chance=lambda: 0.5)
            await poller.run(900, None, asyncio.Event())

    internet.post(f"https://{ADDRESS}/v2/oauth2").mock(side_effect=slowly)
    assert scene.poll() == [Counter(stored=1)]
    assert (cloud.renewed, both) == (1, [1, 0])
    assert (scene.now().tokens.refresh, scene.now().failures, scene.now().renewing_us) == ("refresh-1", 0, 0)


def test_a_process_that_dies_over_new_tokens_holds_nobody_up_for_long(internet: respx.MockRouter, scene: Scene) -> None:
    """Its mark ends by itself."""
    cloud = Withings(internet, groups(1))

    async def mark(until_us: int) -> None:
        page, link = await scene.links.read(scene.link)
        await scene.backstage.hub.services.store.commit(Unit(notes=[await scene.links.write(page, replace(link, renewing_us=until_us))]))

    scene.backstage.run(mark(scene.backstage.hub.services.clock() + 60_000_000))
    assert (scene.poll(), cloud.renewed, scene.now().failures) == ([Counter()], 0, 0)
    scene.backstage.run(mark(scene.backstage.hub.services.clock() - 1))
    assert (scene.poll(), cloud.renewed) == ([Counter(stored=1)], 1)


def test_an_interruption_between_pages_goes_on_where_it_was(internet: respx.MockRouter, scene: Scene) -> None:
    """Law 5: the first two are durable with their cursor, the others are asked for again."""
    cloud = Withings(internet, groups(5))
    answered = cloud._measure

    def refusing(request: httpx.Request) -> httpx.Response:
        if len(cloud.asked) == 1:
            cloud.asked.append({})
            raise httpx.ReadError("cut")
        return answered(request)

    internet.post(f"https://{ADDRESS}/measure").mock(side_effect=refusing)
    scene.poll()
    assert (scene.total(), scene.now().cursor["offset"], scene.now().failures) == (2, 2, 1)
    assert scene.poll() == [Counter(stored=3)]
    assert (scene.total(), scene.now().failures) == (5, 0)


def test_a_cloud_that_refuses_is_left_alone_for_longer_each_time(internet: respx.MockRouter, scene: Scene) -> None:
    cloud = Withings(internet, groups(1))
    cloud.status = 601
    waits = []
    for _ in range(3):
        scene.poll()
        waits.append(scene.now().due_us - scene.backstage.hub.services.clock())
    assert waits == sorted(waits)
    assert waits[2] > 3 * waits[0]
    asked = len(cloud.asked)
    scene.poll(only_due=True)
    assert len(cloud.asked) == asked


def test_a_ping_makes_a_link_due(internet: respx.MockRouter, scene: Scene) -> None:
    """DEVICES 2.1: ignore the content and pull."""
    cloud = Withings(internet, groups(1))
    scene.poll()
    asked = len(cloud.asked)
    services = scene.backstage.hub.services
    wakes = Notebook(services, KIND)

    async def ping() -> None:
        page = await wakes.read(wake_name(scene.link.client, "withings", scene.link.user))
        await services.store.commit(Unit(notes=[await wakes.write(page, {"at_us": 1})]))

    scene.backstage.run(ping())
    scene.poll(only_due=True)
    assert len(cloud.asked) == asked + 1
    scene.poll(only_due=True)
    assert len(cloud.asked) == asked + 1


def test_a_patient_who_has_not_consented_is_not_even_asked_about(
    internet: respx.MockRouter, backstage: Backstage, ehr: Caller, another: Callable[..., Caller]
) -> None:
    """Law 1: silence means no, and it is asked anew at each pull. The attempt is recorded (law 2)."""
    backstage.admin["hub"]["notes"].delete_many({"kd": "link"})
    scene, cloud = Scene(backstage, ehr, another("system/Observation.c").account.id), Withings(internet, groups(1))
    scene.poll()
    assert (cloud.asked, cloud.renewed, scene.total(), scene.now().failures) == ([], 0, 0, 1)
    backstage.admin["hub"]["notes"].delete_many({"kd": "link"})


def test_a_revoked_client_reads_nothing(internet: respx.MockRouter, backstage: Backstage, ehr: Caller) -> None:
    backstage.admin["hub"]["notes"].delete_many({"kd": "link"})
    account = backstage.register(new_client("poll-gone", "system/Observation.c"))
    scene, cloud = Scene(backstage, ehr, account.id), Withings(internet, groups(1))
    backstage.revoke(account)
    scene.poll()
    assert cloud.asked == []
    backstage.admin["hub"]["notes"].delete_many({"kd": "link"})


def test_tokens_and_cursors_lie_sealed(internet: respx.MockRouter, scene: Scene) -> None:
    """Law 4: under the patient's key, so that they go with it."""
    Withings(internet, groups(1))
    scene.poll()
    (note,) = scene.backstage.admin["hub"]["notes"].find({"kd": "link"})
    assert note["p"] == scene.backstage.patient_token(scene.person)
    assert not [word for word in ("refresh-1", "access-1", scene.link.user, scene.link.client) if word in str(note)]


def test_links_are_made_and_ended_by_command(running: Running, backstage: Backstage, ehr: Caller, vendor: Caller, tmp_path: Path) -> None:
    person = ehr.create(patient())["id"]
    granted = tmp_path / "tokens.json"
    granted.write_text(json.dumps({"status": 0, "body": {"refresh_token": "r"}}))
    named = ("withings", "--client-id", vendor.account.id, "--user", f"x-{person}")
    flags = ("--patient", f"Patient/{person}", "--tokens", str(granted), "--feed", "heart")
    made = running.process.invoke("poll", "link", *named, *flags, "--since", "2025-06-01")
    assert (made.code, made.json()["linked"]) == (0, True)
    assert made.json()["cursors"] == {"withings": {"since": 1_748_736_000}, "heart": {"since": 1_748_736_000}}
    listed = running.process.invoke("poll", "list", "--json")
    (shown,) = [one for one in listed.json() if one["user"] == f"x-{person}"]
    assert (shown["patient"], set(shown["cursors"])) == (f"Patient/{person}", {"withings", "heart"})
    assert "refresh" not in listed.out
    assert running.process.invoke("poll", "link", *named, *flags, "--feed", "dreams").code == 2
    other = str(ehr.create(patient())["id"])
    others = ("--patient", f"Patient/{other}", "--tokens", str(granted))
    refused = running.process.invoke("poll", "link", *named, *others)
    assert refused.code == 1
    assert "linked for another patient" in refused.err
    assert running.process.invoke("poll", "unlink", *named).json()["linked"] is False
    assert running.process.invoke("poll", "link", *named, *others).code == 0
    (note,) = [one for one in backstage.admin["hub"]["notes"].find({"kd": "link"}) if one.get("p") == backstage.patient_token(other)]
    assert note["v"] == 3, "in place of the link that was ended, under the key of whose it is"
    assert running.process.invoke("poll", "unlink", *named).json()["linked"] is False
    assert running.process.invoke("poll", "unlink", *named).code == 1
    wrong = running.process.invoke("poll", "link", *named, "--patient", "Patient/nobody", "--tokens", str(granted))
    assert wrong.code == 1


def test_who_links_the_same_account_again_goes_on_where_it_was_left(
    running: Running, ehr: Caller, vendor: Caller, another: Callable[..., Caller], tmp_path: Path
) -> None:
    """Nothing of the time between is lost; another patient's, and another client's, begins now; `--since` asks for what lies before."""
    person, other = (str(ehr.create(patient())["id"]) for _ in range(2))
    granted = tmp_path / "tokens.json"
    granted.write_text(json.dumps({"refresh_token": "r"}))
    named = ("withings", "--client-id", vendor.account.id, "--user", f"again-{person}")

    def cursors(whose: str, *flags: str, of: tuple[str, ...] = named) -> Json:
        done = running.process.invoke("poll", "link", *of, "--patient", f"Patient/{whose}", "--tokens", str(granted), *flags)
        assert done.code == 0, done.err
        return dict(done.json()["cursors"])

    left = {"withings": {"since": 1_748_736_000}, "heart": {"since": 1_748_736_000}}
    assert cursors(person, "--since", "2025-06-01", "--feed", "heart") == left
    assert cursors(person, "--feed", "heart") == left, "a link that was broken"
    assert running.process.invoke("poll", "unlink", *named).code == 0
    again = cursors(person, "--feed", "heart", "--feed", "sleep")
    assert {feed: again[feed] for feed in left} == left
    assert again["sleep"]["since"] >= YESTERDAY, "was not read before"
    assert cursors(person, "--since", "2025-07-01") == {"withings": {"since": 1_751_328_000}}
    others = ("withings", "--client-id", another("system/Observation.c").account.id, "--user", f"again-{person}")
    assert cursors(person, of=others)["withings"]["since"] >= YESTERDAY
    assert running.process.invoke("poll", "unlink", *named).code == 0
    assert cursors(other)["withings"]["since"] >= YESTERDAY


def test_a_link_that_is_read_at_the_moment_of_the_command_is_left_to_be_asked_again(
    running: Running, scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Law 5: who writes second does nothing, and is told what to do."""
    begun = Links.begun

    async def overtaken(links: Links, *asked: Any) -> Any:
        found = await begun(links, *asked)
        await links._services.store.commit(Unit(notes=[await links.write(*await links.read(scene.link))]))
        return found

    monkeypatch.setattr(Links, "begun", overtaken)
    granted = tmp_path / "tokens.json"
    granted.write_text(json.dumps({"refresh_token": "r"}))
    named = ("--client-id", scene.link.client, "--user", scene.link.user, "--patient", scene.link.patient)
    done = running.process.invoke("poll", "link", "withings", *named, "--tokens", str(granted))
    assert (done.code, done.out) == (1, "")
    assert done.err == "hub: somebody else changed the same at this moment; give the command again\n"
    assert scene.now().tokens.refresh == "refresh-0"


def test_a_question_that_was_under_way_is_begun_again() -> None:
    """Pages of an answer are those of the day on which it was asked."""
    tokens = Tokens(access="", refresh="", expires_us=0)
    link = Link(cloud="withings", user="u", client="c", patient="Patient/p", tokens=tokens, cursor={"since": 1, "until": 5, "offset": 2})
    further = {"heart": {"since": 2, "until": 6, "offset": 4, "seen": ["1:2"]}}
    assert link.left_off(WITHINGS) == {"since": 1}
    assert replace(link, further=further).left_off(WITHINGS.feed("heart")) == {"since": 2, "seen": ["1:2"]}
    assert link.left_off(WITHINGS.feed("sleep")) is None


def test_dexcom_is_asked_in_windows_that_overlap() -> None:
    """v3 egvs: startDate and endDate, thirty days at most; phones' readings come three hours late."""
    now_us = 1_750_000_000_000_000  # 2025-06-15T15:06:40Z
    cursor = {"from": "2025-06-01T00:00:00"}
    call = DEXCOM.ask("https://api.dexcom.eu", "t", cursor, now_us)
    assert call.url == "https://api.dexcom.eu/v3/users/self/egvs?startDate=2025-05-31T20%3A00%3A00&endDate=2025-06-08T00%3A00%3A00"
    after, more = DEXCOM.following(b'{"records": []}', cursor, now_us)
    assert (after, more) == ({"from": "2025-06-08T00:00:00"}, True)
    further = {name: DEXCOM.feed(name).ask("https://api.dexcom.eu", "t", cursor, now_us).url for name in ("calibrations", "events")}
    assert further == {name: call.url.replace("egvs", name) for name in further}
    last, more = DEXCOM.following(b'{"records": []}', {"from": "2025-06-14T00:00:00"}, now_us)
    assert (last, more) == ({"from": "2025-06-15T15:06:40"}, False)


def test_dexcom_gives_new_tokens_by_the_book() -> None:
    """RFC 6749 section 5.1, section 6: without a new refresh token the old one stays."""
    before = Tokens(access="a", refresh="r", expires_us=0)
    call = DEXCOM.renewing("https://api.dexcom.eu", OWN, before)
    assert call.form is not None
    assert (call.url, call.form["grant_type"], call.form["refresh_token"]) == (
        "https://api.dexcom.eu/v3/oauth2/token",
        "refresh_token",
        "r",
    )
    assert DEXCOM.renewed(b'{"access_token": "b", "expires_in": 7200}', before, 0) == Tokens(
        access="b", refresh="r", expires_us=7_200_000_000
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"{}", b'{"status": 0, "body": {}}', b'{"status": 0}', b'{"records": 7}'])
def test_an_answer_that_is_none_moves_no_cursor(body: bytes) -> None:
    for cloud, cursor in ((WITHINGS, {"since": 1}), (DEXCOM, {"from": "2025-06-01T00:00:00"})):
        with pytest.raises(CloudRefused):
            cloud.following(body, cursor, 1_750_000_000_000_000)


def test_a_feed_that_is_refused_stands_before_no_other(internet: respx.MockRouter, wide: Scene) -> None:
    """A scope that was not granted is refused each time: the others are read at the usual time, and it is told which one is not."""
    cloud = Withings(internet, groups(1))
    cloud.series["sleep"] = [night(number) for number in range(3)]
    internet.post(f"https://{ADDRESS}/v2/heart").mock(return_value=httpx.Response(403))
    with capture_logs() as logs:
        assert wide.poll() == [Counter(stored=4)]
    told = [{name: one[name] for name in ("feed", "error", "code")} for one in logs if one["event"] == "poll_failed"]
    assert told == [{"feed": "heart", "error": "CloudRefused", "code": "HTTP 403"}]
    for _ in range(3):
        wide.poll()
        wait_us = wide.now().due_us - wide.backstage.hub.services.clock()
        assert (wide.now().failures, 600_000_000 < wait_us <= 900_000_000) == (1, True)


def test_without_new_tokens_no_further_feed_is_asked(internet: respx.MockRouter, wide: Scene) -> None:
    """What all feeds need is asked for once a turn, and the link waits longer."""
    cloud = Withings(internet, groups(1))
    renewals = internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(400))
    assert wide.poll() == [Counter()]
    assert (renewals.call_count, cloud.asked, wide.now().failures, wide.now().renewing_us) == (1, [], 1, 0)


def test_a_link_that_names_an_unknown_feed_stops_alone_and_says_why(
    internet: respx.MockRouter, running: Running, scene: Scene, vendor: Caller
) -> None:
    """As after going back to an older hub, which writes nothing into it."""
    Withings(internet, groups(1))
    unknown = Scene(scene.backstage, scene.ehr, vendor.account.id)
    unknown.rewrite(replace(unknown.link, further={"dreams": {"since": 1}}))
    with capture_logs() as logs:
        assert (scene.poll(), scene.poll(only_due=True)) == ([Counter(stored=1)], [])
    assert [one["reason"] for one in logs if one["event"] == "poll_stopped"] == ["there is no feed dreams of withings"] * 2
    listed = {one["user"]: one for one in running.process.invoke("poll", "list", "--json").json()}
    shown = listed[unknown.link.user]
    assert (shown["due"], shown["why"]) == (None, "stopped: there is no feed dreams of withings; link it anew")
    assert shown["cursors"] == {"withings": {"since": 1_700_000_000}, "dreams": {"since": 1}}
    assert listed[scene.link.user]["why"] is None
    assert unknown.now() == replace(unknown.link, further={"dreams": {"since": 1}})


HOUR_S = 3_600


def withdraw(scene: Scene, now: int, *, deleted: bool = False, **more: Any) -> None:
    """From three hours ago until an hour ago."""
    deny = scene.ehr.create(consent(scene.person, "deny", **more))
    if deleted:
        assert scene.ehr.request("DELETE", f"Consent/{deny['id']}").status_code == 204
    else:
        scene.ehr.update(deny, status="inactive")
    versions = {1: now - 3 * HOUR_S, 2: now - HOUR_S}
    for collection, version in (("history", 1), ("resources", 2)):  # as if it had been written then
        rows = scene.backstage.admin["hub"][collection]
        shifted = {"lu": versions[version] * 1_000_000, **({"u": versions[2] * 1_000_000} if version == 1 else {})}
        whose = {"t": "Consent"} if version == 1 or not deleted else {"x": "Consent"}
        assert rows.update_one({**whose, "p": scene.backstage.patient_token(scene.person)}, {"$set": shifted}).matched_count == 1


def test_what_was_measured_while_the_patient_had_withdrawn_is_not_fetched_afterwards(internet: respx.MockRouter, scene: Scene) -> None:
    """Law 1: they kept it to themselves. Before and after it is caught up on, also what reaches the cloud late."""
    now, waiting = int(time.time()), scene.backstage.admin["hub"]["quarantine"].count_documents({})
    withdraw(scene, now)
    at = {"before": -4 * HOUR_S, "while": -2 * HOUR_S, "until": -HOUR_S - 1, "after": -HOUR_S}
    cloud = Withings(internet, [group(number, (WEIGHT, 70, 0), date=now + at[when]) for number, when in enumerate(at)])
    scene.rewrite(replace(scene.link, cursor={"since": now - 5 * HOUR_S}))
    assert sum(scene.poll(), Counter()) == Counter(stored=2, refused=2)
    assert scene.total() == 2
    cloud.groups.append(group(9, (WEIGHT, 71, 0), date=now - 2 * HOUR_S + 5))
    scene.rewrite(replace(scene.now(), cursor={"since": now - 5 * HOUR_S}))
    assert sum(scene.poll(), Counter()) == Counter(duplicate=2, refused=3)
    assert scene.backstage.admin["hub"]["quarantine"].count_documents({}) == waiting


def test_a_consent_that_somebody_else_gave_for_the_patient_withdraws_as_well(internet: respx.MockRouter, scene: Scene) -> None:
    """Consent.performer may be another patient: a parent, whom the version then names besides its own."""
    now, parent = int(time.time()), scene.ehr.create(patient())["id"]
    withdraw(scene, now, performer=[{"reference": f"Patient/{parent}"}])
    assert fetched_of_three_hours(scene, internet, now) == Counter(refused=1, stored=2)


def test_a_consent_that_was_deleted_since_counts_until_then(internet: respx.MockRouter, scene: Scene) -> None:
    now = int(time.time())
    withdraw(scene, now, deleted=True)
    assert fetched_of_three_hours(scene, internet, now) == Counter(refused=1, stored=2)


def fetched_of_three_hours(scene: Scene, internet: respx.MockRouter, now: int) -> Counter[str]:
    """A weight before, while and after the patient had withdrawn."""
    Withings(internet, [group(hours, (WEIGHT, 70, 0), date=now - hours * HOUR_S) for hours in (4, 2, 0)])
    scene.rewrite(replace(scene.link, cursor={"since": now - 5 * HOUR_S}))
    return sum(scene.poll(), Counter())


def fetched_for(scene: Scene, internet: respx.MockRouter, unit: str, now: int) -> None:
    """Two weights of a unit that nobody can be told for: while the patient had withdrawn, and before."""
    Withings(internet, [group(number, (WEIGHT, 70, 0), date=now - number * HOUR_S) for number in (2, 4)])
    scene.rewrite(replace(scene.link, cursor={"since": now - 5 * HOUR_S}, device=unit))
    assert sum(scene.poll(), Counter()) == Counter(quarantined=2)


def test_what_was_fetched_and_waits_is_let_in_without_what_had_been_withdrawn(
    internet: respx.MockRouter, scene: Scene, another: Callable[..., Caller]
) -> None:
    """Laws 1 and 3: whoever pairs the unit afterwards and replays is told what an unpaired one is told, each time."""
    alone = another("system/Observation.c", organization=scene.ehr.account.organization, consent_default="opt-out")
    scene.backstage.admin["hub"]["notes"].delete_many({"kd": "link"})
    scene = Scene(scene.backstage, scene.ehr, alone.account.id)
    now, unit = int(time.time()), f"late-{scene.person}"
    withdraw(scene, now)
    fetched_for(scene, internet, unit, now)
    scene.backstage.pair(identifier_system("withings"), unit, f"Patient/{scene.person}", from_us=0)
    hub = scene.backstage.hub
    senders = Senders(services=hub.services, find_client=hub.oauth.find_client)

    async def replayed() -> list[Answer]:
        asked = WaitingAsked(now_us=hub.services.clock(), client=scene.link.client)
        return [one async for _, answers in replay_as_sent(senders, asked, How()) for one in answers]

    assert sorted((one.fate, one.code) for one in scene.backstage.run(replayed())) == [("quarantined", NOT_PAIRED), ("stored", None)]
    assert [(one.fate, one.code) for one in scene.backstage.run(replayed())] == [("quarantined", NOT_PAIRED)]
    assert scene.total() == 1


def test_what_was_fetched_cannot_be_assigned_to_who_had_withdrawn_it(internet: respx.MockRouter, running: Running, scene: Scene) -> None:
    now, unit, other = int(time.time()), f"shared-{scene.person}", scene.ehr.create(patient())["id"]
    withdraw(scene, now)
    invoke = running.process.invoke
    for one in (scene.person, other):
        assert invoke("device", "pair", "withings", unit, "--patient", f"Patient/{one}", "--from", "2020-01-01", "--shared").code == 0
    fetched_for(scene, internet, unit, now)
    waiting = [one["id"] for one in invoke("device", "confirm", "list", "--json").json() if str(one["candidates"]).count(scene.person)]
    done = [invoke("device", "confirm", "assign", id, "--patient", f"Patient/{scene.person}", "--reason", "asked") for id in waiting]
    assert sorted(one.code for one in done) == [0, 1]
    assert [one.err for one in done if one.code] == [f"hub: {NOT_ASSIGNABLE}\n"]
    assert scene.total() == 1


def test_a_consent_that_was_always_there_or_came_first_withdraws_nothing(internet: respx.MockRouter, scene: Scene) -> None:
    """History from before a permit is theirs to give: what they never had withdrawn is decided by what holds now."""
    permit = scene.ehr.create(consent(scene.person))
    scene.ehr.update(permit, dateTime="2026-01-02")
    Withings(internet, groups(3))
    assert sum(scene.poll(), Counter()) == Counter(stored=3)


def test_an_adapter_that_fails_on_one_page_leaves_other_links_polled(
    internet: respx.MockRouter, scene: Scene, vendor: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever one patient's page holds, the others are read."""
    Withings(internet, groups(2))
    scenes = [scene, Scene(scene.backstage, scene.ehr, vendor.account.id)]
    for one in scenes:
        one.rewrite(replace(one.link, tokens=Tokens(access="access-0", refresh="r", expires_us=1 << 60)))
    adapter = type(adapters()["withings"])
    decode, read = adapter.decode, []

    def failing(*given: Any) -> Any:
        read.append(1)
        if len(read) == 1:
            raise KeyError("what nobody foresaw")
        return decode(*given)

    monkeypatch.setattr(adapter, "decode", failing)
    assert sorted(fates.total() for fates in scene.poll()) == [0, 2]
    assert sorted((one.total(), one.now().failures) for one in scenes) == [(0, 1), (2, 0)]


def test_a_store_that_is_away_pauses_the_poller(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    stop = asyncio.Event()

    async def away(_: Links) -> list[Any]:
        looks.append(1)
        if len(looks) == 1:
            raise Unavailable
        stop.set()
        return []

    async def run() -> None:
        hub = scene.backstage.hub
        senders = Senders(services=hub.services, find_client=hub.oauth.find_client)
        async with Outbound() as outbound:
            await Poller(senders, outbound, {}, told=lambda _: None, chance=lambda: 0.5).run(900, 0, stop)

    monkeypatch.setattr(Links, "all", away)
    scene.backstage.run(run())
    assert len(looks) == 2
