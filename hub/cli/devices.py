"""hub device: who wears what when, and the registry of units."""

from hub.cli import unit, unit_status
from hub.cli.device import app

for _act in (unit.register, unit.show, unit.units, unit.retire, unit.exchange, unit_status.status, unit_status.watch):
    app.command()(_act)

__all__ = ["app"]
