"""Puts the trained model into a served agent: at the start, or later when there was none.

Rasa only looks once, and serves an agent without a model in silence. Here somebody always knows
what is wrong and how to mend it, and the server mends itself once a good model is there.
"""

from __future__ import annotations

import asyncio
import logging
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ebb.assistant.workers import TooSlow, Workers

log = logging.getLogger(__name__)

FIX = "Fix: make train"
LOOK_EVERY = 1.0
LOAD_SECONDS = 120.0


class ModelProblem(Exception):
    """No model can be used; the message says why and what to do."""


def newest(folder: Path) -> Path:
    """The model to load. Raises `ModelProblem` if there is none."""
    models = sorted(folder.glob("*.tar.gz"), key=_stamp)
    if not models:
        raise ModelProblem(f"there is no trained model. {FIX}")
    return models[-1]


def load(agent: Any, model: Path) -> Callable[[], None]:
    """Load `model`; the function that is returned gives it to `agent`, all at once.

    Loading takes seconds and may run in a thread; giving must not. Raises `ModelProblem`.
    """
    from rasa.core.processor import MessageProcessor

    try:
        processor = MessageProcessor(
            model_path=model,
            tracker_store=agent.tracker_store,
            lock_store=agent.lock_store,
            action_endpoint=agent.action_endpoint,
            generator=agent.nlg,
        )
    except (Exception, SystemExit) as error:
        raise ModelProblem(f"{_what_is_wrong(error, model)}. {FIX}") from None

    def give() -> None:
        agent.processor, agent.domain = processor, processor.domain
        agent._set_fingerprint(None)
        agent.tracker_store.domain = processor.domain
        agent.nlg.responses = processor.domain.responses

    return give


class ModelKeeper:
    """Sees to it that `agent` gets a model from `folder`. `problem` is None once it has one."""

    def __init__(self, agent: Any, folder: Path, every: float = LOOK_EVERY) -> None:
        self._agent, self._folder, self._every = agent, folder, every
        self._workers = Workers("model", threads=1)
        self._tried: tuple[Path, float, int] | None = None
        self.problem: str | None = "no model was loaded yet"
        self.name: str | None = None

    def start(self) -> None:
        """Load the newest model now, before anything is served."""
        try:
            model = newest(self._folder)
            self._tried = _state(model)
            self._has(model, load(self._agent, model))
        except (ModelProblem, OSError) as error:
            self.problem = _words(error)

    async def heal(self) -> None:
        """Return once there is a model: look for one that is new or has changed, and try it."""
        before: tuple[Path, float, int] | None = None
        while self.problem is not None:
            await asyncio.sleep(self._every)
            try:
                model = newest(self._folder)
                now = _state(model)
                if now != self._tried and now == before:
                    # It has stayed the same for a while: nobody is writing it any more.
                    self._tried = now
                    await self._try(model)
                before = now
            except (ModelProblem, OSError, TooSlow) as error:
                self.problem = _words(error)

    async def _try(self, model: Path) -> None:
        try:
            give = await self._workers.run(lambda: load(self._agent, model), LOAD_SECONDS)
        except ModelProblem as error:
            log.error("%s", error)
            raise
        self._has(model, give)

    def _has(self, model: Path, give: Callable[[], None]) -> None:
        give()
        self.problem, self.name = None, model.name


def _stamp(model: Path) -> float:
    try:
        return model.stat().st_mtime
    except OSError:
        return 0.0


def _state(model: Path) -> tuple[Path, float, int]:
    found = model.stat()
    return model, found.st_mtime, found.st_size


def _words(error: Exception) -> str:
    if isinstance(error, ModelProblem):
        return str(error)
    return f"the models cannot be read ({type(error).__name__}). {FIX}"


def _what_is_wrong(error: BaseException, model: Path) -> str:
    from rasa.exceptions import ModelNotFound, UnsupportedModelVersionError

    cause = error.__cause__ or error
    kind = type(cause).__name__
    if isinstance(error, UnsupportedModelVersionError):
        return f"the model {model.name} was trained with another version of Rasa"
    if isinstance(cause, ModelNotFound | OSError | EOFError | tarfile.TarError | zlib.error):
        return f"the model {model.name} is damaged or cannot be read ({kind})"
    return f"a part of the model {model.name} does not load with this code ({kind})"
