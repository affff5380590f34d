"""F16: a lesion changes no weight, and nothing of it is left in the next run."""

from __future__ import annotations

import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held

from neuroai.format.stimuli import stimulus_set
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model
from neuroai.systems.weights import weights_sha256

NETWORKS = ("small_convnet", "small_recurrent", "small_transformer")


def read(model, shown):
    """Give the activity of every default layer."""
    return {r.attrs["region"]: r.values for r in model.recordings(shown)}


def run(cases, rng):
    """Lesion random targets of random layers; compare weights, hooks and intact activity."""
    found = Outcome()
    pixels = {f"i{k}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for k in range(4)}
    table = pd.DataFrame({"stimulus_id": list(pixels)})
    shown = stimulus_set(table, name="images", load=pixels.__getitem__)
    models = {name: load_model(f"builtin:{name}?seeds=0") for name in NETWORKS}
    intact = {name: read(model, shown) for name, model in models.items()}
    for case in range(cases):
        name = NETWORKS[case % len(NETWORKS)]
        model = models[name]
        before = weights_sha256(model.module())
        region = str(rng.choice(model.regions))
        kind = str(rng.choice(["zero", "mean", "noise"]))
        lesion = Lesion(region, (0, 1), kind, float(rng.uniform(0.2, 1)), seed=case)
        lesioned = read(model.with_lesion(lesion, shown), shown)
        changed = any(not np.array_equal(lesioned[r], intact[name][r]) for r in lesioned)
        after = read(model, shown)
        same = all(np.array_equal(after[r], intact[name][r]) for r in after)
        hooks = sum(len(part._forward_hooks) for part in model.module().modules())
        # Units that are silent for these stimuli lose nothing.
        found.count("lesions that changed activity" if changed else "lesions of silent units")
        held = same and not hooks and weights_sha256(model.module()) == before
        found.check(held, f"case {case}: {lesion.describe()} of {name}: {same}, {hooks} hooks")
    changed = found.counts["lesions that changed activity"]
    found.check(changed > 0.8 * cases, f"only {changed} of {cases} lesions did anything")
    return found


FAULT = Fault("F16", "a lesion changes no weight and leaves nothing behind", 200, run)


def test_f16():
    """After every lesion the network is what it was."""
    assert_held(FAULT)
