"""Two hundred random interventions, fifty of them broken by an error, leave a network as it was."""

from __future__ import annotations

import numpy as np
import pytest
from interventions import ON_WEIGHTS, example

from neuroai.errors import UnknownName, UsageError
from neuroai.systems.catalogue import LESIONS
from neuroai.systems.heads import with_heads
from neuroai.systems.intervention import Intervention
from neuroai.systems.load import load_model
from neuroai.systems.weights import weights_sha256

N_INTERVENTIONS, EVERY = 200, 4
NAMES = ("small_convnet", "small_recurrent", "small_transformer")


def state(module):
    """Give all that an intervention might leave behind."""
    parts = list(module.modules())
    return (
        weights_sha256(module),
        [len(p._forward_hooks) + len(p._forward_pre_hooks) for p in parts],
        [p.training for p in parts],
        ["forward" in vars(p) for p in parts],
        [id(t) for t in module.parameters()],
        [t.requires_grad for t in module.parameters()],
    )


def drawn(model, rng, ids):
    """Draw an intervention of any kind and target in a network."""
    kind = str(rng.choice(LESIONS.names()))
    alone = LESIONS.get(kind).card.acts_on == ("weights",)
    if alone or (kind in ON_WEIGHTS and rng.random() < 0.5):
        plain = [
            name for name, part in model.module().named_modules()
            if hasattr(part, "in_features") and not name.endswith("out_proj")
        ]  # fmt: skip
        seed = int(rng.integers(9))
        return example(kind, str(rng.choice(plain)), (0, 2), of="weights", seed=seed)
    region = str(rng.choice(model.regions))
    needs = LESIONS.get(kind).card.needs
    of = str(rng.choice(["features", "units", "layer"])) if "seed" not in needs else "features"
    width = 1 + int(
        next(iter(model.recordings(model_stimuli(ids), regions=[region])))["feature_map"].max()
    )
    of = "layer" if "vector" in needs else of
    return example(
        kind, region, () if of == "layer" else (0, 1), ids=ids.ids, n_features=width, of=of,
        strength=float(rng.uniform(0.1, 1)), seed=int(rng.integers(99)),
    )  # fmt: skip


def model_stimuli(stimuli):
    """Give a single stimulus."""
    return stimuli.restrict(stimuli.ids[:1])


def _fail(part, args, output):
    raise ZeroDivisionError("injected")


def test_nothing_is_left_of_two_hundred_interventions(stimuli):
    """Weights, hooks, modes, parameters and outputs; every fourth pass is broken in its middle."""
    rng = np.random.default_rng(0)
    models = {name: load_model(f"builtin:{name}") for name in NAMES}
    models["heads"] = with_heads(models["small_transformer"])
    intact = {name: model.outputs(stimuli) for name, model in models.items()}
    before = {name: state(model.module()) for name, model in models.items()}
    n_broken = 0
    for number in range(N_INTERVENTIONS):
        name = list(models)[number % len(models)]
        model = models[name]
        one = drawn(model, rng, stimuli)
        if rng.permutation(EVERY)[0] == 0 and n_broken < N_INTERVENTIONS // EVERY:
            n_broken += 1
            last = model.module().get_submodule(model.regions[-1])
            broken = last.register_forward_hook(_fail)
            with pytest.raises(ZeroDivisionError):
                model.with_lesion(one, stimuli).outputs(stimuli)
            broken.remove()
        else:
            assert np.isfinite(model.with_lesion(one, stimuli).outputs(stimuli)).all()
        assert state(model.module()) == before[name], one.describe()
        assert not model.lesions
    assert n_broken >= 40
    for name, model in models.items():
        assert np.array_equal(model.outputs(stimuli), intact[name])


@pytest.mark.parametrize(
    ("facts", "error", "said"),
    [
        ({"region": "conv3"}, UnknownName, "Did you mean 'conv2'"),
        ({"kind": "zeero"}, UnknownName, "Did you mean 'zero'"),
        ({"of": "feature"}, UsageError, "Did you mean 'features'"),
        ({"origin": "simulate"}, UsageError, "Did you mean 'simulated'"),
        ({"targets": ()}, UsageError, "one or more whole numbers from 0; got none"),
        ({"targets": (0,), "of": "layer"}, UsageError, "takes no targets; got 0"),
        ({"targets": (99,)}, UsageError, "has 16 features, counted from 0 to 15"),
        ({"targets": (1024,), "of": "units"}, UsageError, "has 1024 units, counted from 0 to 1023"),
        ({"dose": 0.0}, UsageError, r"dose must lie in \(0, 1\]; got 0.0"),
        ({"dose": 1.2}, UsageError, r"dose must lie in \(0, 1\]; got 1.2"),
        ({"strength": -0.1}, UsageError, r"strength must lie in \[0, 1\]; got -0.1"),
        ({"kind": "scale"}, UsageError, "'scale' of 'features' needs amount="),
        ({"amount": 2.0}, UsageError, "'zero' of 'features' takes no amount"),
        ({"kind": "clamp", "amount": float("nan")}, UsageError, "amount must be a finite number"),
        ({"kind": "swap"}, UsageError, "'swap' of 'features' needs pairs="),
        ({"targets": (), "of": "direction"}, UsageError, "needs vector="),
        ({"targets": (), "of": "direction", "vector": (0.0,) * 16}, UsageError, "is not 0"),
        (
            {"targets": (), "of": "direction", "vector": (1.0, 2.0)},
            UsageError,
            "has 16 features; the vector has 2 numbers",
        ),
    ],
)
def test_a_wrong_intervention_is_told_and_changes_nothing(model, stimuli, facts, error, said):
    """Misspelt names, doses and strengths out of range, empty targets, vectors of another space."""
    before, outputs = state(model.module("seed0")), model.outputs(stimuli, subject="seed0")
    with pytest.raises(error, match=said):
        model.with_lesion(
            Intervention(**{"region": "conv1", "targets": (0,), "kind": "zero", **facts}), stimuli
        )
    assert state(model.module("seed0")) == before and not model.lesions
    assert np.array_equal(model.outputs(stimuli, subject="seed0"), outputs)
