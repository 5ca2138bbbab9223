import itertools
from dataclasses import replace

import pytest

from trainers.recipes.library import CONTROLS, PAPER_RECIPES, RECIPES, Stage, stages_of


def names(stages: list[Stage]) -> list[str]:
    return [stage.name for stage in stages]


def assert_parents_first(stages: list[Stage]) -> None:
    seen: set[str] = set()
    for stage in stages:
        assert stage.name not in seen
        assert set(stage.starts_from.values()) <= seen, f"{stage.name} before what it starts from"
        seen.add(stage.name)


@pytest.mark.parametrize("recipe", RECIPES)
def test_parents_come_first_in_each_recipe(recipe: str) -> None:
    stages = stages_of([recipe])
    assert stages == list(RECIPES[recipe])
    assert_parents_first(stages)


def test_parents_come_first_in_all_recipes_together() -> None:
    for couple in itertools.permutations(RECIPES, 2):
        assert_parents_first(stages_of(list(couple)))
    for recipes in (list(RECIPES), list(reversed(RECIPES))):
        stages = stages_of(recipes)
        assert_parents_first(stages)
        assert set(names(stages)) == {stage.name for recipe in RECIPES.values() for stage in recipe}


def test_a_name_stands_for_one_stage() -> None:
    stages = [stage for recipe in RECIPES.values() for stage in recipe]
    for first, second in itertools.combinations(stages, 2):
        assert first.name != second.name or first == second


def test_repeated_recipes_add_nothing() -> None:
    assert stages_of(["model-3.3", "bert", "model-3.3"]) == stages_of(["model-3.3"])


def test_bert_is_the_emotion_encoder_of_model_3() -> None:
    (bert,) = RECIPES["bert"]
    assert bert.tasks == ("emotion",) and not bert.starts_from and not bert.frozen
    for recipe in ("model-3.1", "model-3.2", "model-3.3"):
        assert bert in RECIPES[recipe]
        for stage in RECIPES[recipe]:
            assert stage.starts_from.get("emotion_encoder", bert.name) == bert.name


def test_all_transfer_from_one_encoder_shares_its_sentiment_stage() -> None:
    # model-2 learns both tasks at once and has no stage of sentiment alone.
    found = {recipe: [s for s in stages if s.tasks == ("sentiment",)] for recipe, stages in RECIPES.items()}
    without = {recipe for recipe, stages in found.items() if not stages}
    assert without & (PAPER_RECIPES | CONTROLS).keys() == {
        "bert",
        "model-2",
        "emotion-alone",
        "two-emotion-encoders",
    }
    found = {recipe: stages for recipe, stages in found.items() if stages}
    assert all(stages == found["model-1"] for stages in found.values())
    assert len(found["model-1"]) == 1
    assert RECIPES["model-1"][-1].starts_from == {"encoder": found["model-1"][0].name}


def test_model_2_learns_both_tasks_at_once() -> None:
    (stage,) = RECIPES["model-2"]
    assert stage.tasks == ("emotion", "sentiment") and not stage.starts_from and not stage.frozen


def test_model_3_1_is_model_3_3_without_siamese_and_reconstruction() -> None:
    first, third = RECIPES["model-3.1"], RECIPES["model-3.3"]
    assert [stage for stage in third if stage.kind != "siamese"][:-1] == list(first[:-1])
    without, whole = first[-1], third[-1]
    assert (without.kind, without.tasks, without.frozen) == (whole.kind, whole.tasks, whole.frozen)
    assert without.starts_from | {"siamese": "siamese"} == whole.starts_from
    assert without.config == {"reconstruction_loss_weight": 0.0} and whole.config == {}


def test_model_3_2_learns_the_common_space_and_then_the_classifier() -> None:
    *_, siamese, common, classifier = RECIPES["model-3.2"]
    assert siamese.kind == "siamese" and siamese.frozen == ("emotion_encoder",)
    assert common.config == {"prediction_loss_weight": 0.0} and common.starts_from["siamese"] == siamese.name
    assert classifier.config == {"reconstruction_loss_weight": 0.0} and classifier.frozen == ("csr",)
    assert classifier.starts_from["model"] == common.name


def test_all_is_judged_by_emotion_but_what_learns_other_tasks() -> None:
    alone = ("sentiment", "related", "intensity", "valence")
    others = {f"{task}-encoder": task for task in alone}
    others |= dict.fromkeys(("related-space", "related-space-sentiment"), "related")
    others["intensity-encoder-from-related"] = "intensity"
    for stage in stages_of(list(RECIPES)):
        assert stage.tasks[0] == others.get(stage.name, "emotion")


