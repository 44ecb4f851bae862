"""The cluster that a video belongs to among the fitted videos, or none."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import DBSCAN
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from memfeat.estimators.principal_components import PrincipalComponents
from memfeat.estimators.similarity.context_measure import check_input_names
from memfeat.estimators.similarity.embedding import embed
from memfeat.estimators.similarity.neighbourhood import choose_eps

Array = npt.NDArray[Any]
NOISE = -1
NOISE_PLACES = ("own-column", "last-cluster", "zeros")
TRAIN_LABELS = ("classifier", "dbscan")
PUBLISHED_EPS = {"hrnet": 1.25, "csn": 0.9}
"""The M3-S model's radii, for embeddings of about 7,000 videos by its version of t-SNE. They do not carry over
to other features or numbers of videos: 632 photographs are all noise at either."""
PUBLISHED_SETTINGS: dict[str, Any] = {
    "eps": "most-clusters",
    "noise": "last-cluster",
    "train_labels": "dbscan",
    "tsne_init": "random",
    "tsne_learning_rate": 200.0,
}
"""`ContextClusters` as in the M3-S code, but seeded and with a radius that adapts to the data."""


class ContextClusters(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Cluster membership of each row, as columns of zeros and ones.

    The fitted rows' whitened principal components are embedded in three dimensions by t-SNE and clustered
    there by DBSCAN; a neural network then learns each row's cluster (noise is one more class) from its
    components. It places new rows, and by default the fitted ones too, so that ``fit_transform`` equals
    ``transform``.

    There is one column per cluster, then, by default, one for noise, which is there even when nothing is
    noise. Clusters are numbered as they appear among the rows: their columns mean something within one fit
    only.

    Parameters
    ----------
    n_components
        Dimensions of the space, at most.
    eps
        DBSCAN's radius in the embedding, or a rule that reads it from the distances of the embedded rows to
        their `min_samples`-th nearest row (themselves the first): ``"most-clusters"``, the one of their
        quantiles that gives the most clusters, or ``"k-distance"``, the knee of these distances in ascending
        order, which joins into one or two what does not stand apart. See `neighbourhood.choose_eps`.
    min_samples
        Rows within `eps`, itself included, that make a row the core of a cluster.
    noise
        Where noise goes: ``"own-column"``; ``"last-cluster"``, the last cluster's column, as in the M3-S code;
        ``"zeros"``, no column.
    member_bit
        Whether a last column says that a row belongs to a cluster, whichever.
    train_labels
        Whose labels `fit_transform` returns: ``"classifier"``, or ``"dbscan"`` as in the M3-S code. With the
        latter, fitted and new rows are labelled by different rules, and `fit_transform` differs from
        `transform` by the network's errors; a regressor then trusts labels that new rows do not have.
    perplexity
        t-SNE's effective number of neighbours; at most a third of the other rows is used.
    tsne_init
        ``"components"`` or ``"random"``, see `embedding.embed`.
    tsne_learning_rate, tsne_max_iter
        As in scikit-learn's ``TSNE``.
    random_state
        Seed of the decomposition, the embedding and the network.

    Attributes
    ----------
    pca_ : PrincipalComponents
    embedding_ : (n, 3) float32
        Zeros when there are fewer rows than `min_samples`.
    eps_ : float
        The radius used; NaN when a rule had fewer rows than `min_samples`.
    labels_ : (n,) int
        DBSCAN's clusters of the fitted rows, from 0; -1 is noise.
    n_clusters_ : int
    noise_share_ : float
        Share of the fitted rows that are noise, by `labels_`.
    classifier_ : MLPClassifier or None
        100 hidden units, at most 500 passes; None when all rows have one label.
    agreement_ : float
        Share of the fitted rows that the classifier gives DBSCAN's label.
    n_features_in_ : int

    Warns
    -----
    UserWarning
        All rows are noise, or all clustered rows are in one cluster: the columns then say little.

    References
    ----------
    Dumont, T., Hevia, J. S. and Fosco, C. L. (2023), Modular memorability: tiered representations for video
    memorability prediction, CVPR, section 5.

    Examples
    --------
    >>> centres = np.eye(8) * 20
    >>> videos = np.repeat(centres, 20, axis=0) + np.random.default_rng(0).normal(size=(160, 8))
    >>> context = ContextClusters(eps="k-distance", member_bit=True, tsne_max_iter=300).fit(videos)
    >>> context.n_clusters_
    8
    >>> context.get_feature_names_out()[-3:].tolist()
    ['cluster7', 'noise', 'in_cluster']
    >>> context.predict(centres).tolist()  # videos that were not there
    [0, 1, 2, 3, 4, 5, 6, 7]
    >>> context.transform(centres[:2])
    array([[1., 0., 0., 0., 0., 0., 0., 0., 0., 1.],
           [0., 1., 0., 0., 0., 0., 0., 0., 0., 1.]])
    """

    def __init__(
        self,
        n_components: int = 10,
        *,
        eps: float | str = "most-clusters",
        min_samples: int = 5,
        noise: str = "own-column",
        member_bit: bool = False,
        train_labels: str = "classifier",
        perplexity: float = 30.0,
        tsne_init: str = "components",
        tsne_learning_rate: float | str = "auto",
        tsne_max_iter: int = 1000,
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.eps = eps
        self.min_samples = min_samples
        self.noise = noise
        self.member_bit = member_bit
        self.train_labels = train_labels
        self.perplexity = perplexity
        self.tsne_init = tsne_init
        self.tsne_learning_rate = tsne_learning_rate
        self.tsne_max_iter = tsne_max_iter
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: object = None) -> ContextClusters:
        """Find the clusters of the rows of X, shape (n, d), and learn to recognise them.

        The cost is t-SNE's: two minutes for 7,000 rows.

        Raises
        ------
        ValueError
            Fewer than two rows, values that are not finite, or a parameter out of range.
        """
        self._check_parameters()
        checked = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        self.pca_ = PrincipalComponents(self.n_components, random_state=self.random_state).fit(checked)
        scores = self.pca_.transform(checked)
        self._cluster(scores)
        self.n_clusters_ = int(self.labels_.max()) + 1
        self.noise_share_ = float(np.mean(self.labels_ == NOISE))
        self._warn_of_little()
        self.classifier_ = self._learn_labels(scores)
        self.agreement_ = float(np.mean(self._classify(scores) == self.labels_))
        return self

    def fit_transform(self, X: npt.ArrayLike, y: object = None) -> Array:
        """Fit, and return the columns of the same rows: `transform` of them, or DBSCAN's, by `train_labels`."""
        self.fit(X)
        return self._columns(self.labels_) if self.train_labels == "dbscan" else self.transform(X)

    def transform(self, X: npt.ArrayLike) -> Array:
        """Return the columns of each row of X, shape (n, columns), float64 zeros and ones, without refitting.

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        return self._columns(self.predict(X))

    def predict(self, X: npt.ArrayLike) -> Array:
        """Return the cluster of each row of X as the classifier sees it, shape (n,), -1 for noise.

        Raises
        ------
        ValueError
            As `transform`.
        """
        check_is_fitted(self)
        checked = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return self._classify(self.pca_.transform(checked))

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> Array:
        """Return the names of the columns; `input_features` is checked for its length alone."""
        check_is_fitted(self)
        check_input_names(input_features, self.n_features_in_)
        names = [f"cluster{cluster}" for cluster in range(self.n_clusters_)]
        if self.noise == "own-column" or not names:
            names.append("noise")
        return np.array([*names, "in_cluster"] if self.member_bit else names, dtype=object)

    def _check_parameters(self) -> None:
        for name, allowed in (("noise", NOISE_PLACES), ("train_labels", TRAIN_LABELS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r}; expected one of {', '.join(allowed)}.")
        if self.min_samples < 1:
            raise ValueError(f"min_samples={self.min_samples!r}; give at least 1.")
        if not isinstance(self.eps, str) and not 0 < self.eps < np.inf:
            raise ValueError(f"eps={self.eps!r}; expected a number above 0, k-distance or most-clusters.")

    def _cluster(self, scores: Array) -> None:
        if len(scores) < self.min_samples:
            self.embedding_ = np.zeros((len(scores), 3), dtype=np.float32)
            self.eps_ = float("nan") if isinstance(self.eps, str) else float(self.eps)
            self.labels_ = np.full(len(scores), NOISE)
            return
        self.embedding_ = embed(
            scores,
            perplexity=self.perplexity,
            start=self.tsne_init,
            learning_rate=self.tsne_learning_rate,
            max_iter=self.tsne_max_iter,
            random_state=self.random_state,
        )
        points = self.embedding_.astype(np.float64)
        if isinstance(self.eps, str):
            self.eps_ = choose_eps(points, min_samples=self.min_samples, rule=self.eps)
        else:
            self.eps_ = float(self.eps)
        self.labels_ = DBSCAN(eps=self.eps_, min_samples=self.min_samples).fit(points).labels_

    def _warn_of_little(self) -> None:
        rows = len(self.labels_)
        if rows < self.min_samples:
            said = f"{rows} rows are fewer than min_samples={self.min_samples}: all are noise. Fit more rows."
        elif self.n_clusters_ == 0:
            said = f"all rows are noise at eps={self.eps_:.4g}: there are 0 clusters. Give a larger eps."
        elif self.n_clusters_ == 1:
            noise = int(np.sum(self.labels_ == NOISE))
            said = (
                f"1 cluster holds {rows - noise} of {rows} rows, and {noise} are noise, at eps={self.eps_:.4g}. "
                "Give a smaller eps, or eps='most-clusters'."
            )
        else:
            return
        warnings.warn(f"ContextClusters: {said}", UserWarning, stacklevel=3)

    def _learn_labels(self, scores: Array) -> MLPClassifier | None:
        if len(np.unique(self.labels_)) == 1:
            return None
        classifier = MLPClassifier(hidden_layer_sizes=(100,), max_iter=500, random_state=self.random_state)
        with warnings.catch_warnings():
            # The published limit of passes; how well it did is in `agreement_`.
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(scores, self.labels_)
        # Twice the size of the network, of no use after fitting, and of a type that a saved model need not have.
        vars(classifier).pop("_optimizer", None)
        return classifier

    def _classify(self, scores: Array) -> Array:
        if self.classifier_ is None:
            return np.full(len(scores), self.labels_[0])
        labels: Array = self.classifier_.predict(scores)
        return labels

    def _columns(self, labels: Array) -> Array:
        width = self.n_clusters_ + (self.noise == "own-column")
        # Label -1 takes the last row: the noise column, or as in the M3-S code the last cluster's.
        columns = np.eye(max(width, 1))[labels]
        if self.noise == "zeros":
            columns[labels == NOISE] = 0.0
        if self.member_bit:
            columns = np.column_stack([columns, labels != NOISE])
        return columns
