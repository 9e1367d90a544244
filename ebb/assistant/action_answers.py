"""What an action may answer, and what stands in for the answer of one that failed.

Rasa swallows the error of an action, so that a turn may end in silence; and a time-out or an
answer of the wrong form can even abort the turn, and lose what she wrote. The honest line in place
of the answer is sent and stored like any reply, and the next turn takes up what this one missed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jsonschema
from rasa.utils.endpoints import ClientResponseError

from ebb.assistant.tracker_view import COUNTRY_SLOT
from ebb.assistant.wire import as_rasa
from ebb.conversation.core import core

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def _validator() -> Any:
    from rasa.core.actions.action import RemoteAction

    return jsonschema.Draft7Validator(RemoteAction.action_response_format_spec())


def has_right_form(answer: object) -> bool:
    """Whether `answer` is events and responses as Rasa's protocol wants them.

    The validator is built once; Rasa would check the schema itself on every call.
    """
    return isinstance(answer, dict) and bool(_validator().is_valid(answer))


def honest(call: Mapping[str, Any]) -> dict[str, Any]:
    """The answer in place of a failed action: the honest line, with the numbers of her country.

    `call` is Rasa's request. Raises `ClientResponseError` where even that cannot be made, which
    costs only the action.
    """
    try:
        country = call["tracker"]["slots"].get(COUNTRY_SLOT)
        reply = core().failed(country if isinstance(country, str) else None)
        return {"events": [], "responses": [as_rasa(reply)]}
    except Exception as error:
        log.error("the honest line failed: %s", type(error).__name__)
        raise ClientResponseError(500, "the action failed", "{}") from None


def refused(action: str) -> ClientResponseError:
    """The action does not want to run: the policies decide again."""
    body = json.dumps({"action_name": action, "error": "the action refused to run"})
    return ClientResponseError(400, "refused", body)
