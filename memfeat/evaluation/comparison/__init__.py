"""The parts of a comparison: what is compared, its rows, its fits, what is kept of them, and its tables."""
