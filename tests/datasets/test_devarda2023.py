"""Words in sentences: every published coefficient and correlation, from the labelled form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from neuroai.format.holdings import Holdings
from neuroai.sources.download import fetch_listed

EXACT = 1e-10  # float64 algebra in another order
PRINTED = 5e-4  # half a unit of the third printed digit
SHRUNK = 5e-3  # a penalty of 0.01 to 100 beside 1,100 words of variance 1
PUBLISHED = "supplementary_materials/"


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("devarda2023")


@pytest.fixture(scope="module")
def words(holdings: Holdings) -> pd.DataFrame:
    """One row a word, put together by stimulus id, never by position."""
    table = holdings.stimuli.table
    for measures in holdings.systems[0].measures:
        long = measures.to_dataframe()
        wide = long.pivot(index="stimulus_id", columns="quantity", values="value")
        table = table.join(wide[[name for name in wide.columns if name not in table.columns]])
    return table


def published(name: str) -> pd.DataFrame:
    """Read one of the paper's supplementary tables."""
    path = PUBLISHED + name
    return pd.read_csv(fetch_listed("ucl_words_eeg_et_spr", [path])[path], index_col=0)


def test_every_published_coefficient(words: pd.DataFrame) -> None:
    """All 165 slopes and t of the paper, from 1,466 words.

    The model: the measure on the predictor, length, log frequency, place in the sentence, and the
    three products of the latter; words with punctuation or without a frequency left out.
    """
    rows = words[(words["category"] == "analysed") & words["Subtlex_log10"].notna()]
    assert len(rows) == 1466
    length, frequency, place = (
        rows[name].to_numpy(float) for name in ("length", "Subtlex_log10", "position")
    )
    products = [length * frequency, length * place, frequency * place]
    covariates = np.column_stack([np.ones(len(rows)), length, frequency, place, *products])
    results = published("results_linear.csv")
    assert len(results) == 165
    for result in results.itertuples():
        predictor = rows["s_GPTNeo_2.7B" if result.iv == "s_GPTNeo_large" else result.iv]
        design = np.column_stack([covariates, predictor])
        measured = rows[result.dv].to_numpy(float)
        weights = np.linalg.lstsq(design, measured, rcond=None)[0]
        rest = measured - design @ weights
        variance = rest @ rest / (len(rest) - design.shape[1])
        error = np.sqrt(variance * np.linalg.inv(design.T @ design)[-1, -1])
        got = (weights[-1], weights[-1] / error)
        assert got == pytest.approx((result.b, result.t), rel=EXACT), (result.dv, result.iv)


def test_every_published_correlation(words: pd.DataFrame) -> None:
    """The paper's 31 x 31 correlations, over the 1,487 words without punctuation."""
    table = published("df_corr.csv")
    rows = words[words["category"] == "analysed"]
    assert len(rows) == 1487
    np.testing.assert_allclose(rows[list(table)].corr(), table, rtol=0, atol=EXACT)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("s_GPT2", "N400", -0.198), ("s_GPT2", "RTfirstpass", 0.547),
        ("rating_mean", "N400", 0.284),
    ],
)  # fmt: skip
def test_raw_correlations_before_the_last_word(
    one: str, other: str, expected: float, words: pd.DataFrame
) -> None:
    """Over the 1,521 words that do not end a sentence (computed apart)."""
    rows = words[~words["word"].str.contains(".", regex=False)]
    assert len(rows) == 1521
    assert rows[one].corr(rows[other]) == pytest.approx(expected, abs=PRINTED)


def test_words_follow_their_context(holdings: Holdings) -> None:
    """A word's text is the sentence up to it; the last word's is the whole sentence."""
    table = holdings.stimuli.table
    assert len(holdings.stimuli.available) == len(table) == 1726
    assert table["sentence_id"].nunique() == 205
    assert holdings.stimuli.content("s152-w06") == "Finally Maria sat down with a cup"
    last = table.groupby("sentence_id")["position"].idxmax()
    for key in last:
        assert holdings.stimuli.content(key) == table.loc[key, "sentence"]


def test_measures_are_means_and_say_so(holdings: Holdings) -> None:
    """Four tables of means with units; what is not known is missing, never made up."""
    tables = holdings.systems[0].measures
    assert [t.attrs["modality"] for t in tables] == [
        "EEG", "eye tracking", "reading times", "behaviour",
    ]  # fmt: skip
    assert [t.sizes["row"] for t in tables] == [1726 * n for n in (6, 4, 1, 6)]
    for table in tables:
        assert np.isfinite(table["value"].values).all()
        assert np.isnan(table["n"].values).all()
        assert set(table["provenance"].values) == {"derived"}
    assert set(tables[0]["physical_unit"].values) == {"uV"}
    assert holdings.systems[0].recordings == ()


def test_words_are_encoded_from_a_language_model_s_surprisal(holdings: Holdings) -> None:
    """Reading times and the N400 from GPT-2's surprisal, whole sentences held out.

    Surprisal is the published column: the networks themselves are not at hand offline. Expected
    values are those of scikit-learn's least squares on the same folds.
    """
    from sklearn.linear_model import LinearRegression

    from neuroai.analyses.algorithm.encoding import unit_encoding
    from neuroai.numerics.folds import group_folds
    from neuroai.systems.brain import brains_of

    table = holdings.stimuli.table
    known = table[(table["category"] == "analysed") & table["Subtlex_log10"].notna()]
    stimuli = holdings.stimuli.restrict(list(known.index))
    spaces = {"surprisal": ["s_GPT2"], "lexical": ["length", "Subtlex_log10", "position"]}
    found = unit_encoding(
        brains_of(holdings)[0], features=spaces, stimuli=stimuli, groups="sentence_id",
        method="partition", penalties=(0.01, 1.0, 100.0),
    )  # fmt: skip
    assert [units.attrs["region"] for units in found][:3] == [
        "EEG", "eye tracking", "reading times",
    ]  # fmt: skip
    eeg, eye, _, _ = found
    columns = [name for space in spaces.values() for name in space]
    x = known.sort_index()[columns].to_numpy(float)
    folds = group_folds([str(s) for s in known.sort_index()["sentence_id"]], n_folds=5)
    for units, name in ((eeg, "N400"), (eye, "RTfirstpass")):
        measures = next(m for m in holdings.systems[0].measures if name in m["quantity"].values)
        frame = measures[["stimulus_id", "quantity", "value"]].to_dataframe()
        y = frame[frame["quantity"] == name].set_index("stimulus_id")["value"]
        y = y.loc[list(known.sort_index().index)].to_numpy(float)
        r = [
            np.corrcoef(LinearRegression().fit(x[a], y[a]).predict(x[b]), y[b])[0, 1]
            for a, b in folds
        ]
        mine = units.isel(unit=units["unit_id"].values == name)
        assert float(mine["r"].item()) == pytest.approx(np.mean(r), abs=SHRUNK)
        # What surprisal explains that length, frequency and place do not.
        assert float(mine["r2_part"].sel(part="surprisal").item()) > 0
    assert eye["r"].max() > 0.7 > 0.35 > eeg["r"].max()
