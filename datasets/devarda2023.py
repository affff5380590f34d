"""Words in sentences: brain potentials, eye movements and reading times beside 12 predictors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import DatasetCard
from neuroai.format.build import measure
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.tables import TextTable, read_table

CARD = DatasetCard(
    name="devarda2023",
    title="1,726 words in sentences: ERPs, eye tracking, self-paced reading, cloze, surprisal",
    folder="ucl_words_eeg_et_spr",
    url="https://github.com/Andrea-de-Varda/prediction-resource",
    licence="none stated at the pinned commit: for research, not to be passed on",
    citation=(
        "de Varda, Marelli & Amenta (2023), Behavior Research Methods 56:5190-5213 (cloze, "
        "ratings, surprisal); Frank et al. (2013), Behavior Research Methods 45:1182-1190 (eye "
        "tracking, reading times); Frank et al. (2015), Brain and Language 140:1-11 (ERPs)"
    ),
    doi="10.3758/s13428-023-02261-8",
    modality=("EEG", "eye tracking", "reading times", "behaviour"),
    systems=("human",),
    n_stimuli=1726,
    size_mib=1.67,
    answers={
        "computation": "how predictable each word is: cloze and ratings against surprisal",
        "algorithm": "six ERP components and five reading times a word, means over persons",
        "implementation": "nothing in the brains: no single trials and no lesions were published",
    },
)

MEASURES = "all_measures.csv"
PREFIX = "s_"  # surprisal columns of language models


@dataclass(frozen=True)
class Part:
    """Columns of one modality: their unit, and what one of them is the mean of."""

    modality: str
    physical_unit: str
    names: tuple[str, ...]


PARTS = (
    Part("EEG", "uV", ("ELAN", "LAN", "N400", "EPNP", "P600", "PNP")),
    Part("eye tracking", "ms", ("RTfirstfix", "RTfirstpass", "RTrightbound", "RTgopast")),
    Part("reading times", "ms", ("self_paced_reading_time",)),
    Part(
        "behaviour",
        "1",
        ("rating_mean", "rating_sd", "cloze_p_smoothed", "cloze_s", "competition", "entropy"),
    ),
)
PREDICTORS = (
    "rnn", "rnn_pos", "psg", "psg_pos", "bigram", "trigram", "tetragram", "bigram_pos",
    "trigram_pos", "tetragram_pos", "Subtlex_log10", "length",
)  # fmt: skip
# Words that carry these were not analysed: the ends of clauses and sentences, and clitics.
PUNCTUATION = (".", ",", "'")


@dataclass(frozen=True)
class Texts:
    """Words with what stands before them; ``texts(stimulus_id)`` gives one as a string.

    Attributes
    ----------
    texts : mapping
        From stimulus id to the sentence up to and including the word.
    """

    texts: Mapping[str, str]

    def __call__(self, stimulus_id: str) -> str:
        """Give the sentence up to and including the word."""
        return self.texts[stimulus_id]


def load(*, offline: bool = False) -> Holdings:
    """Load the words, their predictors and the four tables of human means."""
    files = fetch_listed(CARD.folder, offline=offline)
    table = read_table(files[MEASURES])
    ids = _ids(table)
    human = SystemData(
        name="human",
        kind="brain",
        species="Homo sapiens",
        measures=tuple(_means(table, ids, part) for part in PARTS),
        missing={
            "recordings": "only means over persons of ERP components were published",
            "behaviour": "only means over persons of times, ratings and cloze were published",
            "lesions": "no lesion, silencing or stimulation was part of the study",
        },
    )
    return Holdings(card=CARD, stimuli=_stimuli(table, ids), systems=(human,))


def _ids(table: TextTable) -> list[str]:
    """Number the words: sentence, then place in the sentence counted from 0."""
    places = zip(table.numbers("sent_id"), table.numbers("context_length"), strict=True)
    return [f"s{int(sentence):03d}-w{int(place):02d}" for sentence, place in places]


def _stimuli(table: TextTable, ids: Sequence[str]) -> StimulusSet:
    words = table.text("word")
    texts = [
        f"{context} {word}".strip() for context, word in zip(table.text("item"), words, strict=True)
    ]
    excluded = [any(mark in word for mark in PUNCTUATION) for word in words]
    rows = pd.DataFrame(
        {
            "stimulus_id": ids,
            "word": words,
            "sentence": table.text("sentence"),
            "sentence_id": [key.partition("-")[0] for key in ids],
            "category": ["excluded" if gone else "analysed" for gone in excluded],
            "label": words,
        },
        dtype=object,
    )
    rows["position"] = table.numbers("context_length")
    models = [name for name in table.columns if name.startswith(PREFIX)]
    for name in (*PREDICTORS, *models, *PARTS[-1].names):
        rows[name] = table.numbers(name)
    return stimulus_set(rows, name=CARD.name, load=Texts(dict(zip(ids, texts, strict=True))))


def _means(table: TextTable, ids: Sequence[str], part: Part) -> xr.Dataset:
    size = len(ids)
    built = measure(
        {
            "value": np.concatenate([table.numbers(name) for name in part.names]),
            "stimulus_id": list(ids) * len(part.names),
            "quantity": np.repeat(np.array(part.names, dtype=object), size),
            "physical_unit": [part.physical_unit] * size * len(part.names),
            # How many persons stand behind a word's mean is not in the file.
            "n": np.full(size * len(part.names), np.nan),
            "subject": ["group"] * size * len(part.names),
            "provenance": ["derived"] * size * len(part.names),
        },
        system="human",
        kind="brain",
        stimulus_set=CARD.name,
    )
    return built.assign_attrs(modality=part.modality)
