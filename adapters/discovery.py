"""Which adapters there are: whatever is installed under the entry-point group `hds_hub.adapters`.

https://packaging.python.org/en/latest/specifications/entry-points/. A vendor's package plugs in by naming itself there.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from types import MappingProxyType

from adapters.contract import Adapter

GROUP = "hds_hub.adapters"


class UnknownAdapter(LookupError):
    """No adapter of that name is installed; says which ones are."""


class BrokenAdapter(Exception):
    """An installed adapter cannot be used: name taken twice, name differs from its manifest, or it does not load."""


@cache
def adapters() -> Mapping[str, Adapter]:
    """Return the installed adapters by name, sorted. Raises BrokenAdapter. Looked up once per process."""
    return collect(entry_points(group=GROUP))


def adapter(name: str) -> Adapter:
    """Return one adapter. Raises UnknownAdapter, BrokenAdapter."""
    installed = adapters()
    if name not in installed:
        raise UnknownAdapter(f"no such adapter; installed: {', '.join(installed) or 'none'}")
    return installed[name]


@cache
def software() -> Mapping[str, str]:
    """By adapter, the installed distribution that provides it with its version, e.g. "hds-hub/1.4.0"; unknown ones are left out."""
    found = {point.name: point.dist for point in entry_points(group=GROUP)}
    return MappingProxyType({name: f"{dist.name}/{dist.version}" for name, dist in found.items() if dist is not None})


def collect(points: Iterable[EntryPoint]) -> Mapping[str, Adapter]:
    """Load entry points into a mapping that cannot be written. Raises BrokenAdapter, for a name taken twice before any code runs."""
    by_name = sorted(points, key=lambda point: point.name)
    for one, next_ in pairwise(by_name):
        if one.name == next_.name:
            raise BrokenAdapter(f"two adapters are called {one.name!r}; uninstall one of the packages that provide it")
    return MappingProxyType({point.name: _load(point) for point in by_name})


def _load(point: EntryPoint) -> Adapter:
    try:
        loaded: Adapter = point.load()
        name = loaded.manifest.name
    except Exception as error:  # a vendor's code or mapping: whatever is wrong with it is said, and where
        raise BrokenAdapter(f"adapter {point.name!r} ({point.value}) does not load: {type(error).__name__}: {error}") from error
    if name != point.name:
        raise BrokenAdapter(f"adapter {point.name!r} ({point.value}) calls itself {name!r} in its manifest; they must agree")
    return loaded
