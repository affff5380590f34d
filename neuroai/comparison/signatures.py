"""Two image-level signatures, their correlation freed from the noise of trials."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import UsageError
from neuroai.format.align import align
from neuroai.format.answers import Answer
from neuroai.format.schema import STIMULUS
from neuroai.format.scores import Score
from neuroai.numerics.intervals import percentile_interval
from neuroai.numerics.signatures import NoiseCorrected, noise_corrected_correlation

METRIC = "signature-correlation-corrected"
HALVES = "per_half"


def compare_signatures(
    brain: Answer,
    model: Answer,
    *,
    context: Context,
    stimuli: str = "same",
    inference: Inference | None = None,
) -> tuple[Score, ...]:
    r"""Correlate the signatures of every pair of regions, divided by their reliabilities.

    .. math:: \tilde\rho = \bar\rho(a_i, b_j) / \sqrt{\rho(a_1, a_2)\, \rho(b_1, b_2)}

    split by split, averaged over splits and subjects. The interval is that of a bootstrap over
    images. It may reach beyond 1, as the value may: a ratio of estimates is not bounded.

    Parameters
    ----------
    brain, model : Answer
        Answers of ``image_signature`` with the same signature and number of splits.
    context : Context
        Level, data set and kind of candidate.
    stimuli : {"same", "shared"}
        Whether the images must be the same, or the common ones are kept and the rest counted.
    inference : Inference, optional
        Number of bootstrap samples, level and seed.

    Returns
    -------
    tuple of Score
        One for every pair of regions, with the plain correlation and both reliabilities in the
        note; ``undefined`` where a reliability is not above 0.

    Raises
    ------
    UsageError
        An answer holds no halves, or the two hold other signatures.
    AlignmentError
        The images differ.

    References
    ----------
    Rajalingham, Issa et al. 2018, doi:10.1523/JNEUROSCI.0388-18.2018

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> from neuroai.analyses.algorithm.rdm import rdm
    >>> answer = rdm(toy_brain(), distance="squared-euclidean")
    >>> compare_signatures(answer, answer, context=Context(level="computation", dataset="toy"))
    Traceback (most recent call last):
        ...
    neuroai.errors.UsageError: The answer of 'toy' to 'rdm' holds no halves of trials; ask ...
    """
    inference = Inference() if inference is None else inference
    _check(brain, model)
    left, right, dropped = align(brain, model, stimuli=stimuli)
    notes = (f"{dropped} images without an answer on both sides dropped",) if dropped else ()
    return tuple(
        _score(left, right, mine, theirs, context=context, inference=inference, notes=notes)
        for mine in left.regions
        for theirs in right.regions
    )


def _check(brain: Answer, model: Answer) -> None:
    for answer in (brain, model):
        if HALVES not in answer.data:
            raise UsageError(
                f"The answer of '{answer.system}' to '{answer.question}' holds no halves of "
                "trials; ask 'image_signature' with n_splits > 0, where images were shown twice."
            )
    for name in ("signature", "n_splits"):
        pair = [answer.parameters.get(name) for answer in (brain, model)]
        if pair[0] != pair[1]:
            raise UsageError(f"Both sides need the same {name}; got {pair[0]} and {pair[1]}.")


def _halves(answer: Answer, region: str) -> np.ndarray:
    """Halves (subject, split, half, image, further) of one region."""
    values = answer.data[HALVES].sel(region=region)
    values = values.transpose("subject", "split", "half", STIMULUS, ...).values
    return values.reshape(*values.shape[:4], -1)


def _score(
    brain: Answer,
    model: Answer,
    mine: str,
    theirs: str,
    *,
    context: Context,
    inference: Inference,
    notes: tuple[str, ...],
) -> Score:
    a, b = _halves(brain, mine), _halves(model, theirs)
    found = list(_pairs(a, b))
    n_images = a.shape[3]
    base = {
        "level": context.level,
        "analysis": f"{brain.question}: {context.task}" if context.task else brain.question,
        "metric": METRIC,
        "dataset": context.dataset,
        "stimulus_set": brain.stimulus_set,
        "brain_region": f"{brain.system} {mine}".strip(),
        "model": model.system,
        "model_region": theirs,
        "candidate_kind": context.candidate_kind,
        "n_stimuli": n_images,
        "n_brain_subjects": len(a),
        "n_model_subjects": len(b),
        "history": {"brain": dict(brain.parameters), "model": dict(model.parameters)},
    }
    value = float(np.mean([one.value for one in found]))
    said = "; ".join((
        f"not corrected {np.mean([one.raw for one in found]):.3f}",
        f"reliabilities of halves {np.mean([one.reliability_a for one in found]):.3f} and "
        f"{np.mean([one.reliability_b for one in found]):.3f}",
        *notes,
    ))  # fmt: skip
    if not np.isfinite(value):
        return Score(**base, status="undefined", note=f"a reliability is not above 0; {said}")
    rng = np.random.default_rng([inference.seed, 0])
    samples = []
    for _ in range(inference.n_bootstrap):
        rows = rng.integers(n_images, size=n_images)
        drawn = _pairs(a[:, :, :, rows], b[:, :, :, rows])
        samples.append(np.mean([one.value for one in drawn]))
    samples = np.array(samples)[np.isfinite(samples)]
    ends = percentile_interval(samples, level=inference.level)
    return Score(
        **base,
        value=value,
        ci_low=float(ends[0]),
        ci_high=float(ends[1]),
        n_undefined=sum(one.n_undefined for one in found),
        resampled="stimuli",
        note=said,
    )


def _pairs(a: np.ndarray, b: np.ndarray) -> Iterator[NoiseCorrected]:
    """Go through every pair of subjects."""
    for x in a:
        for y in b:
            flat = (v.reshape(*v.shape[:2], -1) for v in (x, y))
            yield noise_corrected_correlation(*flat)
