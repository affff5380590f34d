"""Names of layers: those of ``named_modules()``, chosen by name or glob."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from torch import Tensor, nn

from neuroai.checks import known_name
from neuroai.errors import UnknownName

_LISTS = (nn.ModuleList, nn.Sequential)
_WITHOUT_FORWARD = (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
_ONE_PIECE = (nn.MultiheadAttention, nn.RNNBase)


class Heads(nn.Module):
    """What all heads of an attention found, one after the other; it passes them on as they are.

    Attributes
    ----------
    n_heads : int
        Heads; features h d to (h + 1) d - 1 are head h, from 0.
    """

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads

    def forward(self, heads: Tensor) -> Tensor:
        """Give what came (n, tokens, heads times width), as a view of its own."""
        return heads.view(heads.shape)


def named_layers(module: nn.Module) -> dict[str, nn.Module]:
    """Give every layer that can be called, by name, in the order of ``named_modules()``.

    Lists of layers are not called, nor are the parts of torch's own attention.

    Examples
    --------
    >>> list(named_layers(nn.Sequential(nn.Linear(2, 2), nn.ReLU())))
    ['0', '1']
    """
    layers: dict[str, nn.Module] = {}
    uncalled: tuple[str, ...] = ()
    for name, part in module.named_modules():
        if isinstance(part, nn.MultiheadAttention):
            uncalled += (f"{name}.",)
        inside = name.startswith(uncalled) and not isinstance(part, Heads)
        if name and not isinstance(part, _WITHOUT_FORWARD) and not inside:
            layers[name] = part
    return layers


def choose_layers(module: nn.Module, patterns: Sequence[str]) -> tuple[str, ...]:
    """Resolve names and globs into layer names, in the order of ``named_modules()``.

    In a glob ``*`` and ``?`` stay within one dotted part of a name and ``**`` stands for any
    number of parts: ``layer.*`` gives ``layer.0`` but not ``layer.0.convolution``, which
    ``layer.**`` and ``**.convolution`` give.

    Raises
    ------
    UnknownName
        A name or glob that no layer has; the nearest are listed.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.Linear(2, 1)))
    >>> choose_layers(net, ["*"]), choose_layers(net, ["1.**"])
    (('0', '1'), ('1', '1.0', '1.1'))
    """
    names = tuple(named_layers(module))
    chosen: set[str] = set()
    for pattern in patterns:
        found = [name for name in names if matches(name, pattern)]
        if not found and any(sign in pattern for sign in "*?["):
            raise UnknownName(
                f"No layer matches '{pattern}'. '*' stays within one dotted part; '**' stands for "
                f"any number of parts. Layers begin with: {', '.join(names[:6])}."
            )
        if not found:
            known_name(pattern, names, kind="layer")
        chosen.update(found)
    return tuple(name for name in names if name in chosen)


def matches(name: str, pattern: str) -> bool:
    """Say whether a dotted name matches a glob.

    Examples
    --------
    >>> matches("a.1.c", "a.*.c"), matches("a.1.c", "a.*"), matches("a.1.c", "**.c")
    (True, False, True)
    """
    return name == pattern or _parts_match(name.split("."), pattern.split("."))


def _parts_match(parts: Sequence[str], globs: Sequence[str]) -> bool:
    if not globs:
        return not parts
    if globs[0] == "**":
        return any(_parts_match(parts[skip:], globs[1:]) for skip in range(len(parts) + 1))
    return (
        bool(parts)
        and fnmatch.fnmatchcase(parts[0], globs[0])
        and _parts_match(parts[1:], globs[1:])
    )


_SAME_VALUES = (
    nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.Identity, nn.Flatten, Heads,
)  # fmt: skip


def default_layers(module: nn.Module) -> tuple[str, ...]:
    """Choose the blocks of a network: a reading of every stage, none twice.

    The list of layers that holds most parameters, and the lists at the same depth, are taken
    apart into their items; what stands before and after stays whole. A network without such a
    list gives every innermost layer. Dropout, identity and flattening layers are left out.

    Examples
    --------
    >>> default_layers(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Dropout(), nn.Linear(2, 1)))
    ('0', '1', '3')
    """
    depth = _depth_of_blocks(module)
    chosen = _leaves(module, "") if depth is None else _blocks(module, "", 0, depth)
    names = tuple(named_layers(module))
    kept = set(chosen)
    return tuple(name for name in names if name in kept)


def _depth_of_blocks(module: nn.Module) -> int | None:
    sizes = [
        (sum(p.numel() for p in part.parameters()), -_depth(name))
        for name, part in module.named_modules()
        if isinstance(part, _LISTS) and len(part) > 1
    ]
    return -max(sizes)[1] if sizes else None


def _depth(name: str) -> int:
    return len(name.split(".")) if name else 0


def _blocks(part: nn.Module, name: str, level: int, depth: int) -> list[str]:
    if isinstance(part, _SAME_VALUES):
        return []
    if level == depth and isinstance(part, _LISTS):
        children = [(f"{name}.{key}".strip("."), item) for key, item in part.named_children()]
        return [child for child, item in children if not isinstance(item, _SAME_VALUES)]
    if name and not _holds_list(part, depth - level):
        return [name]
    found = []
    for key, item in part.named_children():
        found += _blocks(item, f"{name}.{key}".strip("."), level + 1, depth)
    return found


def _holds_list(part: nn.Module, below: int) -> bool:
    return below >= 0 and any(
        _depth(name) == below and isinstance(item, _LISTS) for name, item in part.named_modules()
    )


def _leaves(part: nn.Module, name: str) -> list[str]:
    children = [] if isinstance(part, _ONE_PIECE) else list(part.named_children())
    if not children:
        return [] if isinstance(part, _SAME_VALUES) else [name]
    return [leaf for key, item in children for leaf in _leaves(item, f"{name}.{key}".strip("."))]
