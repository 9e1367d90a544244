"""The command line. Only `serve`, `chat`, `understand`, `replay` and `train` load Rasa."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Errors go to standard error."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not hasattr(chosen, "run"):
        parser.print_help(sys.stderr)
        return 2
    from ebb.knowledge.yaml_reader import ContentError

    try:
        code: int = chosen.run(chosen)
    except ContentError as error:
        print(f"ebb: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except Failure as error:
        print(f"ebb: {error}", file=sys.stderr)
        return 1
    return code


class Failure(Exception):
    """A command cannot go on; the message says why and what to do."""


# ---- batch commands


def _batch(answer: Answer, lines: Iterable[str]) -> int:
    """One JSON line out for each JSON line in, in order, errors included."""
    for line in lines:
        try:
            asked = json.loads(line)
            if not isinstance(asked, dict):
                raise ValueError('each line must be a JSON object, such as {"text": "..."}')
            found = answer(asked)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            found = {"error": str(error) or type(error).__name__}
        print(json.dumps(found, ensure_ascii=False), flush=True)
    return 0


def _text(asked: dict[str, Any]) -> str:
    text = asked.get("text")
    if not isinstance(text, str):
        raise ValueError('"text" must be a string')
    return text


def _assess(options: argparse.Namespace) -> int:
    from ebb.conversation.core import core
    from ebb.conversation.events import assessment_to_json
    from ebb.safety.explain import explain
    from ebb.types import Turn

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        recent = asked.get("recent") or []
        if not isinstance(recent, list):
            raise ValueError('"recent" must be a list of {"by", "text", "asked"}')
        turns = [Turn(_side(t), str(t.get("text") or ""), t.get("asked")) for t in recent]
        found = assessment_to_json(core().safety.assess(_text(asked), turns))
        if options.explain:
            found["why"] = list(explain(core().safety, _text(asked), turns))
        return found

    core()
    return _batch(answer, sys.stdin)


def _side(turn: object) -> Any:
    if not isinstance(turn, dict) or turn.get("by") not in ("user", "bot"):
        raise ValueError('each of "recent" needs "by": "user" or "bot"')
    return turn["by"]


def _triage(_: argparse.Namespace) -> int:
    from ebb.conversation.core import core

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        findings = asked.get("findings")
        if not isinstance(findings, dict) or not all(isinstance(v, str) for v in findings.values()):
            raise ValueError('"findings" must be an object of finding ids and values')
        return core().triage_json(findings)

    core()
    return _batch(answer, sys.stdin)


def _understand(_: argparse.Namespace) -> int:
    from ebb.assistant.launcher import quiet

    quiet()
    from ebb.assistant.offline import Understander

    understander = _started(Understander.load())
    return _batch(lambda asked: understander.read(_text(asked)), sys.stdin)


def _started(work: Any) -> Any:
    from ebb.assistant.launcher import StartError

    try:
        return asyncio.run(work)
    except StartError as error:
        raise Failure(str(error)) from None


# ---- talking


def _chat(chosen: argparse.Namespace) -> int:
    from ebb.assistant.launcher import StartError, quiet

    quiet()
    from ebb.assistant.terminal import batch, talk

    try:
        if chosen.jsonl:
            return asyncio.run(batch(sys.stdin, sys.stdout))
        return asyncio.run(talk(chosen.country))
    except StartError as error:
        raise Failure(str(error)) from None


def _serve(chosen: argparse.Namespace) -> int:
    from ebb.assistant.launcher import StartError, quiet

    quiet()
    print("Starting Ebb ...", file=sys.stderr, flush=True)
    from ebb.assistant.serving import serve

    try:
        serve(chosen.host, chosen.port, _tell)
    except StartError as error:
        raise Failure(str(error)) from None
    return 0


def _tell(news: Any) -> None:
    """What the operator should know: how to use it, what is wrong, what people have to check."""
    if news.state == "ready":
        print(
            f"Ebb is ready: it answered a test message.\n"
            f"  Talk to it in another terminal:  make chat\n"
            f"  Or over HTTP:  POST {news.address}/webhooks/rest/webhook  "
            f'{{"sender": "me", "message": "what is a let-down?"}}\n'
            f"  Its state:  GET {news.address}/health\n"
            f"  Stop it with Ctrl+C.",
            flush=True,
        )
    elif news.state == "crisis only":
        print(f"ebb: {news.text}", file=sys.stderr)
        print(
            f"Ebb answers crises only at {news.address}, and says so to everybody else. "
            f"It takes a model as soon as there is one.",
            flush=True,
        )
    elif news.state == "degraded":
        print(f"ebb: not everything works: {news.text}", file=sys.stderr)
        print(f"Ebb is up at {news.address}, but not whole.", flush=True)
    else:
        print(f"ebb: {news.text}", file=sys.stderr, flush=True)


def _train(chosen: argparse.Namespace) -> int:
    from ebb.assistant.launcher import quiet
    from ebb.assistant.training import train_model

    quiet()
    return train_model(only_if_changed=chosen.if_changed)


# ---- stored conversations


def _replay(_: argparse.Namespace) -> int:
    from ebb.assistant.launcher import quiet

    quiet()
    from ebb.assistant.offline import Replayer

    replayer = _started(Replayer.load())
    return _batch(replayer.compare, sys.stdin)


def _erase(chosen: argparse.Namespace) -> int:
    from ebb.assistant.launcher import quiet

    quiet()
    from ebb.assistant.erase import erase

    if chosen.conversation:
        print(json.dumps(erase(chosen.conversation)))
        return 0

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        conversation = asked.get("conversation")
        if not isinstance(conversation, str) or not conversation:
            raise ValueError('"conversation" must be the id of a conversation')
        return erase(conversation)

    return _batch(answer, sys.stdin)


# ---- knowledge


def _check(chosen: argparse.Namespace) -> int:
    from ebb.knowledge.check import check

    problems = check(release=chosen.release)
    for problem in problems:
        print(problem, file=sys.stderr if problem.fails else sys.stdout)
    failed = sum(problem.fails for problem in problems)
    warned = len(problems) - failed
    print(f"knowledge check: {failed} errors, {warned} warnings")
    return 1 if failed else 0


def _prove(_: argparse.Namespace) -> int:
    from ebb.conversation.core import core
    from ebb.triage.proofs import prove

    report = prove(core().knowledge.triage)
    for proof in report.proofs:
        result = f"FAILED {len(proof.failures)}" if proof.failures else "holds"
        print(f"{result:>9}  {proof.name} ({proof.how}: {proof.cases}, {proof.seconds:.1f} s)")
    ways = sum(report.lengths.values())
    spread = ", ".join(f"{count}: {n}" for count, n in report.lengths.items())
    print(f"Most questions, by way in ({ways} ways): {spread}")
    print("Questions of plausible conversations, the closing one included:")
    for count, share in report.histogram.items():
        print(f"  {count:>2}  {share:>4.0%}  {'#' * round(share * 50)}")
    print(f"  {report.average:.1f} on average; by intent:")
    for intent, shares in report.plausible.items():
        mean = sum(count * share for count, share in shares.items())
        print(f"    {intent}: {mean:.1f}, at most {max(shares)}")
    for failure in report.failures:
        print(failure, file=sys.stderr)
    print(f"knowledge prove: {len(report.failures)} failed proofs")
    return 1 if report.failures else 0


def _show(chosen: argparse.Namespace) -> int:
    from ebb.conversation.show import show

    try:
        if chosen.html or chosen.save:
            _write(chosen)
            return 0
        for line in show(chosen.what):
            print(line)
    except LookupError as error:
        raise Failure(str(error)) from None
    return 0


def _write(chosen: argparse.Namespace) -> None:
    """The document, the snapshot, or both. Raises `LookupError` for nothing to compare with."""
    from pathlib import Path

    from ebb.conversation.show import earlier, page, snapshot
    from ebb.knowledge.everything import load
    from ebb.triage.proofs import prove

    now = snapshot(date=chosen.date)
    # Read before anything is written: both may be the same file.
    before = earlier(Path(chosen.against), load()) if chosen.against else None
    try:
        if chosen.html:
            knowledge = load()
            report = None if chosen.no_proofs else prove(knowledge.triage)
            document = page(knowledge, now, before, report)
            Path(chosen.html).write_text(document, encoding="utf-8")
            print(f"{chosen.html}: version {now['version']} of {now['date']}")
        if chosen.save:
            kept = json.dumps(now, ensure_ascii=False, indent=1)
            Path(chosen.save).write_text(kept + "\n", encoding="utf-8")
            print(f"{chosen.save}: version {now['version']} of {now['date']}")
    except OSError as error:
        raise Failure(f"cannot write {error.filename}: {error.strerror}") from None


def _review(chosen: argparse.Namespace) -> int:
    """What the edited content changes against what git has; 1 if anything is wrong with it."""
    import tempfile
    from pathlib import Path

    from ebb.conversation.show import committed, review
    from ebb.conversation.show.summary import proofs, summary
    from ebb.knowledge.check import check
    from ebb.knowledge.everything import load
    from ebb.knowledge.places import PROJECT

    problems = [problem for problem in check() if problem.fails]
    for problem in problems:
        print(problem)
    print(f"CHECK: {len(problems)} errors")
    if problems:
        print("Mend these first; the rest can only be told of content without errors.")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        try:
            old = committed(Path(folder), chosen.since)
        except LookupError as error:
            raise Failure(str(error)) from None
        found = review(old, PROJECT / "knowledge")
        for line in summary(found):
            print(line, flush=True)
        failed = 0
        if not chosen.no_proofs:
            lines, failed = proofs(load(old).triage, load().triage)
            for line in lines:
                print(line)
    return 1 if found.broken or found.sign or failed else 0


# ---- the parser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ebb",
        description="Ebb: an assistant for breastfeeding mothers.",
        epilog="Batch commands read JSON Lines on standard input and write one line for each.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], about: str, example: str) -> Any:
        command = commands.add_parser(
            name,
            help=about,
            description=about,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=run)
        return command

    serve = add(
        "serve",
        _serve,
        "Start the assistant; it is ready only when a real message was answered.",
        "ebb serve --port 5005",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serve.add_argument("--port", type=int, default=5005, help="port to listen on")

    chat = add(
        "chat",
        _chat,
        "Talk to the assistant in the terminal, or through JSON Lines.",
        'echo \'{"say": ["hi"], "country": "GB"}\' | ebb chat --jsonl',
    )
    chat.add_argument("--jsonl", action="store_true", help="read and write JSON Lines")
    chat.add_argument("--country", help="two-letter country code, for help lines")

    assess = add(
        "assess",
        _assess,
        "Assess messages for danger, on words alone.",
        'echo \'{"text": "i cant do this"}\' | ebb assess',
    )
    assess.add_argument(
        "--explain", action="store_true", help="tell which rules, words and contexts decided"
    )
    add(
        "understand",
        _understand,
        "Intent, findings and safety of messages, through the trained model.",
        'echo \'{"text": "what is dmer"}\' | ebb understand',
    )
    add(
        "triage",
        _triage,
        "The next question, or the outcome with its reasons, for sets of findings.",
        'echo \'{"findings": {"feeling_at_letdown": "yes"}}\' | ebb triage',
    )
    add(
        "replay",
        _replay,
        "Run stored conversations again and tell what would change.",
        'echo \'{"conversation": "a1", "turns": [{"said": "hi", "intent": "greet"}]}\''
        " | ebb replay",
    )
    erase = add(
        "erase",
        _erase,
        "Erase conversations from every store, with a receipt.",
        "ebb erase 3f2a9c",
    )
    erase.add_argument("conversation", nargs="?", help="its id; without it, JSON Lines are read")
    train = add("train", _train, "Train a model.", "ebb train --if-changed")
    train.add_argument(
        "--if-changed", action="store_true", help="only if what the model depends on has changed"
    )

    knowledge = commands.add_parser(
        "knowledge", help="Check, prove or show what clinicians edit in knowledge/."
    )
    actions = knowledge.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = actions.add_parser(
        "check",
        help="find mistakes in the content, with file and line",
        epilog="example: ebb knowledge check --release",
    )
    check.add_argument(
        "--release",
        action="store_true",
        help="also refuse unsigned content, past review dates and unchecked help lines",
    )
    check.set_defaults(run=_check)
    prove = actions.add_parser(
        "prove",
        help="prove the safety properties of the triage tables",
        epilog="example: ebb knowledge prove",
    )
    prove.set_defaults(run=_prove)
    show = actions.add_parser(
        "show",
        help="print tables, questions and outcomes for a clinician to read",
        epilog="example: ebb knowledge show feelings",
    )
    show.add_argument("what", nargs="?", help="a table, or nothing for all")
    show.add_argument("--html", metavar="FILE", help="write one HTML document to read and sign")
    show.add_argument("--against", metavar="PLACE", help="compare with a snapshot or a folder")
    show.add_argument("--save", metavar="FILE", help="write a snapshot to compare with later")
    show.add_argument("--date", metavar="DAY", help="date of the version; else its newest file's")
    show.add_argument("--no-proofs", action="store_true", help="leave the proofs out (faster)")
    show.set_defaults(run=_show)
    review = actions.add_parser(
        "review",
        help="tell what edited content changes: cases, messages, proofs",
        epilog="example: ebb knowledge review",
    )
    review.add_argument("--since", default="HEAD", help="what git has to compare with")
    review.add_argument("--no-proofs", action="store_true", help="leave the proofs out (faster)")
    review.set_defaults(run=_review)
    return parser


if __name__ == "__main__":
    sys.exit(main())
