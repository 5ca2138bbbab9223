"""The examples in the docstrings print what they say."""

import doctest
import importlib
from typing import Any

import pytest


class MarkdownParser(doctest.DocTestParser):
    """Without the fences, the last of which would count among the output."""

    def parse(self, string: str, name: str = "<string>") -> list[Any]:
        return super().parse(string.replace("```", ""), name)


@pytest.mark.parametrize("module", ["metrics", "significance", "task_metrics"])
def test_examples(module: str) -> None:
    finder, runner = doctest.DocTestFinder(parser=MarkdownParser()), doctest.DocTestRunner()
    for test in finder.find(importlib.import_module(f"trainers.evaluation.{module}")):
        runner.run(test)
    assert runner.tries and not runner.failures
