"""What can be done to a feature's columns before a regressor sees them, by name.

A name may end in a number: ``pca50`` is fifty principal components. Everything that is learned from data is
learned in the fold, from the rows that are fitted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from memfeat.errors import UsageError, nearest

PASS = "passthrough"
_FIXED = 0  # components must not change with the seed that shuffles folds
_CLASS_FIELDS = ("actions", "categories", "classes")


@dataclass(frozen=True, slots=True)
class Preparation:
    """A preparation as it was asked for."""

    name: str
    make: Callable[[int], Any]
    """``make(seed)`` returns an unfitted transformer, or ``"passthrough"``."""
    text: bool = False
    """Whether it takes texts, and not numbers."""
    sparse: bool = False
    """Whether it gives a scipy sparse matrix."""
    also_reduction: str = ""
    """A further reduction of the same feature that it is fitted on."""
    also_texts: tuple[str, ...] = ()
    """Fields of texts of which it needs the first that there is, on the rows it is fitted on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    summary: str
    make: Callable[[float | None, int], Any]
    """From the number in the name (None without one) and a seed."""
    number: str = ""
    """What the number in the name means; empty where there is none."""
    least: float = 1
    whole: bool = True
    needs_number: bool = False
    text: bool = False
    sparse: bool = False
    also_reduction: str = ""


def find(name: str) -> Preparation:
    """Return the preparation of that name.

    Raises
    ------
    UsageError
        There is none; the nearest is named.

    Examples
    --------
    >>> find("pca50").make(0)
    PrincipalComponents(n_components=50)
    >>> find("tfidf").sparse
    True
    """
    base, number = name, None
    if name not in _KINDS or _KINDS[name].needs_number:
        match = re.fullmatch(r"(.*?)(\d+(?:\.\d+)?)", name)
        base, number = (match[1], float(match[2])) if match else (name, None)
    if base.startswith("class-prototypes-"):
        return _class_prototypes(name, (base.removeprefix("class-prototypes-"),))
    kind = _KINDS.get(base)
    wrong = kind is None or (number is not None and not kind.number) or (number is None and kind.needs_number)
    if kind is None or wrong:
        if name == "class-prototypes":
            return _class_prototypes(name, _CLASS_FIELDS)
        known = [*_KINDS, "class-prototypes"]
        raise UsageError(
            f"There is no preparation {name!r}; there are {', '.join(listed())}.{nearest(name, known)}"
        )
    if number is not None and (number < kind.least or (kind.whole and number != int(number))):
        what = "a whole number from" if kind.whole else "a number from"
        raise UsageError(f"{name!r}: the {kind.number} must be {what} {kind.least:g}; got {number:g}.")
    return Preparation(
        name,
        lambda seed: kind.make(number, seed),
        text=kind.text,
        sparse=kind.sparse,
        also_reduction=kind.also_reduction,
    )


def listed() -> dict[str, str]:
    """Return every name, with N or E for a number in it, and what it does.

    >>> listed()["pcaN"]
    'the first N principal components, whitened; `pca` is 10'
    """
    names = {}
    for base, kind in _KINDS.items():
        ending = ("E" if not kind.whole else "N") if kind.number else ""
        names[base + ending] = kind.summary
    names["class-prototypes"] = (
        "distance from the mean of each class of fitted rows; classes are the texts `actions`, `categories` or "
        "`classes`, or those named: `class-prototypes-titles`"
    )
    return names


def _class_prototypes(name: str, fields: tuple[str, ...]) -> Preparation:
    def make(seed: int) -> Any:
        from memfeat.evaluation.paired import WithClasses

        return WithClasses(_similarity("class_prototypes", "ClassPrototypes")(random_state=seed))

    return Preparation(name, make, also_texts=fields)


def _similarity(module: str, name: str) -> Any:
    return getattr(import_module(f"memfeat.estimators.similarity.{module}"), name)


def _simple(module: str, name: str) -> Callable[[float | None, int], Any]:
    return lambda _, seed: _similarity(module, name)(random_state=seed)


def _scaler(_: float | None, seed: int) -> Any:
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def _normalizer(_: float | None, seed: int) -> Any:
    from sklearn.preprocessing import Normalizer

    return Normalizer()


