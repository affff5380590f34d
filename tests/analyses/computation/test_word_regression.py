"""Word regressions: slopes of a simulated reader, and of a language model's own surprisal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.computation.word_regression import word_regression
from neuroai.errors import DataError, UnknownName, UsageError
from neuroai.format.build import measure
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.regression import least_squares
from neuroai.systems.brain import Recorded
from neuroai.systems.surprisal import with_surprisal
from neuroai.testing import EXACT, toy_brain

N = 300
COVARIATES = ("length", "frequency")


@pytest.fixture
def reader() -> Recorded:
    """A reader who is slower at surprising and at long words, whose N400 follows surprisal."""
    rng = np.random.default_rng(0)
    ids = [f"w{i:03d}" for i in range(N)]
    table = pd.DataFrame({
        "stimulus_id": ids, "length": rng.integers(1, 12, N).astype(float),
        "frequency": rng.normal(size=N), "surprisal": rng.gamma(2, 2, N),
        "noise": rng.normal(size=N), "category": ["analysed"] * (N - 10) + ["excluded"] * 10,
    })  # fmt: skip
    rt = 200 + 8 * table["length"] + 3 * table["surprisal"] + rng.normal(scale=20, size=N)
    n400 = -0.3 * table["surprisal"] + rng.normal(size=N)
    n400[5] = np.nan
    means = measure(
        {
            "value": np.concatenate([rt, n400]), "stimulus_id": ids * 2, "n": [20.0] * 2 * N,
            "quantity": ["RT"] * N + ["N400"] * N, "subject": ["group"] * 2 * N,
            "provenance": ["derived"] * 2 * N,
        },
        system="human", kind="brain", stimulus_set="words",
    )  # fmt: skip
    data = SystemData("human", "brain", "Homo sapiens", measures=(means,))
    return Recorded(data=data, stimuli=stimulus_set(table, name="words"))


def test_slopes_are_those_of_the_design(reader):
    """Each slope is the last of a regression with covariates and their product."""
    answer = word_regression(
        reader, predictors=["surprisal", "noise"], measures=["RT", "N400"], covariates=COVARIATES
    )
    table = reader.stimuli.table[reader.stimuli.table["category"] == "analysed"]
    means = reader.data.measures[0].to_dataframe()
    rt = means[means["quantity"] == "RT"].set_index("stimulus_id")["value"].loc[table.index]
    length, frequency = (table[name].to_numpy(float) for name in COVARIATES)
    base = np.column_stack([np.ones(len(table)), length, frequency, length * frequency])
    for name in ("surprisal", "noise"):
        fit = least_squares(np.column_stack([base, table[name].to_numpy(float)]), rt.to_numpy())
        here = answer.data.sel(measure="RT", predictor=name).isel(subject=0, region=0)
        for key, value in (("value", fit.coefficients), ("t", fit.t), ("p", fit.p)):
            assert here[key].item() == pytest.approx(value[-1], abs=EXACT)
        gain = fit.log_likelihood - least_squares(base, rt.to_numpy()).log_likelihood
        assert here.gain_of_log_likelihood.item() == pytest.approx(gain, abs=1e-8)
        assert here.gain_of_aic.item() == pytest.approx(2 - 2 * gain, abs=1e-8)
    assert answer.undefined["words with a missing number"] == 1
    n = answer.data.n.isel(subject=0, region=0, predictor=0)
    assert n.sel(measure="RT").item() == N - 10 and n.sel(measure="N400").item() == N - 11


def test_a_simulated_reader_is_recovered(reader):
    """Slopes of 3 ms and -0.3 uV a bit within 4 of their errors; noise explains nothing."""
    data = word_regression(
        reader, predictors=["surprisal", "noise"], covariates=COVARIATES, where=()
    ).data.isel(subject=0, region=0)
    for name, truth in (("RT", 3.0), ("N400", -0.3)):
        here = data.sel(measure=name, predictor="surprisal")
        assert abs(here.value - truth) < 4 * here.error and here.gain_of_aic < 0
    assert (data.p.sel(predictor="noise") > 0.001).all()


def test_a_system_without_words_says_so(reader):
    """No published number, and a network that reads no words."""
    assert word_regression(toy_brain(), predictors=["surprisal"]).reason.startswith("no number of")


def test_misuse_is_told_in_words(reader):
    """Columns and measures must exist, and a predictor must not follow from the covariates."""
    with pytest.raises(UnknownName, match="Did you mean 'surprisal'"):
        word_regression(reader, predictors=["suprisal"], covariates=COVARIATES)
    with pytest.raises(UnknownName, match="Did you mean 'N400'"):
        word_regression(reader, predictors=["noise"], covariates=COVARIATES, measures=["N40"])
    with pytest.raises(DataError, match="The predictor 'length': A column"):
        word_regression(reader, predictors=["length"], covariates=COVARIATES)
    with pytest.raises(UsageError, match="have a column 'surprisal' already"):
        with_surprisal(reader.stimuli, toy_brain())
