"""Untrained recurrent encoders, saved as folders to pass as `--encoder`."""

import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import WordLevelTrainer, WordPieceTrainer
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast, set_seed

from modeling_csr import BRANCH_TYPES, RecurrentEncoderConfig, RecurrentEncoderModel

from ..data import damages, digest, normalize_tweets
from ..loop import encoder_identity, resolve_encoder
from ..training_arguments import check_ranges
from .records import StageRecord

logger = logging.getLogger(__name__)

VOCABULARIES = ("words", "wordpieces")
_SPECIAL_TOKENS = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}


@dataclass
class RecurrentArguments:
    """The untrained recurrent encoder."""

    branches: list[str] = field(
        default_factory=lambda: ["bilstm:128"],
        metadata={
            "help": f"Parallel branches: TYPE:SIZE, where TYPE is one of {', '.join(BRANCH_TYPES)} and SIZE is per "
            "direction (or per kernel size); a third part gives the layers or, as in cnn:100:3,4,5, the kernel sizes."
        },
    )
    vocabulary: str = field(
        default="words",
        metadata={
            "help": "Entries of the vocabulary, which is learnt from the training texts.",
            "choices": VOCABULARIES,
        },
    )
    vocabulary_size: int = field(
        default=16_000,
        metadata={"help": "Maximum number of entries, not counting letters of word pieces; words must occur twice."},
    )
    embeddings_from: str | None = field(
        default=None,
        metadata={
            "help": "Instead, use the tokenizer and word embeddings of this pretrained encoder (folder or Hub id); "
            "--freeze_word_embeddings True keeps them fixed."
        },
    )
    embedding_size: int | None = field(
        default=None, metadata={"help": "Width of the word embeddings (default: 200, or those of --embeddings_from)."}
    )
    projection_size: int | None = field(
        default=None,
        metadata={"help": "Project the embeddings to this width before the branches (default: no projection)."},
    )
    embedding_dropout: float = field(default=0.5, metadata={"help": "Dropout on the word embeddings."})
    hidden_dropout: float = field(
        default=0.3, metadata={"help": "Dropout between layers of a branch and on the token states."}
    )

    def __post_init__(self) -> None:
        check_ranges(vars(self))
        self.parsed_branches()
        if self.vocabulary_size <= len(_SPECIAL_TOKENS):
            raise ValueError(f"--vocabulary_size must be more than {len(_SPECIAL_TOKENS)}, got {self.vocabulary_size}.")
        if self.embeddings_from and self.embedding_size is not None:
            raise ValueError("--embedding_size is that of --embeddings_from: give --projection_size for another width.")

    def parsed_branches(self) -> list[dict[str, Any]]:
        """The branches, as [`RecurrentEncoderConfig`] takes them."""
        return [parse_branch(branch) for branch in self.branches]


def parse_branch(text: str) -> dict[str, Any]:
    """Parse a branch from `TYPE:SIZE`, `TYPE:SIZE:LAYERS` or `cnn:SIZE:KERNEL,KERNEL`.

    Raises:
        ValueError: If it is malformed.
    """
    kind, *rest = text.split(":")
    numbers = [part.split(",") for part in rest]
    valid = kind in BRANCH_TYPES and 1 <= len(rest) <= 2 and len(numbers[0]) == 1
    valid = valid and (kind == "cnn" or len(numbers[-1]) == 1)
    if not valid or not all(value.isdecimal() and int(value) > 0 for part in numbers for value in part):
        raise ValueError(
            f"--branches {text}: expected TYPE:SIZE, such as bilstm:128, bilstm:128:2 (layers) or cnn:100:3,4,5 "
            f"(kernel sizes), with TYPE one of {', '.join(BRANCH_TYPES)}."
        )
    branch: dict[str, Any] = {"type": kind, "hidden_size": int(rest[0])}
    if len(rest) == 2:
        sizes = [int(value) for value in numbers[1]]
        branch |= {"kernel_sizes": sizes} if kind == "cnn" else {"num_layers": sizes[0]}
    return branch


