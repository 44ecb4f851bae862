"""Three dimensions in which neighbours stay neighbours, for clustering."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

Array = npt.NDArray[Any]
DIMENSIONS = 3
SPREAD = 1e-4  # of the start, so small that early steps move freely: as scikit-learn's own starts
STARTS = ("components", "random")


def embed(
    scores: Array,
    *,
    perplexity: float = 30.0,
    start: str = "components",
    learning_rate: float | str = "auto",
    max_iter: int = 1000,
    random_state: int = 0,
) -> Array:
    """Return the t-SNE embedding of whitened scores in three dimensions.

    On one thread: threads add up the forces in the order in which they finish, which changes the last digits
    and then the whole picture.

    Parameters
    ----------
    scores
        Shape (n, k), n at least 2.
    perplexity
        Effective number of neighbours; at most a third of the other rows is used.
    start
        ``"components"``: the first three columns of `scores`. scikit-learn's ``init="pca"`` would decompose
        them once more, which on whitened scores finds no more than rounding errors. ``"random"``: seeded noise.
    learning_rate, max_iter
        As in scikit-learn's ``TSNE``.
    random_state
        Seed.

    Returns
    -------
    (n, 3) float32

    Raises
    ------
    ValueError
        Another start, or a perplexity that is not above 0.

    References
    ----------
    van der Maaten, L. and Hinton, G. (2008), Visualizing data using t-SNE, JMLR 9.

    Examples
    --------
    >>> scores = np.random.default_rng(0).normal(size=(20, 4))
    >>> embed(scores, max_iter=250).shape
    (20, 3)
    """
    if start not in STARTS:
        raise ValueError(f"tsne_init={start!r}; expected one of {', '.join(STARTS)}.")
    if not perplexity > 0:
        raise ValueError(f"perplexity={perplexity!r}; give a number above 0, such as 30.")
    with threadpool_limits(limits=1, user_api="openmp"):
        embedding: Array = TSNE(
            DIMENSIONS,
            perplexity=min(perplexity, (len(scores) - 1) / 3),
            init="random" if start == "random" else _first_columns(scores, random_state),
            learning_rate=learning_rate,
            max_iter=max_iter,
            random_state=random_state,
        ).fit_transform(scores)
    return embedding


def _first_columns(scores: Array, random_state: int) -> Array:
    noise = np.random.default_rng(random_state).normal(size=(len(scores), DIMENSIONS))
    noise[:, : scores.shape[1]] = scores[:, :DIMENSIONS]
    return (SPREAD * noise).astype(np.float32)
