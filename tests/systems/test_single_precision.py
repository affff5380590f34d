"""TF32 is off while a network runs, and what the caller had set comes back."""

from __future__ import annotations

import pytest
import torch

from neuroai.systems.hooks import inference
from neuroai.systems.single_precision import full_single_precision


def _settings() -> tuple[str, ...]:
    return (
        torch.backends.cudnn.conv.fp32_precision,
        torch.backends.cudnn.rnn.fp32_precision,
        torch.backends.cuda.matmul.fp32_precision,
    )


def test_products_are_exact_inside_and_settings_come_back():
    """After a pass, and after an error in one."""
    before = _settings()
    with full_single_precision():
        assert _settings() == ("ieee",) * 3
    assert _settings() == before
    with pytest.raises(ZeroDivisionError), full_single_precision():
        raise ZeroDivisionError
    assert _settings() == before


def test_every_pass_of_a_network_is_exact():
    """A network that is read runs in it."""
    seen = []
    net = torch.nn.Identity()
    net.register_forward_hook(lambda *_: seen.append(_settings()))
    with inference(net):
        net(torch.zeros(1))
    assert seen == [("ieee",) * 3]


def test_older_versions_of_torch_have_one_switch_each(monkeypatch):
    """Before torch 2.9 convolutions and products had a truth value."""

    class Old:
        allow_tf32 = True

    conv, products = Old(), Old()
    monkeypatch.setattr(torch.backends, "cudnn", conv)
    monkeypatch.setattr(torch.backends.cuda, "matmul", products)
    with full_single_precision():
        assert not conv.allow_tf32 and not products.allow_tf32
    assert conv.allow_tf32 and products.allow_tf32
