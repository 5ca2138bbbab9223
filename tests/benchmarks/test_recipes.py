"""The recipes of the benchmarks differ from those that they are compared with in one thing."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import recipes
from tests.helpers import fresh_process, tiny_run
from trainers.recipes import RECIPES, Stage

REPOSITORY = Path(__file__).parents[2]
FINAL = {name: recipe.final for name, recipe in RECIPES.items()}


@pytest.mark.parametrize("control", ["emotion-alone", "two-emotion-encoders", "corrupted-emotion"])
def test_controls_are_model_3_3_but_for_one_thing(control: str) -> None:
    whole, stage = FINAL["model-3.3"], FINAL[control]
    changes = {"source_encoders": whole.source_encoders} if control != "corrupted-emotion" else {"config": {}}
    assert stage != whole
    assert replace(stage, name=whole.name, **changes) == whole


def test_second_emotion_encoder_differs_in_its_seed_alone() -> None:
    (second,) = FINAL["two-emotion-encoders"].source_encoders
    first = FINAL["bert"]
    assert second.seed_offset > 0 and replace(second, name=first.name, seed_offset=0) == first


def test_sentiment_alone_knows_no_emotion_encoder() -> None:
    assert "emotion-encoder" not in [stage.name for stage in RECIPES["sentiment-alone"].stages]


@pytest.mark.parametrize("teacher", ["label-attention", "token-space"])
def test_one_teacher_more(teacher: str) -> None:
    own = FINAL["model-3.4"]
    recipe = {"label-attention": "self-trained-label-attention", "token-space": "self-trained-sentiment"}[teacher]
    assert FINAL[recipe].teachers == (*own.teachers, FINAL[teacher])
    assert replace(FINAL[recipe], name=own.name, learns_from=own.teachers) == own


def test_teachers_of_several_seeds_differ_in_those_alone() -> None:
    own, student = FINAL["model-3.4"], FINAL["self-trained-seeds"]
    first: Stage = FINAL["common-space-from-related"]
    assert [replace(teacher, name=first.name, seed_offset=0) for teacher in student.teachers] == [first] * 3
    assert len({teacher.seed_offset for teacher in student.teachers}) == 3
    assert replace(student, name=own.name, learns_from=own.teachers) == own


def test_each_recipe_answers_a_question() -> None:
    # Those registered at import: other tests may register recipes of their own.
    questions = [RECIPES[name].question for name in FINAL]
    assert all(questions) and len(set(questions)) == len(questions)


def test_from_related_are_recipes() -> None:
    assert set(recipes.FROM_RELATED) <= RECIPES.keys()


def test_commands_run_them_from_their_file(tmp_path: Path) -> None:
    """From another folder, in a process that has not imported them."""
    place = tiny_run.workplace(tmp_path)
    recipe = f"{REPOSITORY / 'benchmarks' / 'recipes.py'}:bert-averaged"
    argv = tiny_run.options(place, place / "out", recipe=recipe, num_train_epochs=1)
    command = [REPOSITORY / "examples" / "run_csr.py", *argv]
    done = fresh_process.run(*command, cwd=tmp_path, env=tiny_run.environment())
    assert done.returncode == 0, done.stderr
    assert list(tiny_run.read_json(place / "out" / "results.json")["recipes"]) == ["bert-averaged"]
    assert (place / "out" / "emotion-encoder-averaged" / "model.safetensors").is_file()
