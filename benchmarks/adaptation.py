"""The effect of first adapting the encoder to unlabelled tweets by masked language modelling.

python -m benchmarks.adaptation --data_dir DATA --share 0.1

The idea is that of Gururangan et al. 2020, "Don't Stop Pretraining". The encoder is adapted once, and all seeds start
from it as from a pretrained one. All options of `csr-emotion train` are accepted and apply to every run.
"""

import sys
from pathlib import Path

import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
    set_seed,
)

from trainers.commands import BAD_INPUT, exit_on, set_up_logging
from trainers.data import load_texts, load_tokenizer
from trainers.experiments import compare_systems, save_comparison
from trainers.loop import encoder_label, fast_attention, resolve_encoder
from trainers.recipes import RECIPES

from .arguments import add_data_options, benchmark_parser, command_of
from .grid import Grid
from .shares import EPOCHS, share_heading, share_options


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/adaptation")
    parser.add_argument("--recipe", default="bert-head-rate", choices=RECIPES, metavar="RECIPE", help="The recipe.")
    parser.add_argument("--share", type=float, default=1.0, choices=EPOCHS, help="Share of the emotion texts.")
    add_data_options(parser, ("emotion", "unlabelled"))
    parser.add_argument("--max_unlabelled_samples", type=int, default=20_000, help="Adapt to at most this many texts.")
    args, further = parser.parse_known_args(argv)
    set_up_logging()
    folder = args.output_dir / f"share-{args.share}"
    made_from = (encoder_label(args.encoder), Path(args.unlabelled_dataset).name, str(args.max_unlabelled_samples))
    adapted = args.output_dir / "-".join(made_from)
    given = ["--recipe", args.recipe, "--data_dir", args.data_dir, "--emotion_dataset", args.emotion_dataset]
    given += ["--threshold", "global", *share_options(args.share), *further]
    # Options are checked before the encoder is adapted; the runs themselves need it to exist.
    with exit_on("adaptation", *BAD_INPUT):
        plain = Grid.prepare({"pretrained": [*given, "--encoder", args.encoder]}, args.seeds, folder)
        if not adapted.exists():
            adapt(args.encoder, args.unlabelled_dataset, args.data_dir, args.max_unlabelled_samples, adapted)
        tuned = Grid.prepare({"adapted": [*given, "--encoder", str(adapted)]}, args.seeds, folder)
    systems = plain.run() | tuned.run()

    prepared = plain.first.prepared
    problem_type = prepared.task_config("emotion")["problem_type"]
    references = prepared.labels("dev")
    compared = compare_systems(systems, references, problem_type, "pretrained", **prepared.sampling())
    named = ("emotion_dataset", "share", "recipe", "seeds", "unlabelled_dataset", "max_unlabelled_samples")
    about = {name: getattr(args, name) for name in named} | {"encoder": encoder_label(args.encoder)}
    command = ("--recipe", args.recipe, "--share", args.share, "--seeds", *args.seeds, *further)
    about["command"] = command_of("adaptation", *command)
    written = "adaptation" + (f"-{args.share}" if args.share < 1 else "")
    heading = f"Encoder of {args.recipe}{share_heading(args.share)}"
    save_comparison(compared, args.results_dir, written, heading, about, baseline="pretrained")
    print((args.results_dir / f"{written}.md").read_text(encoding="utf-8"))


def adapt(encoder: str, dataset: str, data_dir: str, size: int, folder: Path) -> None:
    """Train an encoder further by masked language modelling: one epoch, 15 % of the tokens masked, in bf16.

    Args:
        encoder (`str`): The encoder.
        dataset (`str`): Dataset of the texts.
        data_dir (`str`): Directory with one subfolder per registered dataset.
        size (`int`): Use at most this many texts.
        folder (`Path`): Folder for the adapted encoder and its tokenizer.
    """
    set_seed(0)
    path = resolve_encoder(encoder)
    # The texts as all stages read them.
    tokenizer = load_tokenizer(path)
    texts = load_texts(dataset, data_dir=data_dir).splits["train"].shuffle(seed=0)
    rows = texts.take(min(size, len(texts))).map(
        lambda batch: tokenizer(batch["text"], truncation=True, max_length=128),
        batched=True,
        remove_columns=texts.column_names,
        desc="Tokenising",
    )
    arguments = TrainingArguments(
        output_dir=str(folder.parent / "adaptation"),
        num_train_epochs=1,
        per_device_train_batch_size=32,
        learning_rate=1e-4,
        warmup_steps=0.1,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to="none",
        train_sampling_strategy="group_by_length",
    )
    model = AutoModelForMaskedLM.from_pretrained(path, attn_implementation=fast_attention(arguments.device))
    collator = DataCollatorForLanguageModeling(tokenizer)
    Trainer(model, arguments, collator, rows, processing_class=tokenizer).train()
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    model.base_model.save_pretrained(unfinished)
    # Unchanged: each run adds its own normalisation.
    AutoTokenizer.from_pretrained(path).save_pretrained(unfinished)
    unfinished.rename(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
