"""The same in Python: load a brain, load a model, ask, compare."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neuroai.analyses.catalogue import analysis as analysis_entry
from neuroai.checks import known_name
from neuroai.errors import UsageError
from neuroai.experiment.adopt import holdings_of
from neuroai.experiment.cached import cached
from neuroai.experiment.options import Options
from neuroai.experiment.run import compare_holdings
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.holdings import Holdings
from neuroai.format.results import Results
from neuroai.sources.catalogue import load_dataset
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded, brains_of
from neuroai.systems.load import load_model as load_model

__all__ = ["ask", "compare", "load_brain", "load_model"]


def load_brain(
    name_or_path: str | Path, *, system: str | None = None, offline: bool = False
) -> Recorded:
    """Load the brain of a data set.

    Parameters
    ----------
    name_or_path : str or pathlib.Path
        A registered data set, a data set's ``.py`` file, or a ``.nc`` or ``.zarr`` file in the
        common form.
    system : str, optional
        Which brain, where the data set has several (such as ``monkey``); the first by default.
    offline : bool
        Forbid the network.

    Returns
    -------
    Recorded

    Raises
    ------
    UnknownName
        No such data set or brain.
    """
    brains = brains_of(load_dataset(name_or_path, offline=offline))
    if not brains:
        raise UsageError(f"The data set '{name_or_path}' holds no brain.")
    if system is None:
        return brains[0]
    known_name(system, [brain.name for brain in brains], kind=f"brain of '{name_or_path}'")
    return next(brain for brain in brains if brain.name == system)


def ask(
    system: System, analysis: str, *, options: Mapping[str, Any] | None = None
) -> Answer | NotMeasurable:
    """Put a registered question to one system, brain or model.

    Parameters
    ----------
    system : System
        Who is asked.
    analysis : str
        Name of a registered analysis, such as ``rdm`` or ``accuracy``.
    options : mapping, optional
        Options of the analysis; an unknown one lists the nearest.

    Returns
    -------
    Answer or NotMeasurable

    Raises
    ------
    UnknownName
        No such analysis or option.

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> ask(toy_brain(), "rdm", options={"distance": "squared-euclidean"}).subjects
    ('s1',)
    """
    function = analysis_entry(analysis).function
    options = dict(options or {})
    known = list(inspect.signature(function).parameters)[1:]
    for name in options:
        known_name(name, known, kind=f"option of the analysis '{analysis}'")
    return function(system, **options)


def compare(
    brain: str | Path | Holdings | Recorded,
    model: str | System | Sequence[str | System],
    *,
    regions: Sequence[str] | None = None,
    layers: Sequence[str] | None = None,
    metric: str = "rdm-spearman",
    distance: str = "correlation",
    lesions: str = "first",
    contrast: str = "",
    stimuli: str = "same",
    n_bootstrap: int = 1000,
    n_null: int = 1000,
    n_controls: int = 100,
    seed: int = 0,
    device: str = "cpu",
    cache: bool = False,
    offline: bool = False,
    progress: bool = False,
) -> Results:
    """Ask a data set's brains and one or more networks the same questions at three levels.

    Parameters
    ----------
    brain : str, pathlib.Path, Holdings or Recorded
        As for `load_brain`, or what it gave, or a loaded data set. A brain comes first in its data
        set; its other brains serve as references.
    model : str, System or sequence of either
        Networks, as for `load_model`; the first is lesioned.
    regions, layers : sequence of str, optional
        Names or globs of brain regions and network layers.
    metric, distance, lesions, contrast, stimuli, n_bootstrap, n_null, n_controls, seed
        See `neuroai.experiment.options.Options`.
    device : str
        Where networks given by name run.
    cache : bool
        Keep the networks' activations on disk for the next run; see
        `neuroai.experiment.cache.ActivationCache`.
    offline : bool
        Forbid the network.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    Results
        Write them with `neuroai.reports.write.write_outputs`.

    Raises
    ------
    UnknownName
        No such data set, model, layer, region, metric or contrast.
    """
    # Options are checked before anything is loaded: a misspelt one must not cost minutes.
    options = Options(
        metric=metric,
        distance=distance,
        regions=None if regions is None else tuple(regions),
        layers=None if layers is None else tuple(layers),
        lesions=lesions,
        contrast=contrast,
        stimuli=stimuli,
        n_bootstrap=n_bootstrap,
        n_null=n_null,
        n_controls=n_controls,
        seed=seed,
    )
    if isinstance(brain, Recorded):
        holdings = holdings_of(brain)
    else:
        holdings = brain if isinstance(brain, Holdings) else load_dataset(brain, offline=offline)
    listed = [model] if isinstance(model, str) or not isinstance(model, Sequence) else list(model)
    # Activations on disk have no device; a network's own default is the processor.
    where = None if device == "cpu" else device
    networks = [
        load_model(item, device=where) if isinstance(item, str) else item for item in listed
    ]
    if cache:
        networks = [cached(network) for network in networks]
    return compare_holdings(holdings, networks, options=options, progress=progress)
