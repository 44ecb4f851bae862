"""Measures memfeat against the way a lab would write the same descriptors: ``python -m benchmarks --help``."""
