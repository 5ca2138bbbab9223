"""What of a model's folder is published: the files that this library writes, and nothing else."""

import logging
import re
from pathlib import Path

import modeling_csr

from .cards import CAPTIONS

logger = logging.getLogger(__name__)

CARD_NAME = "README.md"
# Where somebody's card is kept that cannot be merged with ours.
PREVIOUS_CARD_NAME = "README.previous.md"
# A vocabulary has one of these names, by kind of tokenizer.
TOKENIZER_FILES = {
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.txt", "vocab.json", "merges.txt", "bpe.codes"),
    *("tokenizer.model", "spiece.model", "spm.model", "sentencepiece.bpe.model"),
}
MODEL_FILES = {"config.json", "model.safetensors.index.json", "requirements.txt"}
# Those of peft, in the folder of an adapter alone: elsewhere they would change how transformers loads a model.
ADAPTER_FILES = {"adapter_config.json", "adapter_model.safetensors"}
RESULT_FILES = {"eval_results.json", "stage.json", "training_args.json", "training_log.json"}
_WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")
# Written by this library for this machine alone: arrays of scores, and what a training needs to resume.
_LEFT_AT_HOME = re.compile(
    r".*\.(npy|npz|unfinished|pt|pth|bin)|trainer_state\.json|checkpoint_files\.json|losses_since_log\.json"
    r"|averaged_weights\.safetensors|\.lock(\.json)?"
)
_CODE = Path(modeling_csr.__file__).parent


def published_files(folder: Path) -> dict[str, Path]:
    """The files of a model's folder to publish, apart from its card.

    Links are left out, and so is everything that this library does not write; a warning names it. Code is that of the
    installed package, whatever the copy in the folder says.

    Args:
        folder (`Path`): The folder of a model.

    Returns:
        `dict[str, Path]`: Maps names in the repository to files.
    """
    found: dict[str, Path] = {}
    others = []
    for path in sorted(folder.iterdir()):
        name = path.name
        if name == CARD_NAME or _LEFT_AT_HOME.fullmatch(name) or (path.is_dir() and not path.is_symlink()):
            continue
        if not is_part_of_model(path):
            others.append(name)
        elif path.suffix == ".py":
            found[name] = _CODE / name
            if path.read_bytes() != found[name].read_bytes():
                logger.warning("%s is not the code of the installed package, which is published in its place.", path)
        else:
            found[name] = path
    if others:
        logger.warning("Not published, since it is no part of the model in %s: %s.", folder, ", ".join(others))
    return found


def missing_files(folder: Path) -> list[str]:
    """Names of the files without which there is no model to publish; links do not count."""
    there = [path.name for path in folder.iterdir() if is_part_of_model(path)]
    missing = [name for name in (CARD_NAME, "config.json") if name not in there]
    return missing if any(map(_WEIGHTS.fullmatch, there)) else [*missing, "model.safetensors"]


def is_part_of_model(path: Path) -> bool:
    """Whether a path in a model's folder is a file of the model, apart from arrays of scores: no link, and named as
    this library names its files."""
    known = {CARD_NAME} | TOKENIZER_FILES | MODEL_FILES | RESULT_FILES | CAPTIONS.keys()
    ours = path.name in known or _WEIGHTS.fullmatch(path.name) is not None
    ours |= path.parent.name == modeling_csr.ADAPTER_FOLDER and path.name in ADAPTER_FILES
    ours |= path.suffix == ".py" and (_CODE / path.name).is_file()
    return ours and path.is_file() and not path.is_symlink()
