"""All 1,449 lesion masks of a stroke study in a fresh process: seconds, and memory at the peak.

Run: pytest benchmarks/speed/test_lesion_masks_speed.py -s (needs NEUROAI_DATA). The bound to hold
is 2 GiB. Units are cubes of 2 mm: at 1 mm the masks alone would take 3.3 GiB, which is refused.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MOST = 2 * 2**30
N_MASKS = 1449
MEASURE = """
import sys, time
from pathlib import Path
from neuroai.errors import ResourceError
from neuroai.sources.lesions import read_lesion_masks

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))

paths = sorted(Path(sys.argv[1]).glob("*_lesion.nii.gz"))
files = {path.name.split("_")[0]: path for path in paths}
start = time.perf_counter()
masks = read_lesion_masks(files, block=2)
print(len(files), masks.sizes["unit"], time.perf_counter() - start, status("VmHWM"))
"""


@pytest.mark.skipif(not os.environ.get("NEUROAI_DATA"), reason="needs NEUROAI_DATA")
def test_all_masks() -> None:
    """Read all and print what it took."""
    folder = Path(os.environ["NEUROAI_DATA"]) / "soop_stroke_lesions" / "lesions"
    words = [sys.executable, "-c", MEASURE, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    n, n_units, took, peak = (float(word) for word in done.stdout.split())
    print(f"\n{n:.0f} masks, {n_units:.0f} cubes of 2 mm: {took:.3g} s, {peak / 2**30:.2f} GiB")
    assert n == N_MASKS and peak <= MOST
