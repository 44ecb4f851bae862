"""Compiled loops and transforms behind the descriptors: arrays in, numbers out."""
