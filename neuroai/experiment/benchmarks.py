"""Benchmarks: fixed questions put to networks, with a control and others in their place."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from neuroai.cards import BenchmarkCard
from neuroai.checks import known_name
from neuroai.comparison.catalogue import METRICS
from neuroai.errors import UsageError
from neuroai.experiment.benchmark_files import benchmark, benchmark_entries, read_benchmark
from neuroai.experiment.benchmark_lesions import score_lesions
from neuroai.experiment.benchmark_scores import score_answers, score_rdms
from neuroai.experiment.cached import cached
from neuroai.experiment.options import Asked, Options, Part
from neuroai.experiment.provenance import provenance
from neuroai.experiment.remembered import Remembered
from neuroai.experiment.run import model_facts, stimuli_sha256
from neuroai.experiment.unmeasured import unmeasured
from neuroai.experiment.words import methods, stimulus_labels
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import Holdings
from neuroai.format.results import Results
from neuroai.format.scores import Score
from neuroai.sources.catalogue import load_dataset
from neuroai.systems.base import System
from neuroai.systems.brain import brains_of
from neuroai.systems.load import load_model, untrained_twin
from neuroai.systems.model import Model

__all__ = ["benchmark", "benchmark_entries", "read_benchmark", "run_benchmarks", "version_of"]

RUNS: dict[str, Callable[[Asked, BenchmarkCard], Part]] = {
    "rdm": score_rdms,
    "dose_curve": score_lesions,
}
CONTROL = "init=random&seeds=0"
# Paragraphs of the methods that hold only for some benchmarks, by how they begin.
ONLY_FOR = {
    "Representations:": ("rdm", "similarity", "dose_curve"),
    "Best layer:": ("rdm", "dose_curve"),
    "Lesions:": ("dose_curve",),
}


def run_benchmarks(
    names: str | Sequence[str],
    models: str | System | Sequence[str | System],
    *,
    n_null: int = 1000,
    n_bootstrap: int = 1000,
    seed: int = 0,
    device: str = "cpu",
    cache: bool = False,
    offline: bool = False,
    progress: bool = False,
) -> Results:
    """Put the fixed questions of benchmarks to networks.

    Every benchmark scores every network, an untrained control (the twin of each network, unless
    one is given) and, where there are any, another subject and another species in the network's
    place. Seeds of one architecture are its subjects.

    Parameters
    ----------
    names : str or sequence of str
        Names of registered benchmarks.
    models : str, System or sequence of either
        Networks, as for `neuroai.load_model`.
    n_null, n_bootstrap : int
        Permutations behind each p-value, and bootstrap samples behind each interval.
    seed : int
        Seed of every draw.
    device : str
        Where networks given by name run.
    cache : bool
        Keep the networks' activations on disk for the next run.
    offline : bool
        Forbid the network.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    Results
        Every score carries ``benchmark_version``, the name and version ``NAME@VERSION``, by
        which `neuroai.reports.leaderboard.leaderboard_table` tells benchmarks apart, and the
        score expected by chance in its history.

    Raises
    ------
    UnknownName
        No such benchmark, model, region or layer.
    UsageError
        No benchmark or network is named.
    """
    started = time.perf_counter()
    # Names are looked up before anything is loaded: a misspelt one must not cost minutes.
    listed = [names] if isinstance(names, str) else list(names)
    cards = [benchmark(name).card for name in dict.fromkeys(listed)]
    options = Options(n_null=n_null, n_bootstrap=n_bootstrap, seed=seed)
    sources = [models] if isinstance(models, str) or not isinstance(models, Sequence) else models
    if not cards or not sources:
        raise UsageError("A run needs at least one benchmark and one network.")
    networks, uncontrolled = _with_controls(sources, device=device, cache=cache)
    holdings = {
        name: load_dataset(name, offline=offline)
        for name in dict.fromkeys(card.dataset for card in cards)
    }
    found = Part()
    for card in cards:
        asked = _asked(card, holdings[card.dataset], networks, options, progress=progress)
        found += _stamped(_run(asked, card) + _uncontrolled(card, uncontrolled), card)
    return _results(
        cards, holdings, networks, found, options, seconds=time.perf_counter() - started
    )


def version_of(card: BenchmarkCard) -> str:
    """Give what every score of a benchmark is stamped with: its name and version.

    Examples
    --------
    >>> version_of(benchmark("kriegeskorte2008-it-rdm").card)
    'kriegeskorte2008-it-rdm@1'
    """
    return f"{card.name}@{card.version}"


def _run(asked: Asked, card: BenchmarkCard) -> Part:
    return RUNS.get(card.analysis, score_answers)(asked, card)


def _asked(
    card: BenchmarkCard,
    holdings: Holdings,
    networks: tuple[System, ...],
    options: Options,
    *,
    progress: bool,
) -> Asked:
    """Choose the brain to match and those that stand in the network's place."""
    brains = {brain.name: brain for brain in brains_of(holdings)}
    known_name(card.system, brains, kind=f"brain of '{card.dataset}'")
    rest = [name for name in card.references or brains if name != card.system and name in brains]
    compares = METRICS.get(card.metric).card.compares
    return Asked(
        holdings=holdings,
        brains=(brains[card.system], *(brains[name] for name in rest)),
        published=(),
        networks=networks,
        options=replace(
            options,
            metric=card.metric if compares == "rdm" else options.metric,
            distance=str(card.parameters.get("distance", options.distance)),
            regions=card.regions or None,
            contrast=str(card.parameters.get("contrast", "")),
        ),
        progress=progress,
    )


