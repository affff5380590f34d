"""The user's own data: files in the common form, a data set file, and activations on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neuroai.cli import main
from neuroai.errors import UnknownName
from neuroai.experiment.api import compare, load_brain
from neuroai.format.build import recording
from neuroai.format.files import save
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded

N_STIMULI = 24
IDS = [f"s{i:02d}" for i in range(N_STIMULI)]

DATASET = '''
"""A lab's own data set."""
import numpy as np
import pandas as pd
from neuroai.cards import DatasetCard
from neuroai.format.build import recording
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import stimulus_set

CARD = DatasetCard(
    name="lab2026", title="Noise", folder="none", url="https://example.org", licence="CC0",
    citation="Nobody 2026", doi="", modality=("spikes",), systems=("mouse",), n_stimuli=24,
    size_mib=0.1, answers={"computation": "no", "algorithm": "recordings", "implementation": "no"},
)

def load():
    ids = [f"s{i:02d}" for i in range(24)]
    rng = np.random.default_rng(0)
    data = recording(
        rng.standard_normal((24, 12)), stimulus_id=ids, unit_id=[f"u{i}" for i in range(12)],
        region="V1", system="mouse", kind="brain", stimulus_set="lab", subject="m1",
    )
    return Holdings(
        card=CARD,
        stimuli=stimulus_set(pd.DataFrame({"stimulus_id": ids}), name="lab"),
        systems=(SystemData("mouse", "brain", "Mus musculus", recordings=(data,)),),
    )
'''


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a recording in both file formats, a data set file and activations."""
    rng = np.random.default_rng(3)
    features = rng.standard_normal((N_STIMULI, 30))
    mixed = features @ rng.standard_normal((30, 40))
    values = np.vstack([mixed, mixed]) + rng.standard_normal((2 * N_STIMULI, 40))
    data = recording(
        values,
        stimulus_id=IDS * 2,
        unit_id=[f"u{i}" for i in range(40)],
        region=["V1"] * 20 + ["IT"] * 20,
        system="mouse",
        kind="brain",
        stimulus_set="mine",
        subject="m1",
    )
    save(data, tmp_path / "mine.nc")
    save(data, tmp_path / "mine.zarr")
    (tmp_path / "lab2026.py").write_text(DATASET)
    # Another order than the recording's: ids decide, not positions.
    order = rng.permutation(N_STIMULI)
    np.savez(
        tmp_path / "layers.npz",
        stimulus_id=np.array(IDS)[order],
        source=features[order],
        noise=rng.standard_normal((N_STIMULI, 12)),
    )
    return tmp_path


@pytest.mark.parametrize("name", ["mine.nc", "mine.zarr"])
def test_a_recording_in_the_common_form_is_compared(own: Path, name: str) -> None:
    """The layer that was mixed into the recording matches it, the noise layer does not."""
    results = compare(own / name, f"acts:{own / 'layers.npz'}", n_null=99, n_bootstrap=60)
    grid = {
        s.model_region: s
        for s in results.scores
        if s.metric == "rdm-spearman"
        and s.analysis == "rdm"
        and not s.selected
        and s.brain_region.endswith("IT")
    }
    assert grid["source"].p <= 0.01 < grid["noise"].p
    assert grid["source"].value > 0.3


def test_both_file_formats_give_the_same_scores(own: Path) -> None:
    """netCDF and Zarr hold the same recording."""
    found = [
        compare(own / name, f"acts:{own / 'layers.npz'}", n_null=0, n_bootstrap=60, lesions="none")
        for name in ("mine.nc", "mine.zarr")
    ]
    values = [
        [(s.metric, s.model_region, s.value) for s in r.scores if s.status == "ok"] for r in found
    ]
    assert values[0] == values[1]


def test_a_data_set_file_is_compared_from_the_command_line(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lab's own .py file ends in a page and a table."""
    code = main(
        [
            "compare",
            str(own / "lab2026.py"),
            "-m",
            f"acts:{own / 'layers.npz'}",
            "--n-null",
            "99",
            "--out",
            str(own / "out"),
            "-q",
        ]
    )
    assert code == 0, capsys.readouterr().err
    table = pd.read_csv(own / "out" / "scores.csv")
    assert set(table.loc[table.status == "ok", "dataset"]) == {"lab2026"}
    assert (own / "out" / "report.html").stat().st_size > 1000


def test_a_misspelt_layer_is_a_usage_error_that_lists_the_layers(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the message names what there is."""
    code = main(
        [
            "compare",
            str(own / "mine.nc"),
            "-m",
            f"acts:{own / 'layers.npz'}",
            "--layers",
            "sorce",
            "--out",
            str(own / "out"),
            "-q",
        ]
    )
    assert code == 2
    message = capsys.readouterr().err
    assert "sorce" in message and "source" in message


def test_an_unknown_brain_lists_the_nearest(own: Path) -> None:
    """Loading asks for a brain by name."""
    with pytest.raises(UnknownName, match="mouse"):
        load_brain(own / "mine.nc", system="mose")


def test_a_loaded_brain_can_be_compared(own: Path) -> None:
    """What load_brain gives, compare takes."""
    brain = load_brain(own / "mine.nc")
    results = compare(brain, f"acts:{own / 'layers.npz'}", n_null=0, n_bootstrap=60, lesions="none")
    assert any(s.status == "ok" for s in results.scores)


def test_a_network_meets_only_the_stimuli_that_the_brain_met(own: Path) -> None:
    """Regions recorded with other stimuli do not make the asked one's stimuli differ."""
    rng = np.random.default_rng(4)
    parts = [
        recording(
            rng.standard_normal((12, 10)),
            stimulus_id=ids,
            unit_id=[f"{region}/{i}" for i in range(10)],
            region=region,
            system="mouse",
            kind="brain",
            stimulus_set="mine",
            subject="m1",
        )
        for region, ids in (("V4 first", IDS[:12]), ("V4 second", IDS[12:]))
    ]
    stimuli = stimulus_set(pd.DataFrame({"stimulus_id": IDS}), name="mine")
    data = SystemData("mouse", "brain", "Mus musculus", recordings=tuple(parts))
    results = compare(
        Recorded(data=data, stimuli=stimuli),
        f"acts:{own / 'layers.npz'}",
        regions=["V4 second"],
        n_null=0,
        n_bootstrap=60,
        lesions="none",
    )
    scored = [s for s in results.scores if s.analysis == "rdm"]
    assert scored and {s.n_stimuli for s in scored} == {12}
