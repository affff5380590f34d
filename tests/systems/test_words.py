"""Every word of a text: found among tokens by hand, and read in one pass as in many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_networks import START, save_bert, save_gpt

from neuroai.errors import DataError, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.stimuli import stimulus_set
from neuroai.format.validate import validate
from neuroai.systems.hooks import inference
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model
from neuroai.systems.words import tokens_of_words, word_recordings, words_of

SINGLE = 1e-5  # float32 algebra, two blocks of width 16
TEXTS = {
    "a": "the  old man.",
    "b": "the old man the boats on the water near the old harbour",
    "c": "xylophone",
}
LAST = ["transformer.ln_f"]


@pytest.fixture(scope="module")
def gpt(tmp_path_factory):
    """A causal language model with a byte-level tokenizer, random weights."""
    return save_gpt(tmp_path_factory.mktemp("nets") / "gpt")


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """An encoder with special tokens around the text, random weights."""
    return save_bert(tmp_path_factory.mktemp("nets") / "bert")


@pytest.fixture(scope="module")
def texts():
    """Three texts: two blanks and a full stop, twelve words, one word of several tokens."""
    table = pd.DataFrame({"stimulus_id": list(TEXTS), "genre": ["x", "y", "x"]})
    return stimulus_set(table, name="texts", load=TEXTS.get)


def by_hand(model, pieces: list[str]) -> tuple[list[int], list[list[int]]]:
    """Tokenise piece by piece: ids with the start token, and the places of each word's tokens."""
    ids, places = [model.preprocess.tokenizer.convert_tokens_to_ids(START)], []
    for piece in pieces:
        own = model.preprocess.tokenizer(piece)["input_ids"]
        if piece.strip():
            places.append(list(range(len(ids), len(ids) + len(own))))
        ids += own
    return ids, places


def hidden(model, layer: str, ids: list[int]) -> np.ndarray:
    """Run transformers itself on ids without padding; give (n_tokens, n_features) of a layer."""
    seen, module = {}, model.module()
    handle = module.get_submodule(layer).register_forward_hook(
        lambda *given: seen.setdefault("h", given[-1])
    )
    with inference(module):
        module(input_ids=torch.tensor([ids]))
    handle.remove()
    return seen["h"][0].numpy()


@pytest.mark.parametrize("token", ["last", "mean"])
def test_every_word_is_read_at_its_own_tokens(gpt, texts, token):
    """16 words of three texts: values, words, ids and numbers of tokens as aligned by hand."""
    model = load_model(f"hf:{gpt}", batch_size=2)
    [found] = word_recordings(model, texts, regions=LAST, token=token)
    validate(found)
    # A byte-level tokenizer puts one blank before a word into the word's token, more stand alone.
    pieces = {"a": ["the", " ", " old", " man."], "c": [TEXTS["c"]]}
    words = TEXTS["b"].split()
    pieces["b"] = [words[0], *(f" {word}" for word in words[1:])]
    expected, counts = [], []
    for key in "abc":
        ids, places = by_hand(model, pieces[key])
        values = hidden(model, LAST[0], ids)
        for mine in places:
            expected.append(values[mine[-1:] if token == "last" else mine].mean(axis=0))
            counts.append(len(mine))
    assert np.abs(found.values - np.stack(expected)).max() < SINGLE
    assert found["n_tokens"].values.tolist() == counts and max(counts) > 1
    assert found["word"].values.tolist() == ["the", "old", "man.", *words, TEXTS["c"]]
    assert found["run"].values.tolist() == ["a"] * 3 + ["b"] * 12 + ["c"]
    assert found["stimulus_id"].values.tolist()[2:5] == ["a/0002", "b/0000", "b/0001"]
    assert found["word_index"].values.tolist()[2:5] == [2.0, 0.0, 1.0]
    assert found.attrs["context_tokens"] == "32" and "every word" in found.attrs["text_read_at"]


