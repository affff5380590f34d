"""People and a trained network on the same silhouettes, by outputs, by sampling, and timed."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from neuroai.analyses.computation.accuracy import accuracy
from neuroai.analyses.computation.calibration import calibration
from neuroai.analyses.computation.image_signature import image_signature
from neuroai.analyses.computation.reaction_time import reaction_time
from neuroai.analyses.computation.signal_detection import signal_detection
from neuroai.comparison.compare import compare
from neuroai.comparison.paired import Context
from neuroai.comparison.signatures import compare_signatures
from neuroai.comparison.statistics.inference import Inference
from neuroai.format.holdings import Holdings
from neuroai.systems.brain import brains_of
from neuroai.systems.load import load_model
from neuroai.systems.sampling import by_sampling
from neuroai.testing import STANDARD_ERRORS

CONTEXT = Context(level="computation", dataset="geirhos2019", task="silhouettes")
FEW = Inference(n_bootstrap=60, n_null=99)
N_SAMPLES = 10


@pytest.fixture(scope="module")
def both(holdings_of: Callable[[str], Holdings], models_root, require):
    """Give the people, the network, and what both are asked."""
    pytest.importorskip("transformers", reason="the extra 'hf' is not installed")
    folder = models_root / "mobilenet_v1_0.25_224"
    require(folder.is_dir(), "mobilenet_v1_0.25_224 is not here")
    holdings = holdings_of("geirhos2019")
    task = next(t for t in holdings.tasks if t.name == "silhouettes")
    ask = {"task": task, "stimuli": holdings.stimuli.where(*task.where)}
    return brains_of(holdings)[0], load_model(f"hf:{folder}"), ask


def test_outputs_and_sampling_are_told_apart(both) -> None:
    """Both are accuracies of one network; drawn choices are right less often than the best."""
    _, network, ask = both
    best, drawn = (
        accuracy(system, **ask) for system in (network, by_sampling(network, n_samples=N_SAMPLES))
    )
    assert [a.parameters["choice_by"] for a in (best, drawn)] == ["outputs", "sampling"]
    assert drawn.data.n.item() == N_SAMPLES * best.data.n.item() == N_SAMPLES * 160
    assert 1 / 16 < drawn.data.value.item() < best.data.value.item() < 0.6


def test_people_are_more_sensitive_and_the_network_too_sure(both) -> None:
    """d' among 16 options of every person exceeds the network's, which is overconfident."""
    people, network, ask = both
    theirs, ours = (signal_detection(s, **ask).data.value.values for s in (people, network))
    assert theirs.min() > ours.max() > 0.5
    curve = calibration(network, n_bins=4, binning="count", **ask).data.isel(subject=0, region=0)
    assert (curve.confidence_by_bin > curve.accuracy_by_bin).mean() >= 0.75
    assert curve.ece.item() > 0.1
    assert "states no confidence" in calibration(people, **ask).reason


def test_hard_images_are_hard_for_both_once_noise_is_taken_off(both) -> None:
    """The corrected correlation of i1 exceeds that of the halves, and stays below 1."""
    people, network, ask = both
    theirs = image_signature(people, n_splits=4, **ask)
    ours = image_signature(by_sampling(network, n_samples=N_SAMPLES), n_splits=4, **ask)
    (plain,) = compare(theirs, ours, metric="signature-correlation", context=CONTEXT, inference=FEW)
    (found,) = compare_signatures(theirs, ours, context=CONTEXT, inference=FEW)
    assert found.ci_low > 0.2 and found.ci_high < 0.9
    halves = float(re.match(r"not corrected (\S+);", found.note)[1])
    assert 0.2 < halves < found.value and plain.p == pytest.approx(0.01)


def test_a_proxy_meets_times_by_rank_over_images_alone(both) -> None:
    """Entropy in bits against seconds: a correlation with a null, and both units on record."""
    people, network, ask = both
    seconds = reaction_time(people, **ask)
    bits = reaction_time(network, proxy="entropy", **ask)
    assert (seconds.parameters["unit"], bits.parameters["unit"]) == ("s", "bit")
    (score,) = compare(
        seconds, bits, metric="signature-correlation", context=CONTEXT, inference=FEW
    )
    assert score.history["model"]["proxy"] == "entropy"
    assert abs(score.value) < STANDARD_ERRORS / np.sqrt(160) + 0.1 and 0 < score.p <= 1
    # People agree among themselves on which images take long.
    assert score.ceiling_low > 0.1
