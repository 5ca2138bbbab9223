"""Runs that publish to a Hub on which requests fail at random."""

import json
import random
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from re import compile as pattern
from typing import Any

from huggingface_hub import constants

from tests.helpers import hub_server, tiny_run
from tests.helpers.hub_http import Answer, Fault
from tests.torture.trials import Command, Trial

TOKEN = "hf_0nlyItsOwnerKnows"
FAULTS = ("500", "429", "507", "dropped", "silent", "garbage", "swallowed")
STAGES = ("", "-emotion-encoder", "-sentiment-encoder", "-siamese")


class FaultyHub(hub_server.HubServer):
    """A Hub on which a share of the requests fails.

    Args:
        share: The share.
        seed: Seed of the faults.
    """

    def __init__(self, share: float, seed: int) -> None:
        super().__init__({TOKEN: hub_server.Token("me", organisations={"org": "admin"})})
        self.share, self._rng, self._garbage = share, random.Random(seed), list[str]()

    def fault(self, method: str, path: str) -> Fault | None:
        if self._rng.random() >= self.share:
            return None
        kind = self._rng.choice(FAULTS)
        if kind == "silent":
            time.sleep(3)
        if kind == "garbage":
            # The client keeps a list of agents for a day, on the disk, whatever it was told.
            if "agent-harnesses" not in path:
                self._garbage.append(path)
            return None
        status = int(kind) if kind.isdigit() else 500
        headers = {"Retry-After": "1"} if kind == "429" else {}
        drop = kind in ("dropped", "silent")
        return Fault(pattern("."), None, status, headers, kind, 0, 1, drop, kind == "swallowed")

    def mend(self) -> None:
        """Answer everything from now on."""
        self.share = 0.0
        self._garbage.clear()

    def answer(self, request: Any) -> Any:
        if request.path in self._garbage:
            self._garbage.remove(request.path)
            return Answer(json.dumps([{"what": "is this"}]).encode(), 200, {"Content-Type": "application/json"})
        return super().answer(request)


def _publish(url: str, home: Path, argv: list[str]) -> None:
    """Run the command with the client's settings changed, which it has read from the environment already."""
    constants.HF_HUB_OFFLINE, constants.HF_HUB_DISABLE_XET = False, True
    constants.HF_HUB_CACHE, constants.ENDPOINT = str(home), url
    constants.HUGGINGFACE_CO_URL_TEMPLATE = url + "/{repo_id}/resolve/{revision}/{filename}"
    tiny_run.example("run_csr").main(argv)


def trials(folder: Path, seed: int, count: int, share: float = 0.3) -> Iterator[Trial]:
    """Publish runs while requests fail, and once more when none does.

    Args:
        folder (`Path`): Where to work.
        seed (`int`): Seed of the faults.
        count (`int`): How many runs.
        share (`float`): The share of requests that fail.
    """
    place = tiny_run.workplace(folder / "place")
    for number in range(count):
        out = folder / f"run-{number}"
        options = {"push_to_hub": True, "hub_model_id": "org/run", "hub_token": TOKEN, "hub_patience": 20}
        argv = tiny_run.options(place, out, max_steps=4, **options)
        with FaultyHub(share, seed + number) as hub:
            run = partial(_publish, hub.url, folder / f"home-{number}", argv)
            first = Command(run, folder / f"run-{number}.log").start()
            lost = None if first.wait(300) else "the command did not end"
            first.kill()
            lost = lost or first.complaint()
            begun = (out / "emotion-encoder").exists()
            if lost is None and begun and not (out / "results.json").exists():
                lost = f"a training was lost to the Hub: {first.output.strip().splitlines()[-1]}"
            lost = lost or _incomplete(hub, empty_too=True)
            hub.mend()
            second = Command(run, folder / f"run-{number}-again.log").start()
            if not second.wait(300):
                second.kill()
            lost = lost or second.complaint()
            if lost is None and second.code != 0:
                lost = f"the second command failed: {second.output.strip().splitlines()[-1]}"
            lost = lost or _incomplete(hub, empty_too=False)
        yield Trial("runs on a faulty Hub", f"seed {seed + number}", lost)
        shutil.rmtree(out, ignore_errors=True)


def _incomplete(hub: FaultyHub, empty_too: bool) -> str | None:
    """The first repository that is neither complete nor, if that is allowed, empty or absent."""
    for stage in STAGES:
        name = f"org/run{stage}"
        files = set(hub.repositories[name].files()) - {".gitattributes"} if name in hub.repositories else set()
        if files and not {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= files:
            return f"{name} is not complete: {sorted(files)}"
        if not files and not empty_too:
            return f"{name} is empty"
    return None
