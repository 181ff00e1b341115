"""Vendors' clouds that are polled, by name."""

from collections.abc import Mapping

from hub.ingest.clouds.dexcom import DEXCOM
from hub.ingest.clouds.feed import Call, Cloud, CloudRefused, Credentials, Cursor, Feed, Tokens
from hub.ingest.clouds.withings import WITHINGS

CLOUDS: Mapping[str, Cloud] = {cloud.name: cloud for cloud in (WITHINGS, DEXCOM)}

__all__ = ("CLOUDS", "DEXCOM", "WITHINGS", "Call", "Cloud", "CloudRefused", "Credentials", "Cursor", "Feed", "Tokens")
