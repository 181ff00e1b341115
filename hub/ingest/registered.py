"""At which clouds the hub is registered, as the settings say."""

from hub.ingest.clouds import Credentials
from hub.ingest.polling import At
from hub.settings import Settings


def registered(settings: Settings) -> dict[str, At]:
    """By name of the cloud. Raises OSError where a secret's file cannot be read."""
    given = {
        "withings": (settings.withings_url, settings.withings_client_id, settings.withings_secret_file),
        "dexcom": (settings.dexcom_url, settings.dexcom_client_id, settings.dexcom_secret_file),
    }
    return {
        name: At(base=base.rstrip("/"), own=Credentials(client_id=client_id, client_secret=file.read_text().strip()))
        for name, (base, client_id, file) in given.items()
        if client_id is not None and file is not None
    }
