"""An action server at an address, for `EBB_ACTIONS=remote`: bounded, and unable to break a turn.

Rasa's own endpoint waits for 300 seconds, opens a connection for each call, lets time-outs and
broken answers escape into the turn, and puts the body of an error, which repeats the
conversation, into the log.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
import logging
import ssl
from typing import Any

import aiohttp
from rasa.utils.endpoints import EndpointConfig

from ebb.assistant.action_answers import has_right_form, honest, refused
from ebb.assistant.breaker import Breaker

log = logging.getLogger(__name__)

SECONDS = 2.0
"""How long one call may take in all. `seconds` under `action_endpoint` in endpoints.yml."""
MOST_BYTES = 2_000_000
"""More is no answer of an action."""


class RemoteActions(EndpointConfig):
    """Stands where Rasa's own `EndpointConfig` would; made from it."""

    def __init__(
        self, config: EndpointConfig, seconds: float | None = None, breaker: Breaker | None = None
    ) -> None:
        """Raises `ValueError` if the time limit is not a number of seconds above 0."""
        super().__init__(
            url=config.url,
            params=config.params,
            headers=config.headers,
            basic_auth=config.basic_auth,
            token=config.token,
            token_name=config.token_name,
            cafile=config.cafile,
            **config.kwargs,
        )
        limit = self.kwargs.pop("seconds", SECONDS) if seconds is None else seconds
        self._seconds = float(limit)
        if not self._seconds > 0:
            raise ValueError("seconds under action_endpoint must be more than 0")
        self._breaker = breaker or Breaker(failures=2, rest=5.0)
        self._kept: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def request(self, json: dict[str, Any], compress: bool = False, **_: Any) -> Any:
        """The answer of the action that `json` names; the honest line where there is none.

        Raises only `ClientResponseError`: 400 where the action refused to run.
        """
        action = str(json.get("next_action", ""))
        if not self._breaker.closed():
            return honest(json)
        try:
            status, body = await asyncio.wait_for(self._post(json, compress), self._seconds)
        except Exception as error:
            # Only the kind of error: its text may hold what she wrote.
            self._breaker.failed()
            log.error("action %s got no answer: %s", action, type(error).__name__)
            return honest(json)
        # Whatever it says, it is there: one that fails must not cost others their turn.
        self._breaker.worked()
        if status == 400:
            raise refused(action)
        answer = _parsed(body) if status == 200 else None
        if not has_right_form(answer):
            log.error("action %s failed: the action server answered %d", action, status)
            return honest(json)
        return answer

    async def _post(self, call: dict[str, Any], compress: bool) -> tuple[int, bytes]:
        session = self._of_this_loop()
        async with session.post(
            self.url,
            data=jsonlib.dumps(call).encode(),
            headers={"Content-Type": "application/json"},
            params=self.combine_parameters(),
            compress="deflate" if compress else None,
            allow_redirects=False,
        ) as answer:
            body = bytearray()
            async for part in answer.content.iter_any():
                body += part
                if len(body) > MOST_BYTES:
                    raise ValueError
            return answer.status, bytes(body)

    def _of_this_loop(self) -> aiohttp.ClientSession:
        """One session for all calls, so that connections are kept."""
        loop = asyncio.get_running_loop()
        if self._kept is None or self._kept.closed or self._loop is not loop:
            user = self.basic_auth
            trusted = ssl.create_default_context(cafile=self.cafile) if self.cafile else True
            self._kept = aiohttp.ClientSession(
                headers=self.headers,
                auth=aiohttp.BasicAuth(user["username"], user["password"]) if user else None,
                connector=aiohttp.TCPConnector(ssl=trusted),
                timeout=aiohttp.ClientTimeout(total=self._seconds),
            )
            self._loop = loop
        return self._kept

    async def close(self) -> None:
        """Close the connections."""
        if self._kept is not None:
            await self._kept.close()


def _parsed(body: bytes) -> object:
    try:
        return jsonlib.loads(body)
    except (ValueError, RecursionError):
        return None
