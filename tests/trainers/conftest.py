import importlib.util
import runpy
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The module `tiny.py` beside this file; in pytest's importlib mode tests cannot import their neighbours."""
    spec = importlib.util.spec_from_file_location("tiny", Path(__file__).with_name("tiny.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder and data; read only."""
    return _tiny_run().workplace(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="session")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of one run of the paper's recipes and of the controls; read only."""
    from trainers.recipes import CONTROLS, PAPER_RECIPES

    tiny_run, output_dir = _tiny_run(), tmp_path_factory.mktemp("finished") / "out"
    options = tiny_run.options(place, output_dir, recipe=[*PAPER_RECIPES, *CONTROLS])
    tiny_run.example("run_csr").main(options)
    return output_dir


def _tiny_run() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "tiny_run.py")))