# -- the controls -----------------------------------------------------------------------------------------------------


def test_paper_and_controls_share_no_name() -> None:
    assert not PAPER_RECIPES.keys() & CONTROLS.keys()
    assert PAPER_RECIPES.keys() | CONTROLS.keys() <= RECIPES.keys()


def test_sources_of_a_common_space_are_in_order() -> None:
    stage = Stage("s", "csr", starts_from={"emotion_encoder": "e", "source_encoders.0": "a", "source_encoders.1": "b"})
    assert stage.sources == ["a", "b"]
    assert {recipe: stages[-1].sources for recipe, stages in CONTROLS.items()} == {
        "emotion-alone": [],
        "two-emotion-encoders": ["emotion-encoder-2"],
        "sentiment-alone": [],
    }
    assert all(PAPER_RECIPES[recipe][-1].sources == ["sentiment-encoder"] for recipe in ("model-3.1", "model-3.3"))


def test_controls_differ_from_model_3_3_in_their_sources_alone() -> None:
    """Else their scores would not tell what the sentiment source is worth."""
    whole = PAPER_RECIPES["model-3.3"][-1]
    for recipe in ("emotion-alone", "two-emotion-encoders"):
        control = CONTROLS[recipe][-1]
        assert (control.kind, control.tasks, control.frozen, control.config, control.seed_offset) == (
            whole.kind,
            whole.tasks,
            whole.frozen,
            whole.config,
            whole.seed_offset,
        )
        for part in ("emotion_encoder", "siamese"):
            assert control.starts_from[part] == whole.starts_from[part]
    # It judges emotions by the sentiment encoder, so that there is no emotion encoder to reconstruct.
    alone = CONTROLS["sentiment-alone"]
    assert alone[-1].starts_from == {"emotion_encoder": "sentiment-encoder"}
    assert alone[-1].config == {"reconstruction_loss_weight": 0.0}
    assert "emotion-encoder" not in names(list(alone))


def test_second_emotion_encoder_differs_in_its_seed_alone() -> None:
    first, second = CONTROLS["two-emotion-encoders"][:2]
    assert first.seed_offset == 0 and second.seed_offset > 0
    assert (first.kind, first.tasks, first.starts_from, first.config) == (
        second.kind,
        second.tasks,
        second.starts_from,
        second.config,
    )


def test_teachers_of_several_seeds_differ_in_those_alone() -> None:
    seeds, own = RECIPES["self-trained-seeds"][-1], RECIPES["model-3.4"][-1]
    teachers = {stage.name: stage for stage in RECIPES["self-trained-seeds"] if stage.name in seeds.teachers}
    first = RECIPES["common-space-from-related"][-1]
    assert [replace(stage, name=first.name, seed_offset=0) for stage in teachers.values()] == [first] * 3
    assert len({stage.seed_offset for stage in teachers.values()}) == 3
    # The student is that of model-3.4.
    assert replace(seeds, name=own.name, teachers=own.teachers) == own


def test_one_teacher_more_differs_in_its_source_alone() -> None:
    """Else what the sentiment encoder brings would not show."""
    own = RECIPES["model-3.4"][-1]
    further = {"self-trained-label-attention": "label-attention", "self-trained-sentiment": "token-space"}
    for recipe, teacher in further.items():
        student = RECIPES[recipe][-1]
        assert student.teachers == (*own.teachers, teacher)
        assert replace(student, name=own.name, teachers=own.teachers) == own
    without, beside = (RECIPES[teacher][-1] for teacher in further.values())
    assert (without.sources, beside.sources) == ([], ["sentiment-encoder"])
    assert replace(beside, name=without.name, starts_from={}) == without


def test_stages_say_what_they_train() -> None:
    """Only the Siamese network, and the common space that is trained by reconstruction alone, have no classifier."""
    stages = {stage.name: stage for stages in RECIPES.values() for stage in stages}
    without = {"siamese", "siamese-sentiment-encoder", "csr-reconstruction"}
    assert {name for name, stage in stages.items() if not stage.classifies} == without
    on_vectors = {name for name, stage in stages.items() if not stage.trains_encoder}
    assert {"siamese", "csr", "csr-prediction", "csr-frozen", "csr-emotion-alone", "dialogue"} <= on_vectors
    assert not {"emotion-encoder", "multitask", "all-in-one", "label-attention", "csr-self-trained"} & on_vectors
