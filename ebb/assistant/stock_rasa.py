"""What `rasa run` and `rasa shell` need of us, since they start without our launcher.

Called when our components are loaded, whoever loads them.
"""

from __future__ import annotations

from ebb.assistant import quiet_logs

ACTION_SECONDS = 2
"""How long plain Rasa waits for an action server. Its own limit is five minutes."""


def harden() -> None:
    """Keep words out of logs, and bound calls to an action server. Can be called often."""
    from rasa.core.actions import action

    quiet_logs.install()
    # Read at each call. A time-out is a failed action, since no slot here is filled by one.
    action.DEFAULT_REQUEST_TIMEOUT = ACTION_SECONDS
