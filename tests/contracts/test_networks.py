"""What holds for every network, registered or awkward: reading and lesions leave no trace."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from interventions import ON_ACTIVITY, example
from torch import nn

from neuroai.format.stimuli import stimulus_set
from neuroai.format.validate import validate
from neuroai.systems.catalogue import MODELS
from neuroai.systems.lesion import Lesion
from neuroai.systems.model import Model
from neuroai.systems.weights import seeded

BATCH = 1e-5  # relative; float32 sums in another order
AGREES = 1e-6  # relative; the same float32 operations
N_STIMULI = 33


class Recurrent(nn.Module):
    """Rows as steps, time first; the whole sequence is read out."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 6, batch_first=False, bidirectional=True)
        self.readout = nn.Linear(12, 4)

    def forward(self, images):
        """Give logits."""
        steps, _ = self.lstm(images[:, 0].movedim(1, 0))
        return self.readout(steps.mean(dim=0))


class Token(nn.Module):
    """A block that gives a tuple."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, tokens):
        """Give tokens and their sum."""
        tokens = self.layer(tokens)
        return tokens, tokens.sum()


class Transformer(nn.Module):
    """Blocks with tuple outputs."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Token(), Token()])
        self.head = nn.Linear(8, 4)

    def forward(self, images):
        """Give logits in a tuple."""
        tokens = images[:, 0]
        for block in self.blocks:
            tokens, _ = block(tokens)
        return self.head(tokens.mean(dim=1)), tokens


class Twice(nn.Module):
    """One module is called twice in a pass."""

    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(64, 10)
        self.step = nn.Linear(10, 10)
        self.act = nn.ReLU(inplace=True)
        self.out = nn.Linear(10, 4)

    def forward(self, images):
        """Give logits."""
        state = self.act(self.inp(images.flatten(1)))
        for _ in range(2):
            state = self.act(self.step(state)) + 1
        return self.out(state)


class Tied(nn.Module):
    """The readout shares the weights of the first layer."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(64, 64, bias=False)
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(64)
        self.readout = nn.Linear(64, 64, bias=False)
        self.readout.weight = self.embed.weight

    def forward(self, images):
        """Give logits in a mapping."""
        return {"logits": self.readout(self.drop(self.norm(self.embed(images.flatten(1)))))}


class Residual(nn.Module):
    """The network writes into what its layers give."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.conv3 = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 4)

    def forward(self, images):
        """Give logits."""
        first = self.conv1(images)
        maps = self.relu(first)
        second = self.conv2(maps)
        second += maps
        third = self.conv3(second)
        third += second
        return self.head(third.mean(dim=(2, 3)))


# (class, layer to lesion, a layer after it or the same)
AWKWARD = {
    "recurrent": (Recurrent, "lstm", "readout"),
    "transformer": (Transformer, "blocks.0", "blocks.1.layer.linear1"),
    "attention inside a block": (Transformer, "blocks.0.layer.self_attn", "blocks.1"),
    "called twice": (Twice, "step", "out"),
    "before the one called twice": (Twice, "inp", "step"),
    "tied weights": (Tied, "norm", "readout"),
    "in place": (Residual, "conv3", "conv3"),
    "early in place": (Residual, "conv2", "conv3"),
}
CASES = [*AWKWARD, *MODELS.names()]


def _module(name):
    if name in AWKWARD:
        with seeded(0):
            return AWKWARD[name][0]()
    return MODELS.get(name).function(seed=0)


