"""The runs of a benchmark: one recipe in several settings over several seeds, or several recipes at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainers.commands import BAD_INPUT, exit_on, parse_run_arguments
from trainers.runs import Runner, read_results


@dataclass(frozen=True)
class Grid:
    """Runs of several settings over several seeds.

    Args:
        runners (`Mapping[str, Mapping[int, Runner]]`): Runs by setting and seed.
    """

    runners: Mapping[str, Mapping[int, Runner]]

    @classmethod
    def prepare(
        cls,
        settings: Mapping[str, Sequence[str]],
        seeds: Iterable[int],
        folder: Path,
        reuse_stages_from: str | None = None,
    ) -> "Grid":
        """Check all runs before any of them is trained.

        Args:
            settings (`Mapping[str, Sequence[str]]`): Options of `csr-emotion train` by setting.
            seeds (`Iterable[int]`): Seeds; each setting is run once per seed.
            folder (`Path`): Parent of the run folders `SETTING/seed-SEED`.
            reuse_stages_from (`str`, *optional*): Folder of runs `seed-SEED` whose finished stages are reused.

        Raises:
            ValueError, OSError: If something is wrong with a run, with what to do about it.
        """
        runners: dict[str, dict[int, Runner]] = {setting: {} for setting in settings}
        for seed in seeds:
            reused = ["--reuse_stages_from", f"{reuse_stages_from}/seed-{seed}"] if reuse_stages_from else []
            for setting, options in settings.items():
                run = [*reused, *options, "--seed", str(seed), "--output_dir", str(folder / setting / f"seed-{seed}")]
                runners[setting][seed] = Runner(parse_run_arguments(run))
        return cls(runners)

    @property
    def first(self) -> Runner:
        """The run of the first setting with the first seed."""
        return next(iter(next(iter(self.runners.values())).values()))

    def run(self) -> dict[str, list[dict[str, Any]]]:
        """Run everything that is missing, one seed after the other.

        Returns:
            `dict`: Entries of `results.json` for the recipe, one per seed, by setting.
        """
        for seed in next(iter(self.runners.values())):
            for of_seeds in self.runners.values():
                of_seeds[seed].run()
        return {
            setting: [recipe_results(runner) for runner in of_seeds.values()]
            for setting, of_seeds in self.runners.items()
        }


def recipe_results(runner: Runner) -> dict[str, Any]:
    """Entry of `results.json` for the last recipe of a finished run."""
    return read_results(runner.prepared.output_dir)["recipes"][runner.prepared.recipes[-1].name]


def run_recipes(command: str, options: Sequence[str]) -> Runner:
    """Run recipes. Errors end the command with a message, before any training."""
    with exit_on(command, *BAD_INPUT):
        runner = Runner(parse_run_arguments(options))
    runner.run()
    return runner
