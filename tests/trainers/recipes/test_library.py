"""The library: few recipes, each with a question, made of the paper's stages and ours."""

from dataclasses import replace

import pytest

from trainers.recipes import (
    PAPER_RECIPES,
    RECIPES,
    SOURCE_TASKS,
    CommonSpaceStage,
    DialogueStage,
    EncoderStage,
    SiameseStage,
    stages_of,
)
from trainers.recipes.library import ALL_TASKS, CSR, EMOTION_ENCODER, SENTIMENT_ENCODER, SIAMESE

LIBRARY = (
    *PAPER_RECIPES,
    *("bert-head-rate", "model-3.4", "few-labels", "token-space", "label-attention"),
    *("all-in-one", "dialogue-past", "dialogue"),
)


def test_each_recipe_of_the_library_answers_a_question() -> None:
    assert len(LIBRARY) == 14
    questions = [RECIPES[name].question for name in LIBRARY]
    assert all(questions) and len(set(questions)) == len(questions)


def test_recipes_can_be_run_together() -> None:
    together = stages_of(RECIPES.values())
    assert together == stages_of([*RECIPES.values(), *RECIPES.values()])
    seen: set[str] = set()
    for stage in together:
        assert {parent.name for parent in stage.parents} <= seen, f"{stage.name} before what it starts from"
        seen.add(stage.name)


def test_bert_is_the_emotion_encoder_of_model_3() -> None:
    assert RECIPES["bert"].stages == (EMOTION_ENCODER,)
    assert EMOTION_ENCODER.tasks == ("emotion",) and EMOTION_ENCODER.pretrained_parts
    for recipe in ("model-3.1", "model-3.2", "model-3.3"):
        assert EMOTION_ENCODER in RECIPES[recipe].stages
        for stage in RECIPES[recipe].stages:
            assert stage.starts_from.get("emotion_encoder", EMOTION_ENCODER) == EMOTION_ENCODER


def test_the_papers_recipes_transfer_from_one_sentiment_encoder() -> None:
    assert RECIPES["model-1"].stages[0] == SENTIMENT_ENCODER
    assert RECIPES["model-1"].final.starts_from == {"encoder": SENTIMENT_ENCODER}
    for recipe in ("model-3.1", "model-3.2", "model-3.3"):
        assert RECIPES[recipe].final.starts_from["source_encoders.0"] == SENTIMENT_ENCODER
    # Model-2 learns both tasks at once.
    (multitask,) = RECIPES["model-2"].stages
    assert multitask.tasks == ("emotion", "sentiment") and multitask.pretrained_parts


def test_model_3_1_is_model_3_3_without_siamese_and_reconstruction() -> None:
    without = RECIPES["model-3.1"].final
    assert without == replace(CSR, name=without.name, siamese=None, config={"reconstruction_loss_weight": 0.0})
    assert SIAMESE in RECIPES["model-3.3"].stages and SIAMESE not in RECIPES["model-3.1"].stages


def test_model_3_2_learns_the_common_space_and_then_the_classifier() -> None:
    *_, siamese, common, classifier = RECIPES["model-3.2"].stages
    assert isinstance(siamese, SiameseStage) and common.siamese == siamese
    assert not common.classifies and common.trains == "common_space"
    assert classifier.model == common and classifier.trains == "classifier"


def test_every_stage_but_those_of_sources_is_judged_by_emotion() -> None:
    for name in LIBRARY:
        for stage in RECIPES[name].stages:
            assert stage.tasks[0] == "emotion" or stage.tasks[0] in SOURCE_TASKS, stage.name
            assert stage.tasks[0] == "emotion" or stage is not RECIPES[name].final
    assert RECIPES["all-in-one"].final.tasks == ALL_TASKS


def test_dialogues_are_read_by_the_encoder_of_single_utterances() -> None:
    contexts = {}
    for name in ("dialogue-past", "dialogue"):
        final = RECIPES[name].final
        assert isinstance(final, DialogueStage) and final.utterance_encoder == EMOTION_ENCODER
        contexts[name] = final.config["context"]
    assert contexts == {"dialogue-past": "past", "dialogue": "full"}


def test_the_student_of_model_3_4_has_three_kinds_of_teachers() -> None:
    student = RECIPES["model-3.4"].final
    assert [teacher.name for teacher in student.teachers] == [
        "emotion-encoder-from-related",
        "label-attention-from-related",
        "common-space-from-related",
    ]
    assert student.common_space == RECIPES["few-labels"].stages[0]
    assert student.unlabelled == ("unlabelled",) and student.temperature == 0.5


@pytest.mark.parametrize(
    ("stage", "on_texts", "pretrained", "classifies"),
    [
        (EMOTION_ENCODER, True, ("encoder",), True),
        (EncoderStage(name="second", encoder=EMOTION_ENCODER), True, (), True),
        (SIAMESE, False, (), False),
        (replace(SIAMESE, trains="encoder"), True, (), False),
        (SiameseStage(name="pairs", trains="encoder"), True, ("emotion_encoder",), False),
        (CSR, False, (), True),
        (replace(CSR, config={"prediction_loss_weight": 0.0}), False, (), False),
        (replace(CSR, source_encoders=(SENTIMENT_ENCODER, None)), False, ("source_encoders.1",), True),
        (CommonSpaceStage(name="own", trains="emotion_encoder"), True, ("emotion_encoder",), True),
        (replace(CSR, trains="encoders"), True, (), True),
        # All encoders are those of the stage that it trains further.
        (replace(CSR, model=CSR, source_encoders=(None,)), False, (), True),
        (DialogueStage(name="talk", utterance_encoder=EMOTION_ENCODER), False, (), True),
    ],
)
def test_stages_say_what_they_train(
    stage: EncoderStage, on_texts: bool, pretrained: tuple[str, ...], classifies: bool
) -> None:
    assert (stage.trains_encoder, stage.pretrained_parts, stage.classifies) == (on_texts, pretrained, classifies)
