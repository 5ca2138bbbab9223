"""Publishing the stages of a run on the Hub as they are finished, each with its card."""

import dataclasses
import logging
from typing import Any

from accelerate import PartialState
from huggingface_hub import HfApi
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from ..data import BUNDLED_POSTS
from ..hub import (
    HubRepositories,
    PublishingError,
    StagePublisher,
    check_metadata,
    check_repositories,
    collection_title,
    full_repository_name,
    push_space,
    space_name,
)
from ..recipes import DistilledStage, Stage
from .adapter_publishing import adapter_card, adapter_name, publishable_adapter, stages_with_adapters
from .cards import save_card, stage_card
from .prepared_run import PreparedRun

logger = logging.getLogger(__name__)
# Clickable examples on the page.
POSTS = [BUNDLED_POSTS / "emotion" / name for name in ("dev.jsonl", "test.jsonl")]


def with_publisher(
    run: PreparedRun, name: str | None = None, *, token: str | None = None, private: bool | None = None
) -> PreparedRun:
    """Return the run with a publisher for its stages, after checking permissions on the Hub.

    Args:
        run ([`PreparedRun`]): The run.
        name (`str`, *optional*): Repository of the final stage. Defaults to that in the arguments, or to the
            folder name.
        token (`str`, *optional*): Overrides the token in the arguments.
        private (`bool`, *optional*): Overrides the choice in the arguments.

    Raises:
        ValueError: If publishing is not possible, with what to do about it.
    """
    training = run.args.training
    api = HfApi(token=token or training.hub_token)
    name = full_repository_name(api, name or training.hub_model_id or run.output_dir.resolve().name)
    others = [stage.name for stage in run.stages if stage.name != run.final.name]
    others += map(adapter_name, stages_with_adapters(run))
    repositories = HubRepositories(name, run.final.name, tuple(others))
    check_repositories(api, repositories)
    if run.args.hub.push_space:
        check_repositories(api, HubRepositories(space_name(name), "space"))
    publisher = StagePublisher(
        api,
        repositories,
        private=training.hub_private_repo if private is None else private,
        revision=training.hub_revision,
        patience=run.args.hub.hub_patience,
    )
    published = dataclasses.replace(run, publisher=publisher)
    # Include a result, since it names the dataset.
    results = {"metrics": {"macro_f1": 0.0}}
    cards = {stage.name: stage_card(stage, published, results) for stage in run.stages}
    cards |= {adapter_name(stage): adapter_card(stage, published, results) for stage in stages_with_adapters(run)}
    check_metadata({stage: card.metadata() for stage, card in cards.items()})
    return published


class RunPublisher:
    """Publishes the stages of a run. Failures are reported at the end, so that they never cost a training.

    Args:
        run ([`PreparedRun`]): The run, with its publisher.
    """

    def __init__(self, run: PreparedRun) -> None:
        assert run.publisher is not None, "with_publisher prepares what publishes a run"
        self.run, self.publisher, self.repositories = run, run.publisher, run.publisher.repositories
        self._failed: dict[str, Exception] = {}

    def publish(self, stage: Stage) -> None:
        """Publish a finished stage. A failure is reported by [`~RunPublisher.finish`]."""
        if not PartialState().is_main_process:
            return
        recipes = [recipe.name for recipe in self.run.recipes if stage in recipe.stages]
        try:
            # A card written before the stage was published, or before its baseline existed, says less.
            save_card(stage, self.run)
            message = f"{stage.name} of {', '.join(recipes)}"
            self.publisher.publish(stage.name, self.run.folder(stage), message, tags=recipes)
            if stage in stages_with_adapters(self.run):
                with publishable_adapter(stage, self.run) as folder:
                    self.publisher.publish(adapter_name(stage), folder, f"Adapter of {message}", tags=recipes)
        except Exception as error:
            # Whatever it is, it must not cost a training.
            logger.error(
                "%s could not be published, training goes on: %s", stage.name, error, exc_info=_is_a_fault(error)
            )
            self._failed[stage.name] = error

    def finish(self) -> None:
        """Gather the published stages in a collection, and publish a page to try them if asked for.

        Raises:
            PublishingError: If a stage, the collection or the page could not be published, with what to do.
        """
        if not PartialState().is_main_process:
            return
        if self._failed:
            raise PublishingError(
                f"All stages are in {self.run.output_dir}, but {', '.join(self._failed)} could not be published: "
                f"{next(iter(self._failed.values()))} Repeat the command to continue; nothing is trained again."
            )
        collection = self._collect()
        if self.run.args.hub.push_space:
            self._push_space(collection)

    def _collect(self) -> str:
        """The collection of the run's stages. A student joins that of its teacher, if both have the same owner."""
        teacher = self.run.args.hub.teacher_id
        if (
            isinstance(self.run.final, DistilledStage)
            and teacher
            and teacher.split("/")[0] == self.repositories.namespace
        ):
            notes = {self.run.final.name: f"Distilled from {teacher}"}
            return self.publisher.collect(collection_title(teacher), f"What was distilled from {teacher}.", notes)
        recipes = ", ".join(recipe.name for recipe in self.run.recipes)
        notes = {stage.name: f"The stage {stage.name}" for stage in self.run.stages}
        notes |= {adapter_name(one): f"The adapter of the stage {one.name}" for one in stages_with_adapters(self.run)}
        description = f"The stages of {recipes}, by csr-emotion."
        return self.publisher.collect(collection_title(self.repositories.name), description, notes)

    def _push_space(self, collection: str) -> None:
        """Publish a page to try the final stage beside its emotion encoder, and add it to the collection."""
        api, model = self.publisher.api, self.repositories.name
        encoder = self.run.final.starts_from.get("emotion_encoder")
        compare = self.repositories[encoder.name] if encoder else self.run.args.hub.teacher_id
        space = space_name(model)

        def push() -> None:
            push_space(api, space, model, compare, posts=POSTS, private=self.publisher.private)
            api.add_collection_item(collection, space, "space", note="A page to try it", exists_ok=True)

        self.publisher.patiently(push, space)
        logger.info("A page to try the model is at %s/spaces/%s.", api.endpoint, space)

    def callback(self, stage: Stage) -> TrainerCallback:
        """Callback that publishes the checkpoints of a stage during training."""
        return _CheckpointPublishing(stage, self.run, self.publisher)


def _is_a_fault(error: Exception) -> bool:
    """Whether an error is a fault of this library, whose traceback is wanted, rather than one of the Hub."""
    return not isinstance(error, PublishingError)


class _CheckpointPublishing(TrainerCallback):
    """Publishes each checkpoint as a loadable model, without optimizer state."""

    def __init__(self, stage: Stage, run: PreparedRun, publisher: StagePublisher) -> None:
        self.stage, self.run, self.publisher = stage, run, publisher

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        folder = self.run.folder(self.stage) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        try:
            stage_card(self.stage, self.run, {"metrics": {}}).save(folder)
            self.publisher.publish(self.stage.name, folder, f"{self.stage.name}, step {state.global_step}")
        except Exception as error:
            # The next checkpoint, or the finished stage, replaces it anyway.
            logger.warning("A checkpoint could not be published: %s", error, exc_info=_is_a_fault(error))
