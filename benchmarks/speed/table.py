"""Write the page of speeds from the figures kept: python benchmarks/speed/table.py FIGURES PAGE."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

HEAD = """Speed
=====

Every job beside the library that users would otherwise take, both in one run with the same
threads; medians with the smallest and largest in brackets, in seconds. The ratio is what counts,
since machines differ. A peer that is slow does a stated share of the work and its time is scaled.
Run them with ``pytest benchmarks/speed -s``; the page is written by
``pytest benchmarks/speed --figures figures.json`` and
``python benchmarks/speed/table.py figures.json docs/background/speed.rst``.

.. image:: ../_static/growth.svg
   :alt: Time of each job against its size on logarithmic axes, with the slope that the number of
         operations gives. The lines run beside each other.

The picture shows that cost grows as the work does (``python benchmarks/speed/growth.py``): time
against size for each job, and a dashed line with the slope of its number of operations.

.. list-table::
   :header-rows: 1
   :widths: 46 14 14 14 12

   * - job
     - ours
     - peer
     - ratio
     - note
"""


def _spread(times: list[float]) -> str:
    middle = f"{statistics.median(times):.3g}"
    return middle if len(times) == 1 else f"{middle} [{min(times):.3g}, {max(times):.3g}]"


def _ratio(value: float) -> str:
    return f"{value:,.0f} ×" if value >= 100 else f"{value:.3g} ×"


def row(name: str, figure: dict) -> str:
    """Give one row of the table."""
    job, _, peer = name.rpartition(" | ")
    cells = (
        job,
        _spread(figure["ours"]),
        f"{peer}: {_spread(figure['peer'])}",
        _ratio(figure["ratio"]),
        figure["note"].strip("() ") or "–",
    )
    return "   * - " + "\n     - ".join(cells) + "\n"


def main(figures: str, page: str) -> None:
    """Read the figures and write the page."""
    kept = json.loads(Path(figures).read_text(encoding="utf-8"))
    Path(page).write_text(
        HEAD + "".join(row(name, figure) for name, figure in sorted(kept.items())),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
