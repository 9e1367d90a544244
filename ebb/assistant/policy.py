"""The policy that comes before all rules: safety first, emergencies next, then what is owed.

A rule alone cannot interrupt whatever goes on, and must not depend on an action server for a
crisis; see `ebb.conversation.decide` for the decisions themselves.
"""

from __future__ import annotations

import logging
from typing import Any

from rasa.core.policies.policy import Policy, PolicyPrediction, SupportedData
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

from ebb.assistant.tracker_view import STATE_SLOT, last_messages, slot, typed_words
from ebb.conversation.core import CRISIS, LISTEN, core
from ebb.conversation.events import SAFETY, assessment_from_json
from ebb.conversation.state import State
from ebb.types import Tier

log = logging.getLogger(__name__)


@DefaultV1Recipe.register(
    DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True
)
class SafetyPolicy(Policy):
    """Predicts `utter_crisis`, or `action_triage` where a rule would not know it is due."""

    @staticmethod
    def supported_data() -> SupportedData:
        """Works beside rules and stories, and learns from neither."""
        return SupportedData.ML_AND_RULE_DATA

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Above every policy of Rasa."""
        return {"priority": 1000}

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SafetyPolicy:
        """Rasa's constructor for a trained model; there is nothing to load."""
        return cls(config, model_storage, resource, execution_context)

    def train(
        self,
        training_trackers: list[TrackerWithCachedStates],
        domain: Domain,
        **kwargs: Any,
    ) -> Resource:
        """Nothing to learn; Rasa asks every policy."""
        return self._resource

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """The action due before what the rules say, if any."""
        action = due(tracker)
        if action is None or action not in domain.action_names_or_texts:
            return self._prediction(self._default_predictions(domain))
        chances = self._default_predictions(domain)
        chances[domain.index_for_action(action)] = 1.0
        return self._prediction(chances, is_no_user_prediction=True)


def due(tracker: DialogueStateTracker) -> str | None:
    """The action due now; None when the rules decide. Raises nothing."""
    done = done_since_she_wrote(tracker)
    if done is None:
        return None
    try:
        state = State.from_json(slot(tracker, STATE_SLOT))
        return core().decide(last_messages(tracker), state, done)
    except Exception as error:
        # Only the kind of error: its text may hold what she wrote.
        log.error("deciding failed: %s", type(error).__name__)
    if _danger(tracker):
        return LISTEN if CRISIS in done else CRISIS
    return None


def _danger(tracker: DialogueStateTracker) -> bool:
    """Whether her last message calls for a crisis reply, by whatever can still be found out."""
    message = tracker.latest_message
    if message is None:
        return False
    for seen in ((message.parse_data or {}).get(SAFETY), (message.metadata or {}).get(SAFETY)):
        if assessment_from_json(seen).tier.rank >= Tier.URGENT.rank:
            return True
    words = typed_words(message.text or "")
    try:
        return bool(words) and core().assess(words, None, ()).tier.rank >= Tier.URGENT.rank
    except Exception as error:
        log.error("assessing a message failed: %s", type(error).__name__)
        return False


def done_since_she_wrote(tracker: DialogueStateTracker) -> tuple[str, ...] | None:
    """Names of the actions run since her last message; None when she has not written."""
    done: list[str] = []
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            return tuple(reversed(done))
        if isinstance(event, ActionExecuted) and event.action_name:
            done.append(event.action_name)
    return None
