"""Two hundred messages at once, many conversations at once, and a crisis in every state."""

from __future__ import annotations

import asyncio

from conftest import NewTrial, Start
from rasa.shared.core.events import (
    ActionExecuted,
    ConversationPaused,
    Event,
    SessionStarted,
    SlotSet,
)
from trial import CRISES, CRISIS_SECONDS, PLAIN, REPORT, InProcess, Told, Trial

from ebb.conversation.core import core
from ebb.conversation.state import State

AT_ONCE = 200


async def test_two_hundred_messages_at_once_in_one_conversation(
    start: Start, trial: NewTrial
) -> None:
    way = await start()
    case: Trial = trial("200 messages in one conversation at once", way)
    words = [f"message {number}, is my milk ok" for number in range(AT_ONCE)]
    words[0], words[100], words[-1] = CRISES[0], CRISES[2], CRISES[4]
    case.sent += words
    told: list[list[Told]] = await asyncio.gather(
        *(way.say(case.conversation, said) for said in words)
    )
    case.told += told
    assert all(told), "silence"
    for said, replies in zip(words, told, strict=True):
        if said in CRISES:
            case.worst = max(case.worst, replies[0].after)
            assert replies[0].crisis and replies[0].after < CRISIS_SECONDS
        else:
            assert replies[0].after < way.seconds + 2
            case.honest += replies[0].honest
            case.answered += not replies[0].honest
    await case.heals()
    await case.finish()


async def test_a_crisis_beside_a_hundred_other_conversations(start: Start, trial: NewTrial) -> None:
    way = await start()
    case = trial("100 other conversations write at once", way)
    others = [
        asyncio.ensure_future(way.say(f"{case.conversation}-{number}", REPORT))
        for number in range(100)
    ]
    await asyncio.sleep(0)
    await case.crisis()
    answers = await asyncio.gather(*others)
    assert all(answers)
    case.honest += sum(replies[0].honest for replies in answers)
    case.answered += sum(not replies[0].honest for replies in answers)
    await case.heals()
    await case.finish()


async def test_a_crisis_in_every_state_of_triage(start: Start, trial: NewTrial) -> None:
    """With each question open in turn, and after each outcome; then the talk goes on."""
    way = await start()
    states = [State(open=name) for name in core().knowledge.triage.questions]
    states += [State(outcome=name) for name in core().knowledge.triage.outcomes]
    worst, problems = 0.0, []
    for number, state in enumerate(states):
        case = trial("any", way)
        await _put(way, case.conversation, *_at(state))
        told = await way.say(case.conversation, CRISES[number % len(CRISES)])
        where = f"open {state.open}, outcome {state.outcome}"
        worst = max(worst, told[0].after if told else float("inf"))
        if not told or not told[0].crisis:
            problems.append(f"{where}: {told[:1]}")
        if not await way.say(case.conversation, "ok"):
            problems.append(f"{where}: silence afterwards")
        if way.stored(case.conversation).hers[-1:] != ("ok",):
            problems.append(f"{where}: not stored")
    assert len(states) > 60
    assert not problems, "\n".join(problems)
    assert worst < CRISIS_SECONDS
    case = trial(f"each of {len(states)} triage states", way)
    case.worst = worst
    case.answered = len(states)
    await case.finish()


async def test_a_paused_conversation_still_answers_a_crisis(start: Start, trial: NewTrial) -> None:
    way = await start()
    case = trial("conversation paused for a person", way)
    await _put(way, case.conversation, ConversationPaused())
    await case.crisis()
    await case.ordinary(PLAIN)
    await case.crisis()
    await case.finish()


async def _put(way: InProcess, conversation: str, *events: Event) -> None:
    """Store a conversation that begins with `events`."""
    tracker = await way.agent.tracker_store.get_or_create_tracker(conversation)
    begun = (ActionExecuted("action_session_start"), SessionStarted())
    for event in (*begun, ActionExecuted("action_listen"), *events):
        tracker.update(event)
    await way.agent.tracker_store.save(tracker)


def _at(state: State) -> tuple[Event, Event]:
    """What puts a conversation into `state`."""
    is_open = SlotSet("question_open", state.open is not None)
    return SlotSet("conversation", state.to_json()), is_open
