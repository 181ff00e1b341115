"""Who may send by MLLP: the file of senders (docs/guides/hl7v2.md). MSH-3 and MSH-4 authenticate nobody."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub.ingest.mllp.senders import BadSenders, peers, read_senders

PRINT = "ab" * 32
BY_CERTIFICATE = {"client": "gw", "adapter": "pcd01", "certificate": PRINT}
BY_NETWORK = {"client": "ward", "adapter": "oru", "trustedNetwork": "10.2.0.0/24", "application": "EHR", "timeZone": "Europe/Paris"}


def read(directory: Path, *rows: Any) -> Any:
    path = directory / "senders.json"
    path.write_text(json.dumps({"senders": rows}))
    return read_senders(path)


def test_a_peer_is_known_by_certificate_or_by_a_network_of_ones_own(tmp_path: Path) -> None:
    first, second = read(tmp_path, BY_CERTIFICATE, BY_NETWORK)
    rows = (first, second)
    assert peers(rows, PRINT, "192.0.2.1") == (first,)
    assert peers(rows, "cd" * 32, "192.0.2.1") == ()
    assert peers(rows, None, "10.2.0.7") == (second,)
    assert peers(rows, None, "192.0.2.1") == ()


def test_sending_application_only_chooses_among_the_rows_of_a_peer(tmp_path: Path) -> None:
    first, second = read(tmp_path, BY_CERTIFICATE, BY_NETWORK)
    assert first.speaks_as("anything", "")
    assert (second.speaks_as("EHR", "x"), second.speaks_as("GW", "x")) == (True, False)


def test_a_fingerprint_may_be_written_as_openssl_does(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {**BY_CERTIFICATE, "certificate": ":".join(["AB"] * 32)})
    assert row.certificate == PRINT


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"client": "gw", "adapter": "pcd01"}, "either certificate or trustedNetwork"),
        ({**BY_CERTIFICATE, "trustedNetwork": "10.0.0.0/8"}, "either certificate or trustedNetwork"),
        ({**BY_NETWORK, "trustedNetwork": "0.0.0.0/0"}, "private network"),
        ({**BY_NETWORK, "trustedNetwork": "8.8.8.0/24"}, "private network"),
        ({**BY_CERTIFICATE, "adapter": "withings"}, "reads MLLP"),
        ({**BY_CERTIFICATE, "certificate": "ab"}, "64 hexadecimal digits"),
        ({**BY_CERTIFICATE, "timezone": "Europe/Paris"}, "its keys are"),
        ({**BY_CERTIFICATE, "client": 7}, "each a text"),
    ],
)
def test_a_row_that_is_not_sound_is_refused_and_named(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(BadSenders, match=said):
        read(tmp_path, row)


def test_an_empty_file_lets_nobody_in(tmp_path: Path) -> None:
    with pytest.raises(BadSenders):
        read(tmp_path)
