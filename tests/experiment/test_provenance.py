"""Provenance holds what is needed to make a result again, and nothing that is secret."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import sys

import pytest

from neuroai.experiment.provenance import provenance, redacted, versions
from neuroai.experiment.run import stimuli_sha256, systems_sha256

SECRET = "s3cr3tvalue0123456789"  # noqa: S105


@pytest.mark.parametrize(
    "command",
    [
        f"neuroai run --model hf:a/b?token={SECRET}&seeds=0",
        f"neuroai run --api-key={SECRET} --seed 1",
        f"neuroai run --token {SECRET} --seed 1",
        f"neuroai fetch https://me:{SECRET}@example.org/x",
        f"neuroai run --model hf_{SECRET}",
        f"neuroai run PASSWORD={SECRET}",
    ],
)
def test_secrets_are_hidden(command):
    """Tokens, keys, passwords and logins do not survive, wherever they stand."""
    assert SECRET not in redacted(command) and "***" in redacted(command)


def test_what_is_no_secret_stays():
    """Names that only sound alike are kept."""
    command = "neuroai compare kriegeskorte2008 --system monkey --model builtin:net?seeds=0,1"
    assert redacted(f"/usr/local/bin/{command}") == command


def test_no_environment_variable_is_recorded(monkeypatch):
    """Nothing of the environment is in what is written, and the whole is JSON."""
    monkeypatch.setenv("NEUROAI_TEST_VARIABLE", SECRET)
    monkeypatch.setattr(sys, "argv", ["/opt/bin/neuroai", "demo", f"--token={SECRET}"])
    found = provenance(
        data={"name": "x"}, models=[{"name": "m"}], options={"seed": 3}, seconds=1.26
    )
    text = json.dumps(found)
    assert SECRET not in text and "NEUROAI_TEST_VARIABLE" not in text
    assert found["command"] == "neuroai demo --token=***"
    assert (found["options"], found["seconds"]) == ({"seed": 3}, 1.3)


def test_versions_are_those_installed():
    """Packages are given with their version; what is absent is said to be."""
    found = versions()
    assert found["numpy"] == importlib.metadata.version("numpy")
    assert "" not in found.values()


def test_hashes_follow_the_data(simulation):
    """A changed recording, choice or stimulus changes the hash; a second look does not."""
    before = systems_sha256(simulation)
    assert systems_sha256(simulation) == before
    data = simulation.systems[0]
    values = data.recordings[0].copy(deep=True)
    values[0, 0] += 1
    table = data.behaviour[0].copy(deep=True)
    table["choice"][0] = "other"
    for changed in (
        dataclasses.replace(data, recordings=(values, *data.recordings[1:])),
        dataclasses.replace(data, behaviour=(table,)),
    ):
        holdings = dataclasses.replace(simulation, systems=(changed,))
        assert systems_sha256(holdings) != before
    fewer = simulation.stimuli.restrict(simulation.stimuli.ids[1:])
    other = dataclasses.replace(simulation, stimuli=fewer)
    assert stimuli_sha256(other) != stimuli_sha256(simulation)
