"""Rasa components that read a message: danger and facts first, then the intent."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.events import ConversationResumed
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from ebb.assistant.intent_model import IntentModel, features, train
from ebb.assistant.stock_rasa import harden
from ebb.assistant.tracker_view import STATE_SLOT, last_messages, slot, typed_words
from ebb.conversation.core import Core, core
from ebb.conversation.events import (
    ASKED_TOO,
    FINDINGS,
    SAFETY,
    TOLD_TOO,
    assessment_from_json,
    assessment_to_json,
    finding_to_json,
)
from ebb.conversation.state import State
from ebb.text import Text
from ebb.types import Assessment, Finding, Tier

log = logging.getLogger(__name__)

T = TypeVar("T")

RANKING = "intent_ranking"
CRISIS, FALLBACK = "crisis", "nlu_fallback"
REPORT, ASK = "report_", "ask_"
COMMANDS = {"ask_human"}
"""Intents that are named like questions and are not answered beside a report."""
MOST_PARTS, FEWEST_WORDS = 8, 3
Kept = tuple[tuple[Finding, ...], Sequence[dict[str, Any]]]
"""Findings, and the same as the event keeps them."""
NO_FINDINGS: Kept = ((), ())
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

    Nothing raised here costs a turn: where reading findings fails, safety alone still counts, and
    where that fails too, the message is met by the safety question.
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
        harden()
        return cls()

    def process(
        self, messages: list[Message], tracker: DialogueStateTracker | None = None
    ) -> list[Message]:
        """Read each message, with the recent turns and the open question of `tracker`."""
        earlier: list[dict[str, Any]] = _or([], "looking back", _earlier, tracker)
        state = _or(State(), "reading the state", _state, tracker)
        for message in messages:
            _or(None, "taking a typed command as words", _as_words, message)
            safety = _safety(message, earlier)
            message.set(SAFETY, assessment_to_json(safety), add_to_output=True)
            findings, kept = _or(NO_FINDINGS, "reading findings", _findings, message, state)
            message.set(FINDINGS, list(kept), add_to_output=True)
            none: list[dict[str, Any]] = []
            entities = _or(none, "reading entities", _entities, message, findings, tracker)
            message.set(ENTITIES, (message.get(ENTITIES) or []) + entities, add_to_output=True)
        return messages


def _or(otherwise: T, what: str, work: Callable[..., T], *given: Any) -> T:
    """What `work` returns, or `otherwise` and a line in the log if it raises."""
    try:
        return work(*given)
    except Exception as error:
        # Only the kind of error: its text may hold what she wrote.
        log.error("%s failed: %s", what, type(error).__name__)
        return otherwise


def _earlier(tracker: DialogueStateTracker | None) -> list[dict[str, Any]]:
    """The messages before this one. A paused conversation goes on with her next message.

    Rasa predicts nothing while a conversation is paused; whoever paused it, a mother who writes
    must be answered, so it is resumed here, before Rasa looks. The event stays in the record.
    """
    if tracker is None:
        return []
    if tracker.is_paused():
        tracker.update(ConversationResumed())
    return last_messages(tracker)


def _state(tracker: DialogueStateTracker | None) -> State:
    return State() if tracker is None else State.from_json(slot(tracker, STATE_SLOT))


def _as_words(message: Message) -> None:
    """Words behind a typed `/intent` are words: Rasa must not take the message as a command."""
    text = message.get(TEXT) or ""
    words = typed_words(text)
    if words and words != text:
        message.set(TEXT, words)


def _safety(message: Message, earlier: list[dict[str, Any]]) -> Assessment:
    """The graver of what was found here and by the safety net, which reads all of a message.

    Where nothing can be found out, the message counts as one to ask about.
    """
    text = message.get(TEXT) or ""
    here = _or(None, "assessing in context", _assess, text, earlier)
    here = here or _or(None, "assessing alone", _assess, text, []) or Assessment(Tier.CHECK)
    before = assessment_from_json((message.get("metadata") or {}).get(SAFETY))
    return before if before.tier.rank > here.tier.rank else here


def _assess(text: str, earlier: list[dict[str, Any]]) -> Assessment | None:
    return core().assess(text, None, earlier)


def _findings(message: Message, state: State) -> Kept:
    found = core().findings_in(message.get(TEXT) or "", state.listening_for)
    return found, [finding_to_json(finding) for finding in found]


def _entities(
    message: Message, findings: tuple[Finding, ...], tracker: DialogueStateTracker | None
) -> list[dict[str, Any]]:
    entities = [entity for f in findings for entity in _entity(f)]
    return entities + _country_of_host(message, tracker, entities)


def _country_of_host(
    message: Message, tracker: DialogueStateTracker | None, said: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The country that the channel knows, where she has named none and the slot has not got it."""
    country = (message.get("metadata") or {}).get("country")
    if not isinstance(country, str) or any(e["entity"] == "country" for e in said):
        return []
    if tracker is None or slot(tracker, "country") == country:
        return []
    return [{"entity": "country", "value": country, "start": 0, "end": 0, "extractor": "Channel"}]


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
    `nlu_fallback` and the ranking is kept for "did you mean". A question beside a report counts
    from a probability of `asked_too`, a report beside a question from `told_too`.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Thresholds are probabilities, `cost` the inverse strength of regularisation."""
        return {
            "threshold": 0.2,
            "ambiguity": 0.02,
            "asked_too": 0.6,
            "told_too": 0.75,
            "cost": 30.0,
            "ranking_length": 6,
        }

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
            (_features(ebb, ebb.reader.read(example.get(TEXT))), example.get(INTENT))
            for example in training_data.intent_examples
            if example.get(TEXT) and example.get(INTENT) != CRISIS
        ]
        self._model = train(examples, cost=self._config["cost"])
        with self._storage.write_to(self._resource) as folder:
            self._model.save(Path(folder))
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set `intent`, `intent_ranking`, and what she asks or tells besides."""
        for message in messages:
            assessment = assessment_from_json(message.get(SAFETY))
            nothing: dict[str, Any] = {}
            found = _or(nothing, "finding the intent", self._read, message, assessment)
            if not found:
                crisis = _or(False, "telling a crisis", _is_crisis, core(), assessment)
                found = {INTENT: _certainly(CRISIS if crisis else FALLBACK), RANKING: []}
            for name, value in found.items():
                message.set(name, value, add_to_output=True)
        return messages

    def _read(self, message: Message, assessment: Assessment) -> dict[str, Any]:
        ebb = core()
        read = ebb.reader.read(message.get(TEXT) or "")
        names = _features(ebb, read)
        ranking = self._rank(names)
        best = self._best(ebb, ranking, names, read, assessment)
        found: dict[str, Any] = {INTENT: best, RANKING: ranking}
        if best["name"].startswith(REPORT):
            questions = _questions(ebb, read)
            found[ASKED_TOO] = self._beside(ebb, questions, ASK, self._config["asked_too"])
        elif best["name"].startswith(ASK) and best["name"] not in COMMANDS:
            statements = _statements(ebb, read)
            found[TOLD_TOO] = self._beside(ebb, statements, REPORT, self._config["told_too"])
        return found

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing later in the pipeline learns from predicted intents."""
        return training_data

    def _rank(self, names: list[str]) -> list[dict[str, Any]]:
        if self._model is None:
            return []
        ranked = self._model.rank(names)[: self._config["ranking_length"]]
        if not all(math.isfinite(chance) for _, chance in ranked):
            raise ValueError("the intent model is damaged")
        return [{"name": name, "confidence": chance} for name, chance in ranked]

    def _best(
        self,
        ebb: Core,
        ranking: list[dict[str, Any]],
        names: list[str],
        read: Text,
        assessment: Assessment,
    ) -> dict[str, Any]:
        if _is_crisis(ebb, assessment):
            return _certainly(CRISIS)
        if not ranking or self._model is None:
            return _certainly(FALLBACK)
        # Letters that make no known word, or no letters at all, say nothing for certain.
        number = any(token.number is not None for token in read.tokens)
        known = number or self._model.knows_a_word(names)
        if not known or not any(c.isalnum() for c in read.original):
            return _certainly(FALLBACK)
        best = ranking[0]
        second = ranking[1]["confidence"] if len(ranking) > 1 else 0.0
        unsure = best["confidence"] - second < self._config["ambiguity"]
        if best["confidence"] < self._config["threshold"] or unsure:
            return {"name": FALLBACK, "confidence": 1.0 - best["confidence"]}
        return dict(best)

    def _beside(self, ebb: Core, parts: Iterator[Text], kind: str, least: float) -> str | None:
        """The surest intent of `kind` among the parts of a message that are not its main intent."""
        found: tuple[float, str] | None = None
        for part in parts:
            best = self._rank(_features(ebb, part))[0]
            sure = best["confidence"] >= least
            if sure and best["name"].startswith(kind) and best["name"] not in COMMANDS:
                found = max(found or (0.0, ""), (best["confidence"], best["name"]))
        return found[1] if found else None


def _certainly(intent: str) -> dict[str, Any]:
    return {"name": intent, "confidence": 1.0}


def _is_crisis(ebb: Core, assessment: Assessment) -> bool:
    """Whether `crisis` is the intent. The reply depends on the tier alone, not on this."""
    if assessment.tier.rank < Tier.URGENT.rank:
        return False
    return assessment.category not in ebb.knowledge.conversation.own_intent


def _questions(ebb: Core, read: Text) -> Iterator[Text]:
    """The parts of a message that are worded as a question, up to where the clauses end."""
    tokens, starts = read.tokens, _starts(read)
    for number, start in enumerate(starts[:MOST_PARTS]):
        if tokens[start].text not in ebb.knowledge.conversation.question_words:
            continue
        for end in [*starts[number + 1 :], len(tokens)][:2]:
            yield from _part(ebb, read, start, end)


def _statements(ebb: Core, read: Text) -> Iterator[Text]:
    """The parts of a message before and after its question."""
    tokens, starts = read.tokens, _starts(read)
    words = ebb.knowledge.conversation.question_words
    asks = [number for number, start in enumerate(starts) if tokens[start].text in words]
    if not asks:
        return
    yield from _part(ebb, read, 0, starts[asks[0]])
    if asks[-1] + 1 < len(starts):
        yield from _part(ebb, read, starts[asks[-1] + 1], len(tokens))


def _starts(read: Text) -> list[int]:
    """Where the clauses begin."""
    tokens = read.tokens
    return [i for i, t in enumerate(tokens) if i == 0 or t.clause != tokens[i - 1].clause]


def _part(ebb: Core, read: Text, start: int, end: int) -> Iterator[Text]:
    """The words from `start` up to `end`, if they are enough and not the whole message."""
    if FEWEST_WORDS <= end - start < len(read.tokens):
        tokens = read.tokens
        yield ebb.reader.read(read.original[tokens[start].start : tokens[end - 1].end])


def _features(ebb: Core, read: Text) -> list[str]:
    facts = [f"{f.id}={f.value}" for f in ebb.findings_in(read.original)]
    tokens = read.tokens
    return features([t.text for t in tokens], [t.lemma for t in tokens], facts)
