"""Configuration of the `csr-multitask` family."""

from typing import Any, cast

from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from .configuration_recurrent_encoder import RecurrentEncoderConfig  # noqa: F401 (registered for `encoder`)
from .labelled_config import PER_LABEL_OPTIONS, LabelledConfig, check_calibration
from .losses import PROBLEM_TYPES, check_label_loss
from .pooling import POOLING_MODES

REPRESENTATIONS = ("pooled", "shared")
TASK_WEIGHTINGS = ("fixed", "uncertainty")


class MultitaskConfig(LabelledConfig):
    r"""
    Configuration of a text encoder with shared linear layers and one head per task. With one task it is a plain
    classifier (`bert`, `model-1` and the encoders of Model-3); with several it is `model-2`.

    Args:
        encoder (`PreTrainedConfig` or `dict`): Full configuration of the text encoder (any `AutoModel` encoder), so
            that the model loads without looking the encoder up by name.
        tasks (`dict[str, dict]`): Maps each task name to its head: `labels` (`list[str]`), `problem_type`
            (`"multi_label_classification"`, `"single_label_classification"` or `"regression"`) and, optionally,
            `loss_weight` (`float`, default 1.0), `thresholds` (`list[float]`, one per label, default 0.5),
            `calibration` (`list[list[float]]`, slope and intercept per label; see [`ClassifierHead.calibrated`]),
            `class_weights` (`list[float]`, one per label) and `label_loss` (`str`); see [`losses.label_loss`] for the
            last two.
        main_task (`str`, *optional*): The task whose labels, problem type and logits the model exposes to
            `pipeline("text-classification")`. Defaults to the first task.
        pooling (`str`, defaults to `"mean"`): `"mean"`, `"cls"` (as in the paper) or `"max"`.
        shared_layer_sizes (`list[int]`, *optional*): Widths of the linear layers shared by all heads. None by default.
        representation (`str`, defaults to `"pooled"`): Representation of a text that models built on this one read:
            `"pooled"`, the pooled encoder output, or `"shared"`, the output of the last shared layer.
        classifier_dropout (`float`, defaults to 0.1): Dropout before the shared layers and before the heads.
        task_weighting (`str`, defaults to `"fixed"`): How the losses of the tasks are weighted: `"fixed"` uses
            `loss_weight`; `"uncertainty"` additionally learns one log variance per task (Kendall, Gal and Cipolla
            2018, *Multi-Task Learning Using Uncertainty to Weigh Losses*, equation 10).
        adapter (`dict`, *optional*): Options of a LoRA adapter in the encoder, fields of `peft.LoraConfig`. None by
            default; trained adapters are usually merged.
        adapter_name (`str`, *optional*): Name of the adapter. Defaults to the main task.
        adapter_base (`dict`, *optional*): The encoder that the adapter was trained on: a `digest` of its weights and,
            if it is on the Hub, its `name` and `revision`. A folder whose config has it holds the adapter alone.

    Raises:
        ValueError: If a task, the main task, the pooling, the representation or the task weighting is invalid.

    Example:

    ```python
    >>> from transformers import BertConfig
    >>> from modeling_csr import MultitaskConfig, MultitaskForSequenceClassification

    >>> task = {"labels": ["anger", "joy"], "problem_type": "multi_label_classification"}
    >>> config = MultitaskConfig(encoder=BertConfig(), tasks={"emotion": task})
    >>> model = MultitaskForSequenceClassification(config)
    ```
    """

    model_type = "csr-multitask"
    sub_configs_defaults = {"encoder": SubConfigSpec(config_class=AutoConfig, model_type="bert")}
    keys_to_ignore_at_inference = [
        "logits",
        "task_losses",
        "representation",
        "pooler_output",
        "hidden_states",
        "attentions",
    ]

    encoder: dict | PreTrainedConfig | None = None
    tasks: dict[str, dict[str, Any]] | None = None
    main_task: str | None = None
    pooling: str = "mean"
    shared_layer_sizes: list[int] | None = None
    representation: str = "pooled"
    classifier_dropout: float | int = 0.1
    task_weighting: str = "fixed"
    adapter: dict[str, Any] | None = None
    adapter_name: str | None = None
    adapter_base: dict[str, Any] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        self.tasks = {name: dict(task) for name, task in (self.tasks or {}).items()}
        self.shared_layer_sizes = list(self.shared_layer_sizes or [])
        for name, task in self.tasks.items():
            _check_task(name, task)
        if self.pooling not in POOLING_MODES:
            raise ValueError(f"pooling must be one of {', '.join(POOLING_MODES)}, got {self.pooling!r}.")
        if self.representation not in REPRESENTATIONS:
            raise ValueError(
                f"representation must be one of {', '.join(REPRESENTATIONS)}, got {self.representation!r}."
            )
        if self.task_weighting not in TASK_WEIGHTINGS:
            raise ValueError(
                f"task_weighting must be one of {', '.join(TASK_WEIGHTINGS)}, got {self.task_weighting!r}."
            )
        if self.representation == "shared" and not self.shared_layer_sizes:
            raise ValueError('representation="shared" needs at least one entry in shared_layer_sizes.')
        if self.tasks:
            self.main_task = self.main_task or next(iter(self.tasks))
            if self.main_task not in self.tasks:
                raise ValueError(f"main_task {self.main_task!r} is not one of the tasks: {', '.join(self.tasks)}.")
            main = self.tasks[self.main_task]
            self._set_names(main["labels"])
            self.problem_type = main["problem_type"]
        if self.adapter is not None:
            self.adapter_name = self.adapter_name or self.main_task or "default"
            # How an adapter began does not matter to one whose weights are loaded.
            self.adapter = {name: value for name, value in self.adapter.items() if name != "init_lora_weights"}
        kwargs.pop("num_labels", None)
        super().__post_init__(**kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Build the configuration; `tasks` and `main_task` in `kwargs` replace those of `config_dict`."""
        replaced = {name: kwargs.pop(name) for name in ("tasks", "main_task") if name in kwargs}
        config_dict = config_dict | replaced
        if config_dict.get("main_task") not in (config_dict.get("tasks") or {}) and "main_task" not in replaced:
            config_dict.pop("main_task", None)
        return super().from_dict(config_dict, **kwargs)

    def check_labels(self) -> None:
        """Check that the labels and the problem type are still those of the main task.

        Raises:
            ValueError: If they are not, because one of them was assigned.
        """
        if not self.tasks:
            return
        main = self.tasks[self.main_task]
        _check_task(self.main_task, main)
        if len(main["labels"]) != self.num_labels or main["problem_type"] != self.problem_type:
            raise ValueError(
                f"The config has {self.num_labels} labels and the problem type {self.problem_type!r}, but its task "
                f"{self.main_task!r} has {len(main['labels'])} and {main['problem_type']!r}. Change both with "
                f"config.relabel(id2label={self.id2label!r}, problem_type={self.problem_type!r})."
            )

    def _set_labels(self, names: list[str], problem_type: Any, keep_options: bool) -> None:
        if self.tasks:
            dropped: tuple[str, ...] = () if keep_options else PER_LABEL_OPTIONS
            if problem_type != self.problem_type:
                dropped = (*dropped, "label_loss")
            task = {name: value for name, value in self.tasks[self.main_task].items() if name not in dropped}
            changed = dict(self.tasks)
            changed[self.main_task] = task | {"labels": names, "problem_type": problem_type}
            if len(self.tasks) > 1:
                raise ValueError(
                    f"The model has the tasks {', '.join(self.tasks)}, and num_labels, id2label, label2id and "
                    "problem_type do not say which of them they are for. Pass all tasks instead: "
                    f"MultitaskForSequenceClassification.from_pretrained({self.name_or_path or 'FOLDER'!r}, "
                    f"tasks={changed!r}, ignore_mismatched_sizes=True)."
                )
            _check_task(self.main_task, changed[self.main_task])
            self.tasks = changed
        super()._set_labels(names, problem_type, keep_options)

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> PreTrainedConfig:
        """Configuration of the encoder, whose vocabulary size is the model's."""
        return cast(PreTrainedConfig, self.encoder)

    def to_dict(self) -> dict[str, Any]:
        """Serialise without the origin of the encoder, which may be a local folder, and without its `auto_map`: the
        class of the encoder comes from transformers or from a module saved alongside this one. Labels that were renamed
        by assigning `id2label` are those of the main task from now on."""
        output = super().to_dict()
        others = [task["labels"] for name, task in self.tasks.items() if name != self.main_task]
        if (
            self.tasks
            and len(self.tasks[self.main_task]["labels"]) == self.num_labels
            and self.label_names not in others
        ):
            output["tasks"][self.main_task]["labels"] = self.label_names
        for name in ("_name_or_path", "auto_map"):
            output["encoder"].pop(name, None)
        return output

    @property
    def representation_size(self) -> int:
        """Width of the representation that models built on this one read."""
        return self.shared_layer_sizes[-1] if self.representation == "shared" else self.encoder.hidden_size

    @property
    def thresholds(self) -> list[float] | None:
        """Decision thresholds of the main task, one per label; `None` means 0.5 for every label."""
        return self.tasks[self.main_task].get("thresholds") if self.tasks else None

    @thresholds.setter
    def thresholds(self, value: list[float] | None) -> None:
        self.tasks[self.main_task]["thresholds"] = value

    @property
    def calibration(self) -> list[list[float]] | None:
        """Slopes and intercepts of the main task's labels; `None` means that it is not calibrated."""
        return self.tasks[self.main_task].get("calibration") if self.tasks else None

    @calibration.setter
    def calibration(self, value: list[list[float]] | None) -> None:
        self.tasks[self.main_task]["calibration"] = value


def _check_task(name: str, task: dict[str, Any]) -> None:
    if "." in name:
        raise ValueError(f"Task name {name!r} must not contain a dot, because it becomes the name of a module.")
    missing = {"labels", "problem_type"} - set(task)
    if missing:
        raise ValueError(f"Task {name!r} is missing {', '.join(sorted(missing))}.")
    if task["problem_type"] not in PROBLEM_TYPES:
        raise ValueError(f"Task {name!r}: problem_type must be one of {', '.join(PROBLEM_TYPES)}.")
    try:
        check_label_loss(task.get("label_loss", "cross_entropy"), task["problem_type"])
    except ValueError as error:
        raise ValueError(f"Task {name!r}: {error}") from error
    if len(set(task["labels"])) != len(task["labels"]) or not task["labels"]:
        raise ValueError(f"Task {name!r} needs at least one label and no duplicates, got {task['labels']}.")
    if task["problem_type"] == "single_label_classification" and len(task["labels"]) == 1:
        raise ValueError(
            f'Task {name!r}: problem_type="single_label_classification" needs at least two labels; for one label, '
            'choose "multi_label_classification".'
        )
    for option in PER_LABEL_OPTIONS:
        values = task.get(option)
        if values is not None and len(values) != len(task["labels"]):
            raise ValueError(f"Task {name!r} has {len(task['labels'])} labels but {len(values)} {option}.")
    try:
        check_calibration(task.get("calibration"))
    except ValueError as error:
        raise ValueError(f"Task {name!r}: {error}") from error


__all__ = ["MultitaskConfig"]
