# SPDX-License-Identifier: Apache-2.0
"""The lists: tokenizers, texts, modes. A line more is a row, a column, a table more."""

# Name: the file in --tokenizer-folder, and the SentencePiece model that it was made of, if there is one.
TOKENIZERS = {
    "gpt2": ("gpt2.json", None),
    "cl100k": ("cl100k_gpt4.json", None),
    "o200k": ("o200k_gpt4o.json", None),
    "llama3.1": ("llama3.1.json", None),
    "qwen3": ("qwen3.json", None),
    "deepseek-v4": ("deepseek-v4.json", None),
    "deepseek-coder": ("deepseek-coder.json", None),
    "starcoder": ("starcoder.json", None),
    "whisper-large-v3": ("whisper-large-v3.json", None),
    "clip": ("clip.json", None),
    "gemma3": ("gemma3.json", None),
    "llama2": ("llama2.json", "sentencepiece/llama2.model"),
    "mistral-7b-v0.1": ("mistral-7b-v0.1.json", "sentencepiece/mistral01.model"),
    "bert-base-uncased": ("bert-base-uncased.json", None),
    "bert-base-chinese": ("bert-base-chinese.json", None),
    "t5-small": ("t5-small.json", "sentencepiece/t5-base.model"),
    "xlm-roberta-base": ("xlm-roberta-base.json", None),
}

# Name: the file in --text-folder, and a title.
TEXTS = {
    "en_books": ("en_books.txt", "English books"),
    "code_python": ("code_python.txt", "Python code"),
    "json": ("json.txt", "JSON"),
    "ru": ("ru.txt", "Russian"),
    "zh_modern": ("zh_modern.txt", "Chinese"),
    "ja": ("ja.txt", "Japanese"),
    "ar": ("ar.txt", "Arabic"),
    "hi": ("hi.txt", "Hindi"),
    "th": ("th.txt", "Thai"),
    "udhr": ("udhr_500_languages.txt", "500 languages"),
}

# Name: the form of the calls (cut.py), what budtiktok-bench calls it, and a title. Cold and warm are of one process.
MODES = {
    "cold": ("pieces", "cold", "pieces of about 4 KiB, one call each, none seen before"),
    "warm": ("pieces", "warm", "the same pieces once more"),
    "whole": ("whole", "whole", "the whole text in one call"),
    "lines": ("lines", "lines", "every line a document: all in one batch call of a peer, a call a line of ours"),
    "batch": ("pieces", "batch", "all pieces together, one thread: one batch call of a peer"),
    "threads": ("pieces", "batch", "all pieces together, all threads: one batch call of a peer"),
    "offsets": ("pieces", "cold", "pieces of about 4 KiB, ids and offsets"),
}
GROUPS = (("cold", "warm"), ("whole",), ("lines",), ("batch",), ("threads",), ("offsets",))

# Ours and the reference: what is compared with whom.
OURS, REFERENCE = "budtiktok", "tokenizers-0.23"


def form_of(mode):
    return MODES[mode][0]
