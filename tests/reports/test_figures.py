"""Figures: what is averaged, ranked and chosen for the picture."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from neuroai.format.answers import Answer, rdm_answer
from neuroai.format.scores import Score
from neuroai.reports.figures_behaviour import can_be_dotted, choice_shares, subject_dots
from neuroai.reports.figures_layers import layer_curves
from neuroai.reports.figures_lesions import common_limits, control_band, dose_figure
from neuroai.reports.figures_rdm import percentiles, rdm_figure, subject_average
from neuroai.reports.figures_scores import candidate_dots
from neuroai.reports.lesions import best_localised, dose_groups, evidence, localised
from neuroai.reports.selection import best_rows, candidates, ceiling_of, layer_grid, panel_of

EXACT = 1e-10  # float64 algebra


def score(layer: str, value: float, **more: object) -> Score:
    """Give one score of a layer against IT."""
    return Score(
        "algorithm", "rdm", "spearman", "data", "set", "IT", "net", layer, value=value, **more
    )


def rdms(values: np.ndarray) -> Answer:
    """Give RDMs (subject, region, stimulus, stimulus) of stimuli d, c, b, a."""
    return rdm_answer(
        values,
        subjects=[f"s{i}" for i in range(len(values))],
        regions=["IT"],
        stimuli=["d", "c", "b", "a"],
        parameters={},
        system="human",
        kind="brain",
        stimulus_set="set",
    )


def symmetric(seed: int) -> np.ndarray:
    """Give one symmetric 4 × 4 matrix with a zero diagonal."""
    half = np.triu(np.random.default_rng(seed).uniform(1, 2, (4, 4)), 1)
    return half + half.T


def test_subject_average_leaves_out_what_is_missing() -> None:
    """A subject without the region does not count, and a pair no one has stays missing."""
    values = np.stack([symmetric(0), symmetric(1), np.full((4, 4), np.nan)])[:, None]
    values[:2, 0, 0, 1] = np.nan
    got = subject_average(rdms(values), "IT")
    wanted = (symmetric(0) + symmetric(1)) / 2
    wanted = wanted[::-1, ::-1]
    wanted[3, 2] = np.nan
    np.testing.assert_allclose(got, wanted, atol=EXACT)


def test_percentiles_keep_order_and_ties() -> None:
    """Ranks run to 100, ties share a rank, missing pairs stay missing, the diagonal is 0."""
    values = np.array([[0, 1.0, 5.0], [1.0, 0, 5.0], [np.nan, 5.0, 0]])
    got = percentiles(values)
    wanted = np.array([[0, 40, 100], [40, 0, 100], [np.nan, 100, 0]])
    np.testing.assert_allclose(got, wanted, atol=EXACT)


def test_rdm_is_sorted_by_label() -> None:
    """Stimuli are sorted by label, then by id, in picture and listing."""
    labels = {"a": "z", "b": "face", "c": "z", "d": "face"}
    drawing = rdm_figure(
        rdms(symmetric(0)[None, None]), "IT", title="human", labels=labels, side="brain"
    )
    assert [line.split(",")[0] for line in drawing.listing.splitlines()] == ["b", "d", "a", "c"]
    assert drawing.header == ("label", "face", "z")
    between = [symmetric(0)[i, j] for i in (0, 2) for j in (1, 3)]
    assert float(drawing.rows[0][2]) == pytest.approx(np.mean(between), abs=5e-4)
    assert "face</text>" in drawing.svg and "data:image/png" in drawing.svg


def test_rdm_without_values_is_not_drawn() -> None:
    """A region that no subject has gives no figure."""
    empty = rdms(np.full((1, 1, 4, 4), np.nan))
    assert rdm_figure(empty, "IT", title="human", labels={}, side="brain") is None


def test_choice_shares_are_averaged_over_subjects() -> None:
    """Rows are normalised in each subject first; subjects without a row do not count."""
    counts = np.array([[[8, 2], [0, 0]], [[1, 1], [3, 1]]], dtype=float)[:, None]
    data = xr.Dataset(
        {"confusion": (("subject", "region", "truth", "choice"), counts)},
        coords={
            "subject": ["a", "b"],
            "region": ["all"],
            "truth": ["x", "y"],
            "choice": ["x", "y"],
        },
    )
    answer = Answer("confusion", data, "confusion", {}, "human", "brain", "set")
    got = choice_shares(answer, "all", truths=["y", "x"], choices=["x", "y"])
    np.testing.assert_allclose(got, [[0.75, 0.25], [0.65, 0.35]], atol=EXACT)


def test_subject_dots_tell_average_and_range() -> None:
    """The table of a dot plot holds count, average and range of the subjects that answered."""
    values = np.array([[0.5], [0.7], [np.nan]])
    data = xr.Dataset(
        {"value": (("subject", "region"), values)},
        coords={"subject": ["a", "b", "c"], "region": ["all"]},
    )
    answer = Answer("table", data, "accuracy", {}, "human", "brain", "set")
    assert can_be_dotted(answer)
    drawing = subject_dots("accuracy", [answer], kinds={"human": "brain"}, colours={})
    assert drawing.rows == (("human", "2", "0.600", "0.500", "0.700"),)
    assert "var(--brain" in drawing.svg


def test_control_band_skips_what_is_undefined() -> None:
    """Percentiles are over the defined controls; a dose without any has none."""
    band = control_band(np.array([[0.0, 10.0, np.nan], [np.nan, np.nan, np.nan]]))
    np.testing.assert_allclose(band[:, 0], [0.5, 5.0, 9.5], atol=EXACT)
    assert np.isnan(band[:, 1]).all()


def test_dose_figure_prints_targeted_beside_controls(results) -> None:
    """The table under a dose curve holds every dose with its p; both systems share one axis."""
    brain, network, _ = dose_groups(results)
    limits = common_limits([brain.average, network.average])
    drawing = dose_figure(brain, limits=limits)
    assert drawing.side == "brain"
    assert [row[1] for row in drawing.rows] == ["0.1", "0.3", "1"]
    assert [row[3] for row in drawing.rows] == ["0.870", "0.810", "0.600"]
    assert [row[-1] for row in drawing.rows] == [".120", ".020", ".010"]
    assert limits[0] < 0.47 and limits[1] > 0.9
    assert "recorded units masked" in drawing.caption


def test_layer_curves_need_several_layers() -> None:
    """One layer is no curve; two are, and the table keeps their order."""
    one = [score("fc", 0.2)]
    two = [score("conv", 0.1), score("fc", 0.2)]
    assert layer_curves(panel_of(one[0]), one, colours={}) is None
    drawing = layer_curves(panel_of(two[0]), two, colours={})
    assert [row[2] for row in drawing.rows] == ["conv", "fc"]


def test_undefined_layer_leaves_a_gap() -> None:
    """A layer without a score is named as undefined in the table and breaks the line."""
    grid = [
        score("a", 0.1),
        score("b", float("nan"), status="undefined", note="constant"),
        score("c", 0.3),
    ]
    drawing = layer_curves(panel_of(grid[0]), grid, colours={})
    assert drawing.rows[1][3] == "undefined: constant"
    assert not re.search(r"\bnan\b", drawing.svg, re.IGNORECASE)


def test_no_defined_score_is_no_dot() -> None:
    """A panel of undefined scores gives no figure."""
    none = [score("a", float("nan"), status="undefined", note="constant")]
    assert candidate_dots(panel_of(none[0]), none, colours={}) is None


def test_best_row_prefers_the_held_out_choice() -> None:
    """A cross-validated choice goes before a higher score on the same stimuli."""
    grid = [score("conv", 0.5), score("fc", 0.2)]
    assert (best_rows(grid)[0].score.model_region, best_rows(grid)[0].choice) == ("conv", "highest")
    chosen = [*grid, score("fc", 0.19, selected=True)]
    row = best_rows(chosen)[0]
    assert (row.score.value, row.choice, row.n_regions) == (0.19, "held-out", 2)
    assert [len(rows) for rows in layer_grid(chosen).values()] == [2]


def test_single_seeds_yield_to_the_pooled_score() -> None:
    """Seeds stand alone only where there is no score over all of them."""
    seeds = [score("fc", 0.1, seed="0"), score("fc", 0.3, seed="1")]
    assert len(candidates(seeds)) == 2
    assert list(candidates([*seeds, score("fc", 0.2)])) == [("net", "model", "")]


def test_ceiling_is_that_of_a_network() -> None:
    """Another subject's own ceiling is not drawn where a network states one."""
    subject = score("", 0.4, candidate_kind="subject", ceiling_low=0.1, ceiling_high=0.2)
    model = score("fc", 0.3, ceiling_low=0.38, ceiling_high=0.66)
    assert ceiling_of([subject, model]) == (0.38, 0.66)
    assert ceiling_of([score("fc", 0.3)]) is None


