"""How much of the spread of scores is the items' own, and how well a perfect model could do.

Scores are means of a few yes/no answers, so part of their variance is noise. Two routes estimate the rest: the numbers
of answers behind each score, and the scores of two halves of the participants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memfeat.errors import UsageError
from memfeat.metrics import is_constant, spearman

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """What the numbers of answers say about the scores they gave."""

    n: int
    """Items with a score and at least two answers."""
    mean: float
    variance: float
    """Variance of the scores as they are."""
    noise: float
    """Mean sampling variance of a score; no model has a smaller expected squared error."""
    reliability: float
    """Share of the variance that is the items' own; below 0 when the noise alone explains more than there is."""
    split_half: float | None
    """Expected correlation of the scores of two random halves; None without reliability."""
    ceiling: float | None
    """Correlation that a perfect model would reach with these scores; None without reliability."""


def from_counts(scores: npt.ArrayLike, counts: npt.ArrayLike) -> Reliability | None:
    """Return the reliability of scores that are shares of yes among known numbers of answers.

    Parameters
    ----------
    scores
        Shape (n,), in [0, 1]. What corrections moved outside is taken for its nearest end in the noise term.
    counts
        Shape (n,), number of answers behind each score. Items with fewer than two, or with a score or a count
        that is missing, are left out.

    Returns
    -------
    Reliability or None
        None when fewer than three items are left or all scores are equal.

    Raises
    ------
    UsageError
        Unequal lengths.

    Notes
    -----
    With p_i the share among n_i answers: noise_i = p_i (1 - p_i) / (n_i - 1), an unbiased estimate of the
    binomial sampling variance; true variance V = variance(p) - mean(noise); reliability R = V / variance(p);
    correlation of two halves, each with half of the answers, V / (V + 2 mean(noise)); ceiling sqrt(R), as in
    classical test theory (Lord, F. and Novick, M. (1968), Statistical Theories of Mental Test Scores, chapter 3).
    Correlations are Pearson's; Spearman's of scores near 1 are a little lower.

    Examples
    --------
    >>> found = from_counts([0.5, 0.7, 0.9, 0.6], [40, 40, 40, 40])
    >>> round(found.noise, 5), round(found.reliability, 3), round(found.ceiling, 3)
    (0.00506, 0.826, 0.909)
    """
    p, n = np.asarray(scores, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if p.ndim != 1 or p.shape != n.shape:
        raise UsageError(
            f"scores have shape {p.shape}, counts {n.shape}; two equally long lists were expected."
        )
    use = np.isfinite(p) & np.isfinite(n) & (n >= 2)
    p, n = p[use], n[use]
    variance = float(np.var(p, ddof=1)) if p.size > 1 else 0.0
    if p.size < 3 or variance == 0 or is_constant(p):
        return None
    share = np.clip(p, 0.0, 1.0)
    noise = float(np.mean(share * (1 - share) / (n - 1)))
    true = variance - noise
    known = true > 0
    return Reliability(
        n=int(p.size),
        mean=float(p.mean()),
        variance=variance,
        noise=noise,
        reliability=true / variance,
        split_half=true / (true + 2 * noise) if known else None,
        ceiling=math.sqrt(true / variance) if known else None,
    )


@dataclass(frozen=True, slots=True)
class Agreement:
    """What halves of the participants say about the scores of all."""

    items: int
    halvings: int
    """Halvings with a correlation."""
    split_half: float
    """Mean Spearman correlation of the halves."""
    deviation: float
    """Standard deviation over halvings; 0 for a single one."""
    reliability: float | None
    """Of the scores of all participants, by Spearman and Brown; None when the halves do not agree."""
    ceiling: float | None
    """Correlation that a perfect model would reach with the scores of all participants."""


def spearman_brown(half: float) -> float:
    """Return the reliability of all answers from the correlation of two halves: 2 r / (1 + r).

    >>> spearman_brown(0.5)
    0.6666666666666666
    """
    return 2 * half / (1 + half)


def from_halves(a: npt.ArrayLike, b: npt.ArrayLike) -> Agreement | None:
    """Return the agreement of two halves of the participants, averaged over halvings.

    Parameters
    ----------
    a, b
        Shape (halvings, items): scores of one half and of the other. Where either is missing, the item is left out
        of that halving.

    Returns
    -------
    Agreement or None
        None when no halving has a correlation (fewer than three items, or a constant half).

    Raises
    ------
    UsageError
        The shapes differ or are not two-dimensional.

    Notes
    -----
    The mean correlation r of halves is no upper bound for a model that is compared with the scores of all:
    those are more reliable, R = 2 r / (1 + r) (Spearman, C. (1910); Brown, W. (1910), British Journal of Psychology 3),
    and a perfect model reaches about sqrt(R).

    Examples
    --------
    >>> found = from_halves([[0.1, 0.5, 0.9, 0.7]], [[0.2, 0.6, 0.8, 0.5]])
    >>> round(found.split_half, 3), round(found.reliability, 3), round(found.ceiling, 3)
    (0.8, 0.889, 0.943)
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.ndim != 2 or x.shape != y.shape:
        raise UsageError(
            f"The halves have shapes {x.shape} and {y.shape}; (halvings, items) twice was expected."
        )
    found = []
    for one, other in zip(x, y, strict=True):
        use = np.isfinite(one) & np.isfinite(other)
        rho = spearman(one[use], other[use]) if use.sum() >= 3 else None
        if rho is not None:
            found.append(rho)
    if not found:
        return None
    mean = float(np.mean(found))
    reliability = spearman_brown(mean) if mean > 0 else None
    return Agreement(
        items=x.shape[1],
        halvings=len(found),
        split_half=mean,
        deviation=float(np.std(found, ddof=1)) if len(found) > 1 else 0.0,
        reliability=reliability,
        ceiling=math.sqrt(reliability) if reliability is not None else None,
    )
