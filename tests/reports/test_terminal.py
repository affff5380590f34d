"""What the terminal prints: the verdict, one table a level, and why something lacks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neuroai.format.results import NotMeasured, Results
from neuroai.format.scores import Score
from neuroai.reports.terminal import terminal_table

MOST_LINES = 60


def score(**more: object) -> Score:
    """Give one score of error consistency on digits."""
    given = {"brain_region": "brain behaviour", "model": "net", **more}
    return Score(
        "computation",
        "choices: digit",
        "error-consistency",
        "data",
        "stimuli",
        model_region="behaviour",
        n_stimuli=80,
        n_brain_subjects=4,
        n_model_subjects=3,
        **given,
    )


def own(value: float, **more: object) -> Score:
    """Give the accuracy of one system by itself."""
    given = {"brain_region": "", "model": "", "model_region": "", "value": value, **more}
    return Score("computation", "accuracy: digit", "value", "data", "stimuli", **given)


def small(*scores: Score, **more: object) -> Results:
    """Give results of nothing but scores."""
    return Results(title="small", dataset="data", simulated=False, scores=scores, **more)


def test_levels_and_numbers(results: Results) -> None:
    """Every level has its heading; a row holds layer, score, interval and p."""
    text = terminal_table(results, width=120, colour=False)
    places = [text.index(word) for word in ("Computation:", "Algorithm:", "Implementation:")]
    assert places == sorted(places)
    assert "RDM match (Spearman) with IT:" in text
    after = text.partition("RDM match (Spearman) with IT:")[2]
    row = next(line for line in after.splitlines() if line.startswith("    resnet "))
    assert row.split() == "resnet net.layer.5 0.330 0.290 to 0.370 .001".split()
    ceiling = next(line for line in after.splitlines() if line.strip().startswith("noise ceiling"))
    assert ceiling.split() == "noise ceiling 0.379 to 0.600".split()
    assert "n: 92 stimuli, 4 brain subjects, 1 network seed; intervals over stimuli" in text
    assert "Simulated brain" in text


def test_verdict_comes_first(results: Results) -> None:
    """The first lines tell the headline, and what of the planted truth was recovered."""
    head = terminal_table(results, width=120, colour=False).split("Computation:")[0]
    assert "0.330  resnet net.layer.5 against IT; noise ceiling 0.379 to 0.600." in head
    assert "1 of 2 planted facts were recovered." in head
    assert "not recovered: lesion effect: planted -0.30, got -0.05" in head


def test_table_is_short(make_results) -> None:
    """However many layers and single subjects there are, the table stays compact."""
    results = make_results(n_layers=28)
    assert len(terminal_table(results, width=100, colour=False).splitlines()) <= MOST_LINES


def test_what_has_no_number_is_spelt_out(results: Results) -> None:
    """Not measurable is told with its reason, never as NaN or 0."""
    text = terminal_table(results, width=120, colour=False)
    assert "shape bias, resnet: not measurable: no cue-conflict images" in text
    assert "lesion of V1, human: not measurable: no lesions were made" in text
    assert "nan" not in text.lower()


def test_equal_reasons_are_told_once() -> None:
    """Questions and systems that lack for one reason share a sentence."""
    lacks = [NotMeasured("algorithm", q, s, "no recordings") for q in ("rdm", "cka") for s in "ab"]
    text = terminal_table(small(not_measured=tuple(lacks)), width=100, colour=False)
    assert text.count("no recordings") == 1
    assert "RDM and cka, a and b: not measurable: no recordings" in text


def test_own_values_stand_together() -> None:
    """What brain and networks reach by themselves is one sentence, brain first."""
    net = own(0.958, model="net", ci_low=0.9, ci_high=1.0)
    brain = own(0.934, brain_region="brain")
    text = terminal_table(small(net, brain, score(value=0.6)), width=100, colour=False)
    assert "accuracy on digit: brain 0.934, net 0.958 [0.900 to 1.000]" in text
    assert "value" not in text


def test_lower_reference_is_no_ceiling() -> None:
    """Where only another subject's score is known, the table says so."""
    text = terminal_table(small(score(value=0.6, ceiling_low=0.503)), width=100, colour=False)
    assert "another subject reaches 0.503" in " ".join(text.split())
    assert "noise ceiling" not in text


def test_published_networks_share_a_line() -> None:
    """Networks whose answers were published are told together, those asked by name."""
    published = [score(model=f"old{i}", value=0.1 + i / 100) for i in range(5)]
    results = small(score(value=0.3), *published, provenance={"models": [{"name": "net"}]})
    text = terminal_table(results, width=100, colour=False)
    assert "5 published networks" in text and "0.100 to 0.140" in text
    assert "old" not in text


def test_localisers_and_lesions(results: Results) -> None:
    """The best localised region and the largest dose of every lesion have a sentence each."""
    text = " ".join(terminal_table(results, width=120, colour=False).split())
    assert (
        "human, localiser: IT, face > rest: 20 of 400 units; held-out t 4.2 "
        "(p ≤ .05 in 4 of 4 subjects)"
    ) in text
    assert (
        "resnet, simulated lesion of net.layer.7, dose 1: accuracy 0.900 → 0.500 (random sets"
    ) in text


def test_audit_is_condensed(results: Results) -> None:
    """Many layers with units that never vary are one sentence."""
    lines = tuple(f"net: conv{i}: {i} of 64 units never vary: conv{i}/0.0.0" for i in range(1, 30))
    text = terminal_table(replace(results, audit=lines), width=120, colour=False)
    assert "! net: some units never vary in 29 layers, at most 29 of 64 (conv29)." in text
    assert text.count("never vary") == 1


@pytest.mark.parametrize("width", [80, 100, 120])
def test_fits_its_width(make_results, width) -> None:
    """No line is longer than the terminal, whatever the names."""
    results = make_results(name=lambda text: f"{text}-{'long' * 12}")
    lines = terminal_table(results, width=width, colour=False).splitlines()
    assert max(map(len, lines)) <= width


def test_obeys_no_name(make_results) -> None:
    """Escape sequences in names never reach the terminal; colour is the table's own."""
    results = make_results(name=lambda text: f"\x1b[2J{text}\x07")
    assert "\x1b" not in terminal_table(results, colour=False)
    assert "\x1b[2J" not in terminal_table(results, colour=True)
    assert "\x1b[1m" in terminal_table(results, colour=True)


def test_the_score_of_the_averaged_rdm_is_printed_without_a_ceiling() -> None:
    """Many papers give it: it stands under the score, named, and never as the score."""
    kept = Score("algorithm", "rdm", "rdm-spearman", "d", "s", "human IT", "net", "fc", value=0.222)
    mean = replace(kept, analysis="score_of_mean_rdm", value=0.312)
    lower = replace(mean, model_region="conv", value=0.1)
    text = terminal_table(small(kept, lower, mean), width=100, colour=False)
    line = next(row for row in text.splitlines() if "score_of_mean_rdm" in row)
    assert "no ceiling applies" in line and "net fc 0.312" in text.replace("\n    ", " ")
