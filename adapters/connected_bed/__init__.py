"""Connected hospital beds: a mapping without code, see README.md beside this file."""

from adapters.declarative import packaged

adapter = packaged(__name__)
