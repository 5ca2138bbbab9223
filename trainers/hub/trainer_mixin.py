"""Hub support for Trainers: the model's card, and a push of the complete repository in one commit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from huggingface_hub import HfApi

from ..training_arguments import StageTrainingArguments
from .cards import trainer_card
from .publisher import StagePublisher
from .repositories import HubRepositories, check_repositories, full_repository_name

# A mixin has no base of its own; the type checker has to know what it is mixed into.
if TYPE_CHECKING:
    from transformers import Trainer as Base
else:
    Base = object


class TrainerHubMixin(Base):
    """Mixin for a `Trainer` with `report`, `write_report` and `tasks`, such as [`StageTrainer`].

    Attributes:
        kind (`str`): Kind of the model, as in [`~model_cards.StageCard`].
    """

    kind: ClassVar[str] = "multitask"
    args: StageTrainingArguments
    tasks: dict[str, dict[str, Any]]
    report: Callable[..., Any]
    write_report: Callable[..., None]

    def card_fields(self) -> dict[str, Any]:
        """Fields of [`~model_cards.StageCard`] that depend on the model."""
        return {}

    def create_model_card(self, title: str | None = None, **kwargs: Any) -> None:
        """Write the model's card, `README.md`, into the output folder, using the results that
        [`~StageTrainer.write_report`] wrote there.

        Args:
            title (`str`, *optional*): Name of the model. Defaults to that of its repository or folder.
            **kwargs: Further fields of [`~model_cards.StageCard`], which override what the Trainer knows.
        """
        folder = Path(self.args.output_dir)
        title = title or self.args.hub_model_id or folder.resolve().name
        results = json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))
        task = next(iter(self.tasks.values()))
        if self.args.should_save:
            fields = self.card_fields() | kwargs
            trainer_card(title, self.kind, task, self.args, results, folder, **fields).save(folder)

    def push_to_hub(
        self,
        commit_message: str | None = "End of training",
        blocking: bool = True,
        token: str | None = None,
        revision: str | None = None,
        **kwargs: Any,
    ) -> str:
        """Evaluate the model, write its folder and push weights, code, tokenizer, scores and card in one commit.

        Args:
            commit_message (`str`, *optional*): Message of the commit.
            blocking (`bool`): Ignored: the push is always finished when this returns.
            token (`str`, *optional*): A token with write access. Defaults to that of the arguments or `hf auth login`.
            revision (`str`, *optional*): Branch to push to. Defaults to that of the arguments, or `main`.
            **kwargs: Further fields of the card, as for [`~StageTrainer.create_model_card`].

        Returns:
            `str`: The id of the repository.

        Raises:
            ValueError: If the Hub refuses the token or the name. The message says what to do.
            PublishingError: If the push fails, after retries of temporary errors.
        """
        api = HfApi(token=token or self.args.hub_token)
        name = full_repository_name(api, self.args.hub_model_id or Path(self.args.output_dir).resolve().name)
        repositories = HubRepositories(name, "model")
        check_repositories(api, repositories)
        folder = Path(self.args.output_dir)
        results, logits = self.report() if self.eval_dataset is not None else ({}, {})
        self.save_model(str(folder), _internal_call=True)
        if self.args.should_save:
            self.write_report(folder, results, logits)
            self.create_model_card(name, **kwargs)
            revision = revision or self.args.hub_revision
            options: dict[str, Any] = {"private": self.args.hub_private_repo, "revision": revision}
            StagePublisher(api, repositories, **options).publish("model", folder, commit_message or "End of training")
        self.accelerator.wait_for_everyone()
        return name

    def init_hf_repo(self, token: str | None = None) -> None:
        """Do nothing: [`push_to_hub`] creates the repository along with its first commit, so none is left empty."""

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        # The stock method would push weights without the code and the card they need.
        return
