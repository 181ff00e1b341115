"""Adapters without code: a vendor writes a mapping (YAML or JSON) and gets an adapter. See docs/guides/declarative.md."""

from adapters.declarative.failure import Fault, MappingError
from adapters.declarative.load import DeclarativeAdapter, load, packaged, schema

__all__ = ["DeclarativeAdapter", "Fault", "MappingError", "load", "packaged", "schema"]
