"""What an action may answer, and how its failure is told to Rasa.

Rasa goes on with the turn when it is told of a failure by a status; a time-out or an answer of
the wrong form that escapes can abort the turn and lose what she wrote.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import jsonschema
from rasa.utils.endpoints import ClientResponseError


@lru_cache(maxsize=1)
def _validator() -> Any:
    from rasa.core.actions.action import RemoteAction

    return jsonschema.Draft7Validator(RemoteAction.action_response_format_spec())


def has_right_form(answer: object) -> bool:
    """Whether `answer` is events and responses as Rasa's protocol wants them.

    The validator is built once; Rasa would check the schema itself on every call.
    """
    return isinstance(answer, dict) and bool(_validator().is_valid(answer))


def failed(reason: str) -> ClientResponseError:
    """A failure that costs only the action. `reason` must not hold what she wrote."""
    return ClientResponseError(500, reason, "{}")


def refused(action: str) -> ClientResponseError:
    """The action does not want to run: the policies decide again."""
    body = json.dumps({"action_name": action, "error": "the action refused to run"})
    return ClientResponseError(400, "refused", body)
