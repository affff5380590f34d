"""How two effects of the same lesions go together, and how much of one runs through the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.errors import UsageError

# Below this share of a variable's own variance, what is left of it is rounding.
NOTHING_LEFT = 1e-12


def partial_correlation(x: np.ndarray, y: np.ndarray, covariates: np.ndarray) -> float:
    """Correlate what covariates leave unexplained of two variables.

    r = corr(x - Z Z⁺ x, y - Z Z⁺ y), with Z the covariates and a constant.

    Parameters
    ----------
    x, y : array, shape (n_samples,)
        The two variables.
    covariates : array, shape (n_samples, n_covariates)
        What is held constant; no column gives the plain correlation.

    Returns
    -------
    float
        In [-1, 1]; NaN where the covariates explain one of the two wholly, or fewer than three
        samples beyond the covariates are left.

    References
    ----------
    Fisher, 1924, Metron 3, 329-332.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> partial_correlation(x, np.array([2.0, 1.0, 4.0, 3.0]), np.empty((4, 0)))
    0.6
    """
    x, y, z = _checked(x, y, covariates)
    if len(x) - z.shape[1] < 3:
        return float("nan")
    a, b = _residual(x, z), _residual(y, z)
    scale = np.sqrt((a @ a) * (b @ b))
    return float(np.clip((a @ b) / scale, -1, 1)) if scale > 0 else float("nan")


@dataclass(frozen=True)
class Mediation:
    """A decomposition of a total effect; a statement about association, not about cause.

    Attributes
    ----------
    total : float
        Slope of the outcome on the treatment.
    direct : float
        The same with the mediator held constant.
    indirect : float
        Product of the slope of the mediator on the treatment and of the outcome on the mediator
        with the treatment held constant; equals ``total - direct``.
    share : float
        ``indirect / total``; NaN where the total is 0. Outside [0, 1] where the two have unlike
        signs.
    """

    total: float
    direct: float
    indirect: float
    share: float


def mediation(treatment: np.ndarray, mediator: np.ndarray, outcome: np.ndarray) -> Mediation:
    """Split the effect of a treatment into what runs beside and what runs through a mediator.

    With least squares m = i₁ + a t, y = i₂ + c' t + b m, y = i₃ + c t: the indirect effect is
    a b = c - c'.

    Parameters
    ----------
    treatment, mediator, outcome : array, shape (n_samples,)
        Such as dose of a lesion, change of a representation and change of behaviour.

    Returns
    -------
    Mediation
        All NaN where the treatment does not vary or determines the mediator.

    References
    ----------
    Baron & Kenny, 1986, J Pers Soc Psychol 51, 1173, doi:10.1037/0022-3514.51.6.1173. The split
    names a cause only if nothing unmeasured acts on both mediator and outcome: Imai et al., 2010,
    Psychol Methods 15, 309, doi:10.1037/a0020761.

    Examples
    --------
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> m = np.array([0.0, 3.0, 3.0, 6.0])
    >>> mediation(t, m, 2 * m)
    Mediation(total=3.6, direct=0.0, indirect=3.6, share=1.0)
    """
    t, m, _ = _checked(treatment, mediator, np.empty((len(treatment), 0)))
    _, y, _ = _checked(treatment, outcome, np.empty((len(treatment), 0)))
    t, m, y = t - t.mean(), m - m.mean(), y - y.mean()
    left = _residual(m, np.column_stack([np.ones(len(t)), t]))
    if t @ t == 0 or left @ left == 0:
        return Mediation(*[float("nan")] * 4)
    total, a = (t @ y) / (t @ t), (t @ m) / (t @ t)
    indirect = a * (left @ y) / (left @ left)
    direct = total - indirect
    # Rounding alone must not leave a direct effect of 1e-17.
    direct = 0.0 if abs(direct) <= NOTHING_LEFT * abs(total) else direct
    share = indirect / total if total else float("nan")
    return Mediation(float(total), float(direct), float(indirect), float(share))


def _checked(
    x: np.ndarray, y: np.ndarray, covariates: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    z = np.asarray(covariates, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or z.ndim != 2 or len(z) != len(x):
        raise UsageError(
            "Two variables (n_samples,) and covariates (n_samples, n_covariates) are wanted; got "
            f"{x.shape}, {y.shape} and {z.shape}."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(z).all()):
        raise UsageError("The variables hold NaN or infinite values. Leave these samples out.")
    return x, y, np.column_stack([np.ones(len(x)), z])


def _residual(values: np.ndarray, design: np.ndarray) -> np.ndarray:
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    spread = values - values.mean()
    rounding = len(values) * (1e-14 * np.abs(values).max()) ** 2
    least = NOTHING_LEFT * (spread @ spread) + rounding
    return left if left @ left > least else np.zeros_like(left)
