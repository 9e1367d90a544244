"""A summary card as one printable HTML page, complete in itself: no script, no link, no request."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ebb.types import JSON

_STYLE = """
body{font:12pt/1.4 system-ui,sans-serif;color:#000;background:#fff;max-width:42em;margin:2em auto;
padding:0 1em}
h1{font-size:18pt;margin:0 0 .2em}h2{font-size:13pt;margin:1em 0 .2em}
ul{margin:.2em 0;padding-left:1.2em}li{margin:.15em 0}
.name{border-bottom:1px solid #000;height:1.6em;max-width:24em}
.note{border-top:1px solid #000;margin-top:1.5em;padding-top:.4em;font-size:10pt}
@media print{body{margin:0;max-width:none}}
@page{size:A4;margin:18mm}
"""


def page(card: Mapping[str, JSON], language: str = "en") -> str:
    """The page for a card of type "summary". It has room for a name and never holds one."""
    title = escape(_text(card.get("title")))
    parts = [f"<h1>{title}</h1>", f"<p>{escape(_text(card.get('made')))}</p>"]
    if name := _text(card.get("name_line")):
        parts.append(f'<p>{escape(name)}</p><div class="name"></div>')
    sections = card.get("sections")
    for section in sections if isinstance(sections, list) else []:
        if not isinstance(section, Mapping):
            continue
        items = section.get("items")
        listed = "".join(
            f"<li>{escape(item)}</li>"
            for item in (items if isinstance(items, list) else [])
            if isinstance(item, str)
        )
        parts.append(f"<h2>{escape(_text(section.get('heading')))}</h2><ul>{listed}</ul>")
    parts.append(f'<p class="note">{escape(_text(card.get("note")))}</p>')
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""
