"""Folders of stimuli: images, texts, sounds and arrays, by name or by the table of BIDS."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from neuroai.errors import DataError, UsageError
from neuroai.sources.stimulus_folder import stimuli_of_folder


@pytest.fixture
def folder(tmp_path):
    """An image in a subfolder, a text, a sound of two channels and three frames."""
    root = tmp_path / "stimuli"
    (root / "faces").mkdir(parents=True)
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    Image.fromarray(pixels).save(root / "faces" / "a.png")
    (root / "b.txt").write_text("the old man\n", encoding="utf-8")
    samples = np.array([[32767, 0], [-32767, 0]], dtype=np.int16)
    wavfile.write(root / "c.wav", 8000, samples)
    np.save(root / "d.npy", np.zeros((3, 2, 2), dtype=np.float32))
    (root / "notes.md").write_text("no stimulus")
    return root


def test_each_file_is_a_stimulus_named_by_its_path(folder):
    """Contents come in their own kinds, hashed; other files are left alone."""
    shown = stimuli_of_folder(folder)
    assert shown.ids == shown.available == ("b", "c", "d", "faces/a") and shown.name == "stimuli"
    assert np.asarray(shown.content("faces/a")).max() == 47
    assert shown.content("b") == "the old man"
    sound = shown.content("c")
    assert sound.rate == 8000 and sound.samples.tolist() == [0.5, -0.5]
    assert shown.content("d").shape == (3, 2, 2)


def test_the_table_of_bids_names_and_describes(folder):
    """stim_id names a stimulus; files are found as stim-<label>_<suffix>, or are not at hand."""
    (folder / "faces" / "a.png").rename(folder / "stim-a_image.png")
    (folder / "stimuli.tsv").write_text("stim_id\tkind\nstim-a\tface\nb\ttext\ngone\tface\n")
    shown = stimuli_of_folder(folder, name="mine")
    assert shown.ids == ("b", "gone", "stim-a") and shown.available == ("b", "stim-a")
    assert shown.column("kind").tolist() == ["text", "face", "face"] and shown.name == "mine"


def test_a_column_of_files_is_followed_inside_the_folder(folder):
    """Paths may begin with the folder's name, as in events.tsv; n/a is not at hand."""
    rows = "stimulus_id\tstim_file\nx\tstimuli/faces/a.png\ny\tn/a\nz\tb.txt\n"
    (folder / "stimuli.tsv").write_text(rows)
    shown = stimuli_of_folder(folder)
    assert shown.available == ("x", "z") and shown.content("z") == "the old man"


def test_unsigned_sounds_are_about_zero(folder):
    """Eight-bit WAV files are centred at 128."""
    wavfile.write(folder / "e.wav", 8000, np.array([128, 0, 255], dtype=np.uint8))
    assert stimuli_of_folder(folder).content("e").samples[:2].tolist() == [0.0, -1.0]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name\tkind\na\tface\n", "needs a column 'stim_id'"),
        ("stim_id\nb\nb\n", "stimuli.tsv"),
        ("stim_id\tstim_file\na\t../secret.png\n", "secret"),
    ],
)
def test_a_wrong_table_is_told(folder, table, said):
    """No ids, an id twice, a path out of the folder."""
    (folder / "stimuli.tsv").write_text(table)
    with pytest.raises((DataError, UsageError, ValueError), match=said):
        stimuli_of_folder(folder)


def test_two_files_of_one_name_are_told(folder):
    """By ending alone, or for one row of the table."""
    (folder / "b.wav").write_bytes((folder / "c.wav").read_bytes())
    with pytest.raises(DataError, match="differ by their ending alone"):
        stimuli_of_folder(folder)
    (folder / "stimuli.tsv").write_text("stim_id\nb\n")
    with pytest.raises(DataError, match=r"could be .*Add a column 'stim_file'"):
        stimuli_of_folder(folder)


def test_links_out_of_the_folder_are_not_followed(folder, tmp_path):
    """A link to a file elsewhere is no stimulus."""
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert "link" not in stimuli_of_folder(folder).ids


def test_pickles_and_broken_files_are_refused(folder):
    """Object arrays, other encodings and what is no WAV."""
    np.save(folder / "e.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="not objects"):
        stimuli_of_folder(folder)
    (folder / "e.npy").unlink()
    (folder / "f.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match="no text in UTF-8"):
        stimuli_of_folder(folder)
    (folder / "f.txt").unlink()
    (folder / "g.wav").write_bytes(b"no sound at all")
    with pytest.raises(DataError, match="cannot be read as WAV"):
        stimuli_of_folder(folder)


def test_nothing_there_is_told(tmp_path):
    """No folder, or none of its files is a stimulus."""
    with pytest.raises(UsageError, match="no folder"):
        stimuli_of_folder(tmp_path / "none")
    with pytest.raises(UsageError, match="holds no stimulus"):
        stimuli_of_folder(tmp_path)
