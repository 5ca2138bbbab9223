"""All stages of a run on the Hub, each with its card, as they are finished."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accelerate import PartialState
from huggingface_hub import HfApi
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from ..hub.publisher import PublishingError, StagePublisher, collection_title
from ..hub.repositories import HubRepositories, check_metadata, check_repositories, full_repository_name
from ..hub.space import check_space_files, push_space, space_name
from ..recipes.library import RECIPES, Stage
from .cards import stage_card, write_card
from .context import StageContext

logger = logging.getLogger(__name__)


class RunPublisher:
    """Publishes the stages of a run, after asking the Hub whether it may.

    Args:
        context ([`StageContext`]): The run; it learns where its stages go, which their cards name.
        stages (`Sequence[Stage]`): Its stages.

    Raises:
        ValueError: If something stands in the way, with what to do about it.
    """

    def __init__(self, context: StageContext, stages: Sequence[Stage]) -> None:
        self.context, self.stages = context, stages
        self.recipes = context.args.model.recipe
        training = context.args.training
        api = HfApi(token=training.hub_token)
        name = full_repository_name(api, training.hub_model_id or context.output_dir.resolve().name)
        self.repositories = HubRepositories.of_run(name, self.recipes, [stage.name for stage in stages])
        check_repositories(api, self.repositories)
        if context.args.hub.push_space:
            check_space_files()
            check_repositories(api, HubRepositories(space_name(name), ("space",)))
        context.repositories = self.repositories
        # With a result, which names the dataset.
        cards = {stage.name: stage_card(stage, context, {"metrics": {"macro_f1": 0.0}}) for stage in stages}
        check_metadata({stage: card.metadata() for stage, card in cards.items()})
        self.publisher = StagePublisher(
            api,
            self.repositories,
            private=training.hub_private_repo,
            revision=training.hub_revision,
            patience=context.args.hub.hub_patience,
        )
        self._failed: dict[str, PublishingError] = {}

    def publish(self, stage: Stage) -> None:
        """Publish a finished stage. What fails is kept for [`~RunPublisher.finish`]: the training goes on."""
        if not PartialState().is_main_process:
            return
        recipes = [name for name in self.recipes if stage in RECIPES[name]]
        try:
            # A card from before the stage was published, or before its baseline was there, says less.
            write_card(stage, self.context)
            folder = self.context.folder(stage.name)
            self.publisher.publish(stage.name, folder, f"{stage.name} of {', '.join(recipes)}", tags=recipes)
        except PublishingError as error:
            logger.error("%s", error)
            self._failed[stage.name] = error

    def finish(self) -> None:
        """Gather what was published in a collection, with a page to try it where that is asked for.

        Raises:
            PublishingError: If a stage, the collection or the page could not be published, with what to do.
        """
        if not PartialState().is_main_process:
            return
        if self._failed:
            raise PublishingError(
                f"All stages are in {self.context.output_dir}, but {', '.join(self._failed)} could not be published: "
                f"{next(iter(self._failed.values()))} Repeat the command to go on; nothing is trained again."
            )
        description = f"The stages of {', '.join(self.recipes)}, by csr-emotion."
        notes = {stage.name: f"The stage {stage.name}" for stage in self.stages}
        collection = self.publisher.collect(collection_title(self.repositories.name), description, notes)
        if self.context.args.hub.push_space:
            self._push_space(collection)

    def _push_space(self, collection: str) -> None:
        """Publish a page to try the last stage, beside the emotion encoder that it is built on, in the collection."""
        api, model = self.publisher.api, self.repositories.name
        final = next(stage for stage in self.stages if stage.name == self.repositories.stages[-1])
        encoder = final.starts_from.get("emotion_encoder")
        compare = self.repositories[encoder] if encoder else None
        space = space_name(model)

        def push() -> None:
            push_space(api, space, model, compare, private=self.publisher.private)
            api.add_collection_item(collection, space, "space", note="A page to try it", exists_ok=True)

        self.publisher.patiently(push, space)
        logger.info("A page to try the model is at %s/spaces/%s.", api.endpoint, space)

    def callback(self, stage: Stage) -> TrainerCallback:
        """What publishes a stage's checkpoints while it is trained."""
        return _CheckpointPublishing(stage, self.context, self.publisher)


class _CheckpointPublishing(TrainerCallback):
    """Publishes each checkpoint as a model that can be loaded, without the optimizer's state."""

    def __init__(self, stage: Stage, context: StageContext, publisher: StagePublisher) -> None:
        self.stage, self.context, self.publisher = stage, context, publisher

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        folder = Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        stage_card(self.stage, self.context, {"metrics": {}}).save(folder)
        try:
            self.publisher.publish(self.stage.name, folder, f"{self.stage.name}, step {state.global_step}")
        except PublishingError as error:
            # The next one, or the finished stage, makes up for it.
            logger.warning("%s", error)
