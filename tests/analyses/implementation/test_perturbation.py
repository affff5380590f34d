"""Measured perturbations: the published effects on monkeys and mice, and tests by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from neuroai.analyses.implementation.perturbation import perturbation
from neuroai.errors import ResourceError
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import behaviour, measure
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.catalogue import load_dataset
from neuroai.systems.brain import Recorded, brains_of
from neuroai.systems.load import load_model
from neuroai.testing import EXACT

PRINTED_2, PRINTED_3 = 5e-3, 5e-4  # half a unit of the second and third printed digit
PRINTED_P = 5e-6  # half a unit of the printed 7e-5
WHO = {"system": "monkey", "kind": "brain", "stimulus_set": "toy"}


def _effects(name: str, require: Callable[[object, str], None]) -> pd.DataFrame:
    try:
        brain = brains_of(load_dataset(name))[0]
    except ResourceError as error:
        require(None, str(error))
    answer = perturbation(brain)
    assert answer.parameters["origin"] == "measured"
    return answer.data.isel(subject=0, region=0).to_dataframe()


@pytest.fixture(scope="module")
def monkeys(require: Callable[[object, str], None]) -> pd.DataFrame:
    """Effects of silencing and stimulating face cortex."""
    return _effects("afraz2015", require)


@pytest.fixture(scope="module")
def mice(require: Callable[[object, str], None]) -> pd.DataFrame:
    """Effects of silencing superior colliculus, by the laser's onset."""
    return _effects("cazemier2024", require)


def test_silencing_face_cortex_costs_sensitivity_on_the_other_side(monkeys: pd.DataFrame) -> None:
    """Light, opposite field: d' 2.22 to 2.02, p = 7e-5, 14 sessions; nowhere else an effect."""
    light = monkeys[monkeys["intervention"] == "optogenetic silencing"]
    table = light.set_index(["site", "condition"])
    face = table.loc[("face", "contra")]
    assert (face["before"], face["after"]) == pytest.approx((2.22, 2.02), abs=PRINTED_2)
    assert face["p"] == pytest.approx(7e-5, abs=PRINTED_P) and face["n"] == 14
    for elsewhere in (("face", "ipsi"), ("nonface", "ipsi"), ("nonface", "contra")):
        assert table.loc[elsewhere]["p"] > 0.05


@pytest.mark.parametrize(
    ("site", "before", "after"),
    [("within_facepatch", 0.872, 0.144), ("outside_facepatch", 0.905, 0.857)],
)
def test_stimulation_makes_the_same_face_differ(
    site: str, before: float, after: float, monkeys: pd.DataFrame
) -> None:
    """Same faces called the same, pooled over monkeys: mostly lost within the patch alone."""
    rows = monkeys[
        (monkeys["intervention"] == "microstimulation 300 uA")
        & (monkeys["stimulus_class"] == "Faces")
        & (monkeys["site"] == site)
        & (monkeys["condition"] == "same")
    ]
    assert len(rows) == 1
    row = rows.iloc[0]
    assert (row["before"], row["after"]) == pytest.approx((before, after), abs=PRINTED_3)
    assert row["test"] == "chi-square of counts"
    assert row["p"] < (1e-100 if site == "within_facepatch" else 1)


@pytest.mark.parametrize(
    ("task", "before", "after"),
    [("phase", 0.724, 0.457), ("orientation", 0.742, 0.587), ("detection", 0.892, 0.770)],
)
def test_silencing_superior_colliculus_at_67_ms(
    task: str, before: float, after: float, mice: pd.DataFrame
) -> None:
    """Mean over mice of the share of right choices, to the third printed digit."""
    row = mice[(mice["condition"] == task) & (mice["intervention"] == "laser-67ms")].iloc[0]
    assert row["after"] == pytest.approx(after, abs=PRINTED_3)
    assert row["before"] == pytest.approx(before, abs=PRINTED_3)
    assert row["statistic"] < 0 and row["test"] == "paired t of subjects"


def _brain(*, tables: tuple[xr.Dataset, ...] = (), measures: tuple[xr.Dataset, ...] = ()):
    data = SystemData("monkey", "brain", "Macaca", behaviour=tables, measures=measures)
    stimuli = stimulus_set(pd.DataFrame({"stimulus_id": ["a"]}), name="toy")
    return Recorded(data=data, stimuli=stimuli)


def test_trials_by_hand() -> None:
    """Three subjects, one of which was never perturbed: it counts without, but in no pair."""
    rows = [("m1", "none", [1, 1, 1, 0]), ("m1", "cold", [1, 0, 0, 0]), ("m2", "none", [1, 1]),
            ("m2", "cold", [1, 1, 1, 0]), ("m3", "none", [0, 0])]  # fmt: skip
    columns = {
        "subject": [s for s, _, hits in rows for _ in hits],
        "intervention": [i for _, i, hits in rows for _ in hits],
        "correct": [hit for _, _, hits in rows for hit in hits],
    }
    n = len(columns["subject"])
    columns |= {"stimulus_id": ["a"] * n, "choice": ["x"] * n}
    found = perturbation(_brain(tables=(behaviour(columns, task="go", **WHO),))).data
    row = found.isel(subject=0, region=0, effect=0)
    assert float(row["before"]) == pytest.approx((0.75 + 1 + 0) / 3)
    assert float(row["after"]) == pytest.approx((0.25 + 0.75) / 2)
    wanted = stats.ttest_rel([0.25, 0.75], [0.75, 1])
    assert float(row["p"]) == pytest.approx(wanted.pvalue, abs=EXACT)
    assert (int(row["n"]), str(row["intervention"].item())) == (2, "cold")


def test_a_single_pair_has_no_p_and_is_counted() -> None:
    """Undefined is named, not 0 or 1."""
    table = measure(
        {
            "value": [2.0, 1.5],
            "n": [np.nan, np.nan],
            "subject": ["m"] * 2,
            "session": ["s1"] * 2,
            "intervention": ["none", "light"],
            "quantity": ["d'"] * 2,
            "provenance": ["derived"] * 2,
        },
        **WHO,
    )
    answer = perturbation(_brain(measures=(table,)))
    assert float(answer.data["difference"].item()) == -0.5
    assert np.isnan(answer.data["p"].item()) and answer.undefined == {"effects without a p": 1}
    assert answer.notes == ("no p for d', light",)


def test_what_was_not_perturbed_says_so() -> None:
    """A network's lesions are simulated, and this brain was left alone."""
    network = perturbation(load_model("builtin:small_convnet"))
    assert isinstance(network, NotMeasurable) and "those of a network simulated" in network.reason
    alone = perturbation(_brain())
    assert isinstance(alone, NotMeasurable) and "measured under a perturbation" in alone.reason
