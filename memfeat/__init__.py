"""memfeat turns videos and images into feature stores and memorability scores.

>>> import memfeat
>>> memfeat.__version__.count(".")
2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["FeatureStore", "__version__"]

if TYPE_CHECKING:
    from memfeat.store.feature_store import FeatureStore


def __getattr__(name: str) -> object:
    # Importing memfeat must not load h5py or pandas: the command line starts with this module.
    if name == "FeatureStore":
        from memfeat.store.feature_store import FeatureStore

        return FeatureStore
    raise AttributeError(f"module 'memfeat' has no attribute {name!r}")
