"""Language models: words found among tokens, padding without effect, what is read stated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_networks import save_bert, save_gpt

from neuroai.errors import DataError, UsageError
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.hooks import inference
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model

SINGLE = 1e-5  # float32 algebra, two blocks of width 16
TEXTS = {
    "a": "the old man",
    "b": "the old man the boats on the water",
    "c": "unforgettabler",
    "d": "the  man  ",
}


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
    """Four texts of unlike length."""
    return stimulus_set(pd.DataFrame({"stimulus_id": list(TEXTS)}), name="texts", load=TEXTS.get)


def _hidden(model, text):
    """Run transformers itself on one text, without padding; give its last hidden states."""
    shown = model.preprocess(text)
    n = int(shown[1].sum())
    seen = {}
    module = model.module()
    handle = module.get_submodule("transformer.ln_f").register_forward_hook(
        lambda *given: seen.setdefault("h", given[-1])
    )
    with inference(module):
        module(input_ids=shown[None, 0, :n], attention_mask=shown[None, 1, :n])
    handle.remove()
    return seen["h"][0].numpy(), shown[2, :n].numpy().astype(bool)


@pytest.mark.parametrize("token", ["last", "mean", "sentence"])
def test_a_layer_is_read_at_the_tokens_of_the_last_word(gpt, texts, token):
    """The values are those of an unpadded pass through transformers, averaged by hand."""
    model = load_model(f"hf:{gpt}?token={token}", layers=["transformer.ln_f"])
    [found] = model.recordings(texts)
    tokenizer = model.preprocess.tokenizer
    for row, key in enumerate(texts.ids):
        hidden, read = _hidden(model, TEXTS[key])
        ids = [0, *tokenizer(TEXTS[key].rstrip())["input_ids"]]
        word = len(
            tokenizer(" " + TEXTS[key].split()[-1] if " " in TEXTS[key] else TEXTS[key])[
                "input_ids"
            ]
        )
        places = {
            "last": [len(ids) - 1],
            "mean": range(len(ids) - word, len(ids)),
            "sentence": range(1, len(ids)),
        }[token]
        assert np.flatnonzero(read).tolist() == list(places)
        assert np.abs(found.values[row] - hidden[list(places)].mean(axis=0)).max() < SINGLE
    assert (
        found.attrs["context_tokens"] == "32"
        and "last word" in found.attrs["text_read_at"]
        or (token == "sentence")
    )


@pytest.mark.parametrize("batch_size", [1, 3])
def test_neither_batch_nor_padding_changes_a_layer(gpt, texts, batch_size):
    """Every layer and the output agree with one batch of all texts."""
    one, other = (load_model(f"hf:{gpt}?token=mean", batch_size=n) for n in (4, batch_size))
    for a, b in zip(one.recordings(texts), other.recordings(texts), strict=True):
        assert np.abs(a.values - b.values).max() < SINGLE
    assert np.abs(one.outputs(texts) - other.outputs(texts)).max() < SINGLE


def test_tables_of_positions_are_not_read_by_default(gpt):
    """They give the same for every text; words, blocks and what follows are read."""
    model = load_model(f"hf:{gpt}")
    assert model.regions == (
        "transformer.wte", "transformer.h.0", "transformer.h.1", "transformer.ln_f", "lm_head",
    )  # fmt: skip


def test_special_tokens_are_no_words(bert, texts):
    """An encoder's [CLS] and [SEP] are never read, and blanks at the end do not count."""
    model = load_model(f"hf:{bert}?token=sentence")
    shown = model.preprocess("the old man  ")
    assert shown[1].sum() == 5 and shown[2].tolist()[:5] == [0, 1, 1, 1, 0]
    assert all(r.shape == (4, 16) for r in model.recordings(texts))


def test_of_a_long_text_the_end_is_kept(gpt):
    """The last word stays, with the words before it that fit."""
    model = load_model(f"hf:{gpt}?context=4")
    whole, cut = (
        load_model(f"hf:{gpt}").preprocess(TEXTS["b"]),
        model.preprocess(TEXTS["b"]),
    )
    n = int(whole[1].sum())
    assert cut.shape == (3, 4) and torch.equal(cut[0], whole[0, n - 4 : n])
    assert cut[2].tolist() == [0, 0, 0, 1]


def test_a_lesion_acts_on_every_token_of_a_feature(gpt, texts):
    """Silencing all features of the last norm leaves an output that is the same for all texts."""
    model = load_model(f"hf:{gpt}")
    lesioned = model.with_lesion(Lesion("transformer.ln_f", tuple(range(16)), "zero"))
    assert np.abs(lesioned.outputs(texts)).max() < SINGLE
    mean = model.with_lesion(Lesion("transformer.ln_f", tuple(range(16)), "mean"), texts)
    spread = np.ptp(mean.outputs(texts), axis=0)
    assert spread.max() < SINGLE < np.ptp(model.outputs(texts), axis=0).max()


def test_a_lesion_bench_equals_the_full_pass(gpt, texts):
    """Cached or not, outputs and layers under a lesion are those of with_lesion."""
    model = load_model(f"hf:{gpt}?token=mean")
    lesion = Lesion("transformer.h.0", (1, 5), "zero")
    outputs, layers = model.lesion_bench("transformer.h.0", texts).run(
        lesion, layers=["transformer.h.1"]
    )
    whole = model.with_lesion(lesion)
    assert np.abs(outputs - whole.outputs(texts)).max() < SINGLE
    [expected] = whole.recordings(texts, regions=["transformer.h.1"])
    assert np.abs(layers["transformer.h.1"] - expected.values).max() < SINGLE


def test_untrained_twins_read_texts_too(gpt, texts):
    """Seeds are the subjects; weights hang on them alone."""
    model = load_model(f"hf:{gpt}?init=random&seeds=3,4")
    found = {r.attrs["subject"]: r.values for r in model.recordings(texts, regions=["lm_head"])}
    assert set(found) == {"seed3", "seed4"} and not np.allclose(found["seed3"], found["seed4"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("token=frist", "token must be one of 'last', 'mean', 'sentence'"),
        ("context=many", "context is a whole number of tokens; got 'many'"),
        ("context=33", "takes 32 tokens at most; got context=33"),
        ("context=1", "context must be 2 tokens or more"),
    ],
)
def test_wrong_options_are_told(gpt, query, said):
    """What was wanted and what came."""
    with pytest.raises(UsageError, match=said):
        load_model(f"hf:{gpt}?{query}")


def test_options_of_texts_are_refused_elsewhere():
    """A network of images has no tokens."""
    with pytest.raises(UsageError, match="options of language models"):
        load_model("builtin:small_convnet?token=mean")


@pytest.mark.parametrize("wrong", ["   ", 3, np.zeros((8, 8))])
def test_only_texts_are_taken(gpt, wrong):
    """An image shown to a language model is told by its type."""
    with pytest.raises(DataError, match=r"takes texts \(str, not empty\); got"):
        load_model(f"hf:{gpt}").preprocess(wrong)


def test_a_slow_tokenizer_is_refused():
    """Without places in the text, words cannot be found."""
    from neuroai.systems.texts import Tokenised

    with pytest.raises(UsageError, match="Give a network with a fast tokenizer"):
        Tokenised(object(), "last", 8)
