"""A connected textile: a mapping without code, see README.md beside this file."""

from adapters.declarative import packaged
from adapters.textile.simulate import SIMULATOR

adapter = packaged(__name__, simulator=SIMULATOR)
