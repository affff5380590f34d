"""Lesion mapping of 944 stroke masks at 1 mm: 1,000 permutations, time and memory.

Run: pytest benchmarks/speed/test_lesion_mapping_speed.py -s. The bounds to hold are two minutes
and 4 GiB; reading the masks, with voxels of 1 mm, is timed beside it.
"""

from __future__ import annotations

import resource
import time

import numpy as np

from neuroai.numerics.lesion_mapping import map_lesions
from neuroai.sources.download import fetch_listed
from neuroai.sources.lesions import read_lesion_masks
from neuroai.sources.tables import read_table

GIB = 2**30
N_PERMUTATIONS = 1000
LEAST = 10  # persons in whom a voxel is lesioned
N_CHECKED = 50
SAME = 1e-4  # statistics are kept as float32
FOLDER = "soop_stroke_lesions"


def peak() -> float:
    """Give the largest memory of this process so far, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


def test_voxelwise_max_t():
    """All persons with a severity score, lesion volume held constant."""
    files = fetch_listed(FOLDER)
    table = read_table(files["participants.tsv"])
    scores = dict(
        zip(table.text("participant_id"), table.numbers("nihss", missing=("n/a", "")), strict=True)
    )
    masks = {
        name.split("bwsr")[1].split("_")[0]: path
        for name, path in files.items()
        if name.startswith("lesions/")
    }
    persons = sorted(p for p in masks if np.isfinite(scores.get(p, np.nan)))
    start = time.perf_counter()
    lesions = read_lesion_masks({p: masks[p] for p in persons}, least=LEAST)
    read = time.perf_counter() - start
    y = np.array([scores[p] for p in lesions["subject"].values])
    values = lesions.values
    volume = lesions["lesion_size"].values[:, None]
    before = peak()
    start = time.perf_counter()
    found = map_lesions(values, y, covariates=volume, n_permutations=N_PERMUTATIONS, least=LEAST)
    took = time.perf_counter() - start
    print(
        f"\n{len(y)} masks, {values.shape[1]:,} voxels, {found.n_unique:,} unlike columns tested: "
        f"read in {read:.0f} s (peak {before:.2f} GiB), {N_PERMUTATIONS} permutations in "
        f"{took:.0f} s (peak {peak():.2f} GiB), smallest corrected p "
        f"{np.nanmin(found.p_corrected):.3f}"
    )
    tested = np.flatnonzero(np.isfinite(found.statistic))
    for place in np.random.default_rng(0).choice(tested, N_CHECKED, replace=False):
        wanted = t_of(values[:, place], y, volume)
        assert abs(found.statistic[place] - wanted) < SAME * max(1.0, abs(wanted))


def t_of(lesioned: np.ndarray, y: np.ndarray, volume: np.ndarray) -> float:
    """Give the t of one voxel by least squares, volume beside it."""
    design = np.column_stack([lesioned, np.ones(len(y)), volume]).astype(float)
    weights, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    variance = np.sum((y - design @ weights) ** 2) / (len(y) - rank)
    return float(weights[0] / np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0]))
