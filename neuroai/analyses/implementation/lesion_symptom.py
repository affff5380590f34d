"""Lesion-symptom mapping: which damaged parts go with a worse score, in patients and networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neuroai.analyses.implementation._damage import SIZE, Damage, damage_of_brain, damage_of_network
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.checks import one_of
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import UNIT
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.lesion_mapping import METHODS, LesionMap, map_lesions
from neuroai.numerics.lesion_prediction import predict_scores
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded

PREDICTORS = ("none", "svr", "ridge")

CARD = AnalysisCard(
    name="lesion_symptom",
    level="implementation",
    question="Which damaged parts go with a change of the score, and how well do all foretell it?",
    form="table",
    defined_on="patients' lesion masks or tables of damaged parts; networks that can be lesioned",
    citation="Bates et al. 2003, doi:10.1038/nn1050; Pustina et al. 2018, "
    "doi:10.1016/j.neuropsychologia.2017.08.027",
)


def lesion_symptom(
    system: System,
    *,
    score: str | None = None,
    task: ChoiceTask | None = None,
    stimuli: StimulusSet | None = None,
    region: str | None = None,
    method: str = "t",
    covariates: Sequence[str] = (SIZE,),
    least: int = 5,
    n_permutations: int = 200,
    predictor: str = "none",
    n_folds: int | None = 10,
    n_lesions: int = 200,
    share: float = 0.3,
    kind: str = "mean",
    seed: int = 0,
) -> Answer | NotMeasurable:
    r"""Map a score onto what is damaged: patients' lesions, or random lesions of a network.

    One estimator for both; rows are lesions, columns units. Of a network, random sets of feature
    maps of one layer are lesioned and the task is asked after each.

    .. math:: p_j = \frac{1 + \#\{\pi : \max_k |T_k^{\pi}| \ge |T_j|\}}{1 + n_\pi}

    Parameters
    ----------
    system : System
        A brain with lesion masks (else with a table of damaged parts), or a network.
    score : str, optional
        Of persons a score they carry, such as ``NIHSS``, which must be named; of networks
        ``accuracy`` or (by default) ``log-probability``, which needs fewer stimuli to vary.
    task, stimuli : ChoiceTask, StimulusSet, optional
        What a network is asked after each lesion.
    region : str, optional
        Layer that is lesioned; the last but one by default.
    method : {"t", "brunner-munzel"}
        Statistic of each unit.
    covariates : sequence of str
        Held constant: ``lesion_size``, or other columns of persons, such as ``age``. Ranks take
        none.
    least : int
        Units damaged, or spared, in fewer lesions are left out and counted.
    n_permutations : int
        Permutations of the largest statistic; 0 for none.
    predictor : {"none", "svr", "ridge"}
        Predict the score from all units and covariates together, cross-validated.
    n_folds : int, optional
        Folds of the prediction; None leaves out one lesion at a time.
    n_lesions, share, kind : int, float, str
        Random lesions of a network: how many, the probability of each feature map, and whether
        ``zero``, ``mean`` or ``noise``.
    seed : int
        Seed of lesions, permutations and folds.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``statistic``, ``p``, ``p_corrected(subject, region, unit)``, negative
        statistics where damage goes with a lower score; ``n_lesioned``, ``threshold``, ``n`` and,
        with a predictor, ``value(subject, region)``, the correlation in [-1, 1] of predicted and
        true scores.

    Raises
    ------
    UnknownName
        No such score or covariate.
    UsageError
        The score of persons is not named, an unknown method or predictor, or covariates for ranks.

    References
    ----------
    Bates et al. 2003, doi:10.1038/nn1050; DeMarco & Turkeltaub 2018, doi:10.1002/hbm.24289

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> lesion_symptom(toy_brain(), score="fluency").reason
    'no lesion masks and no table of damaged parts were loaded'
    """
    one_of(method, METHODS, option="method")
    one_of(predictor, PREDICTORS, option="predictor")
    if isinstance(system, Recorded):
        one = damage_of_brain(system, score=score, covariates=covariates)
        found = one if isinstance(one, NotMeasurable) else [one]
    elif system.kind == "brain":
        return NotMeasurable(f"'{system.name}' has recordings, but no lesions")
    else:
        found = damage_of_network(
            system, score=score, covariates=covariates, task=task, stimuli=stimuli, region=region,
            n_lesions=n_lesions, share=share, kind=kind, seed=seed,
        )  # fmt: skip
    if isinstance(found, NotMeasurable):
        return found
    maps = [
        map_lesions(
            part.lesions,
            part.scores,
            method=method,
            covariates=part.covariates if part.covariates.size else None,
            least=least,
            n_permutations=n_permutations,
            seed=seed,
        )
        for part in found
    ]
    parameters = {
        "score": found[0].score, "method": method, "covariates": list(covariates), "least": least,
        "n_permutations": n_permutations, "predictor": predictor, "n_folds": n_folds, "seed": seed,
        "origin": found[0].origin,
    }  # fmt: skip
    if found[0].origin == "simulated":
        parameters |= {"n_lesions": n_lesions, "share": share, "kind": kind}
    predicted = [_predicted(part, predictor, n_folds, seed) for part in found]
    return _answer(system, found, maps, predicted, parameters)


def _predicted(part: Damage, predictor: str, n_folds: int | None, seed: int) -> float:
    """Correlate the scores with what the other lesions foretell; NaN where not asked for."""
    if predictor == "none":
        return float("nan")
    from sklearn.linear_model import Ridge
    from sklearn.svm import SVR

    shares = part.lesions if part.shares is None else part.shares
    features = np.column_stack([shares.astype(np.float64), part.covariates])
    estimator = SVR() if predictor == "svr" else Ridge(alpha=features.shape[1])
    return predict_scores(features, part.scores, estimator=estimator, n_folds=n_folds, seed=seed).r


def _answer(
    system: System,
    found: Sequence[Damage],
    maps: Sequence[LesionMap],
    predicted: Sequence[float],
    parameters: dict[str, object],
) -> Answer:
    tested = np.any([np.isfinite(one.statistic) for one in maps], axis=0)
    per_unit = ("subject", "region", UNIT)
    per_part = per_unit[:2]

    def wide(name: str) -> tuple[tuple[str, ...], np.ndarray]:
        return per_unit, np.stack([getattr(one, name)[tested] for one in maps])[:, None]

    table = {name: wide(name) for name in ("statistic", "p", "n_lesioned")}
    if parameters["n_permutations"]:
        table["p_corrected"] = wide("p_corrected")
        table["threshold"] = (per_part, np.array([[one.threshold] for one in maps]))
    if parameters["predictor"] != "none":
        table["value"] = (per_part, np.array([[r] for r in predicted]))
    table["n"] = (per_part, np.array([[len(part.scores)] for part in found]))
    names = np.array(found[0].units, dtype=object)[tested]
    return Answer(
        form="table",
        data=xr.Dataset(
            table,
            coords={
                "subject": np.array([part.subject for part in found], dtype=object),
                "region": np.array([found[0].region], dtype=object),
                UNIT: names,
            },
        ),
        question=CARD.name,
        parameters=parameters,
        system=system.name,
        kind=system.kind,
        stimulus_set="",
        notes=tuple(dict.fromkeys(note for part in found for note in part.notes)),
        undefined={
            "units lesioned too rarely or too often": int((~tested).sum()),
            "persons without a score or covariate": sum(part.n_unknown for part in found),
            "predictions without variance": int(
                parameters["predictor"] != "none" and np.isnan(predicted).sum()
            ),
        },
    )
