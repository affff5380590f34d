"""Every word of a text: which tokens it became, and what a language model's layers give there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import PRESENTATION, STIMULUS_ID
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.systems.base import System
from neuroai.systems.hooks import inference
from neuroai.systems.labelled import layer_recording
from neuroai.systems.layers import choose_layers
from neuroai.systems.layout import Activity
from neuroai.systems.model import Model
from neuroai.systems.passes import on_device, one_pass
from neuroai.systems.sequences import Tokens, sequence_of
from neuroai.systems.texts import IDS, READ, ROWS, SHOWN, Tokenised

WORD = re.compile(r"\S+")
WORD_TOKENS = ("last", "mean")
READ_AT = {
    "last": "the last token of every word",
    "mean": "the mean over the tokens of every word",
}
Span = tuple[int, int]


def word_spans(text: str) -> list[Span]:
    """Give where the words of a text begin and end; a word is what stands between blanks.

    Examples
    --------
    >>> word_spans("the  old man. ")
    [(0, 3), (5, 8), (9, 13)]
    """
    return [match.span() for match in WORD.finditer(text)]


def tokens_of_words(text: str, spans: Sequence[Span]) -> list[list[int]]:
    """Find the tokens of every word.

    Parameters
    ----------
    text : str
        The text.
    spans : sequence of (int, int)
        Where in the text each token begins and ends; (0, 0) for tokens that stand for no
        character. A token may carry the blank before its word.

    Returns
    -------
    list of list of int
        Places of the tokens of each word, in order. A token that covers two words is of both.

    Raises
    ------
    DataError
        A word has no token.

    Examples
    --------
    >>> tokens_of_words("an oak", [(0, 0), (0, 2), (2, 4), (4, 6)])
    [[1], [2, 3]]
    """
    found = []
    for begin, end in word_spans(text):
        mine = [
            place
            for place, (start, stop) in enumerate(spans)
            if stop > start and stop > begin and start < end
        ]
        if not mine:
            raise DataError(
                f"No token of the text {text!r:.60} belongs to its word {text[begin:end]!r}."
            )
        found.append(mine)
    return found


@dataclass(frozen=True)
class Prefixes:
    """Texts up to and including one of their words.

    Attributes
    ----------
    texts : mapping
        From the id of a word to its text up to the word's end.
    """

    texts: Mapping[str, str]

    def __call__(self, stimulus_id: str) -> str:
        """Give the text up to and including the word."""
        return self.texts[stimulus_id]


def words_of(stimuli: StimulusSet) -> StimulusSet:
    """Make every word of every text a stimulus: the text up to and including the word.

    The ids are those of `word_recordings`, so that its rows can be matched with recordings of
    persons who read the words.

    Parameters
    ----------
    stimuli : StimulusSet
        Texts.

    Returns
    -------
    StimulusSet
        Ids ``<text>/<number of the word, from 0>``; columns ``text`` (id), ``word`` and
        ``word_index``, and those of the text.

    Examples
    --------
    >>> table = pd.DataFrame({"stimulus_id": ["a"]})
    >>> words = words_of(stimulus_set(table, name="one", load={"a": "an oak"}.get))
    >>> words.ids, words.content("a/0001"), words.table["word"].tolist()
    (('a/0000', 'a/0001'), 'an oak', ['an', 'oak'])
    """
    rows: list[dict[str, Any]] = []
    texts = {}
    for key in stimuli.available:
        text = stimuli.content(key)
        about = stimuli.table.loc[key].drop("sha256").to_dict()
        for number, (begin, end) in enumerate(word_spans(text)):
            own = {"text": key, "word": text[begin:end], "word_index": float(number)}
            rows.append({**about, **own, STIMULUS_ID: word_id(key, number)})
            texts[word_id(key, number)] = text[:end]
    return stimulus_set(pd.DataFrame(rows), name=f"words of {stimuli.name}", load=Prefixes(texts))


def word_id(text_id: str, number: int) -> str:
    """Name a word by its text and its place, so that ids sort as the words stand.

    Examples
    --------
    >>> word_id("story", 12)
    'story/0012'
    """
    return f"{text_id}/{number:04d}"


def word_recordings(
    system: System,
    stimuli: StimulusSet,
    *,
    regions: Sequence[str] | None = None,
    token: str = "last",
) -> Iterator[xr.DataArray] | NotMeasurable:
    """Give the activity of every layer at every word of every text, one row a word.

    A text runs through the network once. One that is longer than the network's context runs in
    windows that overlap by half, and each word is read where most of the text stands before it.

    Parameters
    ----------
    system : System
        A language model.
    stimuli : StimulusSet
        Texts.
    regions : sequence of str, optional
        Names or globs of layers; the model's `regions` by default.
    token : {"last", "mean"}
        The word's last token, or the mean over its tokens.

    Returns
    -------
    iterator of xarray.DataArray, or NotMeasurable
        Recordings (presentation, unit), one a seed and layer. ``stimulus_id`` is that of
        `words_of`; ``run`` is the text, within which words are not independent; ``word``,
        ``word_index``, ``n_tokens`` and ``n_before`` (tokens of the text that stood before the
        word in the network) are further coordinates.

    Raises
    ------
    UsageError
        A layer has no tokens.
    DataError
        A text has no word, or a word no token.
    """
    one_of(token, WORD_TOKENS, option="token")
    if not isinstance(system, Model) or not isinstance(system.preprocess, Tokenised):
        return NotMeasurable(f"'{system.name}' is no language model")
    if not stimuli.available:
        return NotMeasurable("the texts are not at hand")
    layers = system.regions
    if regions is not None:
        layers = choose_layers(system.module(system.subjects[0]), regions)
    windows = [w for key in stimuli.available for w in _windows(key, stimuli, system.preprocess)]
    return _recordings(system, stimuli, layers, windows, token)


@dataclass(frozen=True)
class _Window:
    """A stretch of a text that fits into the network, and the words that are read in it."""

    text_id: str
    ids: tuple[int, ...]
    words: tuple[tuple[int, str, tuple[int, ...], int], ...]  # number, word, tokens, tokens before


def _windows(key: str, stimuli: StimulusSet, shown: Tokenised) -> list[_Window]:
    text = stimuli.content(key)
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"A language model takes texts (str, not empty); '{key}' is {text!r:.40}.")
    ids, spans = shown.encoded_whole(text)
    inner = [place for place, (start, stop) in enumerate(spans) if stop > start]
    first, last = inner[0], inner[-1] + 1
    room = shown.context - first - (len(ids) - last)
    if room < 2:
        raise UsageError(f"context={shown.context} leaves no room for a text; give a larger one.")
    places = tokens_of_words(text, spans)
    names = [text[begin:end] for begin, end in word_spans(text)]
    longest = max(range(len(places)), key=lambda n: len(places[n]))
    if len(places[longest]) > room:
        raise DataError(
            f"The word {names[longest]!r} of '{key}' has {len(places[longest])} tokens, more than "
            f"the {room} that the network takes."
        )
    found, done, start = [], 0, first
    while done < len(places):
        stop = min(start + room, last)
        inside = [n for n in range(done, len(places)) if places[n][-1] < stop]
        kept = (*range(first), *range(start, stop), *range(last, len(ids)))
        moved = first - start
        words = tuple(
            (n, names[n], tuple(place + moved for place in places[n]), places[n][0] - start)
            for n in inside
        )
        found.append(_Window(key, tuple(ids[place] for place in kept), words))
        done = inside[-1] + 1
        if done < len(places):
            # The next word stands in the middle of its window, or further on where it is long; the
            # last window is full.
            middle = max(places[done][0] - room // 2, places[done][-1] + 1 - room)
            start = max(start + 1, min(middle, last - room))
    return found


def _recordings(
    model: Model,
    stimuli: StimulusSet,
    layers: Sequence[str],
    windows: Sequence[_Window],
    token: str,
) -> Iterator[xr.DataArray]:
    words = [(window.text_id, *word) for window in windows for word in window.words]
    ids = [word_id(text, number) for text, number, *_ in words]
    columns = {
        "run": np.array([text for text, *_ in words], dtype=object),
        "word": np.array([name for _, _, name, *_ in words], dtype=object),
        "word_index": np.array([number for _, number, *_ in words], dtype=np.float64),
        "n_tokens": np.array([len(places) for *_, places, _ in words], dtype=np.float64),
        "n_before": np.array([before for *_, before in words], dtype=np.float64),
    }
    assert isinstance(model.preprocess, Tokenised)
    facts = {"text_read_at": READ_AT[token], "context_tokens": str(model.preprocess.context)}
    for subject in model.subjects:
        read = _read(model, subject, layers, windows, token)
        for layer in layers:
            values = np.concatenate(read.pop(layer))
            made = layer_recording(
                Activity(values, values.shape[1:], ("feature_map",)),
                layer=layer,
                subject=subject,
                system=model.name,
                stimulus_id=ids,
                stimulus_set=f"words of {stimuli.name}",
                attrs={**model._attrs(), "reduce": "none", **facts},
                labels={},
            )
            yield made.assign_coords({k: (PRESENTATION, v) for k, v in columns.items()})


def _read(
    model: Model, subject: str, layers: Sequence[str], windows: Sequence[_Window], token: str
) -> dict[str, list[np.ndarray]]:
    module, lesions = model.module(subject), model._placed(subject)
    tokens = sequence_of(module)
    assert isinstance(tokens, Tokens) and isinstance(model.preprocess, Tokenised)
    found: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    with inference(module), tokens.every():
        for start in range(0, len(windows), model.batch_size):
            some = windows[start : start + model.batch_size]
            batch = torch.stack([_tensor(w, model.preprocess.context) for w in some])
            keys = [window.text_id for window in some]
            _, read = one_pass(module, on_device(batch, model.device), keys, layers, lesions, None)
            longest = int(batch[:, SHOWN].sum(dim=1).max())
            for layer, activity in read.items():
                found[layer].append(_at_words(activity, layer, some, longest, token))
    return found


def _tensor(window: _Window, context: int) -> Tensor:
    out = torch.zeros(ROWS, context, dtype=torch.int64)
    n = len(window.ids)
    out[IDS, :n] = torch.tensor(window.ids)
    out[[SHOWN, READ], :n] = 1
    return out


def _at_words(
    activity: Activity, layer: str, windows: Sequence[_Window], longest: int, token: str
) -> np.ndarray:
    """Give the rows of all words of a batch of windows, (n_words, n_features)."""
    if activity.axes != ("row", "feature_map") or activity.shape[0] != longest:
        raise UsageError(
            f"Layer '{layer}' gives {activity.shape} for each text of {longest} tokens, so it has "
            "no activity of single words. Choose layers with tokens by regions=..."
        )
    values = torch.as_tensor(activity.values).float().cpu().numpy()
    values = values.reshape(len(windows), *activity.shape)
    rows = [
        values[row, [places[-1]] if token == "last" else list(places)].mean(axis=0)
        for row, window in enumerate(windows)
        for _, _, places, _ in window.words
    ]
    return np.stack(rows)