def _layers(name, module):
    if name in AWKWARD:
        return AWKWARD[name][1:]
    regions = _model(module).regions
    return regions[len(regions) // 2], regions[-1]


def _tensor(stimulus):
    return torch.tensor(stimulus, dtype=torch.float32)[None] / 255


def _model(module, **options):
    return Model(name="net", modules=(("trained", module),), preprocess=_tensor, **options)


@pytest.fixture(scope="module")
def stimuli():
    """Random images of 8 by 8 pixels, not to be written to."""
    rng = np.random.default_rng(5)
    images = {f"s{i:02d}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(N_STIMULI)}
    for image in images.values():
        image.setflags(write=False)
    return stimulus_set(pd.DataFrame({"stimulus_id": list(images)}), name="toy", load=images.get)


@pytest.fixture(params=CASES)
def case(request):
    """A network, a layer to lesion and a layer to read."""
    module = _module(request.param)
    return module, *_layers(request.param, module)


def _values(model, stimuli):
    return {r.attrs["region"]: r for r in model.recordings(stimuli)}


def _relative(got, wanted):
    return float(np.abs(got - wanted).max() / max(np.abs(wanted).max(), 1e-30))


def _n_hooks(module):
    return sum(len(p._forward_hooks) + len(p._forward_pre_hooks) for p in module.modules())


def test_reading_twice_gives_the_same(case, stimuli):
    """Every default layer gives the same numbers on a second sweep, and keeps the form."""
    model = _model(case[0])
    first, again = _values(model, stimuli), _values(model, stimuli)
    assert set(first) == set(model.regions)
    for region, recording in first.items():
        assert np.array_equal(validate(recording).values, again[region].values)


def test_order_of_the_stimuli_does_not_matter(case, stimuli):
    """A shuffled set gives the same activity for each id."""
    other = stimulus_set(
        stimuli.table.drop(columns="sha256").sample(frac=1, random_state=0).reset_index(),
        name="toy",
        load=stimuli.load,
    )
    wanted, got = _values(_model(case[0]), stimuli), _values(_model(case[0]), other)
    for region in wanted:
        assert got[region]["stimulus_id"].values.tolist() == list(stimuli.ids)
        assert np.array_equal(got[region].values, wanted[region].values)


def _lesion(kind, model, region, targets, stimuli, reference=None, **options):
    """Make an example of a kind for a layer of any width."""
    [recording] = model.recordings(stimuli.restrict(stimuli.ids[:1]), regions=[region])
    return example(
        kind, region, targets, ids=stimuli.ids, sources=(reference or stimuli).ids,
        n_features=int(recording["feature_map"].values.max()) + 1, **options,
    )  # fmt: skip


@pytest.mark.parametrize("batch_size", [1, 7, 32])
def test_batch_size_does_not_matter(case, stimuli, batch_size):
    """Activity and noise-lesioned outputs stay the same whatever the batch size."""
    module, region, _ = case
    whole, parts = (_model(module, batch_size=size) for size in (N_STIMULI, batch_size))
    wanted, got = _values(whole, stimuli), _values(parts, stimuli)
    for name in wanted:
        assert _relative(got[name].values, wanted[name].values) <= BATCH
    lesion = Lesion(region, (0, 2), "noise", strength=0.5, seed=1)
    outputs = [model.with_lesion(lesion, stimuli).outputs(stimuli) for model in (whole, parts)]
    assert _relative(outputs[1], outputs[0]) <= BATCH


def test_nothing_is_left_behind(case, stimuli):
    """Weights, modes and hooks are after reading and lesions what they were before."""
    module, region, layer = case
    module.train()
    next(module.children()).eval()
    modes = [part.training for part in module.modules()]
    model = _model(module)
    before, wanted = model.weights_sha256(), model.outputs(stimuli)
    for kind in ON_ACTIVITY:
        lesion = _lesion(kind, model, region, (1,), stimuli)
        lesioned = model.with_lesion(lesion, stimuli)
        list(lesioned.recordings(stimuli))
        model.lesion_bench(region, stimuli, reference=stimuli).run(lesion, layers=[layer])
    assert model.weights_sha256() == before == lesioned.weights_sha256()
    assert [part.training for part in module.modules()] == modes
    assert _n_hooks(module) == 0 and not any("forward" in vars(p) for p in module.modules())
    assert np.array_equal(model.outputs(stimuli), wanted)


def test_an_exception_leaves_nothing_behind(case, stimuli):
    """An error in the middle of a pass removes hooks and restores modes all the same."""
    module, region, layer = case
    module.train()
    model = _model(module)
    bench = model.lesion_bench(region, stimuli, reference=stimuli)
    broken = module.get_submodule(layer).register_forward_hook(_fail)
    for act in (
        lambda: list(model.recordings(stimuli)),
        lambda: model.with_lesion(Lesion(region, (0,), "mean"), stimuli).outputs(stimuli),
        lambda: bench.run(Lesion(region, (0,), "mean")),
    ):
        with pytest.raises(ZeroDivisionError):
            act()
    broken.remove()
    assert _n_hooks(module) == 0 and all(part.training for part in module.modules())
    assert not any("forward" in vars(part) for part in module.modules())


def _fail(part, args, output):
    raise ZeroDivisionError("injected")


def test_what_was_read_is_a_copy(case, stimuli):
    """Later parts that write in place do not change what was read, nor does a later sweep."""
    module, _, layer = case
    model = _model(module)
    alone = next(iter(model.recordings(stimuli, regions=[layer]))).values.copy()
    among = _values(_model(module, layers=("**",)), stimuli)[layer]
    assert np.array_equal(among.values, alone)


def test_bench_gives_what_a_full_pass_gives(case, stimuli):
    """Of every kind: outputs, the layer itself and a later one equal the lesioned model's."""
    module, region, layer = case
    model = _model(module)
    half = stimuli.restrict(stimuli.ids[::2])
    bench = model.lesion_bench(region, stimuli, reference=half)
    for kind in ON_ACTIVITY:
        lesion = _lesion(kind, model, region, (1, 2), stimuli, half, strength=0.8, seed=4)
        outputs, read = bench.run(lesion, layers=[region, layer])
        wanted = model.with_lesion(lesion, half).sweep(stimuli, layers=[region, layer])
        assert _relative(outputs, wanted.outputs) <= AGREES, kind
        for name in (region, layer):
            assert _relative(read[name], wanted.layers[name].values) <= AGREES, kind


def test_a_lesion_acts_and_a_null_lesion_does_not(case, stimuli):
    """Of every kind: three features change the outputs; strength 0 changes nothing."""
    module, region, _ = case
    model = _model(module)
    intact = model.outputs(stimuli)
    for kind in ON_ACTIVITY:
        null, full = (
            model.with_lesion(_lesion(kind, model, region, (0, 1, 2), stimuli, strength=s), stimuli)
            for s in (0.0, 1.0)
        )
        assert np.array_equal(null.outputs(stimuli), intact), kind
        assert _relative(full.outputs(stimuli), intact) > AGREES, kind


def test_caching_is_used_where_the_network_repeats_itself(stimuli):
    """A layer that is called once is cached, also in a network that writes in place."""
    assert _model(_module("in place")).lesion_bench("conv3", stimuli).cached
    assert not _model(_module("called twice")).lesion_bench("step", stimuli).cached


def test_two_calls_are_two_steps(stimuli):
    """A layer that is called twice has a time axis of two steps; a recurrent one has its own."""
    twice = _values(_model(_module("called twice")), stimuli)["step"]
    rows = _values(_model(_module("recurrent")), stimuli)["lstm"]
    assert twice.sizes["time"] == 2 and twice.attrs["time_unit"] == "step"
    assert (rows.sizes["unit"], rows.sizes["time"]) == (12, 8)
