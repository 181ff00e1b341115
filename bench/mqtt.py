"""python -m bench.mqtt: messages a second that `hub mqtt` takes in from a real Mosquitto, and what the broker alone hands out.

Messages of one weight each, of many scales, wait at the broker when the hub subscribes. The floor is a subscriber that acknowledges and
does nothing else.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

from paho.mqtt import client as paho

from tests.support.backstage import Backstage, new_client
from tests.support.broker import NAME, SECRET, Broker, Listener
from tests.support.caller import Caller, http_client
from tests.support.payloads import identifier_system, weight
from tests.support.process import HubProcess
from tests.support.resources import patient

SCALES = 16
WAIT_S = 600


def messages(count: int) -> list[tuple[str, bytes]]:
    return [(f"scales/S-{n % SCALES}/weight", weight(70_000, n, date=1_700_000_000 + n)) for n in range(count)]


def floor(broker: Broker, count: int) -> float:
    """Messages a second."""
    done, seen = threading.Event(), [0]

    def heard(*_: object) -> None:
        seen[0] += 1
        if seen[0] == count:
            done.set()

    def subscriber() -> paho.Client:
        made = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="floor", clean_session=False)
        made.username_pw_set(NAME, SECRET)
        made.on_message = heard
        made.on_connect = lambda one, *_: one.subscribe("scales/#", qos=1)
        made.connect("127.0.0.1", broker.port)
        return made

    first = subscriber()
    first.loop_start()
    time.sleep(1)
    first.loop_stop()
    first.disconnect()
    broker.publish(messages(count))
    began = time.monotonic()
    second = subscriber()
    second.loop_start()
    assert done.wait(WAIT_S)
    second.loop_stop()
    return count / (time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mqtt", description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000)
    count = parser.parse_args().messages
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        process, broker = HubProcess(Path(name) / "data").start(), Broker(Path(name))
        try:
            broker.start()
            with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
                account = backstage.register(new_client("bench", "system/*.cruds", consent_default="opt-out", recorder=True))
                person = Caller(http, account).create(patient())["id"]
                for number in range(SCALES):
                    backstage.pair(identifier_system("withings"), f"S-{number}", f"Patient/{person}", from_us=0)
            listener = Listener(process.data_dir, broker, f"scales/{{device}}/weight=withings@{account.id}").start()
            listener.stop()
            broker.publish(messages(count))
            listener.start()
            began = time.monotonic()
            listener.fates(count)
            seconds = time.monotonic() - began
            listener.stop()
            print(f"hub mqtt: {count / seconds:,.0f} messages/s; a subscriber that does nothing: {floor(broker, count):,.0f}/s")
        finally:
            broker.stop()
            process.stop()


if __name__ == "__main__":
    main()
