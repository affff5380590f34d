"""Images inside a zip archive, read into memory; nothing is written to disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from neuroai.checks import listing
from neuroai.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
# An archive may claim little and unpack to more than the memory.
LARGEST_IMAGE, LARGEST_ARCHIVE = 2**26, 2**31


def read_zipped_images(path: str | Path) -> dict[str, bytes]:
    """Read the encoded images of an archive, by the name of each file without folder and suffix.

    Parameters
    ----------
    path : path
        A zip archive; files that are no images are passed over.

    Returns
    -------
    dict
        From name to the file's bytes, in order of the names.

    Raises
    ------
    DataError
        It is no zip archive, an image or all of them unpack to too much (64 MiB, 2 GiB), a file
        is damaged, or two images have one name.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _images(archive, path)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError) as error:
        raise DataError(
            f"{path} cannot be read as a zip archive ({error}). Fetch it anew."
        ) from error


def _images(archive: zipfile.ZipFile, path: str | Path) -> dict[str, bytes]:
    members = [m for m in archive.infolist() if _is_image(m)]
    large = [m.filename for m in members if m.file_size > LARGEST_IMAGE]
    if large or sum(member.file_size for member in members) > LARGEST_ARCHIVE:
        raise DataError(
            f"{path} unpacks to more than is allowed for images: "
            f"{listing(large) or 'all of them together'}."
        )
    names = [PurePosixPath(member.filename).stem for member in members]
    twice = sorted({name for name in names if names.count(name) > 1}) if _repeats(names) else []
    if twice:
        raise DataError(f"{path} holds several images of one name: {listing(twice)}.")
    pairs = sorted(zip(names, members, strict=True), key=lambda pair: pair[0])
    return {name: archive.read(member) for name, member in pairs}


def _repeats(names: list[str]) -> bool:
    return len(set(names)) < len(names)


def _is_image(member: zipfile.ZipInfo) -> bool:
    # macOS adds files that begin with "._" beside every file.
    name = PurePosixPath(member.filename)
    return name.suffix.lower() in SUFFIXES and not name.name.startswith("._")


@dataclass(frozen=True)
class EncodedImages:
    """Encoded images in memory; ``images(stimulus_id)`` decodes one as RGB.

    Attributes
    ----------
    encoded : mapping
        From stimulus id to the bytes of an image file.
    """

    encoded: Mapping[str, bytes]

    def __call__(self, stimulus_id: str) -> Image:
        """Decode the image of one stimulus."""
        from PIL import Image as pillow

        if stimulus_id not in self.encoded:
            raise FileNotFoundError(f"The image of stimulus '{stimulus_id}' is not at hand.")
        with pillow.open(io.BytesIO(self.encoded[stimulus_id])) as image:
            return image.convert("RGB")
