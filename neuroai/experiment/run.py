"""One comparison from beginning to end: every level, then the page's words about it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

import numpy as np

from neuroai.comparison.catalogue import METRICS
from neuroai.experiment.algorithm import ask_rdms, best_layers, compare_rdms_of, compare_responses
from neuroai.experiment.computation import ask_computation, judgements_of
from neuroai.experiment.implementation import ask_implementation
from neuroai.experiment.options import Asked, Options, Part
from neuroai.experiment.provenance import provenance
from neuroai.experiment.remembered import Remembered
from neuroai.experiment.words import methods, stimulus_labels
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.results import Results
from neuroai.systems.base import System
from neuroai.systems.brain import brains_of, published_networks


def compare_holdings(
    holdings: Holdings,
    networks: Sequence[System],
    *,
    options: Options | None = None,
    progress: bool = False,
) -> Results:
    """Ask a data set's brains and networks the same questions at all three levels.

    Parameters
    ----------
    holdings : Holdings
        A loaded data set.
    networks : sequence of System
        Networks; the first is lesioned by default.
    options : Options, optional
        How.
    progress : bool
        Show progress bars on stderr.

    Returns
    -------
    Results
        Scores, curves, answers and provenance, as the reports read them.

    Raises
    ------
    UnknownName
        No such metric, contrast, region or layer.
    """
    options = Options() if options is None else options
    METRICS.get(options.metric)
    started = time.perf_counter()
    asked = Asked(
        holdings=holdings,
        brains=brains_of(holdings),
        published=published_networks(holdings),
        networks=tuple(Remembered(network) for network in networks),
        options=options,
        progress=progress,
    )
    # RDMs of every layer of every network come first, lesions after.
    answered, brains, missing = ask_rdms(asked)
    algorithm = missing + compare_rdms_of(asked, answered, brains) + compare_responses(asked)
    computation = ask_computation(asked)
    implementation = ask_implementation(
        asked,
        brain_rdms=brains[0][1] if brains else None,
        judgements=judgements_of(asked),
        layers=best_layers(algorithm.scores, brains[0][1] if brains else None),
    )
    found = computation + algorithm + implementation
    return _results(asked, found, seconds=time.perf_counter() - started)


def _results(asked: Asked, found: Part, *, seconds: float) -> Results:
    card = asked.holdings.card
    names = " and ".join(network.name for network in asked.networks)
    return Results(
        title=f"{card.title}: {names}",
        dataset=card.name,
        simulated=card.simulated,
        scores=found.scores,
        answers=found.answers,
        dose_curves=found.dose_curves,
        localisers=found.localisers,
        not_measured=tuple(dict.fromkeys(found.not_measured)),
        audit=tuple(dict.fromkeys(found.audit)),
        stimulus_labels=stimulus_labels(asked.holdings.stimuli),
        methods=methods(asked.options, card),
        citations=(card.citation, METRICS.get(asked.options.metric).card.citation),
        provenance=provenance(
            data={
                "name": card.name,
                "url": card.url,
                "licence": card.licence,
                "citation": card.citation,
                "stimuli_sha256": stimuli_sha256(asked.holdings),
                "systems_sha256": systems_sha256(asked.holdings),
            },
            models=[model_facts(network) for network in asked.networks],
            options=asked.options.as_dict(),
            seconds=seconds,
        ),
    )


def stimuli_sha256(holdings: Holdings) -> str:
    """Hash the ids and content hashes of all stimuli."""
    digest = hashlib.sha256()
    for key in holdings.stimuli.ids:
        digest.update(f"{key}:{holdings.stimuli.table.loc[key, 'sha256']};".encode())
    return digest.hexdigest()


def systems_sha256(holdings: Holdings) -> dict[str, str]:
    """Hash what was recorded of, or published about, every system: values and labels alike."""
    return {data.name: _sha256_of(data) for data in holdings.systems}


def _sha256_of(data: SystemData) -> str:
    digest = hashlib.sha256()
    tables = [*(r.to_dataset(name="activity") for r in data.recordings), *data.behaviour]
    tables += [answer.data for answer in data.published]
    for table in tables:
        for name in sorted(table.variables):
            values = np.asarray(table[name].values)
            digest.update(f"{name}:{values.shape}:".encode())
            is_text = values.dtype.kind in "OUS"
            plain = "\x1f".join(map(str, values.ravel())).encode() if is_text else values.tobytes()
            digest.update(plain)
    return digest.hexdigest()


def model_facts(network: System) -> dict[str, object]:
    """Give what identifies a network, its weights' hashes included, for the provenance."""
    facts: dict[str, object] = {"name": network.name, "subjects": list(network.subjects)}
    for key in ("revision", "device", "batch_size", "reduce", "untrained"):
        if hasattr(network, key):
            facts[key] = getattr(network, key)
    if hasattr(network, "weights_sha256"):
        facts["weights_sha256"] = dict(network.weights_sha256())
    return facts