@pytest.mark.parametrize("token", ["last", "mean"])
def test_a_causal_network_reads_a_word_as_at_the_end_of_its_text(gpt, texts, token):
    """One pass a text gives what one pass a word gives, row by row of the same ids."""
    words = words_of(texts)
    [once] = word_recordings(load_model(f"hf:{gpt}"), texts, regions=LAST, token=token)
    [each] = load_model(f"hf:{gpt}?token={token}").recordings(words, regions=LAST)
    assert once["stimulus_id"].values.tolist() == each["stimulus_id"].values.tolist()
    assert np.abs(once.values - each.values).max() < SINGLE


def test_words_are_stimuli_with_their_texts_columns(texts):
    """The text up to the word, the word and its place; the text's own columns stay."""
    words = words_of(texts)
    assert len(words.ids) == 16 and words.content("a/0001") == "the  old"
    row = words.table.loc["b/0011"]
    assert (row["text"], row["word"], row["word_index"], row["genre"]) == ("b", "harbour", 11, "y")


def test_special_tokens_are_of_no_word(bert, texts):
    """An encoder sees the whole text; the first word is read behind [CLS]."""
    model = load_model(f"hf:{bert}")
    shown = texts.restrict(["b"])
    [found] = word_recordings(model, shown, regions=["encoder.layer.1"])
    ids = model.preprocess.tokenizer(TEXTS["b"])["input_ids"]
    values = hidden(model, "encoder.layer.1", ids)
    assert len(ids) == 14 and np.abs(found.values - values[1:13]).max() < SINGLE
    assert found["n_before"].values.tolist() == list(range(12))


def test_a_long_text_runs_in_windows_that_overlap(gpt, texts):
    """With room for 11 tokens, each word has all or at least 5 before it, as in its own window."""
    model = load_model(f"hf:{gpt}?context=12")
    shown = texts.restrict(["b"])
    [found] = word_recordings(model, shown, regions=LAST)
    ids, places = by_hand(model, ["the", *(f" {word}" for word in TEXTS["b"].split()[1:])])
    assert len(ids) > 12
    before = found["n_before"].values.astype(int)
    for row, mine in enumerate(places):
        start = mine[0] - before[row]
        assert before[row] == mine[0] - 1 or before[row] >= 5 - len(mine)
        window = [ids[0], *ids[start : start + 11]]
        values = hidden(model, LAST[0], window)[mine[-1] - start + 1]
        assert np.abs(found.values[row] - values).max() < SINGLE
    assert before.max() <= 10


def test_lesions_act_at_every_word(gpt, texts):
    """Silencing the last norm leaves zeros at all words."""
    model = load_model(f"hf:{gpt}").with_lesion(Lesion(LAST[0], tuple(range(16)), "zero"))
    [found] = word_recordings(model, texts, regions=LAST)
    assert np.abs(found.values).max() == 0


def test_what_has_no_words_is_said(gpt, bert, texts):
    """A layer of one vector a text, a word too long, no texts, and another network."""
    with pytest.raises(UsageError, match="'pooler' gives .* has no activity of single words"):
        list(word_recordings(load_model(f"hf:{bert}"), texts, regions=["pooler"]))
    with pytest.raises(DataError, match=r"'xylophone' of 'c' has \d+ tokens, more than the 3"):
        word_recordings(load_model(f"hf:{gpt}?context=4"), texts.restrict(["c"]), regions=LAST)
    with pytest.raises(UsageError, match="leaves no room"):
        word_recordings(load_model(f"hf:{bert}?context=3"), texts)
    with pytest.raises(UsageError, match="token must be one of 'last', 'mean'"):
        word_recordings(load_model(f"hf:{gpt}"), texts, token="sentence")
    with pytest.raises(DataError, match=r"belongs to its word 'man'"):
        tokens_of_words("old man", [(0, 3)])
    numbers = stimulus_set(
        pd.DataFrame({"stimulus_id": ["n"]}), name="n", load={"n": np.ones(2)}.get
    )
    with pytest.raises(DataError, match="'n' is array"):
        word_recordings(load_model(f"hf:{gpt}"), numbers)
    convnet = word_recordings(load_model("builtin:small_convnet"), texts)
    assert isinstance(convnet, NotMeasurable) and "no language model" in convnet.reason
    bare = stimulus_set(pd.DataFrame({"stimulus_id": ["x"]}), name="x")
    assert isinstance(word_recordings(load_model(f"hf:{gpt}"), bare), NotMeasurable)
