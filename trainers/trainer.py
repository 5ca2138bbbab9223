"""Base class of the Trainers: plain texts and labels in, a scored model with thresholds and a card out."""

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

import datasets
import numpy as np
from torch.utils.data import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.trainer_utils import PredictionOutput, TrainOutput

from modeling_csr import MultitaskModel

from .data import digest, is_plain, task_rows, tokenize_rows, tokenizer_digest, weights_digest, write_json
from .evaluation import TaskMetrics, TaskScoringMixin, draw_results, embed_texts, label_names, write_representations
from .hub import TrainerHubMixin
from .loop import GlobalBatchTrainer, SingleTaskCollator, TrainedAdapters, cached_array, fast_attention
from .training_arguments import StageTrainingArguments


class StageTrainer(TaskScoringMixin, TrainerHubMixin, GlobalBatchTrainer):
    """
    Trains a model of one of the project's families on labelled texts.

    Datasets may be plain: a `datasets.Dataset`, a DataFrame or a list of dicts with the columns `text` and `labels`.
    Labels are names, lists of names, ids, 0/1 lists or scores; instead of `labels`, there may be one 0/1 column per
    label of the model. Plain datasets are tokenised, or encoded by the model's frozen encoders and cached. Prepared
    datasets, which hold the inputs of the model's forward pass, are used unchanged.

    Args:
        model (`PreTrainedModel`): The model, of one of `model_classes`.
        args ([`StageTrainingArguments`], *optional*): Defaults to an instance of `arguments_class`.
        data_collator (`Callable`, *optional*): Replaces the collator of the model's family.
        train_dataset (*optional*): The training texts.
        eval_dataset (*optional*): The dev texts. Without them, nothing is evaluated.
        processing_class (`PreTrainedTokenizerBase`, *optional*): The model's tokenizer; required for plain datasets.
        column_mapping (`dict[str, str]`, *optional*): Maps columns of the datasets to `"text"` and `"labels"`.
        compute_metrics (`Callable`, *optional*): Replaces the metrics of the model's tasks.
        task_name (`str`, defaults to `"emotion"`): Name of the task in reports, for models with one classifier.
        peft_config (`peft.LoraConfig` or `Mapping`, *optional*): Trains LoRA adapters in place of the encoders' own
            weights. After training they are merged; `save_model` writes the adapter alone to `adapter/`.
        **kwargs: Further arguments of [`~transformers.Trainer`].

    Attributes:
        arguments_class, model_classes, collator_class, metrics_class: Classes to replace in subclasses.
        frozen_modules (`tuple[str, ...]` or `dict[str, tuple[str, ...]]`): Names of modules that this Trainer does not
            train; in a dict, for each value of `trains` in its arguments.
        tasks (`dict[str, dict]`): The model's tasks by name: `labels`, `problem_type` and, optionally, `thresholds`.
        plain_datasets (`dict[str, dict[str, Dataset]]`): Plain `"train"` and `"eval"` rows by task, with `text` and the
            targets as `labels`.

    Raises:
        ValueError: If the model, the tokenizer, an argument or a row of a dataset is invalid.
    """

    arguments_class: ClassVar[type[StageTrainingArguments]] = StageTrainingArguments
    model_classes: ClassVar[tuple[type[PreTrainedModel], ...]] = (PreTrainedModel,)
    collator_class: ClassVar[Any] = SingleTaskCollator
    metrics_class: ClassVar[Any] = TaskMetrics
    frozen_modules: ClassVar[tuple[str, ...] | Mapping[str, tuple[str, ...]]] = ()
    draws_space: ClassVar[bool] = True  # whether a card shows the texts in the model's space
    processing_class: PreTrainedTokenizerBase  # `None` only with prepared datasets, which do not need it

    def __init__(
        self,
        model: PreTrainedModel | None = None,
        args: StageTrainingArguments | None = None,
        data_collator: Any = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: PreTrainedTokenizerBase | None = None,
        *,
        column_mapping: Mapping[str, str] | None = None,
        compute_metrics: Any = None,
        task_name: str = "emotion",
        peft_config: Any = None,
        **kwargs: Any,
    ) -> None:
        self._check_model(model)
        for name, dataset in (("train_dataset", train_dataset), ("eval_dataset", eval_dataset)):
            is_plain(dataset, name)  # refuses generators, which have no length for transformers to read
        args = self.arguments_class(output_dir="outputs/csr") if args is None else args
        if not isinstance(args, self.arguments_class):
            args = self.arguments_class.derived_from(args)
        args = args.with_epochs(train_dataset)
        if eval_dataset is None and args.eval_strategy != "no":
            args = type(args).derived_from(args, eval_strategy="no")
        super().__init__(
            model=model,
            args=args,
            data_collator=data_collator,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class,
            compute_metrics=compute_metrics,
            **kwargs,
        )
        self.column_mapping, self.task_name = dict(column_mapping or {}), task_name
        self._adopt_tokenizer()
        self.freeze()
        if peft_config is not None:
            self._adapters = TrainedAdapters(self.model, peft_config)
            self.add_callback(self._adapters)
        self.tasks = self.model_tasks()
        self.plain_datasets: dict[str, dict[str, datasets.Dataset]] = {}
        # Frozen encoders that have read texts for this Trainer, with digests of their weights.
        self._encoded_by: list[tuple[MultitaskModel, str]] = []
        self.train_dataset = self._prepared(train_dataset, "train")
        self.eval_dataset = self._prepared(eval_dataset, "eval")
        if data_collator is None:
            self.data_collator = self.default_collator()
        if compute_metrics is None:
            self.compute_metrics = self.metrics_class(self.tasks)
        attention = args.attn_implementation or fast_attention(args.device)
        if attention is not None and hasattr(self.model, "set_attn_implementation"):
            # Not earlier: frozen encoders have to read texts with the attention that is used after training, too.
            self.model.set_attn_implementation(attention)

    # -- the model and its tokenizer -----------------------------------------------------------------------------------

    def _check_model(self, model: PreTrainedModel | None) -> None:
        if not isinstance(model, self.model_classes):
            expected = " or ".join(one.__name__ for one in self.model_classes)
            raise ValueError(f"{type(self).__name__} trains a {expected}, got {type(model).__name__}.")

    def _adopt_tokenizer(self) -> None:
        if self.processing_class is None:
            return
        rows = cast(Any, self.model.get_input_embeddings()).weight.shape[0]
        if len(self.processing_class) > rows:
            raise ValueError(
                f"processing_class has {len(self.processing_class)} tokens, but the model's encoder knows {rows}: pass "
                "the tokenizer that belongs to the model."
            )
        # The stock Trainer does the same when training starts, but warns about it.
        for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
            setattr(self.model.config.get_text_config(), name, getattr(self.processing_class, name))

    def freeze(self) -> None:
        """Freeze what this Trainer does not train: `frozen_modules`, and word embeddings if the arguments say so."""
        frozen = self.frozen_modules
        for name in frozen[cast(Any, self.args).trains] if isinstance(frozen, Mapping) else frozen:
            self.model.get_submodule(name).requires_grad_(False)
        if self.args.freeze_word_embeddings:
            for module in self.model.modules():
                if isinstance(module, MultitaskModel):
                    module.get_input_embeddings().requires_grad_(False)

    def model_tasks(self) -> dict[str, dict[str, Any]]:
        """The model's tasks by name: `labels` in the order of the logits, `problem_type` and any `thresholds`."""
        config: Any = self.model.config
        task = {"labels": label_names(config), "problem_type": config.problem_type}
        thresholds = getattr(config, "thresholds", None)
        return {self.task_name: task | ({"thresholds": list(thresholds)} if thresholds else {})}

    # -- from plain rows to what the model reads -----------------------------------------------------------------------

    def _prepared(self, dataset: Any, split: str) -> Any:
        """A dataset that the model can read: plain ones are prepared, others returned unchanged."""
        if dataset is None or not self._is_plain(dataset, split):
            return dataset
        if self.processing_class is None:
            raise ValueError(f"{split}_dataset holds texts: pass the model's tokenizer as processing_class.")
        rows = self.read(dataset, split)
        self.plain_datasets[split] = rows
        return self.prepare_dataset(rows, split)

    def _is_plain(self, dataset: Any, split: str) -> bool:
        return is_plain(dataset, f"{split}_dataset")

    def read(self, dataset: Any, split: str) -> dict[str, datasets.Dataset]:
        """Plain rows by task, with `text` and, as `labels`, targets in the label space of the model."""
        ((name, task),) = self.tasks.items()
        names: dict[str, Any] = {"name": f"{split}_dataset", "column_mapping": self.column_mapping}
        return {name: task_rows(dataset, task["labels"], task["problem_type"], **names)}

    def prepare_dataset(self, rows: dict[str, datasets.Dataset], split: str) -> Dataset:
        """Turn the rows of each task into inputs of the model: tokens, unless a subclass says otherwise."""
        (texts,) = rows.values()
        return self.tokenized(texts.select_columns(["text", "labels"]), split)

    def tokenized(self, rows: datasets.Dataset, split: str) -> Dataset:
        """Replace `text` with tokens."""
        description = f"Tokenising {split}_dataset"
        one_writes = self.args.main_process_first(desc=description) if rows.cache_files else nullcontext()
        with one_writes:
            return cast(Dataset, tokenize_rows(rows, self.processing_class, self.args.max_length, description))

    @property
    def encoders(self) -> list[MultitaskModel]:
        """The encoders whose representations the rest of the model can be trained on, in place of tokens."""
        return []

    @property
    def reads_vectors(self) -> bool:
        """Whether the model is trained on representations from its frozen encoders instead of tokens."""
        trained = any(parameter.requires_grad for one in self.encoders for parameter in one.parameters())
        return bool(self.encoders) and not trained

    def representations(self, encoder: MultitaskModel, rows: datasets.Dataset, description: str) -> np.ndarray:
        """Representations of texts by a frozen encoder, from the cache if it has read them before.

        Args:
            encoder ([`MultitaskModel`]): The encoder, which is part of the model.
            rows (`Dataset`): Rows with `text`.
            description (`str`): Label of the progress bar.

        Returns:
            `np.ndarray` of shape `(texts, representation_size)`, float32, memory-mapped.
        """
        texts = rows["text"][:]
        self._encoded_by.append((encoder, weights_digest(encoder)))
        config = encoder.config.to_dict()
        key = {
            "weights": self._encoded_by[-1][1],
            "config": {name: config[name] for name in ("encoder", "pooling", "representation", "shared_layer_sizes")},
            "tokenizer": tokenizer_digest(self.processing_class),
            "max_length": self.args.max_length,
            "texts": digest(texts),
        }
        with self.args.main_process_first(desc="encoding"):
            reading = {"max_length": self.args.max_length, "device": self.args.device, "description": description}
            write = partial(write_representations, encoder=encoder, tokenizer=self.processing_class, texts=texts)
            return cached_array(self.args, "representations", key, partial(write, **reading))

    def default_collator(self) -> Any:
        """Collator for prepared datasets."""
        return self.collator_class(self.processing_class, self.tasks)

    # -- training and scores -------------------------------------------------------------------------------------------

    def train(self, *args: Any, **kwargs: Any) -> TrainOutput:
        for encoder, before in self._encoded_by:
            if weights_digest(encoder) != before:
                raise ValueError(
                    "The weights of a frozen encoder have changed since it read the texts: build a new "
                    f"{type(self).__name__} with the model as it is now."
                )
        return super().train(*args, **kwargs)

    def evaluate(self, eval_dataset: Any = None, *args: Any, **kwargs: Any) -> dict[str, float]:
        """As `Trainer.evaluate`, but plain datasets work, too."""
        return super().evaluate(self._prepared_aside(eval_dataset), *args, **kwargs)

    def predict(self, test_dataset: Any, *args: Any, **kwargs: Any) -> PredictionOutput:
        """As `Trainer.predict`, but plain datasets work, too."""
        return super().predict(self._prepared_aside(test_dataset), *args, **kwargs)

    def _prepared_aside(self, dataset: Any) -> Any:
        """Prepare a dataset without keeping its rows in `plain_datasets`."""
        kept = dict(self.plain_datasets)
        prepared = dataset if isinstance(dataset, str) else self._prepared(dataset, "eval")
        self.plain_datasets = kept
        return prepared

    # -- what is written and published ---------------------------------------------------------------------------------

    def write_report(
        self, folder: Path, results: dict[str, Any], logits: Mapping[str, np.ndarray], show_texts: bool = True
    ) -> None:
        """Write scores and training log into a model's folder, and figures unless `draw_figures` is off.

        Args:
            folder (`Path`): The folder.
            results (`dict`): Scores, usually from [`~StageTrainer.report`].
            logits (`Mapping[str, np.ndarray]`): Logits of the dev texts by task; tasks may be left out.
            show_texts (`bool`, defaults to `True`): Whether figures may show texts.
        """
        write_json(folder / "eval_results.json", results)
        write_json(folder / "training_log.json", self.state.log_history)
        if self.args.draw_figures:
            self.draw_figures(folder, results, logits, show_texts)

    def draw_figures(
        self, folder: Path, results: dict[str, Any], logits: Mapping[str, np.ndarray], show_texts: bool
    ) -> None:
        """Draw the figures of a model's card; the arguments are those of [`~StageTrainer.write_report`]."""
        rows = self.plain_datasets.get("eval")
        embed = self.dev_vectors if self.draws_space and self.processing_class is not None else None
        draw_results(folder, self.state.log_history, self.tasks, results, logits, rows, embed)

    def dev_vectors(self, numbers: np.ndarray) -> np.ndarray:
        """Vectors `(texts, size)` of dev texts of the first task in the model's space, by their row numbers."""
        texts = next(iter(self.plain_datasets["eval"].values())).select(numbers)["text"][:]
        model = self.accelerator.unwrap_model(self.model)
        return embed_texts(model, self.processing_class, texts, max_length=self.args.max_length, device=model.device)
