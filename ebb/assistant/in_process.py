"""Runs the custom actions in the assistant's own process.

Rasa speaks to actions through an `EndpointConfig`; this one calls rasa-sdk's executor directly.
Actions are pure and bounded, but each runs in a thread of its own all the same: one that blocks
is given up after a while, and the event loop, and with it every crisis reply, never waits.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from typing import Any

from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection

from ebb.assistant.action_answers import has_right_form, honest, refused
from ebb.assistant.workers import Workers

log = logging.getLogger(__name__)

SECONDS = 2.0
"""How long one action may take before the turn goes on without it."""
AT_ONCE = 4
"""Threads for actions: as many as turns run at once, and some for those that were given up."""


class InProcessActions(EndpointConfig):
    """Stands where the address of an action server would stand."""

    def __init__(self, package: str = "actions", seconds: float = SECONDS) -> None:
        super().__init__(url="in-process://actions")
        self._seconds = seconds
        self._workers = Workers("action", threads=AT_ONCE)
        self._executor = ActionExecutor()
        self._executor.register_package(package)

    async def request(self, json: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Run the action that Rasa's request names; its answer has events and responses.

        Where it fails, the answer is the honest line. Raises only `ClientResponseError`: 400 where
        the action refused to run.
        """
        action = str(json.get("next_action", ""))
        try:
            # A copy: what an action does with the conversation it is shown must not change it.
            shown = copy.deepcopy({key: value for key, value in json.items() if key != "domain"})
            shown["domain"] = json.get("domain", {})
            answer = await self._workers.run(lambda: self._run(shown), self._seconds)
        except ActionExecutionRejection:
            raise refused(action) from None
        except Exception as error:
            # Only the kind of error: its text may hold what she wrote.
            log.error("action %s failed: %s", action, type(error).__name__)
            return honest(json)
        if not has_right_form(answer):
            log.error("action %s failed: its answer has the wrong form", action)
            return honest(json)
        found: dict[str, Any] = answer
        return found

    def _run(self, call: dict[str, Any]) -> Any:
        """In a thread. One that waits rather than works is ended, and gives its thread back."""
        return asyncio.run(asyncio.wait_for(self._executor.run(call), self._seconds))
