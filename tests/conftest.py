"""What all tests share: caches of their own, tiny random encoders, fresh processes."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import fresh_process

ROOT = Path(__file__).resolve().parents[1]
CACHES = tempfile.mkdtemp(prefix="csr-emotion-tests-")

# These are read when the libraries are imported, so they are set before any of them is. What the user has set for one
# cache would win over HF_HOME.
for _name in ("HUB_CACHE", "MODULES_CACHE", "DATASETS_CACHE", "EVALUATE_CACHE", "METRICS_CACHE", "ASSETS_CACHE"):
    os.environ.pop(f"HF_{_name}", None)
for _name in ("HF_TOKEN", "HF_TOKEN_PATH", "HF_STORED_TOKENS_PATH", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_CACHE"):
    os.environ.pop(_name, None)
os.environ |= {"HF_HOME": CACHES, "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}
# Else the last bit of a matrix product hangs, on AMD's CPUs, on where in memory a matrix lies.
os.environ.setdefault("MKL_CBWR", "AUTO")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
# Until all is imported there is nothing to collect.
gc.disable()

MODEL_TYPES = ("bert", "roberta", "distilbert", "mpnet", "modernbert", "electra")

SPECIAL_TOKENS = {
    # MPNet has its padding at 1 whatever its config says.
    "unk_token": "[UNK]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
PUNCTUATION = ".,:;!?'\"-()&@#/"
WORDS = [
    "a",
    "about",
    "after",
    "afraid",
    "again",
    "all",
    "always",
    "am",
    "an",
    "and",
    "anger",
    "angry",
    "are",
    "at",
    "bad",
    "be",
    "because",
    "but",
    "can",
    "day",
    "did",
    "do",
    "dog",
    "fear",
    "feel",
    "feeling",
    "for",
    "friend",
    "from",
    "full",
    "go",
    "good",
    "great",
    "had",
    "happy",
    "hate",
    "have",
    "he",
    "hello",
    "her",
    "his",
    "how",
    "i",
    "in",
    "is",
    "it",
    "joy",
    "just",
    "kind",
    "know",
    "life",
    "like",
    "lost",
    "love",
    "me",
    "more",
    "music",
    "my",
    "never",
    "new",
    "night",
    "no",
    "not",
    "now",
    "of",
    "on",
    "one",
    "our",
    "out",
    "rain",
    "sad",
    "she",
    "so",
    "some",
    "such",
    "sun",
    "surprised",
    "than",
    "that",
    "the",
    "them",
    "they",
    "this",
    "time",
    "to",
    "today",
    "very",
    "was",
    "we",
    "what",
    "when",
    "will",
    "with",
    "world",
    "worst",
    "you",
    "your",
]


def pytest_configure() -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        import torch

        torch.set_num_threads(1)


def pytest_collection_finish() -> None:
    # Each training ends with a full garbage collection: it need not go through all that was imported.
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    shutil.rmtree(CACHES, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_random_numbers() -> Iterator[None]:
    """The same random numbers for a test wherever it runs, and none taken from the tests around it."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`tiny_encoder(model_type)`: a folder with a random encoder of one of `MODEL_TYPES` (32 wide, 2 layers, 4 heads)
    and a lowercasing WordPiece tokenizer that knows common English words and all letters. Don't write to it."""

    @cache
    def build(model_type: str) -> Path:
        import torch
        from transformers import AutoConfig, AutoModel

        folder = tmp_path_factory.mktemp("encoders") / model_type
        tokenizer = _tokenizer()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(MODEL_TYPES.index(model_type))
            model = AutoModel.from_config(
                AutoConfig.for_model(
                    model_type,
                    vocab_size=len(tokenizer),
                    pad_token_id=tokenizer.pad_token_id,
                    cls_token_id=tokenizer.cls_token_id,
                    sep_token_id=tokenizer.sep_token_id,
                    bos_token_id=tokenizer.cls_token_id,
                    eos_token_id=tokenizer.sep_token_id,
                    hidden_size=32,
                    num_hidden_layers=2,
                    num_attention_heads=4,
                    max_position_embeddings=66,
                    # Wide enough for two texts to differ clearly.
                    initializer_range=0.2,
                    **_OPTIONS.get(model_type, {"intermediate_size": 48}),
                )
            )
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return build


_OPTIONS: dict[str, dict[str, Any]] = {
    "distilbert": {"hidden_dim": 48},
    "electra": {"intermediate_size": 48, "embedding_size": 16},
    "modernbert": {"intermediate_size": 48, "local_attention": 8, "global_attn_every_n_layers": 2},
}


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    continuations = [f"##{character}" for character in CHARACTERS]
    tokens = dict.fromkeys([*SPECIAL_TOKENS.values(), *PUNCTUATION, *CHARACTERS, *continuations, *WORDS])
    vocabulary = {token: index for index, token in enumerate(tokens)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, **SPECIAL_TOKENS)


@pytest.fixture(scope="session")
def fresh_python(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """`fresh_python(code, *arguments, with_package=False)`: run `code` in a process of its own, offline, with empty
    caches and in an empty folder, and return what it prints. This repository can be imported there only on request."""

    def run(code: str, *arguments: str | Path, with_package: bool = False) -> str:
        folder = tmp_path_factory.mktemp("fresh")
        path = os.pathsep.join([*([str(ROOT)] if with_package else []), *fresh_process.LIBRARIES])
        environment = {**os.environ, "PYTHONPATH": path, "HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
        result = fresh_process.run("-S", "-c", code, *arguments, env=environment, cwd=folder)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run
