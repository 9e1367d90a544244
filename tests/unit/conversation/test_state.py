"""The state survives being kept in a slot, and anything else counts as a new conversation."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.conversation.state import State
from ebb.types import Finding

findings = st.builds(
    Finding,
    id=st.text(min_size=1),
    value=st.text(),
    source=st.sampled_from(["said", "answered", "carried"]),
    amount=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
states = st.builds(
    State,
    findings=st.lists(findings, unique_by=lambda f: f.id).map(tuple),
    answered=st.lists(st.text()).map(tuple),
    tables=st.lists(st.text()).map(tuple),
    open=st.none() | st.text(),
    tries=st.integers(0, 5),
    outcome=st.none() | st.text(),
    rows=st.lists(st.text()).map(tuple),
    heard_until=st.floats(0, 1e10),
)


@given(states)
def test_a_state_is_the_same_after_being_kept_as_json(state: State) -> None:
    assert State.from_json(json.loads(json.dumps(state.to_json()))) == state


@pytest.mark.parametrize("kept", [None, "erase", 3, [], {}, {"version": 99}, {"version": 1}])
def test_anything_else_is_a_new_conversation(kept: object) -> None:
    assert State.from_json(kept) == State()


@given(states, findings)
def test_a_finding_is_known_once_and_with_its_last_value(state: State, finding: Finding) -> None:
    after = state.with_finding(finding)
    assert [f.id for f in after.findings].count(finding.id) == 1
    assert after.values[finding.id] == finding.value


@given(states, findings)
def test_a_finding_taken_back_is_as_if_never_said(state: State, finding: Finding) -> None:
    after = state.with_finding(finding).without_finding(finding.id)
    assert finding.id not in after.values and finding.id not in after.answered
