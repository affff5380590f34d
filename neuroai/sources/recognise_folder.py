"""Which of a folder's files hold data: BIDS, stores and images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from neuroai.checks import listing
from neuroai.errors import DataError
from neuroai.sources.finding import Finding
from neuroai.sources.recognise_fmri import entities

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SOUNDS, OTHER_STIMULI = (".wav",), (".txt", ".npy")
STORES = ("zarr.json", ".zgroup", ".zattrs")
MOST_FILES = 20000
MOST_DECODED = 2000
BIDS_ENDINGS = (
    "_bold.nii", "_bold.nii.gz", "_bold.func.gii", "_events.tsv", "_beh.tsv", "_mask.nii",
    "_mask.nii.gz", "_dseg.nii", "_dseg.nii.gz", "_timeseries.tsv", "_regressors.tsv", ".nwb",
    *(f"_{kind}{end}" for kind in ("eeg", "meg", "ieeg")
      for end in (".fif", ".edf", ".bdf", ".vhdr", ".set")),
    "-epo.fif", "_epo.fif", "-ave.fif", "_ave.fif",
)  # fmt: skip
BROKEN = (OSError, ValueError, SyntaxError)
RESULTS = "provenance.json"  # in a folder of results, which are no data
LEFT_OUT = ("readme", "license", "changes", "license.txt", "changes.txt")


def folder_kind(path: Path) -> str:
    """Tell a Zarr store, a BIDS folder, a folder of images and any other folder apart.

    Returns
    -------
    str
        ``zarr``, ``bids``, ``images`` or ``folder``.
    """
    if path.suffix == ".zarr" or any((path / name).exists() for name in STORES):
        return "zarr"
    if (path / "dataset_description.json").is_file() or any(path.glob("sub-*/")):
        return "bids"
    if path.name.startswith("sub-") and any(entities(one) for one in path.rglob("sub-*_*")):
        return "bids"
    files = list(_files(path))
    n_shown = sum(_is_stimulus(one, path) for one in files)
    return "images" if files and n_shown * 2 > len(files) else "folder"


def _is_stimulus(one: Path, folder: Path) -> bool:
    """Take images and sounds for stimuli anywhere, texts and arrays where the folder says so."""
    suffix = one.suffix.lower()
    return suffix in (*IMAGES, *SOUNDS) or (folder.name == "stimuli" and suffix in OTHER_STIMULI)


def _files(path: Path) -> Iterator[Path]:
    """Walk in order, past hidden folders, and stop at a number no study reaches."""
    count = 0
    for one in sorted(path.rglob("*")):
        if any(part.startswith(".") for part in one.relative_to(path).parts):
            continue
        if one.is_file():
            count += 1
            if count > MOST_FILES:
                return
            yield one


def files_of(path: Path, *, bids: bool) -> tuple[list[Path], int]:
    """Give the files and inner folders to look into, and how many others there are.

    Parameters
    ----------
    path : pathlib.Path
        A folder.
    bids : bool
        Whether names say what each file is.
    """
    if not bids:
        inner = sorted(one for one in path.iterdir() if not one.name.startswith("."))
        kept = [one for one in inner if one.is_file() and one.name.lower() not in LEFT_OUT]
        # A link to a folder could lead back here.
        folders = [one for one in inner if one.is_dir() and not one.is_symlink()]
        folders = [one for one in folders if not (one / RESULTS).is_file()]
        kept = [one for one in kept if one.suffix.lower() != ".toml"]
        return kept + folders, len(inner) - len(kept) - len(folders)
    found = [one for one in _files(path) if "stimuli" not in one.relative_to(path).parts]
    kept = [one for one in found if one.name.endswith(BIDS_ENDINGS) and not _of_store(one)]
    stimuli = path / "stimuli"
    tables = [one for one in (path / "stimuli.tsv", stimuli / "stimuli.tsv") if one.is_file()]
    folders = [stimuli] if stimuli.is_dir() and folder_kind(stimuli) == "images" else []
    return _preferred(kept) + tables + folders, len(found) - len(kept)


def _of_store(path: Path) -> bool:
    return any(part.endswith((".zarr", ".ds")) for part in path.parts[:-1])


def _preferred(files: list[Path]) -> list[Path]:
    """Take preprocessed runs alone where there are some, and one space of each."""
    runs = [one for one in files if "_bold." in one.name]
    # What lies on a surface was derived, whatever its name says.
    cleaned = [one for one in runs if "desc-preproc" in one.name or one.name.endswith(".gii")]
    if not cleaned:
        return files
    volumes = [one for one in cleaned if not one.name.endswith(".gii")]
    spaces = sorted({entities(one).get("space", "") for one in volumes or cleaned})
    space = next((s for s in spaces if s.startswith("MNI")), spaces[0])
    kept = {one for one in cleaned if entities(one).get("space", "") == space}
    left = [
        one
        for one in files
        if one in kept or (one not in runs and entities(one).get("space", space) == space)
    ]
    return left


def image_folder(path: Path) -> Finding:
    """Count the images, sounds and texts of a folder and open each: a broken one is named."""
    from PIL import Image as pillow

    from neuroai.sources.stimulus_folder import READERS

    files = [one for one in _files(path) if _is_stimulus(one, path)]
    broken, modes, sizes = [], Counter(), Counter()
    for one in files[:MOST_DECODED]:
        suffix = one.suffix.lower()
        try:
            if suffix not in IMAGES:
                READERS[suffix](one)
                modes[suffix] += 1
                continue
            with pillow.open(one) as image:
                image.load()
                modes[image.mode] += 1
                sizes[image.size] += 1
        except (DataError, *BROKEN, pillow.DecompressionBombError) as error:
            broken.append(f"{one.name} ({error})")
    stems = Counter(one.stem for one in files)
    twice = [stem for stem, n in stems.items() if n > 1]
    odd = []
    if twice:
        odd.append(f"{len(twice)} names occur in several folders or formats: {listing(twice)}")
    if len(sizes) > 1:
        odd.append(f"images have {len(sizes)} sizes")
    tables = [one for one in _files(path) if one.name == "stimuli.tsv"]
    if len(files) > MOST_DECODED:
        odd.append(f"only the first {MOST_DECODED} were opened")
    shown = ", ".join(f"{w} × {h}" for (w, h), _ in sizes.most_common(3))
    shown = shown if modes else "none can be read"
    kind = "images" if all(one.suffix.lower() in IMAGES for one in files) else "stimuli"
    return Finding(
        path,
        "images",
        f"a folder of {kind}",
        found=(f"{len(files)} {kind} ({shown}; {listing(modes)})".replace("(; ", "("),),
        wrong=(f"{len(broken)} {kind} cannot be read: {listing(broken)}",) if broken else (),
        odd=tuple(odd),
        do="They are the stimuli: their names must be those in the events.",
        facts={"n": len(files), "table": str(tables[0]) if tables else ""},
    )
