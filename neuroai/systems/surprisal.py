"""Surprisal: how unexpected the last word of a text is to a language model."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System
from neuroai.systems.hooks import first_tensor, inference
from neuroai.systems.model import Model
from neuroai.systems.sequences import Tokens, sequence_of
from neuroai.systems.texts import IDS, SHOWN, Tokenised, last_word


def surprisal(system: System, stimuli: StimulusSet) -> pd.DataFrame | NotMeasurable:
    r"""Give the surprisal of the last word of every text.

    .. math:: s = -\sum_{t \in \mathrm{word}} \log_2 p(t \mid \text{all tokens before } t)

    Parameters
    ----------
    system : System
        A causal language model.
    stimuli : StimulusSet
        Texts; the last word is the one that is asked about.

    Returns
    -------
    pandas.DataFrame, or NotMeasurable
        One row a stimulus and seed: ``stimulus_id``, ``subject``, ``surprisal`` in bits (0 or
        more; NaN where nothing precedes the word) and ``n_tokens`` of the word.

    References
    ----------
    Levy, 2008, Cognition 106, 1126, doi:10.1016/j.cognition.2007.05.006
    """
    if not isinstance(system, Model) or not isinstance(system.preprocess, Tokenised):
        return NotMeasurable(f"'{system.name}' is no language model")
    if not stimuli.available:
        return NotMeasurable("the texts are not at hand")
    if not _causal(system):
        return NotMeasurable(f"'{system.name}' does not predict the next token")
    tables = [_of_subject(system, stimuli, subject) for subject in system.subjects]
    return pd.concat(tables, ignore_index=True)


def with_surprisal(
    stimuli: StimulusSet, system: System, *, name: str = "surprisal"
) -> StimulusSet | NotMeasurable:
    """Add a network's surprisal, averaged over its seeds, as a column of the stimuli.

    Parameters
    ----------
    stimuli : StimulusSet
        Texts; those that are not at hand get NaN.
    system : System
        A causal language model.
    name : str
        Name of the new column.

    Returns
    -------
    StimulusSet, or NotMeasurable

    Raises
    ------
    UsageError
        The stimuli have a column of that name.
    """
    if name in stimuli.table.columns:
        raise UsageError(f"The stimuli have a column '{name}' already; give name=...")
    found = surprisal(system, stimuli)
    if isinstance(found, NotMeasurable):
        return found
    column = found.groupby(STIMULUS_ID)["surprisal"].mean()
    table = stimuli.table.assign(**{name: column.reindex(stimuli.table.index)})
    return replace(stimuli, table=table)


def _causal(model: Model) -> bool:
    module = model.module(model.subjects[0])
    return type(module).__name__.endswith(("ForCausalLM", "LMHeadModel"))


def _of_subject(model: Model, stimuli: StimulusSet, subject: str) -> pd.DataFrame:
    module, ids = model.module(subject), stimuli.available
    tokens = sequence_of(module)
    assert isinstance(tokens, Tokens)
    rows = []
    with inference(module), tokens.whole():
        for start in range(0, len(ids), model.batch_size):
            some = ids[start : start + model.batch_size]
            texts = [stimuli.content(key) for key in some]
            batch = torch.stack([model.preprocess(text) for text in texts])
            logits = first_tensor(module(batch.to(model.device)))
            assert logits is not None
            for text, given, scores in zip(texts, batch, logits.float().cpu(), strict=True):
                rows.append(_of_text(model.preprocess, text, given, scores))
    table = pd.DataFrame(rows, columns=["surprisal", "n_tokens"])
    table.insert(0, STIMULUS_ID, list(ids))
    table.insert(1, "subject", subject)
    return table


def _of_text(
    preprocess: Tokenised, text: str, given: torch.Tensor, scores: torch.Tensor
) -> tuple[float, int]:
    _, spans = preprocess._encoded(text)
    begin, n = last_word(text), int(given[SHOWN].sum())
    word = [place for place in range(n) if spans[place][1] > max(begin, spans[place][0])]
    if word[0] == 0:
        return float("nan"), len(word)
    log_p = torch.log_softmax(scores[[place - 1 for place in word]].double(), dim=-1)
    chosen = log_p[range(len(word)), given[IDS, word]]
    return float(np.maximum(-float(chosen.sum()) / math.log(2), 0.0)), len(word)