def _with_controls(
    sources: Sequence[str | System], *, device: str, cache: bool = False
) -> tuple[tuple[System, ...], dict[str, str]]:
    """Load the networks, with the untrained twin of each unless an untrained one is given.

    Also gives, for every network of which no twin can be made, the reason.
    """
    networks = [_loaded(source, device=device) for source in sources]
    reasons: dict[str, str] = {}
    if not any(getattr(network, "untrained", False) for network in networks):
        for source, network in zip(sources, tuple(networks), strict=True):
            twin = _twin(source, network, device=device)
            if isinstance(twin, NotMeasurable):
                reasons[network.name] = twin.reason
            else:
                networks.append(twin)
    kept = [cached(network) if cache else network for network in networks]
    return tuple(Remembered(network) for network in kept), reasons


def _loaded(source: str | System, *, device: str) -> System:
    if not isinstance(source, str):
        return source
    # Activations on disk do not run anywhere.
    return load_model(source) if source.startswith("acts:") else load_model(source, device=device)


def _twin(source: str | System, network: System, *, device: str) -> System | NotMeasurable:
    if isinstance(source, str) and source.startswith("hf:"):
        # As the network's own library draws its weights.
        address, _, query = source.partition("?")
        kept = [p for p in query.split("&") if p and p.partition("=")[0] not in ("init", "seeds")]
        return load_model(f"{address}?{'&'.join([*kept, CONTROL])}", device=device)
    if not isinstance(network, Model):
        return NotMeasurable("there is no network at hand whose weights could be drawn anew")
    try:
        twin = untrained_twin(network)
        # Weights are drawn when first needed; what cannot be drawn is to be told now.
        twin.module()
        return twin
    except UsageError as error:
        return NotMeasurable(f"no untrained control can be made: {error}")


def _uncontrolled(card: BenchmarkCard, reasons: dict[str, str]) -> Part:
    part = Part()
    for name, reason in reasons.items():
        part += unmeasured(
            NotMeasurable(reason),
            level=card.level,
            question=card.analysis,
            system=f"{name} (untrained)",
            dataset=card.dataset,
            metric=card.metric,
            brain=" ".join((card.system, *card.regions[:1])),
            model=f"{name} (untrained)",
            kind="untrained",
        )
    return part


def _stamped(part: Part, card: BenchmarkCard) -> Part:
    """Write benchmark, version, level and chance into every score."""
    facts = {"benchmark": card.name, "version": card.version, "chance": card.chance}
    scores: list[Score] = [
        replace(
            score,
            level=card.level,
            benchmark_version=version_of(card),
            history={**score.history, **facts},
        )
        for score in part.scores
    ]
    return replace(part, scores=tuple(scores))


def _results(
    cards: Sequence[BenchmarkCard],
    holdings: dict[str, Holdings],
    networks: Sequence[System],
    found: Part,
    options: Options,
    *,
    seconds: float,
) -> Results:
    data = {name: held.card for name, held in holdings.items()}
    cited = [card.citation for card in cards] + [card.citation for card in data.values()]
    cited += [METRICS.get(card.metric).card.citation for card in cards]
    return Results(
        title=f"{', '.join(card.name for card in cards)}: "
        + " and ".join(network.name for network in networks),
        dataset=", ".join(data),
        simulated=any(card.simulated for card in data.values()),
        scores=found.scores,
        answers=found.answers,
        dose_curves=found.dose_curves,
        localisers=found.localisers,
        not_measured=tuple(dict.fromkeys(found.not_measured)),
        audit=tuple(dict.fromkeys(found.audit)),
        stimulus_labels={
            key: label
            for held in holdings.values()
            for key, label in stimulus_labels(held.stimuli).items()
        },
        methods=_methods(cards, holdings, options),
        citations=tuple(dict.fromkeys(cited)),
        provenance=provenance(
            data={name: _data_facts(held) for name, held in holdings.items()},
            models=[model_facts(network) for network in networks],
            options={
                "n_null": options.n_null,
                "n_bootstrap": options.n_bootstrap,
                "seed": options.seed,
                "benchmarks": {version_of(card): _card_facts(card) for card in cards},
            },
            seconds=seconds,
        ),
    )


def _data_facts(held: Holdings) -> dict[str, str]:
    card = held.card
    facts = {key: getattr(card, key) for key in ("name", "url", "licence", "citation")}
    return {**facts, "stimuli_sha256": stimuli_sha256(held)}


def _card_facts(card: BenchmarkCard) -> dict[str, object]:
    names = ("dataset", "system", "analysis", "metric", "chance")
    return {**{name: getattr(card, name) for name in names}, **dict(card.parameters)}


def _methods(
    cards: Sequence[BenchmarkCard], holdings: dict[str, Holdings], options: Options
) -> tuple[str, ...]:
    asked = {card.analysis for card in cards}
    lines = [f"Benchmark {version_of(card)}: {card.question}" for card in cards]
    lines += [
        paragraph
        for card in cards
        for paragraph in methods(options, holdings[card.dataset].card)
        if all(asked & set(only) for start, only in ONLY_FOR.items() if paragraph.startswith(start))
    ]
    lines.append(
        "Every benchmark is also scored with untrained networks and, where there are any, with "
        "another subject and another brain in the network's place."
    )
    return tuple(dict.fromkeys(lines))
