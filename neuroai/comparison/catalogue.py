"""What is registered as a metric."""

from __future__ import annotations

from pathlib import Path

from neuroai.cards import MetricCard
from neuroai.registry import Registry

METRICS = Registry(
    kind="metric",
    card_type=MetricCard,
    group="neuroai.metrics",
    folder=Path(__file__).parent / "metrics",
    prefix="neuroai.comparison.metrics",
)
