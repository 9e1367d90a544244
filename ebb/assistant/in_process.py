"""Runs the custom actions in the assistant's own process.

Rasa speaks to actions through an `EndpointConfig`; this one calls rasa-sdk's executor directly.
Every failure becomes what Rasa handles as a failed action (rasa-notes: a time-out or a schema
error that escapes would abort the turn and lose it).
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from typing import Any

from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection

log = logging.getLogger(__name__)

SECONDS = 4.0
"""How long one action may take before the turn goes on without it."""


class InProcessActions(EndpointConfig):
    """Stands where the address of an action server would stand."""

    def __init__(self, package: str = "actions", seconds: float = SECONDS) -> None:
        super().__init__(url="in-process://actions")
        self._seconds = seconds
        self._executor = ActionExecutor()
        self._executor.register_package(package)

    async def request(self, json: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Run the action that Rasa's request names; its answer has events and responses."""
        name = json.get("next_action", "")
        call = copy.deepcopy({key: value for key, value in json.items() if key != "domain"})
        call["domain"] = json.get("domain", {})
        try:
            answer = await asyncio.wait_for(self._executor.run(call), self._seconds)
        except ActionExecutionRejection as refusal:
            raise ClientResponseError(400, "refused", _refusal(name, refusal)) from None
        except Exception as error:
            # Only the kind of error: its text may hold what she wrote.
            log.error("action %s failed: %s", name, type(error).__name__)
            raise ClientResponseError(500, "failed", "{}") from None
        return answer or {"events": [], "responses": []}


def _refusal(name: str, refusal: ActionExecutionRejection) -> str:
    return json.dumps({"action_name": name, "error": str(refusal)})
