"""Recipes of one's own: how they are made, registered and found, and what is wrong with some."""

from pathlib import Path

import pytest

from trainers.recipes import (
    RECIPES,
    CommonSpaceStage,
    EncoderStage,
    Recipe,
    SiameseStage,
    find_recipe,
    learnt_tasks,
    lineage,
    register_recipe,
    stages_of,
)

FIRST = EncoderStage(name="first", tasks=("sentiment",))
SECOND = EncoderStage(name="second", encoder=FIRST)
SPACE = CommonSpaceStage(name="space", emotion_encoder=SECOND, source_encoders=(FIRST, SECOND))


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten afterwards."""
    monkeypatch.setattr("trainers.recipes.recipe.RECIPES", dict(RECIPES))


def test_stages_are_named_by_the_part_that_they_give() -> None:
    assert SPACE.starts_from == {"emotion_encoder": SECOND, "source_encoders.0": FIRST, "source_encoders.1": SECOND}
    assert SPACE.parents == [SECOND, FIRST]
    assert lineage(SPACE) == [FIRST, SECOND, SPACE]
    assert learnt_tasks(SPACE) == ["emotion", "sentiment"]


def test_stages_of_several_recipes_are_trained_once() -> None:
    recipes = [Recipe("one", (FIRST, SECOND)), Recipe("two", (FIRST, SECOND, SPACE))]
    assert stages_of(recipes) == [FIRST, SECOND, SPACE]
    other = Recipe("three", (EncoderStage(name="first", tasks=("related",)),))
    with pytest.raises(ValueError, match="different stages of the name 'first': run them apart"):
        stages_of([*recipes, other])


def test_an_own_recipe_is_found_by_its_name(registered: None) -> None:
    own = Recipe("own", (FIRST, SECOND))
    assert register_recipe(own) is own and find_recipe("own") is own
    assert register_recipe(Recipe("own", [FIRST, SECOND])) == own, "the same again"
    assert find_recipe(Recipe("unknown", (FIRST,))).name == "unknown"
    with pytest.raises(ValueError, match="another recipe 'own'"):
        register_recipe(Recipe("own", (FIRST,)))


def test_a_file_registers_what_is_asked_of_it(registered: None, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from trainers import EncoderStage, Recipe, register_recipe\n"
        "register_recipe(Recipe('of-a-file', (EncoderStage(name='mine'),)))\n"
    )
    for _ in range(2):
        assert find_recipe(f"{file}:of-a-file").final.name == "mine"
    with pytest.raises(ValueError, match=r"no recipe 'of-a-fill' in .*mine\.py\. Did you mean of-a-file"):
        find_recipe(f"{file}:of-a-fill")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.py does not exist"):
        find_recipe(f"{tmp_path / 'nowhere.py'}:own")


def test_an_installed_module_registers_what_is_asked_of_it(
    registered: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "mine.py").write_text(
        "from trainers import EncoderStage, Recipe, register_recipe\n"
        "register_recipe(Recipe('of-a-module', (EncoderStage(name='mine'),)))\n"
    )
    (tmp_path / "shelf" / "broken.py").write_text("import shelf_of_others\n")
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(2):
        assert find_recipe("shelf.mine:of-a-module").final.name == "mine"
    with pytest.raises(ValueError, match=r"no recipe 'of-a-modul' in shelf\.mine\. Did you mean of-a-module"):
        find_recipe("shelf.mine:of-a-modul")
    for module in ("shelf.nowhere", "shelves.mine"):
        with pytest.raises(ModuleNotFoundError, match=f"--recipe {module}:own: there is no module {module} to import"):
            find_recipe(f"{module}:own")
    with pytest.raises(ModuleNotFoundError, match="'shelf_of_others'"):
        find_recipe("shelf.broken:own")


def test_unknown_recipes_are_told_from_similar_ones() -> None:
    with pytest.raises(ValueError, match=r"no recipe 'model-3\.5'\. Did you mean .*model-3\.3"):
        find_recipe("model-3.5")


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ((), "has no stages"),
        ((FIRST, EncoderStage(name="first")), "two stages of the name 'first'"),
        ((SECOND,), "'second' starts from 'first', which must come before it"),
        ((SECOND, FIRST), "which must come before it"),
        ((EncoderStage(name="first"), SECOND), "which must come before it"),
    ],
)
def test_recipes_whose_stages_do_not_fit(stages: tuple[EncoderStage, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe("wrong", stages)


def test_stages_that_cannot_be_trained() -> None:
    with pytest.raises(ValueError, match="'s': trains must be one of classifier, common_space"):
        CommonSpaceStage(name="s", emotion_encoder=FIRST, trains="everything")
    with pytest.raises(ValueError, match="'s' trains no encoder: name the stage of its emotion_encoder"):
        CommonSpaceStage(name="s", source_encoders=(FIRST,))
    with pytest.raises(ValueError, match="'s': trains must be one of siamese, encoder, got 'both'"):
        SiameseStage(name="s", emotion_encoder=FIRST, trains="both")
    with pytest.raises(ValueError, match="'s' trains no encoder: name the stage of its emotion_encoder"):
        SiameseStage(name="s")
