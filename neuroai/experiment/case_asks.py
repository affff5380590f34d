"""What a worked case can ask one side: any registered analysis, and questions that join several."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from neuroai.analyses.catalogue import all_analyses, analysis
from neuroai.checks import in_range, known_name
from neuroai.comparison.compare import compare
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import UsageError
from neuroai.experiment.case_files import NOT_MEASURABLE, SIDE_FACTS
from neuroai.experiment.case_graded import graded
from neuroai.experiment.case_lesions import lesion, measured
from neuroai.experiment.case_links import linked, trials
from neuroai.experiment.case_measures import published, published_match
from neuroai.experiment.case_numbers import answer_numbers, selected
from neuroai.experiment.case_oddity import oddity
from neuroai.experiment.case_profiles import profile
from neuroai.experiment.case_scores import ceiling_cell, score_cell
from neuroai.experiment.case_side import Reply, Side
from neuroai.experiment.pooled import pool_sessions
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.cases import Cell
from neuroai.systems.brain import Recorded, chosen_names

# Questions beside the registered analyses; each takes a side and options by name.
ASKS: Mapping[str, Callable[..., Reply]] = {
    "published": published,
    "published_match": published_match,
    "oddity": oddity,
    "graded": graded,
    "lesion": lesion,
    "measured": measured,
    "profile": profile,
    "link": linked,
    "trialwise": trials,
}
# Options that name layers: "depth 0.5" is the layer half way down any network.
LAYER_OPTIONS = ("region", "regions", "read", "readout_region")
NOTE_LENGTH = 70
FORMS_DRAWN = ("rdm", "confusion")


def ask_side(side: Side) -> Reply:
    """Ask one side what its facts say.

    Raises
    ------
    UnknownName
        No such question, option, task or contrast; the nearest are named.
    """
    facts = dict(side.facts)
    if NOT_MEASURABLE in facts:
        return side.unmeasured(str(facts[NOT_MEASURABLE]))
    side = with_layers(side)
    facts = dict(side.facts)
    name = str(facts["ask"])
    options = {k: v for k, v in facts.items() if k not in SIDE_FACTS}
    if name in ASKS:
        function = ASKS[name]
        own = list(inspect.signature(function).parameters)[1:]
        for option in ("measure", "select", "neutral"):
            if option in own and option in facts:
                options[option] = facts[option]
        for option in options:
            known_name(option, own, kind=f"option of '{name}'")
        return function(side, **options)
    answer = ask_answer(side)
    if isinstance(answer, NotMeasurable):
        return side.unmeasured(answer.reason)
    return _of_answer(side, answer)


def with_layers(side: Side) -> Side:
    """Turn ``depth 0.5`` into the name of the layer half way down, for any network.

    Raises
    ------
    UsageError
        The depth is no number in [0, 1].
    """
    facts = dict(side.facts)
    for key in LAYER_OPTIONS:
        value = facts.get(key)
        if isinstance(value, str):
            facts[key] = layer_at(side.system.regions, value)
        elif isinstance(value, list):
            facts[key] = [layer_at(side.system.regions, str(one)) for one in value]
    return replace(side, facts=facts)


def layer_at(layers: Sequence[str], name: str) -> str:
    """Give the layer at a relative depth, or the name as it is.

    Examples
    --------
    >>> layer_at(["a", "b", "c"], "depth 0.5"), layer_at(["a", "b"], "b")
    ('b', 'b')
    """
    word, _, number = name.partition(" ")
    if word != "depth":
        return name
    try:
        depth = float(number)
    except ValueError:
        raise UsageError(f"A depth is a number from 0 to 1; got '{name}'.") from None
    in_range(depth, option="depth", low=0, high=1)
    return layers[round(depth * (len(layers) - 1))]


def check_ask(where: str, facts: Mapping[str, Any]) -> None:
    """Refuse a question or option that does not exist, before anything is loaded."""
    if NOT_MEASURABLE in facts:
        return
    name = str(facts["ask"])
    known = [*ASKS, *(entry.card.name for entry in all_analyses())]
    known_name(name, known, kind=f"question that '{where}' can ask")
    function = ASKS[name] if name in ASKS else analysis(name).function
    own = list(inspect.signature(function).parameters)[1:]
    allowed = {*own, *SIDE_FACTS, *(() if name in ASKS else ("where", "pool"))}
    for option in facts:
        known_name(option, allowed - {NOT_MEASURABLE}, kind=f"option of '{name}' in '{where}'")


def ask_answer(side: Side) -> Answer | NotMeasurable:
    """Put a registered analysis to a side, with names turned into what they name."""
    facts = dict(side.facts)
    entry = analysis(str(facts["ask"]))
    own = list(inspect.signature(entry.function).parameters)[1:]
    # An analysis may have an option of its own by the name of one of the recipe's.
    ours = {"where", "pool"} - set(own)
    options = {k: v for k, v in facts.items() if k not in {*SIDE_FACTS, *ours}}
    if "task" in options:
        options["task"] = side.task(str(options["task"]))
    if "contrast" in options:
        options["contrast"] = side.contrast(str(options["contrast"]))
    if "regions" in options:
        options["regions"] = tuple(options["regions"])
    if "stimuli" in own:
        options["stimuli"] = side.stimuli(facts.get("where", ()))
    if "seed" in own:
        options.setdefault("seed", side.settings.seed)
    readouts = _readout_regions(side, options)
    if readouts is not None:
        return _over_regions(side, entry.function, options, readouts)
    answer = entry.function(side.system, **options)
    pools = "pool" in ours and facts.get("pool")
    if isinstance(answer, Answer) and pools and isinstance(side.system, Recorded):
        return pool_sessions(answer, side.system)
    return answer


def _readout_regions(side: Side, options: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Give the regions that a glob in `readout_region` names; None where it names one or none."""
    pattern = str(options.get("readout_region") or "")
    if "*" not in pattern:
        return None
    return chosen_names(side.system.regions, [pattern], kind=f"region of '{side.system.name}'")