def _components(number: float | None, seed: int) -> Any:
    from memfeat.estimators.principal_components import PrincipalComponents

    return PrincipalComponents(int(number or 10), random_state=_FIXED)


def _components_of_first(_: float | None, seed: int) -> Any:
    from memfeat.evaluation.paired import FittedOnFirst

    return FittedOnFirst(_components(None, seed))


def _tfidf(_: float | None, seed: int) -> Any:
    from memfeat.estimators.tfidf import CaptionTfidf

    return CaptionTfidf()


def _tfidf_svd(number: float | None, seed: int) -> Any:
    from memfeat.estimators.tfidf import CaptionTfidf

    return CaptionTfidf(min_count=2, n_components=int(number or 300), random_state=_FIXED)


def _clusters(number: float | None, seed: int) -> Any:
    given = {} if number is None else {"eps": number}
    return _similarity("dbscan", "ContextClusters")(random_state=seed, **given)


def _clusters_m3s(number: float | None, seed: int) -> Any:
    published = _similarity("dbscan", "PUBLISHED_SETTINGS")
    given = {} if number is None else {"eps": number}
    return _similarity("dbscan", "ContextClusters")(**{**published, "random_state": seed, **given})


def _kmeans(number: float | None, seed: int) -> Any:
    given = {} if number is None else {"k": int(number)}
    return _similarity("kmeans_prototypes", "KMeansPrototypes")(random_state=seed, **given)


_KINDS: dict[str, _Kind] = {
    "none": _Kind(summary="nothing", make=lambda _, seed: PASS),
    "zscore": _Kind(summary="mean 0 and standard deviation 1 over the fitted rows", make=_scaler),
    "l2": _Kind(summary="each row divided by its Euclidean norm", make=_normalizer),
    "pca": _Kind(
        summary="the first N principal components, whitened; `pca` is 10",
        make=_components,
        number="number of components",
    ),
    "pca-m3s": _Kind(
        summary="ten whitened principal components, fitted on the first frames and applied to the column, as M3-S does",
        make=_components_of_first,
        also_reduction="first",
    ),
    "tfidf": _Kind(summary="TF-IDF of words and word pairs of texts", make=_tfidf, text=True, sparse=True),
    "tfidf-svd": _Kind(
        summary="N singular components of the `tfidf` of terms in two videos or more; `tfidf-svd` is 300",
        make=_tfidf_svd,
        number="number of components",
        text=True,
    ),
    "dbscan": _Kind(
        summary="membership in clusters of similar fitted rows (t-SNE, DBSCAN), radius from the k-distances",
        make=_clusters,
    ),
    "dbscan-eps": _Kind(
        summary="`dbscan` with the radius E",
        make=_clusters,
        number="radius",
        least=1e-6,
        whole=False,
        needs_number=True,
    ),
    "dbscan-m3s": _Kind(
        summary="`dbscan` as the M3-S code does it, noise in the last cluster; radius from the k-distances",
        make=_clusters_m3s,
    ),
    "dbscan-m3s-eps": _Kind(
        summary="`dbscan-m3s` with the radius E; published were 1.25 for hrnet and 0.9 for csn",
        make=_clusters_m3s,
        number="radius",
        least=1e-6,
        whole=False,
        needs_number=True,
    ),
    "fractional": _Kind(
        summary="fractional distance from the mean of the fitted rows",
        make=_simple("fractional", "FractionalDistance"),
    ),
    "euclidean": _Kind(
        summary="Euclidean distance from the mean of the fitted rows",
        make=_simple("euclidean", "EuclideanDistance"),
    ),
    "cosine-mean": _Kind(
        summary="cosine with the mean of the fitted rows",
        make=_simple("cosine_mean", "CosineToMean"),
    ),
    "cosine-threshold": _Kind(
        summary="share of the fitted rows beyond thresholds of cosine similarity",
        make=_simple("cosine_threshold", "CosineThreshold"),
    ),
    "kde": _Kind(
        summary="minus the log density of the fitted rows around the row",
        make=_simple("kde", "KernelDensityScore"),
    ),
    "kmeans": _Kind(
        summary="distance from each of N centres of k-means; `kmeans` is 20",
        make=_kmeans,
        number="number of centres",
    ),
}
