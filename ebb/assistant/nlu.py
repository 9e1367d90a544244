"""Rasa components that read a message: danger and facts first, then the intent."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from ebb.assistant.intent_model import IntentModel, features, train
from ebb.assistant.tracker_view import STATE_SLOT, last_messages, slot
from ebb.conversation.core import Core, core
from ebb.conversation.events import (
    FINDINGS,
    SAFETY,
    assessment_from_json,
    assessment_to_json,
    finding_to_json,
    recent_turns,
)
from ebb.conversation.state import State
from ebb.types import Assessment, Finding, Tier

log = logging.getLogger(__name__)

CRISIS, FALLBACK = "crisis", "nlu_fallback"
SITUATION_ENTITIES = {"country", "pregnant", "later_baby"}


@DefaultV1Recipe.register(
    [
        DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER,
        DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR,
    ],
    is_trainable=False,
)
class Understanding(GraphComponent):
    """Puts `safety` and `findings` into the parse result, and so into the stored event.

    Nothing raised here may cost a turn: if reading findings fails, safety alone still counts.
    """

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Understanding:
        """Rasa's constructor."""
        return cls()

    def process(
        self, messages: list[Message], tracker: DialogueStateTracker | None = None
    ) -> list[Message]:
        """Read each message, with the recent turns and the open question of `tracker`."""
        ebb = core()
        earlier = last_messages(tracker) if tracker is not None else []
        state = State.from_json(slot(tracker, STATE_SLOT)) if tracker is not None else State()
        for message in messages:
            text = message.get(TEXT) or ""
            assessment = ebb.safety.assess(text, recent_turns(earlier))
            message.set(SAFETY, assessment_to_json(assessment), add_to_output=True)
            findings = _findings(ebb, text, state.open)
            message.set(FINDINGS, [finding_to_json(f) for f in findings], add_to_output=True)
            entities = [entity for f in findings for entity in _entity(f)]
            message.set(ENTITIES, (message.get(ENTITIES) or []) + entities, add_to_output=True)
        return messages


def _findings(ebb: Core, text: str, asked: str | None) -> tuple[Finding, ...]:
    try:
        return ebb.extractor.extract(ebb.reader.read(text), asked)
    except Exception as error:
        log.error("reading findings failed: %s", type(error).__name__)
        return ()


def _entity(finding: Finding) -> list[dict[str, Any]]:
    """The situation of hers that plain answers depend on, as entities that fill slots."""
    name: str
    value: object
    if finding.id == "feeding_method" and finding.value in ("pump", "breast"):
        name, value = "expressing", finding.value == "pump"
    elif finding.id == "country":
        name, value = "country", finding.value
    elif finding.id in SITUATION_ENTITIES and finding.value in ("yes", "no"):
        name, value = finding.id, finding.value == "yes"
    else:
        return []
    start, end = (finding.span.start, finding.span.end) if finding.span else (0, 0)
    return [{"entity": name, "value": value, "start": start, "end": end, "extractor": "Ebb"}]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class Intents(GraphComponent):
    """Intent from a linear model over n-grams and findings; `crisis` only from safety.

    Below `threshold`, or when the two best differ by less than `ambiguity`, the intent is
    `nlu_fallback` and the ranking is kept for "did you mean".
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Thresholds are probabilities, `cost` the inverse strength of regularisation."""
        return {"threshold": 0.3, "ambiguity": 0.05, "cost": 4.0, "ranking_length": 6}

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        model: IntentModel | None = None,
    ) -> None:
        self._config = {**self.get_default_config(), **config}
        self._storage, self._resource, self._model = storage, resource, model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Intents:
        """Rasa's constructor before training."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> Intents:
        """Rasa's constructor for a trained model."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, IntentModel.load(Path(folder)))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Changes when the rules that features come from change, so that Rasa trains again."""
        return core().fingerprint

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model to the examples of all intents but `crisis`."""
        ebb = core()
        examples = [
            (_features(ebb, example.get(TEXT)), example.get(INTENT))
            for example in training_data.intent_examples
            if example.get(TEXT) and example.get(INTENT) != CRISIS
        ]
        self._model = train(examples, cost=self._config["cost"])
        with self._storage.write_to(self._resource) as folder:
            self._model.save(Path(folder))
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set `intent` and `intent_ranking`."""
        ebb = core()
        for message in messages:
            assessment = assessment_from_json(message.get(SAFETY))
            ranking = self._rank(ebb, message.get(TEXT) or "")
            best = self._best(ranking, assessment)
            message.set(INTENT, best, add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing later in the pipeline learns from predicted intents."""
        return training_data

    def _rank(self, ebb: Core, text: str) -> list[dict[str, Any]]:
        if self._model is None:
            return []
        names = _features(ebb, text)
        length = self._config["ranking_length"]
        return [
            {"name": name, "confidence": chance} for name, chance in self._model.rank(names)[:length]
        ]

    def _best(self, ranking: list[dict[str, Any]], assessment: Assessment) -> dict[str, Any]:
        if assessment.tier.rank >= Tier.CHECK.rank:
            return {"name": CRISIS, "confidence": 1.0}
        if not ranking:
            return {"name": FALLBACK, "confidence": 1.0}
        best = ranking[0]
        second = ranking[1]["confidence"] if len(ranking) > 1 else 0.0
        unsure = best["confidence"] - second < self._config["ambiguity"]
        if best["confidence"] < self._config["threshold"] or unsure:
            return {"name": FALLBACK, "confidence": 1.0 - best["confidence"]}
        return dict(best)


def _features(ebb: Core, text: str) -> list[str]:
    read = ebb.reader.read(text)
    try:
        facts = [f"{f.id}={f.value}" for f in ebb.extractor.extract(read)]
    except Exception as error:
        log.error("reading findings failed: %s", type(error).__name__)
        facts = []
    tokens = read.tokens
    return features([t.text for t in tokens], [t.lemma for t in tokens], facts)

