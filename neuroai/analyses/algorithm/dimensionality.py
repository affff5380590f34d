"""Dimensionality: how many dimensions do the responses of a region fill?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._parts import NOTES, UNDEFINED, asked_of_parts
from neuroai.cards import AnalysisCard
from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import PRESENTATION, STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.dimension import isotropic_ratio, participation_ratio, two_nn
from neuroai.numerics.spectrum import cross_validated_spectrum, spectrum, spectrum_exponent
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="dimensionality",
    level="algorithm",
    question="How many dimensions do the responses of each region fill, and how evenly?",
    form="table",
    defined_on="recordings and activations of at least 8 stimuli",
    citation="Gao et al. 2017, doi:10.1101/214262; Stringer et al. 2019, "
    "doi:10.1038/s41586-019-1346-5; Facco et al. 2017, doi:10.1038/s41598-017-11873-y",
)
FEWEST = 8


def dimensionality(
    system: System,
    *,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    ranks: tuple[int, int] | None = None,
    discard: float = 0.1,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Measure participation ratio, spectrum and intrinsic dimension of mean responses.

    .. math:: PR = \frac{(\sum_i \lambda_i)^2}{\sum_i \lambda_i^2}, \qquad
              \lambda_k \propto k^{-\alpha}

    All of them hang on the number of stimuli and units: compare systems at equal numbers. The
    answer's notes say what noise without structure would read.

    Parameters
    ----------
    system : System
        A brain or a model.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    ranks : (int, int), optional
        Ranks that the exponent is fitted to, from 1; by default from 1 to a quarter of the
        stimuli, or 11 to 500 (as published) where there are more than 2,000.
    discard : float
        Share of the largest ratios that the intrinsic dimension leaves out.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table`` by subject and region: ``value`` (participation ratio), ``corrected`` (for
        the number of stimuli), ``isotropic`` (what noise without structure reads),
        ``intrinsic_dimension``, ``exponent``, ``n_stimuli``, ``n_units``, and the share of
        variance ``spectrum(rank)``, 0 at ranks beyond the number of units. Where every stimulus
        was shown twice, ``cross_validated_spectrum(rank)``, ``cross_validated_ratio`` and the
        exponent of that spectrum; a network without noise repeats itself: its spectrum is both.

    Raises
    ------
    UsageError
        The ranks lie beyond the spectrum.

    References
    ----------
    Stringer et al. 2019, doi:10.1038/s41586-019-1346-5

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, _ = contrast_brain()
    >>> answer = dimensionality(brain)
    >>> bool(1 < answer.data["value"].item() < answer.data["isotropic"].item())
    True
    """
    stimuli = system.stimuli if stimuli is None else stimuli

    def work(recording: xr.DataArray) -> xr.Dataset | NotMeasurable:
        _, means, _ = stimulus_patterns(recording)
        patterns = means.reshape(len(means), -1).astype(np.float64)
        if len(patterns) < FEWEST:
            return NotMeasurable(
                f"{len(patterns)} stimuli are too few for a dimension; {FEWEST} are needed"
            )
        if not np.ptp(patterns, axis=0).any():
            return NotMeasurable(f"no unit of {recording.attrs['region']} varies over stimuli")
        return _measured(patterns, _halves(recording), ranks, discard)

    return asked_of_parts(
        system, work, card=CARD, stimuli=stimuli, regions=regions, undefined=undefined,
        parameters={"ranks": ranks, "discard": discard},
    )  # fmt: skip


def _halves(recording: xr.DataArray) -> tuple[np.ndarray, np.ndarray] | None:
    """Give mean patterns of odd and of even showings; a model's twice; None for lone showings."""
    ids = recording[STIMULUS_ID].values.astype(str)
    # Showings come sorted by stimulus, so that neighbours are showings of one.
    starts = np.searchsorted(ids, ids)
    odd = (np.arange(len(ids)) - starts) % 2 == 1
    lone = len(set(ids[odd])) < len(set(ids))
    if lone and recording.attrs["kind"] != "model":
        return None
    parts = [recording, recording] if lone else [
        recording.isel({PRESENTATION: np.flatnonzero(keep)}) for keep in (~odd, odd)
    ]  # fmt: skip
    first, second = (stimulus_patterns(part)[1] for part in parts)
    return first.reshape(len(first), -1), second.reshape(len(second), -1)


def _measured(
    patterns: np.ndarray,
    halves: tuple[np.ndarray, np.ndarray] | None,
    ranks: tuple[int, int] | None,
    discard: float,
) -> xr.Dataset:
    n_stimuli, n_units = patterns.shape
    plain = spectrum(patterns)
    kept = plain if halves is None else cross_validated_spectrum(*halves)
    fitted = spectrum_exponent(kept, ranks=ranks or _default_ranks(n_stimuli, len(kept)))
    near = two_nn(patterns, fit="line", discard=discard)
    most = isotropic_ratio(n_stimuli, n_units)
    table = {
        "value": participation_ratio(patterns),
        "corrected": participation_ratio(patterns, corrected=True),
        "isotropic": most,
        "intrinsic_dimension": near.dimension,
        "exponent": fitted.exponent,
        "n_stimuli": float(n_stimuli),
        "n_units": float(n_units),
    }
    spectra = {"spectrum": plain / plain.sum()}
    if halves is not None:
        table["cross_validated_ratio"] = kept.sum() ** 2 / np.sum(kept**2)
        spectra["cross_validated_spectrum"] = kept / plain.sum()
    lost = {name: int(np.isnan(value)) for name, value in table.items() if np.isnan(value)}
    notes = [
        f"noise in {n_units} equal dimensions would have a participation ratio of {most:.0f} at "
        f"{n_stimuli} stimuli: compare at equal numbers of stimuli and units"
    ]
    notes += ["no stimulus set was shown twice: the spectrum holds noise"] * (halves is None)
    # Beyond the number of units there is no variance: the eigenvalues of the Gram matrix are 0.
    longer = {name: np.pad(own, (0, n_stimuli - 1 - len(own))) for name, own in spectra.items()}
    return xr.Dataset(
        {name: ((), float(value)) for name, value in table.items()}
        | {name: ("rank", values) for name, values in longer.items()},
        coords={"rank": np.arange(1, n_stimuli)},
        attrs={
            NOTES: tuple(notes),
            UNDEFINED: {
                "copies of stimuli left out of the intrinsic dimension": near.n_duplicates,
                "ranks without variance that repeats": fitted.n_left_out,
                **{f"{name} without a value": n for name, n in lost.items()},
            },
        },
    )


def _default_ranks(n_stimuli: int, n_ranks: int) -> tuple[int, int]:
    if n_stimuli > 2000 and n_ranks >= 500:
        return 11, 500
    return 1, max(3, min(n_stimuli // 4, n_ranks))
