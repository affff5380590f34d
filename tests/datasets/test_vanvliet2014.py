"""Word pairs: the published correlation with association strength, and the judgements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import pearsonr

from neuroai.format.holdings import Holdings

PRINTED = 5e-4  # half a unit of the third printed digit
EQUAL = 1e-8  # float64, against another way to the same equations
PRINTED_UV = 5e-3  # half a unit of the second printed digit of microvolts


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("vanvliet2014")


def test_parietal_mean_follows_association_strength(holdings: Holdings) -> None:
    """The mean of P3, Pz and P4 from 0.30 to 0.47 s against strength: r = 0.298.

    At 50 Hz the window runs to the sample at 0.48 s, the nearest that is not before its end.
    """
    (recording,) = holdings.systems[0].recordings
    channels = np.isin(recording["unit_id"].values, ["P3", "Pz", "P4"])
    seconds = recording["time"].values
    window = (seconds >= 0.29) & (seconds <= 0.49)
    assert channels.sum() == 3
    means = recording.values[:, channels][:, :, window].mean(axis=(1, 2))
    strength = holdings.stimuli.column("FAS", recording["stimulus_id"].values)
    assert pearsonr(means, strength)[0] == pytest.approx(0.298, abs=PRINTED)


def test_unrelated_words_give_a_negative_wave(holdings: Holdings) -> None:
    """Pz from 0.3 to 0.5 s: +1.67 microvolts for related, -1.92 for unrelated pairs."""
    (recording,) = holdings.systems[0].recordings
    seconds = recording["time"].values
    window = (seconds >= 0.3) & (seconds <= 0.5)
    channel = recording["unit_id"].values == "Pz"
    volts = recording.values[:, channel][:, :, window].mean(axis=(1, 2)) * 1e6
    label = recording["label"].values
    assert volts[label == "related"].mean() == pytest.approx(1.67, abs=PRINTED_UV)
    assert volts[label == "unrelated"].mean() == pytest.approx(-1.92, abs=PRINTED_UV)
    assert recording.attrs["physical_unit"] == "V"


def test_judgements_stand_beside_the_epochs(holdings: Holdings) -> None:
    """179 of 200 right; the first pair by hand: related, button 1, in 1.434 s."""
    (table,) = holdings.systems[0].behaviour
    (recording,) = holdings.systems[0].recordings
    assert int(table["correct"].sum()) == 179
    assert table["stimulus_id"].values.tolist() == recording["stimulus_id"].values.tolist()
    first = table.isel(trial=0)
    assert [str(first[n].values) for n in ("stimulus_id", "choice", "truth")] == [
        "aandoening-ziekte", "related", "related",
    ]  # fmt: skip
    assert float(first["response_time"]) == pytest.approx(1.434433, abs=1e-6)


def test_every_pair_is_text_with_its_strength(holdings: Holdings) -> None:
    """200 different pairs, half of them related, at least 0.25 strong."""
    table = holdings.stimuli.table
    assert table["sha256"].nunique() == 200
    assert holdings.stimuli.content("aandoening-ziekte") == "aandoening ziekte"
    related = table["label"] == "related"
    assert related.sum() == 100
    assert table.loc[related, "FAS"].min() > 0.25
    assert table.loc[~related, "FAS"].max() < 0.01


def test_sensors_lie_on_a_head(holdings: Holdings) -> None:
    """Positions are in millimetres: about 8.5 cm from the centre, Pz behind Fz."""
    (recording,) = holdings.systems[0].recordings
    xyz = np.column_stack([recording[a].values for a in "xyz"])
    assert (np.abs(np.linalg.norm(xyz, axis=1) - 85) < 1).all()
    y = dict(zip(recording["unit_id"].values, recording["y"].values, strict=True))
    assert y["Fz"] > 0 > y["Pz"]


def test_association_is_read_out_when_the_negative_wave_is_there(holdings: Holdings) -> None:
    """Related and unrelated words are told apart best at 0.3 to 0.5 s, and not before the word."""
    import neuroai as nai
    from neuroai.systems.brain import brains_of

    options = {"label": "label", "over_time": "each"}
    answer = nai.ask(brains_of(holdings)[0], "decoding", options=options)
    value = answer.data["value"].squeeze()
    assert 0.3 <= float(value.idxmax("time")) <= 0.5 and value.max() > 0.6
    # 200 showings, half of each class: the standard error of a guess is 0.035.
    assert abs(value.sel(time=slice(None, -0.02)).mean() - 0.5) < 0.035


def test_paths_of_both_labels_part_with_the_negative_wave(holdings: Holdings) -> None:
    """Related and unrelated words part between 0.25 and 0.6 s, and not before the second word."""
    import neuroai as nai
    from neuroai.systems.brain import brains_of

    options = {"label": "label", "n_permutations": 39}
    answer = nai.ask(brains_of(holdings)[0], "trajectories", options=options)
    parting = answer.data["divergence_time"].squeeze().values[0, 1]
    assert 0.25 < parting < 0.6 and answer.parameters["time_unit"] == "s"


def test_association_strength_is_encoded_at_the_time_of_the_negative_wave(
    holdings: Holdings,
) -> None:
    """Pz is predicted from strength at 0.3 to 0.5 s, not before the second word could be read.

    With one feature and hardly a penalty the mean of r over folds is near the plain correlation.
    """
    from neuroai.analyses.algorithm.encoding import unit_encoding
    from neuroai.systems.brain import brains_of

    (units,) = unit_encoding(brains_of(holdings)[0], features="FAS", penalties=(0.1, 10.0))
    r = units["r"].isel(unit=units["unit_id"].values == "Pz").squeeze("unit")
    assert 0.3 <= float(r.idxmax("time")) <= 0.5
    # 200 showings: the standard error of a correlation of 0 is 0.07.
    assert float(r.max()) > 4 * 0.07 and abs(float(r.sel(time=slice(None, 0.0)).mean())) < 2 * 0.07
    (recording,) = holdings.systems[0].recordings
    channel = recording["unit_id"].values == "Pz"
    strength = holdings.stimuli.column("FAS", recording["stimulus_id"].values)
    at = int(np.argmax(r.values))
    plain = pearsonr(recording.values[:, channel, at].ravel(), strength)[0]
    assert float(r.max()) == pytest.approx(plain, abs=0.05)


def test_response_functions_are_those_of_mne(holdings: Holdings) -> None:
    """Impulses at the second word, alone and times strength: mne's ReceptiveField, 0 to 0.78 s."""
    from mne.decoding import ReceptiveField, TimeDelayingRidge

    from neuroai.numerics.trf import fit_trf

    (recording,) = holdings.systems[0].recordings
    seconds = recording["time"].values
    strength = holdings.stimuli.column("FAS", recording["stimulus_id"].values)
    x = np.zeros((len(seconds), 200, 2))
    x[np.argmin(np.abs(seconds)), :, 0] = 1
    x[np.argmin(np.abs(seconds)), :, 1] = (strength - strength.mean()) / strength.std()
    y = recording.values.transpose(2, 0, 1) * 1e6
    lags, last = range(40), 39 / 50
    # Epochs one after the other, each a run of its own.
    rows = [part.transpose(1, 0, 2).reshape(-1, part.shape[2]) for part in (x, y)]
    runs = np.repeat([f"e{i:03d}" for i in range(200)], len(seconds))
    found = fit_trf(*rows, lags=lags, runs=runs, penalty=10.0)
    solver = TimeDelayingRidge(0, last, 50.0, alpha=10.0)
    peer = ReceptiveField(0, last, 50.0, estimator=solver).fit(x, y)
    assert np.abs(found.weights.transpose(2, 1, 0) - peer.coef_).max() < EQUAL
    # Of one sample in uV a standard deviation of strength, at Pz.
    pz = found.weights[:, 1, recording["unit_id"].values.tolist().index("Pz")]
    assert 0.3 <= np.argmax(pz) / 50 <= 0.5 and pz.max() > 1
