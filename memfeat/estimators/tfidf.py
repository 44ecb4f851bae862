"""Weights of words and word pairs in what people wrote about a video."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

Array = npt.NDArray[Any]
Texts = Sequence[str] | Sequence[Sequence[str]] | Array
_WORD = re.compile(r"(?u)\b\w\w+\b")


class CaptionTfidf(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    r"""TF-IDF of the words and word pairs in several texts per video.

    A term is a run of up to `ngrams` words of one text: pairs never cross from one caption into the next. With
    :math:`t_{ij}` the number of times term j is in all texts of video i, and :math:`n_j` the number of the n
    fitted videos with that term, the weight is
    :math:`t_{ij} \left(1 + \ln\frac{1 + n}{1 + n_j}\right)`, and each row is divided by its Euclidean norm.
    These are scikit-learn's ``TfidfVectorizer`` and its defaults (lower case, words of two characters and more),
    pairs across captions apart. Terms that were not in the fitted texts are passed over.

    Parameters
    ----------
    ngrams
        Longest run of words.
    min_count
        Fitted videos in which a term must be.
    n_components
        None gives the weights themselves, sparse. A number gives their projection on that many singular
        vectors (latent semantic analysis: Deerwester, S. et al. (1990), JASIS 41(6)), dense; fewer where there
        are not as many videos or terms.
    random_state
        Seed of the randomised decomposition.

    Attributes
    ----------
    terms_ : (d,) str
        Terms in alphabetical order.
    idf_ : (d,) float64
    components_ : (k, d) float64
        Singular vectors; only with `n_components`.

    Examples
    --------
    >>> captions = [("a dog runs", "the dog"), ("a cat sleeps",)]
    >>> weights = CaptionTfidf().fit(captions)
    >>> weights.terms_.tolist()
    ['cat', 'cat sleeps', 'dog', 'dog runs', 'runs', 'sleeps', 'the', 'the dog']
    >>> weights.transform([("dog", "dog sleeps")]).toarray().round(2).tolist()
    [[0.0, 0.0, 0.89, 0.0, 0.0, 0.45, 0.0, 0.0]]
    """

    def __init__(
        self, ngrams: int = 2, *, min_count: int = 1, n_components: int | None = None, random_state: int = 0
    ) -> None:
        self.ngrams = ngrams
        self.min_count = min_count
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: Texts, y: object = None) -> CaptionTfidf:
        """Learn terms and weights.

        Parameters
        ----------
        X
            For each video a string, or several: a list of strings or tuples of them, or an object array
            (n,) or (n, 1) of those.

        Raises
        ------
        ValueError
            A cell is no text; no term is left; a parameter is out of range.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Texts, y: object = None) -> Any:
        """Fit, and return what `transform` gives for the same texts."""
        return self._project(self._fit(X))

    def transform(self, X: Texts) -> Any:
        """Return the weights, a CSR matrix (n, d), or with `n_components` an array (n, k); float64.

        Raises
        ------
        ValueError
            A cell is no text.
        """
        check_is_fitted(self)
        counter = CountVectorizer(analyzer=self._terms, vocabulary=self.terms_.tolist(), dtype=np.float64)
        return self._project(self._weigh(counter.transform(_documents(X))))

    def get_feature_names_out(self, input_features: object = None) -> Array:
        """Return a name for each column: the terms, or ``lsa0``, ``lsa1`` and so on."""
        check_is_fitted(self)
        if self.n_components is None:
            return np.asarray(self.terms_, dtype=object)
        return np.array([f"lsa{k}" for k in range(len(self.components_))], dtype=object)

    def _fit(self, X: Texts) -> Any:
        for name, value in (("ngrams", self.ngrams), ("min_count", self.min_count)):
            if value < 1:
                raise ValueError(f"{name}={value}; at least 1 is needed.")
        if self.n_components is not None and self.n_components < 1:
            raise ValueError(f"n_components={self.n_components}; at least 1 is needed, or None.")
        documents = _documents(X)
        counter = CountVectorizer(
            analyzer=self._terms, min_df=min(self.min_count, len(documents)), dtype=np.float64
        )
        try:
            counts = counter.fit_transform(documents)
        except ValueError as error:
            raise ValueError(
                f"The texts of {len(documents)} videos have no term to fit ({error}). Words need two letters "
                f"or more, and terms must be in {self.min_count} videos or more."
            ) from error
        self.terms_ = counter.get_feature_names_out().astype(str)
        self.idf_ = TfidfTransformer().fit(counts).idf_
        weights = self._weigh(counts)
        if self.n_components is not None:
            k = min(self.n_components, *weights.shape)
            svd = TruncatedSVD(k, random_state=self.random_state)
            self.components_ = svd.fit(weights).components_
        return weights

    def _weigh(self, counts: Any) -> Any:
        weights = csr_matrix(counts)
        weights.sort_indices()  # sums then run in one order, whether rows were fitted or are new
        weights.data *= self.idf_[weights.indices]
        return normalize(weights, copy=False)

    def _project(self, weights: Any) -> Any:
        return weights if self.n_components is None else weights @ self.components_.T

    def _terms(self, texts: Iterable[str]) -> list[str]:
        found = []
        for text in texts:
            words = _WORD.findall(text.lower())
            for n in range(1, self.ngrams + 1):
                found += [" ".join(words[k : k + n]) for k in range(len(words) - n + 1)]
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _documents(X: Texts) -> list[tuple[str, ...]]:
    """Return the texts of each row, whatever they came in."""
    if isinstance(X, str) or not hasattr(X, "__len__"):
        raise ValueError(f"Texts are a list with one entry per video; got {X!r:.60}.")
    rows = list(X.reshape(-1) if isinstance(X, np.ndarray) and X.shape[1:] in ((), (1,)) else X)
    if not rows:
        raise ValueError("Texts of at least one video are needed; got none.")
    documents = [(row,) if isinstance(row, str) else row for row in rows]
    for row in documents:
        if not isinstance(row, (tuple, list)) or not all(isinstance(text, str) for text in row):
            raise ValueError(
                f"Each video needs a string or several; got {row!r:.60} of type {type(row).__name__}."
            )
    return [tuple(row) for row in documents]
