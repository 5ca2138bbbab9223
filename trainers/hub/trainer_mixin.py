"""What a Trainer does with the Hub: its model's card, and one push of a complete repository."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from huggingface_hub import HfApi

from ..training_arguments import StageTrainingArguments
from .cards import trainer_card
from .publisher import StagePublisher
from .repositories import HubRepositories, check_repositories, full_repository_name

if TYPE_CHECKING:
    from transformers import Trainer as Base
else:
    Base = object


class TrainerHubMixin(Base):
    """For a `Trainer` that has `report`, `write_report` and `tasks`, as [`StageTrainer`] has.

    Attributes:
        kind (`str`): What a card says the model is.
    """

    kind: ClassVar[str] = "multitask"
    args: StageTrainingArguments
    tasks: dict[str, dict[str, Any]]
    report: Callable[..., Any]
    write_report: Callable[..., None]

    def create_model_card(self, title: str | None = None, **kwargs: Any) -> None:
        """Write the model's card, `README.md`, into the output folder, from what [`~StageTrainer.write_report`] wrote.

        Args:
            title (`str`, *optional*): The model's name; by default that of its repository or folder.
            **kwargs: Further fields of [`~model_cards.StageCard`], which win over what the Trainer knows.
        """
        folder = Path(self.args.output_dir)
        title = title or self.args.hub_model_id or folder.resolve().name
        results = json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))
        task = next(iter(self.tasks.values()))
        if self.args.should_save:
            trainer_card(title, self.kind, task, self.args, results, folder, **kwargs).save(folder)

    def push_to_hub(
        self,
        commit_message: str | None = "End of training",
        blocking: bool = True,
        token: str | None = None,
        **kwargs: Any,
    ) -> str:
        """Score the model, write its folder and push it: weights, code, tokenizer, scores and card in one commit.

        Args:
            commit_message (`str`, *optional*): Message of the commit.
            blocking (`bool`): Ignored: the push is done when this returns.
            token (`str`, *optional*): A token that may write; that of the arguments or of `hf auth login` by default.
            **kwargs: Further fields of the card, as for [`~StageTrainer.create_model_card`].

        Returns:
            `str`: The id of the repository.

        Raises:
            ValueError: If the Hub refuses the token or the name, with what to do.
            PublishingError: If the push failed, however often it was tried.
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
            options: dict[str, Any] = {"private": self.args.hub_private_repo, "revision": self.args.hub_revision}
            StagePublisher(api, repositories, **options).publish("model", folder, commit_message or "End of training")
        self.accelerator.wait_for_everyone()
        return name

    def init_hf_repo(self, token: str | None = None) -> None:
        """Nothing: a repository is created with its first commit, so that none stays empty."""

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        # The stock one would push weights without the code and the card that they need.
        return
