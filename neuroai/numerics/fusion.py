"""Fusion of when and where: RDMs over time, RDMs of regions, and what a layer shares with both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.comparators import as_complete_rdms, same_pairs, standardised

FUSION_METHODS = ("pearson", "spearman")

# A layer that says the same as a region shares all or nothing.
_SAME = 1e-12


def commonality(
    with_region: np.ndarray, with_layer: np.ndarray, region_with_layer: np.ndarray
) -> np.ndarray:
    r"""Return the share of the variance of an RDM that a region and a layer explain alike.

    .. math:: C = R^2_{t \cdot f} + R^2_{t \cdot m} - R^2_{t \cdot f m}, \qquad
              R^2_{t \cdot fm} = \frac{r_{tf}^2 + r_{tm}^2 - 2 r_{tf} r_{tm} r_{fm}}{1 - r_{fm}^2}

    Parameters
    ----------
    with_region : array or float
        Correlation of the time's RDM with that of the region, :math:`r_{tf}`.
    with_layer : array or float
        Of the time's RDM with that of the layer, :math:`r_{tm}`.
    region_with_layer : array or float
        Of the region's RDM with that of the layer, :math:`r_{fm}`.

    Returns
    -------
    array
        At most the smaller of the squares of the first two; negative where one hides what the
        other has in common with the time (suppression). NaN where region and layer are the same.

    References
    ----------
    Hebart et al. (2018), https://doi.org/10.7554/eLife.32816

    Examples
    --------
    >>> float(commonality(0.5, 0.5, 0.0)), round(float(commonality(0.6, 0.6, 0.5)), 4)
    (0.0, 0.24)
    """
    tf, tm, fm = (np.asarray(r, dtype=np.float64) for r in (with_region, with_layer,
                                                            region_with_layer))  # fmt: skip
    left = 1.0 - fm**2
    both = (tf**2 + tm**2 - 2 * tf * tm * fm) / np.where(left > _SAME, left, np.nan)
    return tf**2 + tm**2 - both


@dataclass(frozen=True, eq=False)
class FusionProducts:
    """Similarities of single subjects' RDMs, from which those of any group follow.

    Attributes
    ----------
    time_region : array of shape (n_time_subjects, n_times, n_region_subjects, n_regions)
        Subjects' RDMs over time with subjects' RDMs of regions.
    time_layer : array of shape (n_time_subjects, n_times, n_layers)
        With the layers.
    region_layer : array of shape (n_region_subjects, n_regions, n_layers)
        Of regions and layers.
    time_time : array of shape (n_times, n_time_subjects, n_time_subjects)
        Among subjects at each time.
    region_region : array of shape (n_regions, n_region_subjects, n_region_subjects)
        Among subjects in each region.
    """

    time_region: np.ndarray
    time_layer: np.ndarray
    region_layer: np.ndarray
    time_time: np.ndarray
    region_region: np.ndarray

    def fused(
        self, time_weights: np.ndarray, region_weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return similarities (n_times, n_regions) and commonalities (.., n_layers) of a group.

        Parameters
        ----------
        time_weights, region_weights : arrays of shape (n_time_subjects,), (n_region_subjects,)
            How much each subject counts.
        """
        k, g = np.asarray(time_weights, float), np.asarray(region_weights, float)
        t_length = np.sqrt(np.einsum("s,tsu,u->t", k, self.time_time, k))
        f_length = np.sqrt(np.einsum("s,rsu,u->r", g, self.region_region, g))
        tf = np.einsum("s,stfr,f->tr", k, self.time_region, g) / np.outer(t_length, f_length)
        tm = np.einsum("s,stm->tm", k, self.time_layer) / t_length[:, None]
        fm = np.einsum("f,frm->rm", g, self.region_layer) / f_length[:, None]
        return tf, commonality(tf[:, :, None], tm[:, None, :], fm[None])


def fusion_products(
    over_time: np.ndarray, regions: np.ndarray, layers: np.ndarray, *, method: str = "spearman"
) -> FusionProducts:
    r"""Correlate the RDMs of every subject, time, region and layer.

    The RDM of a group is the mean of its subjects' standardised vectors, :math:`\bar z = \sum_s
    k_s z_s`, so that every group's correlations follow from those of subjects:

    .. math:: r = \frac{\sum_{sf} k_s g_f \, z_s^\top z_f}
              {\sqrt{k^\top Z_t Z_t^\top k} \sqrt{g^\top Z_r Z_r^\top g}}

    Parameters
    ----------
    over_time : array of shape (n_time_subjects, n_times, n_pairs)
        Complete RDM vectors of one modality (EEG, MEG) at every time.
    regions : array of shape (n_region_subjects, n_regions, n_pairs)
        Of another modality (fMRI), other persons perhaps, the same stimuli.
    layers : array of shape (n_layers, n_pairs)
        Of a network or model; may be empty.
    method : {"pearson", "spearman"}
        Of the vectors, or of their average ranks.

    Returns
    -------
    FusionProducts
        float64.

    Raises
    ------
    UsageError
        Shapes that do not fit, or an unknown method.
    DataError
        Some entries are NaN or infinite.

    References
    ----------
    Cichy, Pantazis & Oliva (2014), https://doi.org/10.1038/nn.3635

    Examples
    --------
    >>> rdm = np.array([1.0, 2.0, 4.0, 3.0, 0.0, 6.0])
    >>> made = fusion_products(rdm[None, None], rdm[None, None], rdm[::-1][None], method="pearson")
    >>> similarity, _ = made.fused(np.ones(1), np.ones(1))
    >>> similarity.round(6).tolist()
    [[1.0]]
    """
    one_of(method, FUSION_METHODS, option="method")
    t, f, m = stacked(over_time, regions, layers, method=method)
    return FusionProducts(
        time_region=np.einsum("stp,frp->stfr", t, f, optimize=True),
        time_layer=t @ m.T,
        region_layer=f @ m.T,
        time_time=np.einsum("stp,utp->tsu", t, t, optimize=True),
        region_region=np.einsum("srp,urp->rsu", f, f, optimize=True),
    )


def stacked(
    over_time: np.ndarray, regions: np.ndarray, layers: np.ndarray, *, method: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return standardised vectors in the shapes that came, or say what is wrong.

    Raises
    ------
    UsageError
        The number of axes or of pairs differs.
    """
    made = []
    for values, name, axes in (
        (over_time, "over_time", 3), (regions, "regions", 3), (layers, "layers", 2),
    ):  # fmt: skip
        values = np.asarray(values, dtype=np.float64)
        if values.ndim != axes:
            raise UsageError(f"{name} must have {axes} axes, pairs last; got shape {values.shape}.")
        flat = as_complete_rdms(values.reshape(-1, values.shape[-1]), name=name)
        made.append(standardised(flat, method=method).reshape(values.shape))
    same_pairs(made[0], made[1])
    same_pairs(made[0], made[2])
    return made[0], made[1], made[2]
