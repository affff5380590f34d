"""The cache of activations: found again, taken up again, never believed when damaged."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from neuroai.errors import IntegrityError, UsageError
from neuroai.experiment.cache import KEY, ActivationCache, activations_folder
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.load import load_model


@pytest.fixture
def cache(tmp_path):
    """An empty cache."""
    return ActivationCache(tmp_path / "kept")


@pytest.fixture(scope="module")
def shown():
    """Six noise images."""

    def load(key):
        return np.random.default_rng(int(key[1:])).integers(0, 255, (8, 8), dtype=np.uint8)

    return stimulus_set(
        pd.DataFrame({"stimulus_id": [f"s{i}" for i in range(6)]}), name="noise", load=load
    )


@pytest.fixture
def model():
    """The small network, with a count of forward passes."""
    return load_model("builtin:small_convnet", layers=["conv*", "fc2"])


@pytest.fixture
def passes(model):
    """Count of the stimuli that the network is run on."""
    seen = []
    model.module().register_forward_hook(lambda _m, given, _o: seen.append(len(given[0])))
    return seen


def _values(held, shown):
    return {r.attrs["region"]: r.values for r in held.recordings(shown)}


def test_a_second_request_runs_nothing(cache, model, shown, passes):
    """A hit gives the same values, bit for bit, without the network."""
    first = _values(cache.activations(model, shown), shown)
    run = len(passes)
    again = _values(cache.activations(model, shown), shown)
    assert run and len(passes) == run
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_fewer_layers_are_served_by_an_entry_with_more(cache, model, shown, passes):
    """One layer of an entry is read without a pass, and gives that layer alone."""
    cache.activations(model, shown)
    run = len(passes)
    held = cache.activations(model, shown, layers=["fc2"])
    assert held.regions == ("fc2",) and len(passes) == run and len(cache.entries()) == 1


def test_more_layers_are_computed(cache, model, shown):
    """An entry with fewer layers does not serve."""
    cache.activations(model, shown, layers=["fc2"])
    assert cache.activations(model, shown).regions == model.regions
    assert len(cache.entries()) == 2


@pytest.mark.parametrize("what", ["chunk", "seal", "key", "missing", "added"])
def test_a_damaged_entry_is_computed_anew_with_a_warning(cache, model, shown, what):
    """A flipped bit, a lost or an added file is never read over."""
    expected = _values(cache.activations(model, shown), shown)
    [entry] = cache.entries()
    _damage(entry, what)
    with pytest.warns(UserWarning, match="cannot be used and is computed anew"):
        found = _values(cache.activations(model, shown), shown)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    cache.entry(entry.folder.name).check()


def _damage(entry, what):
    chunk = next(p for p in entry.store.rglob("c/*/*") if p.is_file())
    if what == "chunk":
        raw = bytearray(chunk.read_bytes())
        raw[3] ^= 1
        chunk.write_bytes(raw)
    elif what == "seal":
        seal = entry.store / "neuroai-seal.json"
        seal.write_bytes(seal.read_bytes() + b" ")
    elif what == "key":
        content = json.loads((entry.folder / KEY).read_text())
        content["fields"]["weights_sha256"] = {"seed0": "0"}
        (entry.folder / KEY).write_text(json.dumps(content))
    elif what == "missing":
        chunk.unlink()
    else:
        (entry.store / "more").write_text("x")


def test_a_killed_entry_is_taken_up_again(cache, model, shown, monkeypatch):
    """What was begun is no hit; the next request finishes it."""
    from neuroai.experiment import cache as module

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "extract", killed)
        with pytest.raises(KeyboardInterrupt):
            cache.activations(model, shown)
    [entry] = cache.entries()
    assert not entry.finished
    assert cache.find(cache.key(model, shown)) is None
    cache.activations(model, shown)
    [entry] = cache.entries()
    assert entry.finished


def test_entries_come_with_the_last_used_first(cache, model, shown):
    """Reading an entry makes it the last used."""
    import os

    for layers in (["fc2"], ["conv1"]):
        cache.activations(model, shown, layers=layers)
    for entry in cache.entries():
        os.utime(entry.folder / KEY, (0, 0))
    cache.activations(model, shown, layers=["fc2"])
    assert cache.entries()[0].key.fields["layers"] == ["fc2"]


def test_the_nearest_entry_names_what_differs(cache, model, shown):
    """A miss can be explained: the nearest entry differs in the reduction alone."""
    from dataclasses import replace

    assert cache.nearest(cache.key(model, shown)) is None
    cache.activations(model, shown)
    _, names = cache.nearest(cache.key(replace(model, reduce="mean"), shown))
    assert names == ("reduce",)


def test_an_entry_is_found_by_its_first_digits(cache, model, shown):
    """No digits, or wrong ones, say how many entries begin so."""
    cache.activations(model, shown)
    [entry] = cache.entries()
    assert cache.entry(entry.short).folder == entry.folder
    with pytest.raises(UsageError, match=r"none does.*neuroai cache ls"):
        cache.entry("x")


def test_what_is_no_entry_is_a_stray(cache, model, shown):
    """A folder without a key is told apart and can be removed."""
    cache.activations(model, shown)
    (cache.folder / "lost").mkdir()
    assert [path.name for path in cache.strays()] == ["lost"]
    assert cache.remove(cache.folder / "lost") and cache.strays() == ()


def test_an_entry_that_is_being_written_is_not_removed(cache, model, shown):
    """The lock of an entry keeps it."""
    from filelock import FileLock

    cache.activations(model, shown)
    [entry] = cache.entries()
    with FileLock(cache.folder / f"{entry.folder.name}.lock"):
        assert not cache.remove(entry)
    assert cache.entries() and cache.remove(entry) and not cache.entries()


def test_a_renamed_entry_is_refused(cache, model, shown):
    """An entry under another digest does not pass its check."""
    cache.activations(model, shown)
    [entry] = cache.entries()
    entry.folder.rename(cache.folder / ("0" * 64))
    [moved] = cache.entries()
    with pytest.raises(IntegrityError, match="not as it was written"):
        moved.check()


def test_the_user_s_cache_lies_beside_the_downloads(tmp_path, monkeypatch):
    """$NEUROAI_CACHE names the folder of both."""
    monkeypatch.setenv("NEUROAI_CACHE", str(tmp_path))
    assert activations_folder() == tmp_path / "activations"
