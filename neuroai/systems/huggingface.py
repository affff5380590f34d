"""Networks in the form of Hugging Face: a folder, or a repository at a revision."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.checks import need
from neuroai.errors import DataError, ResourceError, UsageError
from neuroai.systems.audio import Heard, built_audio_network
from neuroai.systems.model import Model
from neuroai.systems.texts import (
    TOKENS,
    Tokenised,
    built_text_network,
    longest_context,
    text_facts,
    text_family,
)
from neuroai.systems.weights import built

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def load_huggingface(
    target: str,
    *,
    random: bool = False,
    seeds: Sequence[int] = (0,),
    token: str | None = None,
    context: int | None = None,
) -> Model:
    """Load a network that sees, reads or hears; no code of the repository is run.

    Weights come from safetensors alone. Images are brought to size by Pillow, sounds to the
    network's rate. A language model is read at the tokens of a text's last word. Files
    ``imagenet_to_<n>_categories.json`` in a folder (category -> class indices) become the
    model's `output_map`.

    Parameters
    ----------
    target : str
        An existing folder, or ``ORG/NAME@REVISION``.
    random : bool
        Untrained controls instead of the trained weights.
    seeds : sequence of int
        Seeds of the controls; they are the subjects ``seed0``, ``seed1`` ...
    token : {"last", "mean", "sentence"}, optional
        Where a language model is read: ``last`` token of the last word by default.
    context : int, optional
        Tokens that a language model is shown at most; 512 by default, or what it can take.

    Raises
    ------
    MissingExtra
        transformers is not installed.
    UsageError
        Neither a folder nor a repository, a network that needs code of its own, or an option of
        language models for another network.
    ResourceError
        The files cannot be fetched.
    """
    folder, repository, revision = _place(target)
    transformers = need("transformers", extra="hf", purpose=f"The network 'hf:{target}'")
    where: dict[str, Any] = {"trust_remote_code": False}
    if revision:
        where["revision"] = revision
    with _explained(target), _quiet(transformers):
        config = transformers.AutoConfig.from_pretrained(repository, **where)
        sense = sense_of(transformers, config, repository=repository)
        if sense != "text" and (token is not None or context is not None):
            raise UsageError(f"token and context are for language models; 'hf:{target}' is none.")
        kind = _KINDS[sense](transformers, config, repository, where, token, context)
        modules = (
            tuple((f"seed{s}", partial(built, kind.fresh, seed=s)) for s in seeds)
            if random
            else (("trained", kind.trained()),)
        )
    name = target if folder is None else folder.name
    return Model(
        name=f"{name} (untrained)" if random else name,
        modules=modules,
        preprocess=kind.preprocess,
        output_map={} if folder is None else read_output_map(folder),
        labels=_labels(config),
        untrained=random,
        revision=str(getattr(config, "_commit_hash", None) or revision or ""),
        facts=kind.facts,
    )


def sense_of(transformers: Any, config: Any, *, repository: str) -> str:
    """Say whether a network takes images, text or sounds, by the kind that transformers knows.

    Raises
    ------
    UsageError
        None of the three.
    """
    auto = transformers.models.auto
    tables = {
        "vision": auto.image_processing_auto.IMAGE_PROCESSOR_MAPPING_NAMES,
        "audio": auto.feature_extraction_auto.FEATURE_EXTRACTOR_MAPPING_NAMES,
        "text": auto.tokenization_auto.TOKENIZER_MAPPING_NAMES,
    }
    for sense, known in tables.items():
        if config.model_type in known:
            return sense
    raise UsageError(
        f"'{repository}' is of the kind '{config.model_type}', for which transformers knows no "
        "way to show images, texts or sounds. Give it as py:MODULE:FACTORY with a preprocess."
    )


@dataclass(frozen=True)
class _Kind:
    """How one kind of network is built, fed and described."""

    fresh: Callable[[], nn.Module]
    trained: Callable[[], nn.Module]
    preprocess: Callable[[Any], Tensor]
    facts: Mapping[str, str]


Where = dict[str, Any]


def _vision(tf: Any, config: Any, place: str, where: Where, *_: Any) -> _Kind:
    family = _family(tf, config)
    return _Kind(
        fresh=_fresh(family, config),
        trained=partial(_pretrained, family, place, where),
        preprocess=_preprocess(_processor(tf, place, where)),
        facts={},
    )


def _text(
    tf: Any, config: Any, place: str, where: Where, token: str | None, context: int | None
) -> _Kind:
    family = text_family(tf, config)
    tokenizer = tf.AutoTokenizer.from_pretrained(place, **where)
    shown = Tokenised(tokenizer, token or TOKENS[0], longest_context(config, context))
    return _Kind(
        fresh=partial(built_text_network, _fresh(family, config)),
        trained=partial(built_text_network, partial(_pretrained, family, place, where)),
        preprocess=shown,
        facts=text_facts(shown),
    )


def _audio(tf: Any, config: Any, place: str, where: Where, *_: Any) -> _Kind:
    family = _family(tf, config, head="ForSequenceClassification", auto="AudioClassification")
    heard = Heard(tf.AutoFeatureExtractor.from_pretrained(place, **where))
    return _Kind(
        fresh=partial(built_audio_network, _fresh(family, config)),
        trained=partial(built_audio_network, partial(_pretrained, family, place, where)),
        preprocess=heard,
        facts={"sound_rate_hz": str(heard.rate)},
    )


_KINDS = {"vision": _vision, "text": _text, "audio": _audio}


def _place(target: str) -> tuple[Path | None, str, str]:
    folder = Path(target).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").exists():
            raise UsageError(f"The folder '{target}' holds no config.json.")
        return folder.resolve(), str(folder.resolve()), ""
    if target.startswith((".", "/", "~")) or not _REPOSITORY.fullmatch(target):
        raise UsageError(
            f"'hf:{target}' is neither an existing folder nor ORG/NAME@REVISION. "
            "Check the path (it is read from the working folder)."
        )
    repository, _, revision = target.partition("@")
    return None, repository, revision


def _family(
    transformers: Any,
    config: Any,
    *,
    head: str = "ForImageClassification",
    auto: str = "ImageClassification",
) -> Any:
    named = getattr(config, "architectures", None) or [""]
    classifies = str(named[0]).endswith(head)
    return getattr(transformers, f"AutoModelFor{auto}" if classifies else "AutoModel")


def _fresh(family: Any, config: Any) -> Callable[[], nn.Module]:
    return partial(family.from_config, config, trust_remote_code=False)


def _pretrained(family: Any, repository: str, where: dict[str, Any]) -> nn.Module:
    return family.from_pretrained(
        repository, use_safetensors=True, torch_dtype=torch.float32, **where
    )


def _processor(transformers: Any, repository: str, where: dict[str, Any]) -> Any:
    # The other back end needs torchvision, and its resizing gives other pixels.
    major = int(transformers.__version__.split(".")[0])
    pillow: dict[str, Any] = {"backend": "pil"} if major >= 5 else {"use_fast": False}
    return transformers.AutoImageProcessor.from_pretrained(repository, **pillow, **where)


@contextmanager
def _explained(target: str) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise ResourceError(
            f"'hf:{target}' cannot be read: {_first_line(error)} Check the name, the revision and "
            "the network, or give a folder that holds config.json and model.safetensors."
        ) from error
    except ValueError as error:
        raise UsageError(
            f"'hf:{target}' cannot be loaded: {_first_line(error)} Only networks that transformers "
            "itself knows are loaded; no code of a repository is run."
        ) from error


def _first_line(error: Exception) -> str:
    line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return line.strip()


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _preprocess(processor: Any) -> Callable[[Any], Tensor]:
    def preprocess(stimulus: Any) -> Tensor:
        return processor(images=as_rgb(stimulus), return_tensors="pt")["pixel_values"][0]

    return preprocess


def as_rgb(stimulus: Any) -> Any:
    """Turn a stimulus into a Pillow image in RGB: an image, or an array of 8-bit pixels.

    Raises
    ------
    DataError
        Neither an image nor an array of uint8 with shape (rows, columns[, 3 or 4]).
    """
    from PIL import Image

    if isinstance(stimulus, Image.Image):
        return stimulus.convert("RGB")
    if isinstance(stimulus, np.ndarray) and stimulus.dtype == np.uint8 and stimulus.ndim in (2, 3):
        return Image.fromarray(stimulus).convert("RGB")
    kind = getattr(stimulus, "dtype", type(stimulus).__name__)
    raise DataError(
        f"A vision network takes images (PIL.Image, or arrays of uint8 with shape (rows, columns) "
        f"or (rows, columns, 3)); got {kind} {getattr(stimulus, 'shape', '')}."
    )


def _labels(config: Any) -> tuple[str, ...]:
    names = getattr(config, "id2label", None) or {}
    return tuple(str(names[key]) for key in sorted(names, key=int))


def read_output_map(folder: Path) -> dict[str, tuple[int, ...]]:
    """Read the files ``imagenet_to_<n>_categories.json`` of a folder: category -> class indices.

    Raises
    ------
    DataError
        A file does not hold that, or two files disagree on a category.
    """
    found: dict[str, tuple[int, ...]] = {}
    for path in sorted(folder.glob("imagenet_to_*_categories.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not all(
            isinstance(some, list) and some and all(isinstance(i, int) for i in some)
            for some in content.values()
        ):
            raise DataError(f"{os.fspath(path)} must map each category to a list of class indices.")
        for category, indices in content.items():
            if found.setdefault(category, tuple(indices)) != tuple(indices):
                raise DataError(f"Two files in {folder} map '{category}' to different classes.")
    return found
