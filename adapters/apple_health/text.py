"""Source and device of a record, without who owns them; cached, because thousands of records share them.

`sourceName` is what the owner called the phone or the watch, mostly with the first name: what is kept is a digest, which
tells two sources apart and can still be guessed by somebody who has names to try. `device` begins with an address in memory
that differs from record to record, and holds a name too: what is kept is what the thing is.
"""

import re
from functools import lru_cache
from hashlib import sha256

_DIGEST = re.compile(r"source-[0-9a-f]{16}")
_DEVICE_PART = re.compile(r"(manufacturer|model|hardware|software):([^:]{0,200})(?=,\s[a-zA-Z ]{1,30}:|$)")


@lru_cache(256)
def source_digest(source_name: str) -> str:
    """Return the same text for the same source, and not its name; a digest stays what it is."""
    if _DIGEST.fullmatch(source_name):
        return source_name
    return f"source-{sha256(source_name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


@lru_cache(4096)
def device_model(device: str) -> str:
    """Return manufacturer, model, hardware and software of a device text; empty if it names none."""
    return ", ".join(f"{name}:{value.strip()}" for name, value in _DEVICE_PART.findall(device.rstrip(">")))
