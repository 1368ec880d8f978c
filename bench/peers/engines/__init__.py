# SPDX-License-Identifier: Apache-2.0
"""The engines: one module each, with a class Adapter (adapter.py). To add one: its module, its line here."""
import importlib

MODULES = {
    "gigatoken": "gigatoken_engine",
    "fastokens": "fastokens_engine",
    "snaptokens": "snaptokens_engine",
    "tokenizers-1.0": "tokenizers_1_engine",
    "nanotoken": "nanotoken_engine",
    "splintr": "splintr_engine",
    "tiktoken": "tiktoken_engine",
    "sentencepiece": "sentencepiece_engine",
    "tokenizers-0.23": "tokenizers_0_engine",
    "budtiktok": "budtiktok_engine",
}


def find(name):
    """The class of an engine. Its package is imported by load(), so that everybody may ask."""
    return importlib.import_module(f"{__name__}.{MODULES[name]}").Adapter
