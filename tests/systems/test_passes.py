"""Where and in which precision a network runs: as asked, or refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neuroai.errors import ResourceError, UsageError
from neuroai.systems import passes
from neuroai.systems.passes import check_device, precision


@pytest.mark.parametrize("device", ["gpu", "meta", "vulkan", "", "cpu:x"])
def test_what_is_no_device_is_refused(device):
    """Also devices that torch knows and on which nothing is computed."""
    with pytest.raises(UsageError, match=r"device must be 'cpu' or 'cuda'; got"):
        check_device(device)


@pytest.mark.parametrize("device", ["cuda", "cuda:3", "mps", "xpu"])
def test_an_absent_device_is_refused_with_the_remedy(device, monkeypatch):
    """Without it nothing runs elsewhere instead."""
    monkeypatch.setattr(passes, "SEEN", {name: lambda: 0 for name in passes.SEEN})
    with pytest.raises(ResourceError, match=f"device='{device}' was asked for .* Use device='cpu'"):
        check_device(device)


def test_a_card_beyond_the_last_is_refused(monkeypatch):
    """With two cards, the third is not there, and the second is."""
    monkeypatch.setattr(passes, "SEEN", {"cuda": lambda: 2})
    check_device("cuda:1")
    with pytest.raises(ResourceError, match="torch sees 2 of them here"):
        check_device("cuda:2")


def test_bfloat16_is_a_choice():
    """Products are rounded to bfloat16 where it is asked for, and nowhere else."""
    linear, shown = nn.Linear(4, 3), torch.ones(2, 4)
    with torch.no_grad():
        with precision("float32", "cpu"):
            assert linear(shown).dtype == torch.float32
        with precision("bfloat16", "cpu"):
            assert linear(shown).dtype == torch.bfloat16
    with pytest.raises(UsageError, match="dtype must be one of 'float32', 'bfloat16'"):
        precision("float16", "cpu")