def write_recurrent_encoder(
    folder: Path, args: RecurrentArguments, texts: Iterable[str], *, steps: Sequence[str], seed: int
) -> Path:
    """Write an untrained encoder and its tokenizer, or reuse those written by an earlier call with the same arguments.

    Args:
        folder (`Path`): The folder to write.
        args ([`RecurrentArguments`]): Options of the encoder.
        texts (`Iterable[str]`): The training texts, from which the vocabulary is made; they are iterated over twice.
        steps (`Sequence[str]`): Tweet normalisation steps that the run will add to the tokenizer.
        seed (`int`): Seed of the initial weights.

    Returns:
        `Path`: The folder.

    Raises:
        ValueError: If the folder contains something else.
    """
    made_from: dict[str, Any] = {"options": vars(args), "seed": seed}
    if args.embeddings_from:
        made_from["embeddings"] = encoder_identity(args.embeddings_from)
        made_from["options"] = {**vars(args), "embeddings_from": True}
    else:
        made_from |= {"texts": digest(iter(texts)), "normalization": list(steps)}
    record = StageRecord(folder.name, made_from)
    found = StageRecord.read(folder)
    if found is not None and found.complete:
        differences = found.differences(record)
        if differences:
            raise ValueError(
                f"{folder} was made with other options:\n  " + "\n  ".join(differences) + "\nChoose another "
                "--output_dir, or delete that folder."
            )
        broken = damages(folder, found.files or {})
        if not broken:
            return folder
        logger.warning("%s: the encoder is made anew.", "; ".join(broken))
    if found is None and folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{folder} exists but was not written by this command. Choose another --output_dir.")
    shutil.rmtree(folder, ignore_errors=True)
    record.write(folder)
    embeddings: torch.Tensor | None = None
    if args.embeddings_from:
        start = resolve_encoder(args.embeddings_from)
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(start, trust_remote_code=False)
        embeddings = AutoModel.from_pretrained(start, dtype=torch.float32).get_input_embeddings().weight.detach()
    else:
        tokenizer = train_tokenizer(texts, args.vocabulary, args.vocabulary_size, steps)
    set_seed(seed)
    model = RecurrentEncoderModel(
        RecurrentEncoderConfig(
            vocab_size=len(tokenizer) if embeddings is None else len(embeddings),
            embedding_size=(args.embedding_size or 200) if embeddings is None else embeddings.shape[1],
            projection_size=args.projection_size,
            branches=args.parsed_branches(),
            embedding_dropout=args.embedding_dropout,
            hidden_dropout=args.hidden_dropout,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    if embeddings is not None:
        with torch.no_grad():
            model.word_embeddings.weight.copy_(embeddings)
            model.word_embeddings.weight[tokenizer.pad_token_id] = 0
    tokenizer.save_pretrained(folder)
    model.save_pretrained(str(folder))
    record.finished(folder).write(folder)
    return folder


def train_tokenizer(
    texts: Iterable[str], vocabulary: str, size: int, steps: Sequence[str] = ()
) -> PreTrainedTokenizerBase:
    """Train a tokenizer of lower-cased words or word pieces on texts.

    Args:
        texts (`Iterable[str]`): Raw texts.
        vocabulary (`str`): `"words"`, with `[UNK]` for all others, or `"wordpieces"`.
        size (`int`): Maximum size of the vocabulary. Words that occur only once are left out.
        steps (`Sequence[str]`): Tweet normalisation steps that will precede it (see
            [`~trainers.data.tokenization.normalize_tweets`]); they are not built in here.
    """
    special, unknown = list(_SPECIAL_TOKENS.values()), _SPECIAL_TOKENS["unk_token"]
    if vocabulary == "words":
        backend = Tokenizer(models.WordLevel(unk_token=unknown))
        trainer: Any = WordLevelTrainer(vocab_size=size, min_frequency=2, special_tokens=special, show_progress=False)
    else:
        backend = Tokenizer(models.WordPiece(unk_token=unknown))
        trainer = WordPieceTrainer(vocab_size=size, min_frequency=2, special_tokens=special, show_progress=False)
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    first = normalize_tweets(PreTrainedTokenizerFast(tokenizer_object=backend), steps).backend_tokenizer.normalizer

    def normalized() -> Iterator[str]:
        return (first.normalize_str(text) for text in texts)

    backend.train_from_iterator(normalized(), trainer)
    # So that a text without words still has a token; with pooling "cls", this one represents the text.
    ids = [
        (token, backend.token_to_id(token)) for token in (_SPECIAL_TOKENS["cls_token"], _SPECIAL_TOKENS["sep_token"])
    ]
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", pair="[CLS] $A [SEP] $B", special_tokens=ids
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, model_input_names=["input_ids", "attention_mask"], **_SPECIAL_TOKENS
    )
