"""Small networks of transformers with random weights, saved as folders that 'hf:' opens."""

from __future__ import annotations

from pathlib import Path

import torch

WORDS = "the old man the boats on the water near the old harbour unforgettable"
START = "<|endoftext|>"


def save_gpt(folder: Path) -> Path:
    """Save a causal language model of two blocks with a byte-level tokenizer."""
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=[START], initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator([WORDS] * 5, trainer)
    tokenizer = tf.PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=START, eos_token=START)
    config = tf.GPT2Config(
        vocab_size=len(tokenizer), n_positions=32, n_embd=16, n_layer=2, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return _saved(folder, tf.GPT2LMHeadModel, config, tokenizer)


def save_bert(folder: Path) -> Path:
    """Save an encoder of two blocks with a tokenizer of whole words."""
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {word: i for i, word in enumerate([*special, *sorted(set(WORDS.split()))])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=inner, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]",
        unk_token="[UNK]", mask_token="[MASK]",
    )  # fmt: skip
    config = tf.BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=32,
    )  # fmt: skip
    return _saved(folder, tf.BertModel, config, tokenizer)


def save_wav2vec(folder: Path) -> Path:
    """Save a network that hears: two convolutions and two blocks, at 16 kHz."""
    import transformers as tf

    config = tf.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        conv_dim=(8, 8), conv_stride=(5, 4), conv_kernel=(10, 8), num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2, num_feat_extract_layers=2,
    )  # fmt: skip
    return _saved(folder, tf.Wav2Vec2Model, config, tf.Wav2Vec2FeatureExtractor())


def _saved(folder: Path, family, config, reader) -> Path:
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        torch.manual_seed(0)
        family(config).save_pretrained(folder)
        reader.save_pretrained(folder)
    finally:
        if shown:
            logging.enable_progress_bar()
    return folder
