"""Surprisal against the loss that transformers computes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_networks import save_bert, save_gpt

from neuroai.analyses.computation.word_regression import word_regression
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.regression import least_squares
from neuroai.systems.load import load_model
from neuroai.systems.sequences import sequence_of
from neuroai.systems.surprisal import surprisal, with_surprisal

SINGLE = 1e-4  # bits, of float32 logits
TEXTS = {"a": "the old man", "b": "the old man the boats on", "c": "unforgettable"}


@pytest.fixture(scope="module")
def texts():
    """Three texts; the third is one word of many tokens."""
    return stimulus_set(pd.DataFrame({"stimulus_id": list(TEXTS)}), name="texts", load=TEXTS.get)


@pytest.fixture(scope="module")
def gpt(tmp_path_factory):
    """A causal language model, random weights."""
    return load_model(f"hf:{save_gpt(tmp_path_factory.mktemp('nets') / 'gpt')}", batch_size=2)


def test_surprisal_is_the_loss_over_the_word_s_tokens(gpt, texts):
    """transformers' own mean cross-entropy, times the tokens, in bits."""
    table = surprisal(gpt, texts).set_index("stimulus_id")
    module = gpt.module()
    for key, text in TEXTS.items():
        ids = torch.tensor([[0, *gpt.preprocess.tokenizer(text)["input_ids"]]])
        n = int(table.loc[key, "n_tokens"])
        labels = torch.where(torch.arange(ids.shape[1]) < ids.shape[1] - n, -100, ids)
        with torch.no_grad(), sequence_of(module).whole():
            loss = float(module(input_ids=ids, labels=labels).loss)
        assert table.loc[key, "surprisal"] == pytest.approx(loss * n / math.log(2), abs=SINGLE)
    assert (table["surprisal"] > 0).all() and set(table["subject"]) == {"trained"}


def test_a_word_that_nothing_precedes_is_undefined(gpt, texts):
    """Where the context is cut at the word's own first token there is nothing to predict it."""
    from dataclasses import replace

    cut = replace(gpt, preprocess=replace(gpt.preprocess, context=2))
    table = surprisal(cut, texts).set_index("stimulus_id")
    assert np.isnan(table.loc["c", "surprisal"]) and table.loc["a", "surprisal"] > 0


def test_surprisal_becomes_a_column_of_the_words(gpt, texts):
    """By id, averaged over seeds; what has no number is NaN and the other columns stay."""
    added = with_surprisal(texts, gpt, name="bits")
    expected = surprisal(gpt, texts).set_index("stimulus_id")["surprisal"]
    for key in TEXTS:
        assert added.column("bits", [key])[0] == pytest.approx(expected[key], abs=1e-12)
    assert added.ids == texts.ids and "bits" not in texts.table.columns
    assert "no language model" in with_surprisal(texts, load_model("builtin:small_convnet")).reason
    with pytest.raises(UsageError, match="have a column 'bits' already"):
        with_surprisal(added, gpt, name="bits")


def test_a_network_is_regressed_as_a_reader_is(gpt):
    """Its own surprisal is the measure; the slopes are those of least squares on the same words."""
    rng = np.random.default_rng(0)
    words = np.array(["old", "man", "boats", "unforgettable", "the", "on"])
    rows = [" ".join(rng.choice(words, 1 + i % 4)) + " " + words[i % 6] for i in range(40)]
    table = pd.DataFrame({
        "stimulus_id": [f"w{i:02d}" for i in range(40)], "place": [i % 4 + 1.0 for i in range(40)],
        "length": [float(len(words[i % 6])) for i in range(40)],
    })  # fmt: skip
    shown = stimulus_set(
        table, name="words", load=dict(zip(table["stimulus_id"], rows, strict=True)).get
    )
    answer = word_regression(
        gpt, predictors=["length"], covariates=["place"], where=(), stimuli=shown
    )
    bits = surprisal(gpt, shown).set_index("stimulus_id")["surprisal"].loc[list(shown.ids)]
    design = np.column_stack([np.ones(40), table["place"], table["length"]])
    expected = least_squares(design, bits.to_numpy())
    here = answer.data.sel(measure="surprisal", predictor="length")
    assert here.value.item() == pytest.approx(expected.coefficients[-1], abs=1e-10)
    assert here.t.item() == pytest.approx(expected.t[-1], abs=1e-8)
    assert answer.kind == "model"


def test_what_predicts_nothing_is_not_measurable(gpt, texts, tmp_path):
    """An encoder, a network of images and absent texts are answered in words."""
    bert = load_model(f"hf:{save_bert(tmp_path / 'bert')}")
    assert "does not predict the next token" in surprisal(bert, texts).reason
    images = load_model("builtin:small_convnet")
    assert "no language model" in surprisal(images, texts).reason
    absent = stimulus_set(pd.DataFrame({"stimulus_id": ["a"]}), name="absent")
    assert isinstance(surprisal(gpt, absent), NotMeasurable)
