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
