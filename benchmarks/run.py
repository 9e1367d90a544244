"""Speed of the assistant on this machine: `make bench`.

Prints the machine and the versions, then: a message answered by an utter_ response and by
action_triage, in process, through the trained model; assessment alone; training; from `ebb serve`
to the first reply; resident memory. Give `--quick` to leave out training and starting.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PORT = 5995
LONG = 2000
"""Messages of the long conversation."""
ASK = ["what is a let down", "is dmer common", "how many let downs in a feed", "what causes dmer"]
TELL = [
    "i feel awful dread right before my milk lets down",
    "about a minute",
    "fine the rest of the day",
    "every feed",
    "no",
]
ASSESS = [
    "my milk takes ages to let down at the pump and i am so tired of it",
    "is it normal that i feel sad for a minute when she latches",
    "she has had four wet nappies today and feeds every two hours",
    "i cant do this anymore",
    "i want to die every time my milk comes in",
]


def main() -> int:
    """Run the benchmarks and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="no training, no server start")
    quick = parser.parse_args().quick
    _machine()
    _assess()
    asyncio.run(_messages())
    if not quick:
        _start()
        _train()
    return 0


def _machine() -> None:
    model = "?"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    names = ("rasa", "rasa-sdk", "spacy", "jsonschema", "numpy", "scikit-learn")
    print(f"machine: {model}, {os.cpu_count()} cores, {platform.platform()}")
    print(f"python {platform.python_version()}, " + ", ".join(f"{n} {version(n)}" for n in names))


def _assess() -> None:
    lines = "".join(
        json.dumps({"text": f"{ASSESS[i % len(ASSESS)]}"}) + "\n" for i in range(20_000)
    )
    with tempfile.TemporaryFile("w+") as file:
        times = []
        for text in (lines[: len(lines) // 20_000], lines):
            file.seek(0)
            file.truncate()
            file.write(text)
            file.seek(0)
            started = time.perf_counter()
            command = [sys.executable, "-m", "ebb.cli", "assess"]
            subprocess.run(command, stdin=file, stdout=subprocess.DEVNULL, check=True, cwd=ROOT)
            times.append(time.perf_counter() - started)
    speed = 20_000 / (times[1] - times[0])
    print(f"ebb assess: {speed:,.0f} messages a second, start {times[0]:.1f} s")


async def _messages() -> None:
    from ebb.assistant.launcher import load_agent, quiet

    quiet()
    from rasa.core.channels.channel import CollectingOutputChannel, UserMessage

    for name, memory_only in (("in memory", True), ("SQLite", False)):
        agent = await load_agent(memory_only=memory_only)
        for kind, script in (("utter_ response", ASK), ("action_triage", TELL)):
            times = []
            conversations = []
            for _ in range(30):
                conversation = f"bench-{uuid.uuid4().hex}"
                conversations.append(conversation)
                for text in script:
                    message = UserMessage(text, CollectingOutputChannel(), conversation)
                    started = time.perf_counter()
                    await agent.handle_message(message)
                    times.append((time.perf_counter() - started) * 1000)
            times.sort()
            median, p95 = statistics.median(times), times[int(0.95 * len(times))]
            print(f"{kind}, {name}: median {median:.1f} ms, 95 % {p95:.1f} ms (n = {len(times)})")
            if not memory_only:
                for conversation in conversations:
                    await agent.tracker_store._tracker_store.forget(conversation)
        if not memory_only:
            await _growth(agent)


async def _growth(agent: Any) -> None:
    """Whether a long conversation gets slow: the same messages after 50 turns and at the end."""
    from rasa.core.channels.channel import CollectingOutputChannel, UserMessage

    conversation, times = f"bench-{uuid.uuid4().hex}", []
    script = [*TELL, *ASK]
    for number in range(LONG):
        text = script[number % len(script)]
        message = UserMessage(text, CollectingOutputChannel(), conversation)
        started = time.perf_counter()
        await agent.handle_message(message)
        times.append((time.perf_counter() - started) * 1000)
    early, late = statistics.median(times[50:95]), statistics.median(times[-45:])
    print(f"a message after 50: {early:.1f} ms, after {LONG}: {late:.1f} ms, SQLite")
    await agent.tracker_store._tracker_store.forget(conversation)


def _start() -> None:
    times, memory = [], 0.0
    for _ in range(3):
        started = time.perf_counter()
        command = [sys.executable, "-m", "ebb.cli", "serve", "--port", str(PORT)]
        server = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while not _replies():
                if time.perf_counter() - started > 120 or server.poll() is not None:
                    print("ebb serve: did not start")
                    return
                time.sleep(0.05)
            times.append(time.perf_counter() - started)
            status = Path(f"/proc/{server.pid}/status").read_text()
            memory = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        finally:
            server.terminate()
            server.wait()
    print(f"ebb serve to the first reply: {min(times):.1f} s (files warm); memory {memory:.0f} MB")


def _replies() -> bool:
    body = json.dumps({"sender": "bench", "message": "what is a let down"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/webhooks/rest/webhook", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(json.loads(answer.read()))
    except OSError:
        return False


def _train() -> None:
    started = time.perf_counter()
    command = [sys.executable, "-m", "ebb.cli", "train"]
    subprocess.run(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )
    print(f"ebb train: {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
