"""Language models: text becomes tokens, and a layer is read at the last word's tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError
from neuroai.systems.sequences import SEQUENCE, Tokens

TOKENS = ("last", "mean", "sentence")
LONGEST_CONTEXT = 512
# Rows of the tensor that stands for a text.
IDS, SHOWN, READ = 0, 1, 2
ROWS = 3


@dataclass(frozen=True)
class Tokenised:
    """Turns a text into ids of tokens, and says at which of them it is read.

    Attributes
    ----------
    tokenizer : transformers.PreTrainedTokenizerFast
        Gives ids, and the place of each token in the text.
    token : {"last", "mean", "sentence"}
        The last token of the last word, the mean over the tokens of the last word, or over all.
    context : int
        Tokens at most; of a longer text the end is kept.
    """

    tokenizer: Any
    token: str
    context: int

    def __post_init__(self) -> None:
        one_of(self.token, TOKENS, option="token")
        if self.context < 2:
            raise UsageError(f"context must be 2 tokens or more; got {self.context}.")
        if not getattr(self.tokenizer, "is_fast", False):
            raise UsageError(
                f"{type(self.tokenizer).__name__} does not say where in the text its tokens lie, "
                "so that words cannot be found. Give a network with a fast tokenizer "
                "(tokenizer.json)."
            )

    def __call__(self, text: Any) -> Tensor:
        """Give (ids, shown, read), int64 (3, context), zero behind the text."""
        if not isinstance(text, str) or not text.strip():
            raise DataError(
                f"A language model takes texts (str, not empty); got {type(text).__name__} "
                f"{text!r:.40}."
            )
        ids, spans = self._encoded(text)
        read = self._read(text, spans)
        out = torch.zeros(ROWS, self.context, dtype=torch.int64)
        out[IDS, : len(ids)] = torch.tensor(ids)
        out[SHOWN, : len(ids)] = 1
        out[READ, : len(ids)] = torch.tensor(read)
        return out

    def encoded_whole(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Give the ids of all tokens, however many, and where in the text each begins and ends."""
        coded = self.tokenizer(text, return_offsets_mapping=True, truncation=False, verbose=False)
        ids, spans = list(coded["input_ids"]), [tuple(span) for span in coded["offset_mapping"]]
        start = self.tokenizer.bos_token_id
        # A causal network predicts the first word from a token that begins the text.
        if start is not None and self.tokenizer.cls_token_id is None and ids[:1] != [start]:
            ids, spans = [start, *ids], [(0, 0), *spans]
        return ids, spans

    def _encoded(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        ids, spans = self.encoded_whole(text)
        too_many = len(ids) - self.context
        return (ids, spans) if too_many <= 0 else (ids[too_many:], spans[too_many:])

    def _read(self, text: str, spans: list[tuple[int, int]]) -> list[int]:
        end = len(text.rstrip())
        begin = 0 if self.token == "sentence" else last_word(text)
        # Tokens may carry the blank before a word; special tokens have empty spans.
        inside = [stop > begin and start < end and stop > start for start, stop in spans]
        if not any(inside):
            raise DataError(f"No token of the text {text!r:.60} belongs to its last word.")
        if self.token == "last":
            last = max(place for place, here in enumerate(inside) if here)
            inside = [place == last for place in range(len(spans))]
        return [int(here) for here in inside]


def last_word(text: str) -> int:
    """Give the place at which the last word of a text begins.

    Examples
    --------
    >>> last_word("the old man "), last_word("man")
    (8, 0)
    """
    shown = text.rstrip()
    return max(shown.rfind(blank) for blank in (" ", "\n", "\t")) + 1


def as_text_network(module: nn.Module) -> nn.Module:
    """Let a network of transformers take what `Tokenised` gives; its parameters stay untouched.

    Batches are cut to their longest text, and the padding is masked. Layers with tokens, and the
    network's own output, are read at the tokens that are marked.
    """
    tokens = Tokens()
    setattr(module, SEQUENCE, tokens)
    module.register_forward_pre_hook(partial(_unpacked, tokens), with_kwargs=True)
    module.register_forward_hook(partial(_pooled, tokens))
    return module


def _unpacked(
    tokens: Tokens, _: nn.Module, given: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if len(given) != 1 or given[0].ndim != ROWS or given[0].shape[1] != ROWS:
        return given, options
    batch = given[0]
    longest = int(batch[:, SHOWN].sum(dim=1).max())
    ids, shown, read = batch[..., :longest].unbind(dim=1)
    tokens.weights = read / read.sum(dim=1, keepdim=True)
    return (), {**options, "input_ids": ids, "attention_mask": shown}


def _pooled(tokens: Tokens, _: nn.Module, __: Any, output: Any) -> Any:
    return tokens.output(output)


def text_facts(preprocess: Tokenised) -> dict[str, str]:
    """Say how texts were read, for the recordings' attrs."""
    where = {
        "last": "the last token of the last word",
        "mean": "the mean over the tokens of the last word",
        "sentence": "the mean over the tokens of the text",
    }[preprocess.token]
    return {"text_read_at": where, "context_tokens": str(preprocess.context)}


def longest_context(config: Any, asked: int | None) -> int:
    """Give the number of tokens a network is shown.

    Raises
    ------
    UsageError
        More are asked for than the network has positions.
    """
    most = getattr(config, "max_position_embeddings", None) or LONGEST_CONTEXT
    if asked is not None and asked > most:
        raise UsageError(f"The network takes {most} tokens at most; got context={asked}.")
    return min(most, LONGEST_CONTEXT) if asked is None else asked


def text_family(transformers: Any, config: Any) -> Any:
    """Choose the class that keeps the head a network was published with."""
    named = str((getattr(config, "architectures", None) or [""])[0])
    heads: dict[str, str] = {
        "ForCausalLM": "AutoModelForCausalLM",
        "LMHeadModel": "AutoModelForCausalLM",
        "ForMaskedLM": "AutoModelForMaskedLM",
        "ForSequenceClassification": "AutoModelForSequenceClassification",
    }
    family = next((auto for end, auto in heads.items() if named.endswith(end)), "AutoModel")
    return getattr(transformers, family)


def built_text_network(make: Callable[[], nn.Module]) -> nn.Module:
    """Build a network and let it take texts."""
    return as_text_network(make())
