"""Images by id."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from neuroai.format.stimuli import stimulus_set
from neuroai.sources.images import ImageArrays, ImageFiles

PIXELS = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)


def test_files_open_as_rgb(tmp_path: Path) -> None:
    """A palette or grey image opens as RGB with the same pixels."""
    grey = np.array([[0, 255]], dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "g.png")
    image = ImageFiles({"g": tmp_path / "g.png"})("g")
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image)[0, :, 0], grey[0])


def test_arrays_give_their_pixels() -> None:
    """An image in memory has the pixels of its array, also after a trip to another process."""
    images = pickle.loads(pickle.dumps(ImageArrays({"a": PIXELS})))
    np.testing.assert_array_equal(np.asarray(images("a")), PIXELS)


@pytest.mark.parametrize("images", [ImageFiles({}), ImageArrays({})])
def test_absent_images_count_as_not_at_hand(images: ImageFiles | ImageArrays) -> None:
    """A stimulus without an image raises FileNotFoundError, which a set takes as not at hand."""
    with pytest.raises(FileNotFoundError, match="'x' is not at hand"):
        images("x")
    stimuli = stimulus_set(pd.DataFrame({"stimulus_id": ["x"]}), name="s", load=images)
    assert stimuli.available == ()
