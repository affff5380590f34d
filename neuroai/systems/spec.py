"""The sentences that name a network: ``scheme:what?key=value``."""

from __future__ import annotations

from dataclasses import dataclass

from neuroai.checks import listing, near_miss, one_of
from neuroai.errors import UsageError
from neuroai.systems.reduction import read_reduction
from neuroai.systems.texts import TOKENS

SCHEMES = {
    "hf": "hf:FOLDER or hf:ORG/NAME@REVISION, a network in the form of Hugging Face",
    "timm": "timm:NAME, a network of timm",
    "torchvision": "torchvision:NAME or torchvision:NAME.WEIGHTS, a network of torchvision",
    "py": "py:MODULE:FACTORY or py:FILE.py:FACTORY, a Python function that gives a network",
    "builtin": "builtin:NAME, a registered network",
    "acts": "acts:FILE, activations on disk (.npz, .safetensors or .zarr with ids)",
}
KEYS = ("init", "seeds", "layers", "reduce", "token", "context", "frames")


@dataclass(frozen=True)
class Spec:
    """A network named by a sentence.

    Attributes
    ----------
    scheme, target : str
        Such as ``hf`` and a folder.
    random : bool
        Whether untrained controls are asked for (``init=random``).
    seeds : tuple of int
        Seeds of the controls.
    layers : tuple of str
        Names or globs of the layers to read.
    reduce : str or None
        What is kept of each layer, as `neuroai.systems.reduction.read_reduction` reads it.
    token : str or None
        Where a language model is read: ``last``, ``mean`` or ``sentence``.
    context : int or None
        Tokens that a language model is shown at most.
    frames : str or None
        ``each``: a network of images is shown every frame of a film.
    """

    scheme: str
    target: str
    random: bool = False
    seeds: tuple[int, ...] = (0,)
    layers: tuple[str, ...] = ()
    reduce: str | None = None
    token: str | None = None
    context: int | None = None
    frames: str | None = None


def read_spec(sentence: str) -> Spec:
    """Read the sentence that names a network.

    Raises
    ------
    UsageError
        An unknown scheme, key or value; schemes are listed and the nearest key is named.

    Examples
    --------
    >>> read_spec("hf:nets/small?init=random&seeds=0,1").seeds
    (0, 1)
    """
    address, _, query = sentence.partition("?")
    scheme, colon, target = address.partition(":")
    if not colon or scheme not in SCHEMES or not target:
        guess = near_miss(scheme, SCHEMES) if colon else "A scheme and a colon come first."
        forms = "; ".join(SCHEMES.values())
        raise UsageError(f"'{sentence}' does not name a network. {guess} The forms are: {forms}.")
    return Spec(scheme, target, **_options(query))


def _options(query: str) -> dict[str, object]:
    given: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        key, _, value = pair.partition("=")
        if key not in KEYS:
            raise UsageError(
                f"A network has no option '{key}'. {near_miss(key, KEYS)} "
                f"The options are: {listing(KEYS)}."
            )
        if key in given or not value:
            raise UsageError(f"The option '{key}' needs one value; write {key}=VALUE once.")
        given[key] = value
    return _checked(given)


def _checked(given: dict[str, str]) -> dict[str, object]:
    options: dict[str, object] = {}
    if "init" in given:
        if given["init"] != "random":
            raise UsageError(f"init must be 'random'; got '{given['init']}'.")
        options["random"] = True
    if "seeds" in given:
        options["seeds"] = _seeds(given["seeds"])
    if "layers" in given:
        options["layers"] = tuple(given["layers"].split(","))
    if "reduce" in given:
        read_reduction(given["reduce"])
        options["reduce"] = given["reduce"]
    if "token" in given:
        options["token"] = one_of(given["token"], TOKENS, option="token")
    if "frames" in given:
        options["frames"] = one_of(given["frames"], ("each",), option="frames")
    if "context" in given:
        if not given["context"].isdecimal():
            raise UsageError(f"context is a whole number of tokens; got '{given['context']}'.")
        options["context"] = int(given["context"])
    return options


def _seeds(value: str) -> tuple[int, ...]:
    parts = value.split(",")
    if not all(part.isdigit() for part in parts) or len(set(parts)) < len(parts):
        raise UsageError(
            f"seeds are different whole numbers with commas between, such as 0,1,2; got '{value}'."
        )
    return tuple(int(part) for part in parts)
