"""Regressors and transformers with scikit-learn's interface, one per file; usable without the rest of memfeat."""
