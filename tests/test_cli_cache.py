"""Tests of the command ``neuroai cache``."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from neuroai import cli
from neuroai.experiment.cache import KEY, ActivationCache
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.load import load_model


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A cache with two entries that differ by the reduction."""
    monkeypatch.setenv("NEUROAI_CACHE", str(tmp_path))
    shown = stimulus_set(
        pd.DataFrame({"stimulus_id": ["a", "b"]}), name="noise", load=lambda key: np.ones((8, 8))
    )
    model = load_model("builtin:small_convnet", layers=["conv1", "fc2"])
    cache = ActivationCache()
    for network in (model, replace(model, reduce="mean")):
        cache.activations(network, shown)
    return cache


def test_ls_shows_what_is_kept(kept, capsys):
    """One line an entry, under headings; the sum on stderr."""
    assert cli.main(["cache", "ls"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].split()[:3] == ["entry", "network", "stimuli"]
    assert {line.split()[0] for line in out.splitlines()[1:]} == {e.short for e in kept.entries()}
    assert "2 entries" in err


def test_an_empty_cache_says_so(tmp_path, monkeypatch, capsys):
    """Nothing kept is no error."""
    monkeypatch.setenv("NEUROAI_CACHE", str(tmp_path))
    assert cli.main(["cache", "ls"]) == 0
    assert "Nothing is kept in" in capsys.readouterr().out


def test_verify_finds_a_flipped_bit_and_gc_removes_the_entry(kept, capsys):
    """The damaged entry is named with exit code 6; what is whole stays."""
    assert cli.main(["cache", "verify"]) == 0
    damaged, whole = kept.entries()
    chunk = next(p for p in damaged.store.rglob("c/*/*") if p.is_file())
    chunk.write_bytes(bytes([chunk.read_bytes()[0] ^ 4]) + chunk.read_bytes()[1:])
    capsys.readouterr()
    assert cli.main(["cache", "verify"]) == 6
    out, err = capsys.readouterr()
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines[whole.short] == "ok" and "changed" in lines[damaged.short]
    assert "1 entries are damaged" in err
    assert cli.main(["cache", "gc"]) == 0
    assert [e.short for e in kept.entries()] == [whole.short]


def test_gc_can_be_tried_first(kept, capsys):
    """A dry run says what would go, and removes nothing."""
    assert cli.main(["cache", "gc", "--max-size", "1B", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("would remove") == 2
    assert len(kept.entries()) == 2


def test_gc_removes_the_old_and_what_is_too_much(kept):
    """The entries that were used last stay."""
    import os

    newest, oldest = kept.entries()
    os.utime(oldest.folder / KEY, (0, 0))
    assert cli.main(["cache", "gc", "--older-than", "30"]) == 0
    assert [e.short for e in kept.entries()] == [newest.short]
    assert cli.main(["cache", "gc", "--max-size", "1 TiB"]) == 0
    assert len(kept.entries()) == 1
    assert cli.main(["cache", "gc", "--max-size", "1"]) == 0
    assert not kept.entries()


def test_gc_removes_what_has_no_key(kept, capsys):
    """A folder whose key is lost is of no use to anyone."""
    (kept.entries()[0].folder / KEY).unlink()
    assert cli.main(["cache", "verify"]) == 6
    assert cli.main(["cache", "gc"]) == 0
    assert len(kept.entries()) == 1 and not kept.strays()


def test_explain_lists_the_fields_of_an_entry(kept, capsys):
    """All fields, or as JSON."""
    [first, _] = kept.entries()
    assert cli.main(["cache", "explain", first.short]) == 0
    assert "weights_sha256:" in capsys.readouterr().out
    assert cli.main(["cache", "explain", first.short, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == dict(first.key.fields)


def test_explain_shows_in_what_two_entries_differ(kept, capsys):
    """The reduction alone, in words and as JSON; an entry does not differ from itself."""
    first, second = (entry.short for entry in kept.entries())
    assert cli.main(["cache", "explain", first, second]) == 0
    assert capsys.readouterr().out.strip() == "reduce: mean | none"
    assert cli.main(["cache", "explain", first, second, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"reduce": ["mean", "none"]}
    assert cli.main(["cache", "explain", first, first]) == 0
    assert "do not differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["explain", "zzz"], "none does"),
        (["gc", "--max-size", "much"], "such as 500MiB or 10GiB; got 'much'"),
    ],
)
def test_wrong_words_are_explained(kept, words, said, capsys):
    """Exit code 2 and what would have been right."""
    assert cli.main(["cache", *words]) == 2
    assert said in capsys.readouterr().err
