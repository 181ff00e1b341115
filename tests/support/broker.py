"""A real MQTT broker: Debian's Mosquitto, on loopback, with a password and, if asked for, TLS.

A test that asks for it is left out with the reason where there is no Mosquitto.
"""

import json
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish

from tests.support.process import ENVIRONMENT, HUB, free_port

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
PASSWORD = shutil.which("mosquitto_passwd")
NAME, SECRET = "hub", "a-password-of-the-tests"
START_S, STOP_S, ANSWERS_S = 120, 120, 240


@dataclass(slots=True)
class Broker:
    """`certificate`: (authorities, certificate, key) for TLS."""

    directory: Path
    certificate: tuple[Path, Path, Path] | None = None
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Broker":
        """On the same port with the same messages, if it ran before."""
        if MOSQUITTO is None or PASSWORD is None:
            pytest.skip("no Mosquitto on this machine (Debian: apt install mosquitto)")
        self.port = self.port or free_port()
        passwords, configuration = self.directory / "passwords", self.directory / "mosquitto.conf"
        if not passwords.exists():
            subprocess.run([PASSWORD, "-b", "-c", str(passwords), NAME, SECRET], check=True, capture_output=True)
        lines = [
            "user root",
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {passwords}",
            "persistence true",
            f"persistence_location {self.directory}/",
            "max_queued_messages 0",
        ]
        if self.certificate is not None:
            lines += [f"{name} {path}" for name, path in zip(("cafile", "certfile", "keyfile"), self.certificate, strict=True)]
        configuration.write_text("\n".join(lines) + "\n")
        (self.directory / "password").write_text(SECRET + "\n")
        with (self.directory / "broker.log").open("ab") as output:
            self._process = subprocess.Popen([MOSQUITTO, "-c", str(configuration)], stdout=output, stderr=output)
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert time.monotonic() < deadline, (self.directory / "broker.log").read_text()
            time.sleep(0.02)  # until it listens
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_S)

    def publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Returns when the broker has acknowledged all of them (QoS 1)."""
        made = [{"topic": topic, "payload": payload, "qos": 1} for topic, payload in messages]
        tls = None if self.certificate is None else {"ca_certs": str(self.certificate[0])}
        publish.multiple(
            made,
            hostname="127.0.0.1" if self.certificate is None else "localhost",
            port=self.port,
            auth={"username": NAME, "password": SECRET},
            tls=tls,
        )

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "broker.log").read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class Listener:
    """`hub mqtt` as a process, on the data of a running hub."""

    def __init__(self, data_dir: Path, broker: Broker, topics: str, settings: Mapping[str, str] | None = None) -> None:
        scheme, host = ("mqtt", "127.0.0.1") if broker.certificate is None else ("mqtts", "localhost")
        self._command = [str(HUB), "mqtt", "--data-dir", str(data_dir)]
        self._environment = {
            **ENVIRONMENT,
            "HUB_MQTT_URL": f"{scheme}://{host}:{broker.port}",
            "HUB_MQTT_TOPICS": topics,
            "HUB_MQTT_USERNAME": NAME,
            "HUB_MQTT_PASSWORD_FILE": str(broker.directory / "password"),
            **(settings or {}),
        }
        self._written = broker.directory / f"listener-{secrets.token_hex(4)}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> "Listener":
        """Returns when it has subscribed."""
        self._written.touch()
        since = self._written.stat().st_size
        with self._written.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT, env=self._environment)
        if wait:
            self._until(lambda: b"subscribed" in self._written.read_bytes()[since:])
        return self

    def output(self) -> str:
        return self._written.read_text()

    def says(self, word: str) -> bool:
        self._until(lambda: word in self.output())
        return True

    def fates(self, count: int) -> list[Any]:
        """Of the first messages that became durable, in all its lives."""

        def found() -> list[Any]:
            return [json.loads(line)["fates"] for line in self.output().splitlines() if line.startswith('{"fates"')]

        self._until(lambda: len(found()) >= count)
        return found()

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(STOP_S)

    def ended(self) -> int:
        """By itself."""
        assert self._process is not None
        return self._process.wait(STOP_S)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_S)

    def _until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + ANSWERS_S
        while not holds():
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.02)  # until it says so
