"""Options of a comparison, and what one part of it found."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from neuroai.analyses.algorithm.rdm import DISTANCES
from neuroai.analyses.implementation.dose_curve import MIN_CONTROLS
from neuroai.checks import one_of
from neuroai.comparison.catalogue import METRICS
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import UsageError
from neuroai.format.align import STIMULI
from neuroai.format.answers import Answer
from neuroai.format.holdings import Holdings
from neuroai.format.results import DoseCurve, LocaliserResult, NotMeasured
from neuroai.format.scores import Score
from neuroai.numerics.comparators import METHODS
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded

LESIONS = ("first", "full", "none")
DOSES = (0.1, 0.3, 1.0)


@dataclass(frozen=True)
class Options:
    """How a comparison is made; every field is written into the provenance.

    Attributes
    ----------
    metric : str
        Metric of the RDMs; others are shown beside it for the best layer.
    distance : str
        Distance of the RDMs; see `neuroai.analyses.algorithm.rdm.rdm`.
    regions, layers : tuple of str or None
        Names or globs of brain regions and network layers; None for all.
    lesions : {"first", "full", "none"}
        ``first`` lesions the first model at its best layer by the mean; ``full`` every model,
        layer and kind.
    contrast : str
        Contrast of the localiser; empty for the first of the data set's card.
    stimuli : {"same", "shared"}
        Whether both sides must know the same stimuli.
    n_bootstrap, n_null, n_controls, seed : int
        Samples, permutations, random lesions, and the seed of every draw.
    """

    metric: str = "rdm-spearman"
    distance: str = "correlation"
    regions: tuple[str, ...] | None = None
    layers: tuple[str, ...] | None = None
    lesions: str = "first"
    contrast: str = ""
    stimuli: str = "same"
    n_bootstrap: int = 1000
    n_null: int = 1000
    n_controls: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        one_of(self.lesions, LESIONS, option="lesions")
        one_of(self.stimuli, STIMULI, option="stimuli")
        one_of(self.distance, DISTANCES, option="distance")
        card = METRICS.get(self.metric).card
        known = [name for name in METRICS.names() if METRICS.get(name).card.comparator in METHODS]
        if card.compares != "rdm":
            raise UsageError(
                f"metric='{self.metric}' compares no RDMs; the others follow from what is asked. "
                f"Choose among: {', '.join(known)}."
            )
        if card.comparator not in METHODS:
            raise UsageError(
                f"metric='{self.metric}' compares whole RDMs, by which no layer is chosen and no "
                "lesion tested; it is asked by neuroai.comparison.compare.compare alone. Choose "
                f"among: {', '.join(known)}."
            )
        if self.lesions != "none" and self.n_controls < MIN_CONTROLS:
            raise UsageError(
                f"A lesion needs at least {MIN_CONTROLS} controls; got {self.n_controls}."
            )
        # Refuses too few samples here, before anything is computed.
        _ = self.inference

    @property
    def inference(self) -> Inference:
        """How intervals and p-values are made."""
        return Inference(n_bootstrap=self.n_bootstrap, n_null=self.n_null, seed=self.seed)

    def as_dict(self) -> dict[str, object]:
        """Give every option, for the provenance."""
        return asdict(self)


@dataclass(frozen=True)
class Asked:
    """Who is asked: a data set's systems, and networks.

    Attributes
    ----------
    holdings : Holdings
        The data set.
    brains, published : tuple of Recorded
        Its brains (the one to compare by default first) and published networks.
    networks : tuple of System
        The networks to compare, the first of which is lesioned by default.
    options : Options
        How.
    progress : bool
        Whether long work shows a progress bar on stderr.
    """

    holdings: Holdings
    brains: tuple[Recorded, ...]
    published: tuple[Recorded, ...]
    networks: tuple[System, ...]
    options: Options
    progress: bool = False


@dataclass(frozen=True)
class Part:
    """What one level of a comparison found."""

    scores: tuple[Score, ...] = ()
    answers: tuple[Answer, ...] = ()
    dose_curves: tuple[DoseCurve, ...] = ()
    localisers: tuple[LocaliserResult, ...] = ()
    not_measured: tuple[NotMeasured, ...] = ()
    audit: tuple[str, ...] = ()

    def __add__(self, other: Part) -> Part:
        return Part(
            **{
                name: getattr(self, name) + getattr(other, name)
                for name in Part.__dataclass_fields__
            }
        )


def candidate_kind(system: System) -> str:
    """Say whether a network is a model or an untrained control."""
    return "untrained" if getattr(system, "untrained", False) else "model"
