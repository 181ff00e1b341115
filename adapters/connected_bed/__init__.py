"""Connected hospital beds: a mapping without code, see README.md beside this file."""

from adapters.connected_bed.simulate import SIMULATOR
from adapters.declarative import packaged

adapter = packaged(__name__, simulator=SIMULATOR)