def seeds_of(results, values: list[float], p: list[float]):
    """Give results with the network's first curve once a seed, at other heights."""
    first = results.dose_curves[1]
    curves = [
        replace(
            first,
            system=f"resnet (seed{index})",
            baseline=value,
            targeted=np.full(3, value),
            controls=np.full((3, 10), value),
            p=np.full(3, chance),
        )
        for index, (value, chance) in enumerate(zip(values, p, strict=True))
    ]
    return replace(results, dose_curves=tuple(curves))


def test_seeds_of_one_system_share_a_panel(results) -> None:
    """Curves of several seeds are one figure: averages are drawn, p stays that of each seed."""
    (group,) = dose_groups(seeds_of(results, [0.9, 0.7], [0.01, 0.4]))
    assert (group.system, group.members) == ("resnet", ("seed0", "seed1"))
    np.testing.assert_allclose(group.average.targeted, 0.8, atol=EXACT)
    np.testing.assert_allclose(group.average.controls, 0.8, atol=EXACT)
    assert np.isnan(group.average.p).all()
    assert evidence(group, -1) == "p ≤ .05 in 1 of 2"
    drawing = dose_figure(group, limits=(0, 1))
    assert len(drawing.rows) == 6 and drawing.rows[3][0] == "seed1"
    assert "Thin lines: 2 seeds" in drawing.caption


