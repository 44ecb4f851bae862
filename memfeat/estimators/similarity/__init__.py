"""Contextual similarity: how usual a video is among the videos a model was fitted on, as scikit-learn transformers.

All work in one space, the whitened first principal components of one feature over the fitted rows, as in the
M3-S model (Dumont, Hevia and Fosco, CVPR 2023), and place new videos without refitting:

* `dbscan.ContextClusters`: the cluster a video belongs to, or none, as columns of zeros and ones;
* `fractional.FractionalDistance`, `euclidean.EuclideanDistance`, `cosine_mean.CosineToMean`: from the mean;
* `cosine_threshold.CosineThreshold`: the share of fitted videos in about the same direction;
* `kde.KernelDensityScore`: how thinly its neighbourhood is populated;
* `kmeans_prototypes.KMeansPrototypes`, `class_prototypes.ClassPrototypes`: distances from typical videos.
"""
