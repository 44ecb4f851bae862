"""Feature stores: one self-describing HDF5 file per video, written atomically and read with suspicion.

The format is specified in ``features/README.md``. For notebooks there is `FeatureStore`, in
`memfeat.store.feature_store` and as ``memfeat.FeatureStore``.
"""