def _over_regions(
    side: Side, function: Callable[..., Any], options: dict[str, Any], regions: tuple[str, ...]
) -> Answer | NotMeasurable:
    """Read out every region by itself and put the values into one answer."""
    answers = [function(side.system, **{**options, "readout_region": region}) for region in regions]
    found = [answer for answer in answers if isinstance(answer, Answer)]
    if not found:
        return answers[0]
    subjects = list(dict.fromkeys(s for answer in found for s in answer.subjects))
    names = list(dict.fromkeys(r for answer in found for r in answer.regions))
    values = np.full((len(subjects), len(names)), np.nan)
    for answer in found:
        for i, subject in enumerate(answer.subjects):
            for j, region in enumerate(answer.regions):
                at = subjects.index(subject), names.index(region)
                values[at] = answer.data["value"].transpose("subject", "region").values[i, j]
    coords = {"subject": np.array(subjects, object), "region": np.array(names, object)}
    data = xr.Dataset({"value": (("subject", "region"), values)}, coords=coords)
    first = found[0]
    return Answer(
        form="table", data=data, question=first.question, parameters=first.parameters,
        system=first.system, kind=first.kind, stimulus_set=first.stimulus_set,
        notes=tuple(dict.fromkeys(note for answer in found for note in answer.notes)),
    )  # fmt: skip


def _of_answer(side: Side, answer: Answer) -> Reply:
    measure = str(side.facts.get("measure", "value"))
    neutral = side.facts.get("neutral", answer.parameters.get("chance", math.nan))
    select = side.facts.get("select", {})
    drawn = (answer,) if answer.form in FORMS_DRAWN else ()
    if measure not in answer.data and answer.form in FORMS_DRAWN:
        raise UsageError(
            f"'{answer.question}' gives pictures, not one number: compare both sides by a metric "
            "with compare=..., or name a variable with measure=..."
        )
    numbers = answer_numbers(answer, measure=measure, select=select, neutral=float(neutral))
    cell = side.cell(
        numbers,
        measure=_words(answer, measure, select),
        where=_where(answer, select),
        origin=_origin(side, answer),
        note=_brief(answer),
    )
    return Reply(cell, answers=drawn)


def _words(answer: Answer, measure: str, select: Mapping[str, str]) -> str:
    words = answer.question.replace("_", " ")
    if measure == "value":
        return words
    if "quantity" in answer.data.coords:
        quantity = selected(answer.data, select, measure=measure)["quantity"]
        return f"{measure}: {quantity.values}" if quantity.size == 1 else measure
    return f"{measure} of {words}"


def _where(answer: Answer, select: Mapping[str, str]) -> str:
    if select:
        return ", ".join(str(value) for value in select.values())
    if len(answer.regions) == 1:
        return "" if answer.regions[0] == "behaviour" else answer.regions[0]
    return f"{len(answer.regions)} regions"


def _origin(side: Side, answer: Answer) -> str:
    told = str(answer.parameters.get("origin", answer.origin))
    return told if told in ("measured", "published", "virtual", "simulated") else "computed"


def _brief(answer: Answer) -> str:
    by = str(answer.parameters.get("choice_by", ""))
    told = [f"choices {by}" if by == "recorded" else f"choices by {by}"] if by else []
    return "; ".join([*told, *(_shortened(note) for note in answer.notes[:1])])


def _shortened(note: str) -> str:
    return note if len(note) <= NOTE_LENGTH else f"{note[:NOTE_LENGTH]}…"


def compared(brain: Side, network: Side, *, metric: str, level: str) -> tuple[Reply, Reply]:
    """Ask both sides the same analysis and compare the answers by a metric.

    The brain's cell is what another subject reaches (the lower noise ceiling), the network's the
    score.
    """
    brain, network = with_layers(brain), with_layers(network)
    ours, theirs = ask_answer(network), ask_answer(brain)
    sides = ((brain, theirs), (network, ours))
    if any(isinstance(answer, NotMeasurable) for _, answer in sides):
        reason = "the other side gave nothing to compare with"
        return tuple(
            side.unmeasured(a.reason if isinstance(a, NotMeasurable) else reason)
            for side, a in sides
        )
    settings = network.settings
    scores = compare(
        theirs, ours, metric=metric, stimuli="shared",
        context=Context(level=level, dataset=network.holdings.card.name),
        inference=Inference(
            n_bootstrap=settings.n_bootstrap, n_null=settings.n_null, seed=settings.seed
        ),
    )  # fmt: skip
    if len(scores) > 1:
        raise UsageError(
            f"'{network.question}' compares {len(theirs.regions)} regions with "
            f"{len(ours.regions)} layers; a cell holds one. Name one of each with regions=[...], "
            "or average sessions with pool=true."
        )
    left: Cell = ceiling_cell(brain, scores[0])
    right: Cell = score_cell(network, scores[0])
    if theirs.form not in FORMS_DRAWN:
        return Reply(left), Reply(right)
    shared = sorted(set(theirs.stimuli) & set(ours.stimuli))
    drawn = (answer.restrict(stimuli=shared) for answer in (theirs, ours))
    return tuple(Reply(c, answers=(a,)) for c, a in zip((left, right), drawn, strict=True))
