"""Fusion recovers planted times, regions and layers, and nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neuroai.comparison.fusion import fusion
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.answers import Answer, rdm_answer
from neuroai.numerics.distances import squared_euclidean
from neuroai.testing import EXACT

N_STIMULI, N_TIMES = 16, 6
IDS = [f"s{k:02d}" for k in range(N_STIMULI)]
# Early times carry the geometry of V1 and of the first layer, late ones that of IT and the last.
EARLY, LATE = (1, 2), (4, 5)
FEW = {"n_permutations": 99, "n_bootstrap": 60}


def _rdms(seed=0, n_subjects=4, planted=True):
    rng = np.random.default_rng(seed)
    hidden = {name: rng.standard_normal((N_STIMULI, 6)) for name in ("V1", "IT")}

    def noisy(x, scale):
        return np.asarray(squared_euclidean(x + scale * rng.standard_normal(x.shape)))

    def at(t):
        name = "V1" if t in EARLY else "IT" if t in LATE else None
        return hidden[name] if name and planted else np.zeros((N_STIMULI, 6))

    when = np.array([[noisy(at(t), 0.7) for t in range(N_TIMES)] for _ in range(n_subjects)])
    where = np.array([[noisy(x, 0.5) for x in hidden.values()] for _ in range(n_subjects + 1)])
    what = np.array([[noisy(x, 0.3) for x in hidden.values()]])
    return when, where, what


def _answers(when, where, what):
    names = np.array(IDS, dtype=object)
    data = xr.Dataset(
        {"rdm": (("subject", "region", "time", "stimulus", "stimulus_to"), when[:, None])},
        coords={
            "subject": [f"e{k}" for k in range(len(when))], "region": ["EEG"],
            "time": np.arange(N_TIMES) / 10, "stimulus": names, "stimulus_to": names,
        },
    )  # fmt: skip
    over_time = Answer(
        form="profile", data=data, question="rdm_over_time", system="EEG", kind="brain",
        parameters={"distance": "squared-euclidean", "time_unit": "s"}, stimulus_set="made",
    )  # fmt: skip
    rest = [
        rdm_answer(
            values, subjects=[f"{system}{k}" for k in range(len(values))], regions=regions,
            stimuli=IDS, parameters={}, system=system, kind=kind, stimulus_set="made",
        )
        for values, regions, system, kind in (
            (where, ["V1", "IT"], "fMRI", "brain"), (what, ["first", "last"], "net", "model"),
        )
    ]  # fmt: skip
    return over_time, *rest


def test_planted_times_regions_and_layers_are_recovered():
    """Similarity and commonality peak, and are significant, exactly where they were planted."""
    found = fusion(*_answers(*_rdms()), **FEW)
    p = found["similarity_p"]
    for region, own, layer, other in (
        ("V1", EARLY, "first", "last"),
        ("IT", LATE, "last", "first"),
    ):
        mine = p.sel(region=region).values
        assert (mine[list(own)] < 0.05).all() and (np.delete(mine, own) > 0.05).all()
        cell = found["commonality"].isel(time=list(own)).sel(region=region)
        assert (cell.sel(layer=layer) > 0.3).all() and (cell.sel(layer=other).values < 0.05).all()
        assert (
            found["commonality_p"].isel(time=list(own)).sel(region=region, layer=layer) < 0.05
        ).all()
        low = found["similarity_low"].isel(time=list(own)).sel(region=region)
        assert (low > 0).all()
    assert found.attrs["resampled"] == "subjects of when and where"
    assert found.attrs["time_unit"] == "s"


def test_nothing_is_found_where_nothing_was_planted():
    """Simulated without relation, 60 times: a cell is found in 5 % and 4 errors at most."""
    n_found = 0
    for seed in range(60):
        answers = _answers(*_rdms(seed, n_subjects=2, planted=False))
        found = fusion(*answers, n_permutations=39, n_bootstrap=2, seed=seed)
        n_found += min(found["similarity_p"].min(), found["commonality_p"].min()) <= 0.05
    # Two families of tests, each at 5 %.
    assert n_found / 60 <= 0.1 + 4 * np.sqrt(0.1 * 0.9 / 60)


def test_without_a_network_there_is_similarity_alone():
    """Two modalities make a fusion of when and where."""
    when, where, _ = _answers(*_rdms())
    found = fusion(when, where, **FEW)
    whole = fusion(*_answers(*_rdms()), **FEW)
    assert not any(str(name).startswith("commonality") for name in found)
    np.testing.assert_allclose(found["similarity"], whole["similarity"], atol=EXACT)


def test_one_subject_a_side_has_no_interval():
    """Nothing can be resampled, and the answer says so."""
    when, where, what = _rdms()
    found = fusion(*_answers(when[:1], where[:1], what), **FEW)
    assert np.isnan(found["similarity_low"].values).all()
    assert found.attrs["resampled"].startswith("nothing")
    assert np.isfinite(found["commonality"].values).all()


def test_other_stimuli_are_refused_and_other_persons_are_not():
    """Four persons in one modality and five in the other are fine; stimuli must be the same."""
    when, where, what = _answers(*_rdms())
    with pytest.raises(AlignmentError, match="1 only in when and where: s15"):
        fusion(when, where, what.restrict(stimuli=IDS[:-1]))
    found = fusion(when, where, what.restrict(stimuli=IDS[:-1]), stimuli="shared", **FEW)
    assert found.attrs["n_stimuli"] == 15 and found.attrs["n_dropped_stimuli"] == 1
    with pytest.raises(UsageError, match="when must be an answer of rdm_over_time with one region"):
        fusion(where, where)
    with pytest.raises(UsageError, match="where must be an answer of form 'rdm'"):
        fusion(when, when)
    when.data["rdm"].values[0, 0, 2, 0, 1] = np.nan
    with pytest.raises(UsageError, match="1 RDMs of when have undefined pairs"):
        fusion(when, where)
