"""Circular Ring 2: a mapping without code, see README.md beside this file."""

from adapters.circular.simulate import SIMULATOR
from adapters.declarative import packaged

adapter = packaged(__name__, simulator=SIMULATOR)
