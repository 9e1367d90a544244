"""One table as a picture: its questions, its rows, the outcomes they lead to. Plain SVG.

The layout follows from the content alone: three columns, each in the order of the content.
Words carry everything that colours do.
"""

from __future__ import annotations

from html import escape
from textwrap import wrap

from ebb.conversation.show.plain import Plain, level, spaced
from ebb.knowledge.triage import Table, Tables

_WIDTH, _BOX, _GAP, _LINE, _TOP = 270, 40, 10, 13, 34
_COLUMNS = (0, 365, 730)
_LETTERS = 38  # of one line in a box
_LINES = 2


def diagram(table: Table, tables: Tables, plain: Plain) -> str:
    """An `<svg>` of `table`; all text is escaped."""
    rows = sorted(table.rows, key=lambda row: row.rank)
    outcomes = list(dict.fromkeys([*(row.outcome for row in rows), table.otherwise]))
    inputs = list(table.inputs)
    used = {finding for row in rows for finding in row.when}
    inputs += sorted(used - set(inputs))
    tallest = max(len(inputs), len(rows) + 1, len(outcomes))
    height = _TOP + tallest * (_BOX + _GAP)
    drawn = [
        f'<svg class="flow" role="img" viewBox="0 0 {_COLUMNS[2] + _WIDTH + 4} {height}" '
        f'aria-labelledby="flow-{escape(table.id)}">'
        f'<title id="flow-{escape(table.id)}">Flow of the table {escape(spaced(table.id))}: '
        f"{len(inputs)} facts, {len(rows)} rows, {len(outcomes)} outcomes. "
        f"The same is written out below.</title>"
    ]
    for x, heading in zip(_COLUMNS, ("What is known", "Row", "Outcome"), strict=True):
        drawn.append(f'<text x="{x + 4}" y="20" class="head">{heading}</text>')
    for place, row in enumerate(rows):
        drawn += [_line(0, inputs.index(finding), place, row.level.value) for finding in row.when]
        drawn.append(_line(1, place, outcomes.index(row.outcome), row.level.value))
    drawn.append(_line(1, len(rows), outcomes.index(table.otherwise), "else"))
    for place, finding in enumerate(inputs):
        asked = f"{place + 1}. " if finding in table.inputs else "Told: "
        drawn.append(_box(0, place, asked + plain.finding(finding), "in"))
    for place, row in enumerate(rows):
        name = spaced(row.id.removeprefix(f"{table.id}."))
        drawn.append(_box(1, place, f"{place + 1}. {name}", row.level.value))
    drawn.append(_box(1, len(rows), "Otherwise", "else"))
    for place, outcome in enumerate(outcomes):
        of = tables.outcomes[outcome].level
        drawn.append(_box(2, place, f"{level(of)}: {spaced(outcome)}", of.value))
    return "".join([*drawn, "</svg>"])


def _middle(place: int) -> int:
    return _TOP + place * (_BOX + _GAP) + _BOX // 2


def _line(column: int, start: int, end: int, kind: str) -> str:
    x, to = _COLUMNS[column] + _WIDTH, _COLUMNS[column + 1]
    bend = (x + to) // 2
    return (
        f'<path class="to {kind}" d="M{x} {_middle(start)}C{bend} {_middle(start)} '
        f'{bend} {_middle(end)} {to} {_middle(end)}"/>'
    )


def _box(column: int, place: int, text: str, kind: str) -> str:
    x, y = _COLUMNS[column], _TOP + place * (_BOX + _GAP)
    lines = wrap(text, _LETTERS, max_lines=_LINES, placeholder=" …")
    first = y + _BOX // 2 + 4 - (len(lines) - 1) * _LINE // 2
    words = "".join(
        f'<text x="{x + 10}" y="{first + n * _LINE}">{escape(line)}</text>'
        for n, line in enumerate(lines)
    )
    return (
        f'<g class="box {kind}"><title>{escape(text)}</title>'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_BOX}" rx="5"/>{words}</g>'
    )
