"""Benchmarks: each figure stands beside its floor, measured in the same run on the same machine (docs/performance.md)."""
