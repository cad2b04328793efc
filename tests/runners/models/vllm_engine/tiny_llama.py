"""A Llama of two layers with random weights and a tokenizer trained on the spot: made in seconds, nothing downloaded.

Its weights are wide enough that it prefers some tokens clearly: with the usual 0.02 every token is about as likely as
any other, and two ways of computing the same answer differ by rounding alone.
"""

import json
from collections.abc import Iterable
from pathlib import Path

WORDS = "The person likes films. Reply with one JSON array of titles. Candidates: About this person in no order"
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] | trim }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


def make(folder: Path, texts: Iterable[str] = (), *, seed: int = 0, context: int = 4096) -> Path:
    """Write the model and its tokenizer as Hugging Face keeps them.

    Args:
        folder: made if missing.
        texts: that the tokenizer learns its pieces from, as a list in JSON.
        seed: of the weights.
        context: how many tokens the model can read.
    """
    import torch  # noqa: PLC0415 - only where vLLM is there
    from transformers import LlamaConfig, LlamaForCausalLM  # noqa: PLC0415

    size = _tokenizer(folder, [WORDS, json.dumps([*texts] * 3, ensure_ascii=False)])
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=context,
        initializer_range=0.15,
        bos_token_id=0,
        eos_token_id=1,
        tie_word_embeddings=False,
        dtype="float32",
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def _tokenizer(folder: Path, texts: list[str]) -> int:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    special = ["<|begin|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=1500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(texts, trainer)
    whole = PreTrainedTokenizerFast(tokenizer_object=pieces, bos_token=special[0], eos_token=special[1])
    whole.chat_template = TEMPLATE
    whole.save_pretrained(folder)
    return int(pieces.get_vocab_size())
