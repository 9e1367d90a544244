"""The content as one HTML document that a clinician reads, prints and signs.

No script, nothing from elsewhere; every text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from ebb.conversation.show import snapshot as kept
from ebb.conversation.show.diagram import diagram
from ebb.conversation.show.plain import Plain, level, spaced
from ebb.conversation.show.reading import readability
from ebb.conversation.show.style import STYLE
from ebb.knowledge.everything import Knowledge
from ebb.knowledge.triage import OutcomeContent, Question, Row, Table
from ebb.triage.proofs import Report
from ebb.types import Level

_SHOWN = 10  # counter-examples of one proof
_LONG = 20  # words of a sentence
_OLDEST = 11  # reading age aimed at, in years


def page(
    knowledge: Knowledge,
    now: kept.Snapshot,
    before: kept.Snapshot | None = None,
    report: Report | None = None,
) -> str:
    """The whole document. `before`: the version to compare with. `report`: the proofs, if run."""
    return _Page(knowledge, now, before, report).html()


class _Page:
    def __init__(
        self,
        knowledge: Knowledge,
        now: kept.Snapshot,
        before: kept.Snapshot | None,
        report: Report | None,
    ) -> None:
        self._all = knowledge
        self._tables = knowledge.triage
        self._plain = Plain(knowledge)
        self._now = now
        self._before = before
        self._report = report

    def html(self) -> str:
        sections = [
            ("about", "About this document", self._about()),
            ("changes", "What changed", self._changes()),
            ("tables", "Tables", "".join(self._table(t) for t in self._tables.tables)),
            ("outcomes", "Outcomes: every word she reads", self._outcomes()),
            ("questions", "Questions", self._questions()),
            ("flags", "Red flags", self._flags()),
            ("gates", "Gates and other promises", self._gates()),
            ("proofs", "Proofs", self._proofs()),
            ("sources", "Sources", self._sources()),
            ("sign-off", "Sign-off", self._sign_off()),
        ]
        body = "".join(
            f'<section id="{name}"><h2>{title}</h2>{content}</section>'
            for name, title, content in sections
        )
        return (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            f"<title>Ebb: clinical content {escape(self._now['version'])}</title>"
            f"<style>{STYLE}</style></head><body><header><h1>Ebb: clinical content</h1>"
            f"<p>Version <code>{escape(self._now['version'])}</code>, "
            f"{escape(self._now['date'])}</p></header>"
            f"{self._contents((name, title) for name, title, _ in sections)}"
            f"<main>{body}</main></body></html>\n"
        )

    def _contents(self, sections: Iterable[tuple[str, str]]) -> str:
        lines: list[str] = []
        for name, title in sections:
            inner = ""
            if name == "tables":
                inner = _list(
                    f'<a href="#table-{escape(t.id)}">{_words(t.id)}</a>: {escape(t.asks)}'
                    for t in self._tables.tables
                )
            lines.append(f'<a href="#{name}">{title}</a>{inner}')
        return f'<nav aria-label="Contents"><h2>Contents</h2>{_list(lines, "ol")}</nav>'

    def _about(self) -> str:
        tables = self._tables
        signed = sum(bool(outcome.reviewed_by) for outcome in tables.outcomes.values())
        return (
            f"<p>Everything by which Ebb decides how soon a mother needs help, and what it then "
            f"tells her: {len(tables.tables)} tables with {len(tables.rows)} rows, "
            f"{len(tables.outcomes)} outcomes, {len(tables.questions)} questions, "
            f"{len(tables.red_flags)} red flags. {signed} of {len(tables.outcomes)} outcomes are "
            f"signed.</p><p>How a table works: all facts under “if” must hold. An answer that is "
            f"not listed does not count, and neither does what is not known. Of all rows that "
            f"match, in every table that is open, the most urgent decides. At one level, the "
            f"first listed does. Levels, the most urgent first: "
            f"{' '.join(_badge(one) for one in reversed(Level))}</p>"
            f"<p>Not in here: the words by which a crisis is recognised, the help lines, and the "
            f"wordings by which facts are heard. They belong to the version all the same, and are "
            f"named under “What changed” by file.</p>"
        )

    # ---- tables

    def _table(self, table: Table) -> str:
        rows = sorted(table.rows, key=lambda row: row.rank)
        inputs = _list(
            (
                f"{escape(self._plain.finding(f))}: "
                f'<a href="#question-{escape(f)}">“{escape(self._tables.questions[f].ask)}”</a>'
                for f in table.inputs
            ),
            "ol",
        )
        opens = _list(
            " and ".join(escape(line) for line in self._plain.conditions(alternative))
            for alternative in table.opens_when
        )
        closing = (
            f"<p>Plays beside every other table and asks last, where the level would be below "
            f"{_badge(table.closing_below)}. It covers: "
            f"{escape(', '.join(sorted(map(self._plain.finding, table.covers))))}.</p>"
            if table.closing_below
            else ""
        )
        head = "".join(
            f'<th scope="col">{name}</th>'
            for name in ("Row", "If", "Then", "Level", "Because", "Sources")
        )
        return (
            f'<article id="table-{escape(table.id)}"><h3>{_words(table.id)}: '
            f"{escape(table.asks)}</h3>{closing}"
            f"<h4>What it asks, in this order, and only what can still change the result</h4>"
            f"{inputs}<h4>It opens when any of these holds</h4>{opens}"
            f"<h4>Flow</h4>{diagram(table, self._tables, self._plain)}"
            f'<h4>Rows, most urgent first</h4><div class="wide"><table><thead><tr>{head}</tr>'
            f"</thead>{''.join(self._row(n, row) for n, row in enumerate(rows, 1))}"
            f'<tbody><tr><th scope="row">Otherwise</th><td>no row matches</td>'
            f"<td>{self._link(table.otherwise)}</td>"
            f"<td>{_badge(self._tables.outcomes[table.otherwise].level)}</td>"
            f"<td>{escape(table.otherwise_reason)}</td>"
            f"<td>{self._cited(table.otherwise_sources)}</td></tr></tbody></table></div></article>"
        )

    def _row(self, number: int, row: Row) -> str:
        when = " <b>and</b><br>".join(map(escape, self._plain.conditions(row.when)))
        if row.not_if:
            when += "<br><b>but not if</b> " + " <b>or</b> ".join(
                map(escape, self._plain.conditions(row.not_if))
            )
        if row.ask_if is not None:
            asked = " or ".join(" and ".join(self._plain.conditions(c)) for c in row.ask_if)
            note = f"Asked for only if: {asked}" if asked else "Never asked for, only heard"
            when += f"<br><small>{escape(note)}</small>"
        return (
            f'<tbody id="row-{escape(row.id)}"><tr><th scope="row">{number}<br>'
            f"<code>{escape(row.id)}</code></th><td>{when}</td><td>{self._link(row.outcome)}</td>"
            f"<td>{_badge(row.level)}</td><td>{escape(row.reason)}</td>"
            f"<td>{self._cited(row.sources)}</td></tr>"
            f'<tr class="cases"><td colspan="6">'
            f"<b>Must match:</b>{_list(escape(self._plain.case(c)) for c in row.match)}"
            f"<b>Must not match:</b>{_list(escape(self._plain.case(c)) for c in row.no_match)}"
            f"</td></tr></tbody>"
        )

    def _link(self, outcome: str) -> str:
        heading = self._tables.outcomes[outcome].heading
        return (
            f'<a href="#outcome-{escape(outcome)}">{_words(outcome)}</a>'
            f"<br><small>{escape(heading)}</small>"
        )

    def _cited(self, tags: Iterable[str]) -> str:
        return "<br>".join(
            f'<a href="#source-{escape(tag)}">{escape(tag)}</a> <small>'
            f"{escape(self._all.sources[tag].title if tag in self._all.sources else 'unknown')}"
            f"</small>"
            for tag in tags
        )

    # ---- outcomes, questions

    def _outcomes(self) -> str:
        found = sorted(self._tables.outcomes.values(), key=lambda one: (-one.level.rank, one.id))
        return (
            f"<p>Reading age: the Flesch-Kincaid grade and 5, about. Aim: {_OLDEST} years or less, "
            f"no sentence over {_LONG} words.</p>" + "".join(self._outcome(one) for one in found)
        )

    def _outcome(self, outcome: OutcomeContent) -> str:
        variants = "".join(
            f"<h4>When the baby’s situation is “{escape(self._plain.situation(situation))}”</h4>"
            f"{_told(variant)}"
            for situation, variant in outcome.variants.items()
        )
        return (
            f'<article id="outcome-{escape(outcome.id)}"><h3>{_words(outcome.id)} '
            f"{_badge(outcome.level)}</h3>{_told(outcome)}{variants}"
            f"<p>Sources:<br>{self._cited(outcome.sources)}</p>"
            f"<p>Signed by: {escape(outcome.reviewed_by or 'nobody yet')}. "
            f"Review due: {escape(outcome.review_due or 'not set')}.</p></article>"
        )

    def _questions(self) -> str:
        return "".join(self._question(q) for q in self._tables.questions.values())

    def _question(self, question: Question) -> str:
        variants = _list(
            f"{escape(self._plain.situation(s))}: " + (f"“{escape(ask)}”" if ask else "never asked")
            for s, ask in question.variants.items()
        )
        rule = self._all.findings.findings.get(question.finding)
        amounts = ""
        if rule and rule.quantity:
            bands = (
                f"“{self._plain.value(rule.id, band.value)}” "
                + ("above that" if band.to is None else f"up to {band.to:g}")
                for band in rule.quantity.bands
            )
            amounts = (
                f"<p>Where she tells an amount, in {escape(spaced(rule.quantity.unit))}: "
                f"{escape(', '.join(bands))}.</p>"
            )
        age = readability([question.ask, question.again, question.explain]).age
        return (
            f'<article id="question-{escape(question.finding)}">'
            f"<h3>{escape(self._plain.finding(question.finding))}</h3>"
            f"<p><b>Asked:</b> {escape(question.ask)}<br>"
            f"<b>Asked again:</b> {escape(question.again)}<br>"
            f"<b>What is meant:</b> {escape(question.explain)}</p>"
            f"<p><b>Answers:</b> {escape(' | '.join(c.title for c in question.buttons))}"
            f"{' | may be refused' if question.refusable else ''}</p>{amounts}"
            f"{variants}<p><small>Reading age about {age:.0f}. "
            f"<code>{escape(question.finding)}</code></small></p></article>"
        )

    # ---- promises

    def _flags(self) -> str:
        rows = (
            (
                escape(self._plain.finding(flag.finding)),
                "<br>".join(
                    f"“{escape(self._plain.value(flag.finding, value))}” {_badge(least)}"
                    for value, least in flag.at_least.items()
                ),
                escape("; ".join(self._plain.conditions(flag.unless))) or "always",
            )
            for flag in self._tables.red_flags
        )
        return _grid(("Fact", "Answer, and the lowest level it may lead to", "Unless"), rows)

    def _gates(self) -> str:
        tables, plain = self._tables, self._plain
        gates = (
            (
                "<br>".join(map(_words, sorted(gate.outcomes))),
                "<br>".join(escape(plain.finding(f)) for f in gate.needs),
                _badge(gate.refused_at_least),
            )
            for gate in tables.gates
        )
        first = (
            f"“{escape(tables.questions[one.ask].ask)}” is asked before any outcome below "
            f"{_badge(one.below)} of: {escape(', '.join(map(spaced, one.tables)))}."
            for one in tables.safety_first
        )
        never = (f"{_words(one)} and {_words(other)}" for one, other in tables.never_together)
        order = (
            f"{escape(plain.finding(s.finding))}: "
            f"{escape(' < '.join(plain.value(s.finding, v) for v in s.order))}"
            for s in tables.severities
        )
        return (
            "<h3>Outcomes that need an answer first</h3>"
            + _grid(("Outcome", "Needs an answer to", "Lowest level where refused"), gates)
            + f"<h3>Always asked</h3>{_list(first)}<h3>Never together</h3>{_list(never)}"
            + f"<h3>From mild to grave: a graver answer never lowers the level</h3>{_list(order)}"
        )

    def _proofs(self) -> str:
        if self._report is None:
            return "<p><strong>The proofs were not run for this document.</strong></p>"
        rows = (
            (
                escape(proof.name),
                "holds" if not proof.failures else f"<strong>fails: {len(proof.failures)}</strong>",
                escape(proof.how),
                f"{proof.cases:,}",
                f"{proof.seconds:.1f} s",
            )
            for proof in self._report.proofs
        )
        failed = "".join(
            f"<h4>Against “{escape(proof.name)}”</h4>"
            + _list(
                f"{escape(one.where)}<br><code>{escape(one.as_case)}</code>"
                for one in proof.failures[:_SHOWN]
            )
            + (
                f"<p>and {len(proof.failures) - _SHOWN} more</p>"
                if len(proof.failures) > _SHOWN
                else ""
            )
            for proof in self._report.proofs
            if proof.failures
        )
        head = ("Promise", "Result", "How it was proved", "Cases", "Time")
        return _grid(head, rows) + failed + self._histogram(self._report)

    def _histogram(self, report: Report) -> str:
        most = max(report.histogram.values(), default=1.0)
        rows = (
            (
                str(count),
                f"{share:.1%}",
                f'<svg class="bar" viewBox="0 0 200 12" aria-hidden="true">'
                f'<rect width="{share / most * 200:.0f}" height="12"/></svg>',
            )
            for count, share in report.histogram.items()
        )
        return (
            f"<h3>How many questions plausible conversations take</h3>"
            f"<p>{report.average:.1f} on average, the closing one included.</p>"
            + _grid(("Questions", "Share", ""), rows)
        )

    def _sources(self) -> str:
        rows = (
            f'<dt id="source-{escape(s.id)}">{escape(s.id)}: {escape(s.title)}</dt><dd>'
            f"{escape(spaced(s.kind.value))}, {f'grade {s.grade.value}' if s.grade else 'ungraded'}"
            + (
                f'. <a rel="noreferrer" href="{escape(s.link)}">{escape(s.link)}</a>'
                if s.link
                else ""
            )
            + (f"<br>{escape(s.note)}" if s.note else "")
            + "</dd>"
            for s in self._all.sources
        )
        return f"<dl>{''.join(rows)}</dl>"

    def _sign_off(self) -> str:
        cells = ('<span class="blank"></span>',) * 4
        return (
            f"<p>I have read the content of version <code>{escape(self._now['version'])}</code> "
            f"and hold it to be sound, except where I have written otherwise beside it.</p>"
            + _grid(("Name", "Role", "Date", "Signature"), [cells] * 4)
        )

    # ---- what changed

    def _changes(self) -> str:
        if self._before is None:
            return "<p>Not compared with an earlier version.</p>"
        changes = kept.compare(self._before, self._now)
        files = kept.files(self._before, self._now)
        lead = (
            f"<p>Against version <code>{escape(str(self._before['version']))}</code> of "
            f"{escape(str(self._before['date']))}: {len(changes)} changes.</p>"
        )
        found: dict[str, list[str]] = {}
        for change in changes:
            found.setdefault(change.kind, []).append(_change(change))
        body = "".join(f"<h3>{escape(kind)}</h3>{''.join(all_)}" for kind, all_ in found.items())
        listed = _list(f"<code>{escape(name)}</code> {how}" for name, how in files)
        return f"{lead}{body}<h3>Files</h3>{listed or '<p>No file differs.</p>'}"


def _change(change: kept.Change) -> str:
    names = dict.fromkeys([*change.after, *change.before])
    rows = (
        (
            escape(name),
            _side(change.before.get(name, []), change.after.get(name, []), "del"),
            _side(change.after.get(name, []), change.before.get(name, []), "ins"),
        )
        for name in names
    )
    return f"<h4>{change.how.capitalize()}: <code>{escape(change.id)}</code></h4>" + _grid(
        ("", "Before", "Now"), rows
    )


def _side(lines: list[str], other: list[str], mark: str) -> str:
    return "<br>".join(
        escape(line) if line in other else f"<{mark}>{escape(line)}</{mark}>" for line in lines
    )


def _told(outcome: OutcomeContent) -> str:
    parts: Mapping[str, tuple[str, ...]] = {
        "": outcome.do,
        "Meanwhile": outcome.practical,
        "Come back if": outcome.come_back_if,
    }
    texts = [outcome.heading, outcome.fits, *outcome.do, *outcome.practical, *outcome.come_back_if]
    read = readability(texts)
    hard = read.age > _OLDEST + 0.5 or read.longest > _LONG
    mark = "strong" if hard else "span"
    lists = "".join(
        (f"<p><b>{title}</b></p>" if title else "") + _list(map(escape, lines))
        for title, lines in parts.items()
        if lines
    )
    help_ = ", ".join(map(spaced, outcome.lines))
    return (
        f'<div class="card"><p class="heading">{escape(outcome.heading)}</p>{lists}'
        f"<p>{escape(outcome.fits)}</p>"
        + (f"<p>Help lines shown: {escape(help_)}</p>" if help_ else "")
        + f"</div><p><small><{mark}>Reading age about {read.age:.0f}; {read.words} words; "
        f"longest sentence {read.longest} words.</{mark}></small></p>"
    )


def _badge(of: Level) -> str:
    return f'<span class="level {of.value}">{level(of)}</span>'


def _words(id: str) -> str:
    return escape(spaced(id).capitalize())


def _list(items: Iterable[str], kind: str = "ul") -> str:
    inner = "".join(f"<li>{item}</li>" for item in items)
    return f"<{kind}>{inner}</{kind}>" if inner else ""


def _grid(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )
