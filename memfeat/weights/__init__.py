"""Weights of networks: what is published where, finding a file on this machine, and loading it strictly."""
