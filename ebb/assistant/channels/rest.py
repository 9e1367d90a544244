"""A plain JSON channel: POST a message, get the replies.

For scripts, health checks and a host's own page. `{"sender": "...", "message": "..."}` in,
`[{"recipient_id", "text", "buttons", "custom"}]` out, as Rasa people know it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from ebb.assistant import spool
from ebb.assistant.channels.door import SECONDS, Door, Seen
from ebb.assistant.channels.memory import opaque
from ebb.assistant.channels.recall import keep_of, recall_of
from ebb.assistant.channels.sending import Gone
from ebb.replies import page
from ebb.types import Level, Reply

MAX_BYTES = 1_000_000
MAX_SENDER = 200
SOON = 0.4
"""Seconds after which a crisis reply leaves, though the turn behind it still runs."""


class RestChannel(InputChannel):
    """`credentials.yml`: `ebb.assistant.channels.rest.RestChannel:`, without settings."""

    @classmethod
    def name(cls) -> str:
        """Its place in the address: /webhooks/rest/webhook."""
        return "rest"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> RestChannel:
        """Made from the entry in credentials.yml."""
        return cls()

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes of this channel."""
        blueprint = Blueprint("ebb_rest")
        doors: dict[str, Door] = {}
        running: set[asyncio.Future[Seen]] = set()

        def door(app: Any) -> Door:
            if self.name() not in doors:
                doors[self.name()] = Door(
                    self.name(),
                    on_new_message,
                    spool_folder=spool.FOLDER,
                    recall=recall_of(app),
                    keep=keep_of(app),
                )
            return doors[self.name()]

        @blueprint.listener("after_server_start")
        async def recover(app: Any, _: Any) -> None:
            await door(app).recover()

        @blueprint.route("/", methods=["GET"])
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @blueprint.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            asked = _parse(request.body)
            if isinstance(asked, str):
                return response.json({"error": asked}, status=400)
            sender, message, country = asked
            replies: list[dict[str, Any]] = []
            answered = helped = False

            async def collect(reply: Reply) -> None:
                nonlocal helped
                if answered:
                    raise Gone
                helped = helped or _is_help(reply)
                replies.append(as_json(reply, sender))

            turn = asyncio.ensure_future(
                door(request.app).receive(sender, message, collect, country)
            )
            running.add(turn)
            turn.add_done_callback(running.discard)
            await asyncio.wait({turn}, timeout=SOON)
            if not helped:
                await turn
            # Help does not wait for the rest of the turn, which goes on and is stored.
            answered = True
            return response.json(replies, ensure_ascii=False, dumps=json.dumps)

        @blueprint.listener("before_server_stop")
        async def finish(_: Any, __: Any) -> None:
            for opened in doors.values():
                await opened.close(SECONDS)

        return blueprint


def _is_help(reply: Reply) -> bool:
    level = (reply.card or {}).get("level")
    return reply.id.startswith("crisis.") or level == Level.EMERGENCY.value


def as_json(reply: Reply, sender: str) -> dict[str, Any]:
    """A reply on the wire; clients see opaque payloads only."""
    wire: dict[str, Any] = {"recipient_id": sender, "text": reply.text}
    if reply.buttons:
        wire["buttons"] = [{"title": b.title, "payload": opaque(b.payload)} for b in reply.buttons]
    if reply.card is not None:
        wire["custom"] = dict(reply.card)
        if reply.card.get("type") == "summary":
            # Made when it is sent, so that it is not stored a second time.
            wire["custom"]["html"] = page(reply.card)
    return wire


def _parse(body: bytes) -> tuple[str, str, str | None] | str:
    """Sender, message and country of a request, or what is wrong with it."""
    if len(body) > MAX_BYTES:
        return f"the request is larger than {MAX_BYTES} bytes"
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return "the body is not JSON"
    if not isinstance(asked, dict):
        return 'the body must be an object: {"sender": "...", "message": "..."}'
    sender, message, country = asked.get("sender"), asked.get("message"), asked.get("country")
    if not isinstance(sender, str) or not sender.strip() or len(sender) > MAX_SENDER:
        return f'"sender" must be text of 1 to {MAX_SENDER} characters'
    if not sender.isprintable():
        return '"sender" must not hold control characters'
    if not isinstance(message, str):
        return '"message" must be text'
    if country is not None and not isinstance(country, str):
        return '"country" must be a two-letter code'
    return sender, message, country.upper() if country else None