def test_a_name_with_brackets_is_left_whole(results) -> None:
    """A system whose own name ends in brackets is no subject of another one."""
    curve = replace(results.dose_curves[1], system="net (untrained)")
    named = replace(results.localisers[-1], system="net (untrained)")
    (group,) = dose_groups(replace(results, dose_curves=(curve,), localisers=(named,)))
    assert (group.system, group.members) == ("net (untrained)", ("",))


def test_localisers_are_summed_up(results) -> None:
    """Subjects are averaged, and the region with the highest held-out t stands for a system."""
    row = results.localisers[0]
    rows = [
        replace(row, t_heldout=2.0),
        replace(row, subject="s2", t_heldout=4.0, heldout_p=0.5),
        replace(row, region="V4", t_heldout=9.0),
    ]
    assert [(i.region, i.n_members, i.t_heldout) for i in localised(rows)] == [
        ("IT", 2, 3.0),
        ("V4", 1, 9.0),
    ]
    assert localised(rows)[0].n_small_p == 1
    assert [item.region for item in best_localised(rows)] == ["V4"]


def test_one_seed_keeps_its_layers() -> None:
    """Rows of the only seed are the layers of the candidate, beside the choice over all seeds."""
    grid = [score("conv", 0.1, seed="trained"), score("fc", 0.2, seed="trained")]
    every = [*grid, score("fc", 0.19, selected=True)]
    assert [len(rows) for rows in layer_grid(every).values()] == [2]
    assert best_rows(every)[0].score.value == 0.19
