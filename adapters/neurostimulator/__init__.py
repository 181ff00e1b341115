"""Neurostimulators: a mapping without code, see README.md beside this file."""

from adapters.declarative import packaged
from adapters.neurostimulator.simulate import SIMULATOR

adapter = packaged(__name__, simulator=SIMULATOR)
