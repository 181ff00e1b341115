"""Recordings: ECG as XML, signals as files of samples."""

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from tests.support.independent.said import MDC, OURS, Said, absent, at, coded, mdc, ours, strip

_V3: Final = {"v3": "urn:hl7-org:v3"}
_LEADS: Final = {"I": "131329", "II": "131330", "III": "131389"}
_STAGES: Final = {"W": "wake", "1": "n1", "2": "n2", "3": "n3", "4": "stage-4", "R": "rem", "?": "unscored"}
_SIGNALS: Final = {"EEG": f"{MDC}|153900", "EOG": ours("eog"), "Resp": f"{MDC}|151552", "EMG": f"{MDC}|153916", "Temp": f"{MDC}|150364"}
_UNITS: Final = {"uV": "uV", "DegC": "Cel", "": "1"}


def aecg(payload: bytes) -> Iterator[Said]:
    """HL7 V3 annotated ECG, https://www.hl7.org/implement/standards/product_brief.cfm?product_id=102.

    A sequence set has one sequence of times (head and increment) and one for each lead (origin, scale, digits): origin + scale * digit.
    """
    root = ET.fromstring(payload)  # noqa: S314 -- a file of ours
    for one in root.iter(f"{{{_V3['v3']}}}sequenceSet"):
        times, *leads = one.findall("v3:component/v3:sequence", _V3)
        head, increment = times.find("v3:value/v3:head", _V3), times.find("v3:value/v3:increment", _V3)
        assert head is not None
        assert increment is not None
        begun, seconds = datetime.strptime(head.attrib["value"], "%Y%m%d%H%M%S"), float(increment.attrib["value"])  # noqa: DTZ007
        for lead in leads:
            code, digits = lead.find("v3:code", _V3), lead.findtext("v3:value/v3:digits", "", _V3).split()
            origin, scale = lead.find("v3:value/v3:origin", _V3), lead.find("v3:value/v3:scale", _V3)
            assert code is not None
            assert origin is not None
            assert scale is not None
            yield Said(
                code=mdc(_LEADS[code.attrib["code"].removeprefix("MDC_ECG_LEAD_")]),
                value=strip(
                    " ".join(digits),
                    period=str(seconds * 1000),
                    origin=origin.attrib["value"],
                    factor=scale.attrib["value"],
                    unit=scale.attrib["unit"],
                ),
                start=at(begun),
                end=at(begun + timedelta(seconds=seconds * len(digits))),
            )


def wfdb(payload: bytes) -> Iterator[Said]:
    """https://wfdb.io/spec/header-files.html and signal-files.html: of format 212, three bytes hold two samples of twelve bits.

    The signals take turns; value = (sample - baseline) / gain. The two files come as one archive.
    """
    archive = zipfile.ZipFile(io.BytesIO(payload))
    (name,) = (one for one in archive.namelist() if one.endswith(".hea"))
    record, *lines = [line.split() for line in archive.read(name).decode().splitlines() if not line.startswith("#")]
    count, rate = int(record[1]), float(record[2])
    samples = list(_of_twelve_bits(archive.read(lines[0][0])))[: count * int(record[3])]
    for number, line in enumerate(lines[:count]):
        found = re.fullmatch(r"([0-9.]+)\(([0-9]+)\)/(\w+)", line[2])
        assert found is not None
        gain, baseline = float(found[1]), float(found[2])
        yield Said(
            code=mdc(_LEADS[line[8]]),
            value=strip(
                " ".join(str(one) for one in samples[number::count]),
                period=str(1000 / rate),
                origin=str(-baseline / gain),
                factor=str(1 / gain),
                unit=found[3],
            ),
        )


def edf(payload: bytes) -> Iterator[Said]:
    """https://www.edfplus.info/specs/edf.html and edfplus.html: a header of 256 bytes and 256 for each signal, field by field.

    A signal scales from its digital to its physical minimum and maximum; without a dimension it is not calibrated, and a mere number. A
    marker of events is no signal of a body. A file that has only "EDF Annotations" is a list: onset, duration (after byte 21) and text
    (after byte 20); sleep stages in the words of edftexts.html, here those of Rechtschaffen and Kales.
    """
    begun = datetime.strptime(payload[168:184].decode(), "%d.%m.%y%H.%M.%S")  # noqa: DTZ007 -- a wall clock
    records, seconds, count = int(payload[236:244]), float(payload[244:252]), int(payload[252:256])
    labels, _, units, low, high, digital_low, digital_high, _, samples, _ = _fields(
        payload[256 : 256 * (count + 1)].decode("latin-1"), count
    )
    if labels == ["EDF Annotations"]:
        yield from _stages(payload[512:], begun)
        return
    parts = []
    for place in range(count):
        factor = (float(high[place]) - float(low[place])) / (float(digital_high[place]) - float(digital_low[place]))
        code = _SIGNALS.get(labels[place].split()[0])
        scaled = strip(
            "",
            period=str(seconds * 1000 / int(samples[place])),
            origin=str(float(low[place]) - factor * float(digital_low[place])),
            factor=str(factor),
            unit=_UNITS[units[place]],
        )
        parts.append((code or labels[place], scaled if code else absent("unsupported")))
    end = begun + timedelta(seconds=records * seconds)
    yield Said(code=ours("signal-recording"), start=at(begun), end=at(end), parts=tuple(sorted(parts)))


def _stages(annotations: bytes, begun: datetime) -> Iterator[Said]:
    for onset, duration, text in re.findall(rb"\+([0-9.]+)\x15([0-9.]+)\x14([^\x14]+)\x14", annotations):
        start = begun + timedelta(seconds=float(onset))
        stage = _STAGES[text.decode().removeprefix("Sleep stage ")]
        end = start + timedelta(seconds=float(duration))
        value = coded(f"{OURS}/scored-sleep-stage", stage)
        yield Said(code=ours("sleep-stage-scored"), value=value, start=at(start), end=at(end))


def _fields(header: str, count: int) -> list[list[str]]:
    """The widths of edf.html: label, transducer, dimension, four limits, prefiltering, samples of a record, reserved."""
    read, place = [], 0
    for width in (16, 80, 8, 8, 8, 8, 8, 80, 8, 32):
        read.append([header[place + width * one : place + width * (one + 1)].strip() for one in range(count)])
        place += width * count
    return read


def _of_twelve_bits(data: bytes) -> Iterator[int]:
    for place in range(0, len(data) - 1, 3):
        low, middle, *high = data[place : place + 3]
        yield _signed(low | (middle & 0x0F) << 8)
        if high:
            yield _signed(high[0] | (middle & 0xF0) << 4)


def _signed(number: int) -> int:
    return number - 4096 if number > 2047 else number
