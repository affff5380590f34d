"""V4 and its images: reliability, showings, and images in the order of the responses."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from neuroai.format.holdings import Holdings
from neuroai.sources.download import fetch_listed

EXACT = 1e-10  # float64 algebra in another order
PRINTED = 5e-3  # half a unit of the second printed digit
SIZES = {"190923": (33, 1200), "201025": (89, 1200), "210225": (55, 1200), "210325": (50, 640)}


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("cowley2023")


def session_of(holdings: Holdings, name: str) -> object:
    """Give the recording of one session."""
    return next(r for r in holdings.systems[0].recordings if r["session"].values[0] == name)


def test_sessions_have_their_sizes_and_monkeys(holdings: Holdings) -> None:
    """Four sessions, 227 units, the first of another monkey; means state their showings."""
    for name, (n_units, n_images) in SIZES.items():
        recording = session_of(holdings, name)
        assert recording.sizes["unit"] == n_units
        assert len(set(recording["stimulus_id"].values)) == n_images
        assert recording.attrs["subject"] == ("WE" if name == "190923" else "PE")
        assert set(recording["region"].values) == {f"V4 {name}"}
    showings = {n: session_of(holdings, n)["n_repeats"].values for n in list(SIZES)[:3]}
    assert {n: set(v) for n, v in showings.items()} == {
        "190923": {14.0}, "201025": {12.0}, "210225": {6.0},
    }  # fmt: skip


def test_single_showings_have_the_published_reliability(holdings: Holdings) -> None:
    """Odd against even showings of every image: median r 0.63 over units, 0.43 to 0.79."""
    recording = session_of(holdings, "210325")
    odd = recording["repeat"].values % 2 == 1
    halves = []
    for rows in (odd, ~odd):
        ids, at = np.unique(recording["stimulus_id"].values[rows].astype(str), return_inverse=True)
        sums = np.zeros((len(ids), 50))
        np.add.at(sums, at, recording.values[rows])
        halves.append(sums / np.bincount(at)[:, np.newaxis])
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(halves[0].T, halves[1].T, strict=True)]
    assert np.median(r) == pytest.approx(0.63, abs=PRINTED)
    assert np.percentile(r, [10, 90]) == pytest.approx([0.43, 0.79], abs=PRINTED)


def test_means_of_showings_are_the_published_means(holdings: Holdings) -> None:
    """6 to 10 showings an image; their means are those of the file of means."""
    recording = session_of(holdings, "210325")
    files = fetch_listed("cowley_v4")
    means = np.load(files["responses_repeat_averaged/responses_210325.npy"], allow_pickle=False)
    ids, counts = np.unique(recording["stimulus_id"].values.astype(str), return_counts=True)
    assert (counts.min(), counts.max(), counts.sum()) == (6, 10, 4840)
    for image in (0, 17, 639):
        rows = recording["stimulus_id"].values == ids[image]
        np.testing.assert_allclose(recording.values[rows].mean(axis=0), means[:, image], atol=EXACT)


def test_images_are_those_of_the_archives(holdings: Holdings) -> None:
    """112 pixels square, RGB; the folder inside one archive makes no difference."""
    files = fetch_listed("cowley_v4")
    for session, member in (("190923", "images_190923/image0007.jpg"), ("210325", "image0007.jpg")):
        with zipfile.ZipFile(files[f"images/images_{session}.zip"]) as archive:
            by_hand = Image.open(io.BytesIO(archive.read(member))).convert("RGB")
        image = holdings.stimuli.content(f"{session}/image0007")
        assert (image.size, image.mode) == ((112, 112), "RGB")
        np.testing.assert_array_equal(np.asarray(image), np.asarray(by_hand))
    assert len(holdings.stimuli.available) == 4240


def test_weights_are_not_listed(holdings: Holdings) -> None:
    """The pickled networks are neither fetched nor read, and the card says so."""
    assert not [name for name in fetch_listed("cowley_v4") if "weights" in name]
    assert "left out" in holdings.card.answers["implementation"]


def test_every_session_can_be_asked_by_itself(holdings: Holdings) -> None:
    """No monkey has two recordings of one region, which could not be told apart."""
    pairs = [
        (r.attrs["subject"], str(r["region"].values[0])) for r in holdings.systems[0].recordings
    ]
    assert len(set(pairs)) == 4


@pytest.mark.slow
def test_v4_is_encoded_by_a_network_s_layers(holdings, models_root, require) -> None:
    """Deeper layers of MobileNet predict V4 better than early ones, below the units' ceilings.

    The halves of all showings correlate at 0.63 in the median; the published compact networks
    reach a mean r of 0.61 on held-out images.
    """
    from neuroai.analyses.algorithm.responses import responses
    from neuroai.comparison.encoding import encodings
    from neuroai.comparison.paired import Context
    from neuroai.numerics.reliability import split_half
    from neuroai.systems.brain import brains_of
    from neuroai.systems.load import load_model

    pytest.importorskip("transformers", reason="the extra 'hf' is not installed")
    folder = models_root / "mobilenet_v1_0.25_224"
    require(folder.is_dir(), "mobilenet_v1_0.25_224 is not here")
    brain = responses(brains_of(holdings)[0], regions=["V4 210325"])
    layers = [f"mobilenet_v1.layer.{i}" for i in (5, 13)]
    network = load_model(f"hf:{folder}?reduce=count-sketch:4096", layers=layers)
    ours = responses(network, stimuli=holdings.stimuli.restrict(brain.stimuli))
    found = encodings(brain, ours, context=Context(level="algorithm", dataset="cowley2023"))
    early, late = found.scores
    assert 0.25 < early.value < 0.45 < late.value < 0.61
    assert late.p < 0.01 and late.ceiling_high == pytest.approx(0.86, abs=0.01)
    units = found.units[1]
    assert (units["r"] < units["ceiling_r"]).all() and late.n_undefined == 0
    # The same ceilings by halves of the showings, whose own correlation is the published one.
    recording = session_of(holdings, "210325")
    ids, place = np.unique(recording["stimulus_id"].values.astype(str), return_inverse=True)
    table = np.full((len(ids), 10, 50), np.nan)
    table[place, recording["repeat"].values.astype(int) - 1] = recording.values
    halves = split_half(table)
    # Random halves share less of what drifts than odd and even showings do, which give 0.63.
    assert 0.58 < np.median(halves.half) < 0.63
    assert np.abs(halves.ceiling_r - units["ceiling_r"].values).max() < 0.1


@pytest.mark.slow
def test_v4_and_a_layer_predict_each_other(holdings, models_root, require) -> None:
    """One function, both ways: neurons from a layer's units, and these units from the neurons.

    Ceilings by halves of the showings, whose median correlation is the published 0.63 for odd
    against even ones (`test_single_showings_have_the_published_reliability`).
    """
    from neuroai.analyses.algorithm.encoding import encoding, unit_encoding
    from neuroai.systems.brain import brains_of
    from neuroai.systems.load import load_model

    pytest.importorskip("transformers", reason="the extra 'hf' is not installed")
    folder = models_root / "mobilenet_v1_0.25_224"
    require(folder.is_dir(), "mobilenet_v1_0.25_224 is not here")
    brain, v4 = brains_of(holdings)[0], session_of(holdings, "210325")
    shown = holdings.stimuli.restrict(sorted(set(v4["stimulus_id"].values)))
    layer = "mobilenet_v1.layer.13"
    network = load_model(f"hf:{folder}?reduce=count-sketch:1024", layers=[layer])
    (units,) = network.recordings(shown)
    penalties = tuple(np.logspace(-1, 7, 9))
    (neurons,) = unit_encoding(
        brain, features={layer: units}, stimuli=shown, regions=["V4 210325"],
        ceiling="split-half", penalties=penalties,
    )  # fmt: skip
    assert neurons.sizes["unit"] == 50 and np.isfinite(neurons["r"]).all()
    assert 0.45 < float(neurons["r"].mean()) < 0.61
    assert (neurons["r"] < neurons["ceiling_r"]).all()
    assert 0.5 < float(neurons["normalised_r"].median()) < 0.75
    # The reliability of halves, from the ceiling of r with all showings: r = c² / (2 - c²).
    full = neurons["ceiling_r"].values ** 2
    assert 0.58 < np.median(full / (2 - full)) < 0.63
    back = encoding(network, features={"V4": v4}, stimuli=shown, penalties=penalties)
    # 50 neurons against 1,024 mixtures of units: far above chance, far below the whole.
    assert 0.2 < back.data["value"].item() < 0.6
    assert back.data["ceiling_r"].item() == 1 and back.undefined["scores"] == 0
