"""Answers of known content for the tests of comparisons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neuroai.analyses.algorithm.responses import responses
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference
from neuroai.format.answers import Answer, rdm_answer
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.format.schema import STIMULUS
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.numerics.distances import squared_euclidean
from neuroai.systems.brain import Recorded

FAST = Inference(n_bootstrap=60, n_null=19)


@pytest.fixture(scope="session")
def fast() -> Inference:
    """Few samples: for tests that look at values and notes, not at intervals."""
    return FAST


@pytest.fixture(scope="session")
def context() -> Context:
    """The algorithm level of a made-up data set."""
    return Context(level="algorithm", dataset="made up")


def ids_of(n: int) -> list[str]:
    """Name n stimuli so that they sort as they are numbered."""
    return [f"s{i:03d}" for i in range(n)]


@pytest.fixture(scope="session")
def rdm_of() -> Callable[..., Answer]:
    """Make an answer of RDMs: patterns of `signal` shared by all subjects, plus noise."""

    def make(
        n_subjects: int = 3,
        n_stimuli: int = 12,
        *,
        regions: Sequence[str] = ("R",),
        seed: int = 0,
        signal: float = 0.0,
        kind: str = "brain",
        values: np.ndarray | None = None,
        stimuli: Sequence[str] | None = None,
        distance: str = "squared-euclidean",
    ) -> Answer:
        rng = np.random.default_rng(seed)
        if values is None:
            # What all systems share depends on nothing but the number of stimuli.
            shared = np.random.default_rng(12345).standard_normal((n_stimuli, 6))
            noise = rng.standard_normal((n_subjects, len(regions), n_stimuli, 6))
            patterns = signal * shared + noise
            values = np.array([[squared_euclidean(p) for p in row] for row in patterns])
        return rdm_answer(
            values,
            subjects=[f"{kind}{i}" for i in range(len(values))],
            regions=regions,
            stimuli=ids_of(values.shape[-1]) if stimuli is None else stimuli,
            parameters={"distance": distance},
            system="made" if kind == "brain" else "net",
            kind=kind,
            stimulus_set="made up",
        )

    return make


@pytest.fixture(scope="session")
def choices_of() -> Callable[..., Answer]:
    """Make an answer of choices from options (n_subjects, n_stimuli) and the truth."""

    def make(
        chosen: np.ndarray, truth: Sequence[str], *, kind: str = "brain", form: str = "choices"
    ) -> Answer:
        chosen = np.asarray(chosen, dtype=object)[:, None]
        correct = np.where(chosen == "", np.nan, chosen == np.asarray(truth, dtype=object))
        dims = ("subject", "region", STIMULUS)
        data = xr.Dataset(
            {
                "choice": (dims, chosen),
                "correct": (dims, correct.astype(float)),
                "per_stimulus": (dims, correct.astype(float)),
                "truth": (STIMULUS, np.asarray(truth, dtype=object)),
            },
            coords={
                "subject": np.array([f"{kind}{i}" for i in range(len(chosen))], dtype=object),
                "region": np.array(["behaviour"], dtype=object),
                STIMULUS: np.array(ids_of(len(truth)), dtype=object),
            },
        )
        return Answer(
            form=form,
            data=data,
            question="choices" if form == "choices" else "accuracy",
            parameters={},
            system="made" if kind == "brain" else "net",
            kind=kind,
            stimulus_set="made up",
        )

    return make


@pytest.fixture(scope="session")
def responses_of() -> Callable[..., Answer]:
    """Make an answer of responses from one array (n_stimuli, n_units) a subject."""

    def make(*activity: np.ndarray, kind: str = "brain", region: str = "IT") -> Answer:
        parts = tuple(
            recording(
                values,
                stimulus_id=ids_of(len(values)),
                unit_id=[f"{region}/{i}" for i in range(values.shape[1])],
                region=region,
                system="made" if kind == "brain" else "net",
                kind=kind,
                stimulus_set="made up",
                subject=f"{kind}{number}",
            )
            for number, values in enumerate(activity)
        )
        data = SystemData("made" if kind == "brain" else "net", kind, "none", recordings=parts)
        answer = responses(Recorded(data=data, stimuli=_named(activity[0])))
        assert isinstance(answer, Answer)
        return answer

    return make


def _named(values: np.ndarray) -> StimulusSet:
    return stimulus_set(pd.DataFrame({"stimulus_id": ids_of(len(values))}), name="made up")
