"""How the document looks, on screen in light and dark, and on paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1f;--paper:#fff;--soft:#f3f2ef;--line:#c9c6bf;
--link:#0b4f8a;--add:#dcf3e2;--cut:#fbe0dd}
@media screen and (prefers-color-scheme:dark){:root{--ink:#ececf0;--paper:#17181b;--soft:#222429;
--line:#4a4d55;--link:#8fc4f5;--add:#173f26;--cut:#4d1f1b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem;color:var(--ink);background:var(--paper);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
a{color:var(--link)}
h1,h2,h3,h4{line-height:1.25}
h2{border-bottom:2px solid var(--line);margin-top:3rem}
h3{margin-top:2.2rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{border:1px solid var(--line);padding:.4rem .5rem;text-align:left;vertical-align:top}
thead th{background:var(--soft)}
tbody th{font-weight:600;max-width:12rem}
.cases td{background:var(--soft);font-size:.82rem}
.cases ul{margin:.1rem 0 .4rem}
code{font-size:.85em}
.level{display:inline-block;padding:.05rem .5rem;border-radius:.3rem;color:#fff;font-weight:600;
font-size:.85rem;white-space:nowrap;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.level.emergency{background:#8f1021}.level.same_day{background:#8f3d00}
.level.within_3_days{background:#665000}.level.within_2_weeks{background:#1d4f80}
.level.self_care{background:#1f6039}
.card{border:1px solid var(--line);border-radius:.5rem;padding:.2rem 1rem;background:var(--soft)}
.heading{font-weight:700}
ins{background:var(--add)}del{background:var(--cut)}
.blank{display:block;height:2.4rem}
svg.flow{width:100%;max-width:64rem;height:auto;font:12px system-ui,sans-serif}
svg text{fill:var(--ink)}svg .head{font-weight:700;font-size:14px}
.box rect{fill:var(--soft);stroke:var(--line);stroke-width:2}
.to{fill:none;stroke:var(--line);stroke-width:1.4;opacity:.75}
.box.emergency rect,.to.emergency{stroke:#c2253b}.box.same_day rect,.to.same_day{stroke:#c65b12}
.box.within_3_days rect,.to.within_3_days{stroke:#a58508}
.box.within_2_weeks rect,.to.within_2_weeks{stroke:#3b7fc0}
.box.self_care rect,.to.self_care{stroke:#35915a}
svg.bar{width:12rem;height:.8rem}svg.bar rect{fill:var(--link)}
@media print{body{max-width:none;font-size:10pt;padding:0}article{break-inside:auto}
h2,h3,h4,thead{break-after:avoid}tr,.card,svg.flow{break-inside:avoid}.wide{overflow:visible}}
"""
