"""In which order she tells things makes no difference, and neither does an answer taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.conversation.core import core
from ebb.conversation.merge import is_red, merged
from ebb.conversation.state import Heard, State
from ebb.knowledge.triage import SITUATION, Tables
from ebb.triage import step, tables_in_play
from ebb.triage.engine import move, understood
from ebb.triage.proofs.walk import classes
from ebb.types import Finding, Level, Outcome

TABLES: Tables = core().knowledge.triage
TOPICS = frozenset({"feelings", "loss"})
VALUES: Mapping[str, Sequence[str]] = classes(TABLES)
ABOUT = sorted(
    {
        finding
        for table in TABLES.tables
        if table.topic in TOPICS
        for row in table.rows
        for finding in (*row.when, *row.not_if)
    }
)
"""Every finding that a row about feelings looks at."""
ABOUT.remove(SITUATION)  # it settles what may be asked at all, so it is told first
MOST = 60


def consistent(truth: Mapping[str, str]) -> Mapping[str, str]:
    """A truth that does not deny what follows from itself."""
    supposed = dict(truth)
    for question in TABLES.derived:
        for finding, follows in question.known_from.items():
            value = follows.get(supposed.get(finding, ""))
            if value is not None:
                supposed[question.finding] = value
    return supposed


truths = st.fixed_dictionaries(
    {finding: st.sampled_from(VALUES[finding]) for finding in ABOUT}
).map(consistent)
situations = st.sampled_from([None, "with_me", "in_hospital", "not_born", "died"])


def level(
    truth: Mapping[str, str], told: Sequence[str], when: Sequence[int], situation: str | None
) -> Level:
    """How urgent it ends if she tells `told` in this order, each after so many answers.

    Every question is answered with the truth; what she was not asked for and did not tell stays
    unknown.
    """
    known = understood(TABLES, {SITUATION: situation} if situation else {})
    waiting = list(zip(told, when, strict=True))
    given_ = 0
    for _ in range(MOST):
        while waiting and waiting[0][1] <= given_:
            known = understood(TABLES, {**known, waiting[0][0]: truth[waiting[0][0]]})
            waiting.pop(0)
        found = move(TABLES, known, ("feelings",))
        if isinstance(found, str):
            answer = truth.get(found, TABLES.questions[found].usual)
            known = understood(TABLES, {**known, found: answer})
            given_ += 1
        elif waiting:
            given_ = waiting[0][1]
        else:
            return found.level
    raise AssertionError("the questions do not end")


@settings(max_examples=400, deadline=None)
@given(
    truths,
    st.lists(st.sampled_from(ABOUT), unique=True, max_size=6),
    st.lists(st.integers(0, 6), min_size=6, max_size=6),
    st.randoms(use_true_random=False),
    situations,
)
def test_what_she_tells_late_never_ends_lower_than_told_at_once(
    truth, told, moments, chance, situation
) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)
    at_once = level(truth, told, [0] * len(told), situation)
    later = level(truth, shuffled, sorted(moments[: len(told)]), situation)
    # What she tells late may find more questions asked before, so that more is known; never less.
    assert later.rank >= min(at_once.rank, Level.SAME_DAY.rank)


@settings(max_examples=100, deadline=None)
@given(truths, st.sets(st.sampled_from(ABOUT), max_size=9), st.randoms(use_true_random=False))
def test_the_same_answers_in_any_order_give_the_same_next_move(truth, told, chance) -> None:
    def after(order: Sequence[str]) -> tuple[object, ...]:
        state = State(tables=("feelings",))
        for at, finding in enumerate(order):
            heard = Heard(at=float(at), findings=(Finding(finding, truth[finding]),))
            state = merged(state, heard, TABLES, {})
        taken = step(TABLES, state.values, tables_in_play(TABLES, state.values))
        return taken.ask, taken.remaining, taken.outcome

    order = sorted(told)
    first = after(order)
    chance.shuffle(order)
    assert after(order) == first


# ---- taking back


def answered(state: State, value: str) -> State:
    """The state after a pressed button."""
    heard = Heard(answer=(state.open or "", value))
    told = merged(state, heard, TABLES, {})
    return core().flow.next(told, heard, "GB", answered=False)[0]


def back(state: State) -> State:
    return core().flow.next(state, Heard(intent="go_back"), "GB", answered=False)[0]


def shape(state: State) -> tuple[object, ...]:
    """All that later turns depend on, without how often something was asked."""
    return (dict(state.values), state.open, state.outcome, set(state.rows), set(state.answered))


@settings(max_examples=120, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=9), st.integers(0, 9), st.integers(0, 9))
def test_an_answer_taken_back_was_never_given(path, wrong, right) -> None:
    start = State(tables=("feelings",))
    state = core().flow.next(start, Heard(), "GB", answered=True)[0]
    for choice in path:
        if state.open is None:
            return
        values = VALUES[state.open]
        taken = answered(state, values[wrong % len(values)])
        asked = state.open
        if is_red(taken, asked, TABLES):
            # A red flag stays, and is asked about directly.
            assert back(taken).values[asked] == taken.values[asked]
            assert back(taken).open == asked
        else:
            undone = back(taken)
            assert undone.values == state.values
            assert undone.open == asked
            again = values[right % len(values)]
            assert shape(answered(undone, again)) == shape(answered(state, again))
        state = answered(state, values[choice % len(values)])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["yes", "not_sure"]), st.integers(0, 9))
def test_a_danger_taken_back_keeps_the_level_at_the_same_day(value, mood) -> None:
    moods = VALUES["mood_between_feeds"]
    state = State(tables=("feelings",))
    state = core().flow.next(state, Heard(), "GB", answered=True)[0]
    state = answered(state, moods[mood % len(moods)])
    while state.open is not None and state.open != "thoughts_of_harm":
        state = answered(state, TABLES.questions[state.open].usual)
    state = answered(state, value)
    state = answered(back(state), "no")
    known = understood(TABLES, state.values)
    found = move(TABLES, known, ("feelings",))
    while isinstance(found, str):
        known = understood(TABLES, {**known, found: TABLES.questions[found].usual})
        found = move(TABLES, known, ("feelings",))
    assert isinstance(found, Outcome)
    assert found.level.rank >= Level.SAME_DAY.rank
