"""Random lesions of a network as a table, which lesion mapping reads like that of patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from tqdm import tqdm

from neuroai.cards import ChoiceTask
from neuroai.checks import in_range
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.lesion import Lesion
from neuroai.systems.model import Model


@dataclass(frozen=True)
class LesionTable:
    """Lesions and what each left of a task.

    Attributes
    ----------
    lesions : array of bool, shape (n_lesions, n_features)
        True where a feature map of the layer was lesioned.
    scores : array, shape (n_lesions,)
        Accuracy under each lesion, in [0, 1].
    intact : float
        Accuracy without a lesion.
    region, task, kind : str
        Layer, task and kind of the lesions.
    """

    lesions: np.ndarray
    scores: np.ndarray
    intact: float
    region: str
    task: str
    kind: str


def lesion_table(
    model: Model,
    region: str,
    stimuli: StimulusSet,
    task: ChoiceTask,
    *,
    n_lesions: int = 200,
    share: float = 0.3,
    kind: str = "mean",
    reference: StimulusSet | None = None,
    seed: int = 0,
    progress: bool = False,
) -> LesionTable | NotMeasurable:
    """Lesion random feature maps of a layer again and again, and ask the same task each time.

    Each feature map is lesioned with probability `share`, so that lesions vary in size as those of
    patients do; size is then a covariate of the mapping.

    Parameters
    ----------
    model : Model
        One network (one subject).
    region : str
        Layer.
    stimuli : StimulusSet
        Stimuli of the task.
    task : ChoiceTask
        Whose accuracy is the score.
    n_lesions : int
        Rows of the table.
    share : float
        Probability of each feature map, in (0, 1).
    kind : str
        ``zero``, ``mean`` or ``noise``.
    reference : StimulusSet, optional
        Over which means are taken; `stimuli` by default.
    seed : int
        Seed of the lesions.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    LesionTable, or NotMeasurable
        Where the network makes no choices on the task.
    """
    in_range(share, option="share", low=0, high=1, low_open=True)
    if n_lesions < 2 or len(model.subjects) != 1:
        raise UsageError(
            f"Two or more lesions of one network are wanted; got {n_lesions} of "
            f"{len(model.subjects)} subjects."
        )
    shown = stimuli if reference is None else reference
    intact = model.choices(task, stimuli)
    if isinstance(intact, NotMeasurable):
        return intact
    asked = stimuli.restrict(sorted(set(intact[STIMULUS_ID].values.astype(str))))
    bench = model.lesion_bench(region, asked, reference=shown)
    n_features = _n_features(model, region, asked)
    rng = np.random.default_rng(seed)
    lesions = rng.random((n_lesions, n_features)) < share
    lesions[~lesions.any(axis=1), 0] = True
    scores = []
    for row in tqdm(lesions, desc="lesions", disable=not progress):
        outputs, _ = bench.run(Lesion(region, tuple(np.flatnonzero(row).tolist()), kind, seed=seed))
        table = model.choices_from({model.subjects[0]: outputs}, task, asked)
        if isinstance(table, NotMeasurable):
            return table
        scores.append(_accuracy(table, task, asked))
    return LesionTable(
        lesions, np.array(scores), _accuracy(intact, task, asked), region, task.name, kind
    )


def _n_features(model: Model, region: str, stimuli: StimulusSet) -> int:
    one = stimuli.restrict(stimuli.available[:1])
    [recording] = model.recordings(one, regions=[region])
    if "feature_map" not in recording.coords:
        raise UsageError(
            f"Layer '{region}' is read with reduce='{model.reduce}', so that its features cannot "
            "be told apart. Take the network without a reduction."
        )
    return int(recording["feature_map"].values.max()) + 1


def _accuracy(table: xr.Dataset, task: ChoiceTask, stimuli: StimulusSet) -> float:
    shown = [str(key) for key in table[STIMULUS_ID].values]
    return float(np.mean(table["choice"].values == stimuli.column(task.truth, shown)))
