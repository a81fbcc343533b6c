"""Tiny models with random weights, saved to a folder, to be loaded by the real code."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
)

TEXTS = [
    "Time is a river and we are its fish.",
    "What is time? Time is what a clock measures, and more.",
    "user assistant system: answer the question about time, rivers, clocks and fish!",
]
# As many templates do, this one writes the first special token itself.
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<s>", "</s>", "<unk>", "<|user|>", "<|assistant|>"]


def _tokenizer(special: list[str], unknown: str) -> Tokenizer:
    made = Tokenizer(models.WordLevel(unk_token=unknown))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator(TEXTS, trainers.WordLevelTrainer(special_tokens=special))
    return made


def chat_tokenizer(pad: bool, template: bool = True, limit: int = 64) -> Any:
    made = _tokenizer(SPECIAL + (["<pad>"] if pad else []), "<unk>")
    # Adds the first token whenever special tokens are asked for: rendered text would have it twice.
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", made.token_to_id("<s>"))]
    )
    named = {"pad_token": "<pad>"} if pad else {}
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=limit,
        **named,
    )
    fast.chat_template = TEMPLATE if template else None
    return fast


def _llama(tokenizer: Any, labels: int) -> LlamaConfig:
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        # Dropout that is left on would show.
        attention_dropout=0.5,
    )
    config.num_labels = labels
    return config


def reward_model(folder: Path, *, pad: bool = True, template: bool = True, labels: int = 1) -> str:
    torch.manual_seed(1)
    tokenizer = chat_tokenizer(pad, template)
    LlamaForSequenceClassification(_llama(tokenizer, labels)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def language_model(folder: Path, *, pad: bool = False, template: bool = True) -> str:
    torch.manual_seed(2)
    tokenizer = chat_tokenizer(pad, template)
    LlamaForCausalLM(_llama(tokenizer, 1)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def _bert() -> tuple[Any, BertConfig]:
    made = _tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "query", "passage"], "[UNK]")
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", made.token_to_id("[CLS]")), ("[SEP]", made.token_to_id("[SEP]"))],
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=32,
    )
    config = BertConfig(
        vocab_size=len(fast),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=32,
    )
    config.num_labels = 1
    return fast, config


def cross_encoder(folder: Path) -> str:
    torch.manual_seed(3)
    tokenizer, config = _bert()
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def sentence_embedder(folder: Path) -> str:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    torch.manual_seed(4)
    tokenizer, config = _bert()
    BertModel(config).save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    base = Transformer(str(folder / "bert"), max_seq_length=32)
    whole = SentenceTransformer(
        modules=[base, Pooling(16)], prompts={"query": "query : ", "passage": "passage : "}
    )
    whole.save(str(folder / "whole"))
    return str(folder / "whole")
