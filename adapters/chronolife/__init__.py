"""Chronolife T-shirt: a mapping without code, see README.md beside this file."""

from adapters.chronolife.simulate import SIMULATOR
from adapters.declarative import packaged

adapter = packaged(__name__, simulator=SIMULATOR)
