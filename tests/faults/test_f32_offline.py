"""F32: without a network the demo and local commands work, and what is missing is said."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from pathlib import Path
from unittest import mock

from fault_cases import Fault, Outcome, assert_held, in_child

from neuroai.cli import main
from neuroai.experiment.demo import GENERATOR_SEED, LAYERS, N_EACH, through_files
from neuroai.experiment.demo_brain import demo_stimuli, digit_images
from neuroai.systems.load import load_model

RESOURCES = 5  # exit code for what cannot be fetched
FULL = 10


def _blocked(*_given, **_options):
    raise OSError("the network is blocked by this test")


def run(cases, _rng):
    """Block every socket of a process, then work in it: the demo, and commands beside it."""
    found = Outcome()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # A tenth writes and reads the demo's files, without the comparison.
        tasks = [_files] if cases < FULL else [_demo]
        for task in (*tasks, *_commands()):
            child = in_child(lambda t=task: _offline(t, folder), folder=folder)
            found.check(child.said == "as it should", f"{task.__doc__}: {child}")
            found.count("tasks")
    return found


def _offline(task, folder):
    """Run a task where no socket can connect, with nothing in cache or data folder."""
    empty = {"NEUROAI_DATA": str(folder / "none"), "NEUROAI_CACHE": str(folder / "cache")}
    tries: list[object] = []

    def connecting(*given, **_options):
        tries.append(given)
        _blocked()

    with (
        mock.patch.dict(os.environ, empty),
        mock.patch.object(socket.socket, "connect", connecting),
        mock.patch.object(socket, "create_connection", connecting),
        mock.patch.object(socket, "getaddrinfo", connecting),
    ):
        return task(folder, tries)


def _demo(folder, tries):
    """The full demo."""
    code = main(["demo", "--out", str(folder / "demo"), "-q"])
    kept = (folder / "demo" / "report.html").is_file()
    return "as it should" if code == 0 and kept and not tries else f"{code}, {kept}, {tries}"


def _files(folder, tries):
    """The demo's files, written and read."""
    network = load_model(f"builtin:small_convnet?init=random&seeds={GENERATOR_SEED}", layers=LAYERS)
    stimuli = demo_stimuli(*digit_images(), n_each=N_EACH)
    held = through_files(folder / "files", network, stimuli, seed=0)
    n = len(held.systems[0].recordings)
    return "as it should" if n == 12 and not tries else f"{n} recordings, {tries}"


def _commands():
    """Commands that need no network, and commands that say what is missing."""
    for words in (["ls", "datasets"], ["ls", "models"], ["info", "kriegeskorte2008"]):
        yield _command(words, code=0, tried=False)
    for words in (
        ["fetch", "kriegeskorte2008"],
        ["compare", "kriegeskorte2008", "-m", "builtin:small_convnet", "-q"],
    ):
        yield _command(words, code=RESOURCES, tried=True)
    yield _command([*words, "--offline"], code=RESOURCES, tried=False)


def _command(words, *, code, tried):
    def task(folder, tries):
        os.chdir(folder)
        got = main(words)
        right = got == code and (tried or not tries)
        return "as it should" if right else json.dumps([got, len(tries)])

    task.__doc__ = " ".join(words)
    return task


FAULT = Fault("F32", "without a network: the demo works, what is missing is said", FULL, run)


def test_f32():
    """The demo's files, and commands that need nothing or say what they lack."""
    assert_held(FAULT)
