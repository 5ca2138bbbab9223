"""Which text encoders of transformers the models work on: a tiny random one of each family is put through it.

python -m benchmarks.encoder_families

For each family: whether a text has the same representation alone and padded in a batch, whether a model gives the same
numbers after it was saved and loaded, whether its encoder learns, and whether LoRA adapters find layers in it.
"""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, PreTrainedModel
from transformers.utils import logging

from modeling_csr import CSRForSequenceClassification, MultitaskConfig, MultitaskModel, lora_options
from trainers.data import write_json
from trainers.experiments import markdown_table

from .arguments import RESULTS
from .report import described

# By model type, options that do not go by BERT's names, or that a family needs besides sizes; `None` leaves one out.
FAMILIES: dict[str, dict[str, Any]] = {
    "albert": {"embedding_size": 16},
    "bert": {},
    "big_bird": {"attention_type": "original_full"},
    "camembert": {},
    "canine": {"num_hash_functions": 4, "num_hash_buckets": 64, "downsampling_rate": 2, "local_transformer_stride": 4},
    "convbert": {"embedding_size": 32, "head_ratio": 1, "conv_kernel_size": 3},
    "data2vec-text": {},
    "deberta": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "distilbert": {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2},
    "electra": {"embedding_size": 32},
    "ernie": {},
    "esm": {"position_embedding_type": "rotary", "mask_token_id": 4},
    "eurobert": {"num_key_value_heads": 2},
    "flaubert": {"emb_dim": 32, "n_layers": 2, "n_heads": 2},
    "fnet": {},
    "funnel": {
        **dict.fromkeys(("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")),
        "d_model": 32,
        "n_head": 2,
        "d_head": 16,
        "d_inner": 64,
        "block_sizes": [1, 1],
        "block_repeats": [1, 1],
        "num_decoder_layers": 1,
        "architectures": ["FunnelModel"],
    },
    "ibert": {},
    "layoutlm": {},
    "longformer": {"attention_window": 8},
    "luke": {"entity_vocab_size": 8, "entity_emb_size": 16},
    "megatron-bert": {},
    "mobilebert": {"embedding_size": 32, "intra_bottleneck_size": 32},
    "modernbert": {"local_attention": 8},
    "mpnet": {},
    "mra": {},
    "nystromformer": {"num_landmarks": 64, "segment_means_seq_len": 64},
    "rembert": {"input_embedding_size": 16, "output_embedding_size": 16},
    "roberta": {},
    "roberta-prelayernorm": {},
    "roformer": {"embedding_size": 32},
    "squeezebert": {"embedding_size": 32},
    "xlm": {"emb_dim": 32, "n_layers": 2, "n_heads": 2},
    "xlm-roberta": {},
    "xlnet": {
        "max_position_embeddings": None,
        "hidden_size": None,
        "d_model": 32,
        "n_layer": 2,
        "n_head": 2,
        "d_inner": 64,
    },
    "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
    "yoso": {},
}
SIZES: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "cls_token_id": 1,
    "sep_token_id": 2,
    "initializer_range": 0.2,
}
# Without dropout, so that what changes is what a test changes.
DROPOUTS = (
    "dropout",
    "attention_dropout",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "summary_last_dropout",
)
LABELS = {0: "anger", 1: "joy"}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES), metavar="FAMILY")
    parser.add_argument("--results_dir", type=Path, default=RESULTS, help="Folder for the table.")
    args = parser.parse_args(argv)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    write_results(args.results_dir, {family: tried(family) for family in args.families})


def tried(family: str) -> dict[str, str]:
    """What came of each question; in place of an answer, the error that a question ended in."""
    found: dict[str, str] = {}
    try:
        encoder = tiny_encoder(family)
    except Exception as error:
        return dict.fromkeys(QUESTIONS, _said(error))
    for name, question in QUESTIONS.items():
        try:
            found[name] = question(encoder)
        except Exception as error:
            found[name] = _said(error)
    return found


def tiny_encoder(family: str) -> PreTrainedModel:
    """A random encoder of two narrow layers."""
    torch.manual_seed(0)
    options = {**SIZES, **FAMILIES[family]}
    config = AutoConfig.for_model(family, **{name: value for name, value in options.items() if value is not None})
    for name in DROPOUTS:
        if hasattr(config, name):
            setattr(config, name, 0.0)
    return AutoModel.from_config(config).eval()


def model_on(encoder: PreTrainedModel) -> CSRForSequenceClassification:
    """A common space over two copies of an encoder."""
    parts = []
    for _ in range(2):
        part = MultitaskModel(MultitaskConfig(encoder=encoder.config))
        part.encoder.load_state_dict(encoder.state_dict(), strict=False)
        parts.append(part)
    return CSRForSequenceClassification.from_encoders(parts[0], parts[1:], id2label=LABELS).eval()


def texts(lengths: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Random tokens, padded on the right."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 60, (len(lengths), max(lengths)), generator=generator)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": ids * mask, "attention_mask": mask}


def padding(encoder: PreTrainedModel) -> str:
    """Whether padding changes a text's representation."""
    model = model_on(encoder)
    batch = texts((5, 17))
    with torch.inference_mode():
        together = model(**batch).common_space[:1]
        alone = model(**{name: part[:1, :5] for name, part in batch.items()}).common_space
    change = (together - alone).abs().max() / alone.abs().max()
    return "independent" if change < 1e-4 else f"changes it by {100 * change:.0f} %"


def reload(encoder: PreTrainedModel) -> str:
    """Whether a saved model gives the same numbers when it is loaded."""
    model, batch = model_on(encoder), texts((9, 17))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        model.save_pretrained(folder)
        loaded = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        return "exact" if torch.equal(loaded(**batch).logits, model(**batch).logits) else "differs"


def learning(encoder: PreTrainedModel) -> str:
    """Whether all of the encoder gets gradients that are finite."""
    model, batch = model_on(encoder).train(), texts((9, 17))
    model(**batch, labels=torch.tensor([[0.0, 1.0], [1.0, 0.0]])).loss.backward()
    parts = model.csr.emotion_encoder.encoder.parameters()
    gradients = [part.grad for part in parts if part.grad is not None]
    return "yes" if gradients and all(torch.isfinite(gradient).all() for gradient in gradients) else "no"


def adapters(encoder: PreTrainedModel) -> str:
    """The layers that LoRA adapters are put in by default."""
    return ", ".join(f"`{name}`" for name in lora_options({"r": 2}, encoder)["target_modules"])


QUESTIONS: dict[str, Callable[[PreTrainedModel], str]] = {
    "padding": padding,
    "reload": reload,
    "learns": learning,
    "LoRA in": adapters,
}


def _said(error: Exception) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {first[:80]}"


def write_results(folder: Path, found: dict[str, dict[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "encoder_families.json", {"found": found})
    rows = [[f"`{family}`", *answers.values()] for family, answers in found.items()]
    run = {"families": len(found), "command": "python -m benchmarks.encoder_families"}
    text = f"{markdown_table(['model type', *QUESTIONS], rows)}\n\n{described(run)}\n"
    (folder / "encoder_families.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
