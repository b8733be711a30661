"""The frame and the style sheet of the report's page.

Text only: what fills the frame is made in `numerics.reports.report`.
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="verdict {state}">{summary}</p>
<dl class="facts">
{provenance}
</dl>
</header>
<main>
<table>
<thead>
<tr><th>Claim<th class="number">n<th class="number">Theory<th class="number">Simulation
<th class="number">Could see<th>Verdict<th>Certificate<th>Error source</tr>
</thead>
<tbody>
{rows}
</tbody>
</table>
<section class="figures">
{figures}
</section>
<section class="key">
<h2>How to read the table</h2>
<dl>
<dt>Claim</dt>
<dd>E[·] is the ensemble mean, over independent repetitions, for the model at generation n. Generation 0 is
the source, and model n has been fitted n times.</dd>
<dt>Theory</dt>
<dd>The value of the formula.</dd>
<dt>Simulation</dt>
<dd>The simulated mean ± one standard error; below it the relative difference,
(simulation − theory) / |theory|.</dd>
<dt>Could see</dt>
<dd>The smallest relative error of the formula that this simulation would have caught. To agree says no
more.</dd>
<dt>Verdict</dt>
<dd>✓ <b>agree</b>: no difference beyond chance. ✗ <b>disagree</b>: a difference beyond chance.
◐ <b>underpowered</b>: too little was simulated to tell. ○ <b>no closed form</b>: there is nothing to
compare with.</dd>
<dt>Certificate</dt>
<dd><b>proved</b>: accepted by an independent checker. <b>enclosed</b>: bounded by rigorous interval
arithmetic. <b>tested</b>: supported by simulation alone. <b>rejected</b>: refused by the checker, with the
step that fails. <b>none</b>: not tried, with the reason.</dd>
<dt>Error source</dt>
<dd>What is switched on in the loop: <b>statistical</b> (finite samples), <b>expressivity</b> (a family that
cannot hold the source), <b>approximation</b> (inexact fitting or sampling), or <b>all</b> three.</dd>
</dl>
</section>
</main>
</body>
</html>
"""

STYLE = """
:root { --paper: #fdfdfb; --ink: #1d2024; --quiet: #5d646d; --line: #d9d9d2;
  --good: #14693f; --bad: #a8201a; --weak: #8a5800; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e7e5df; --quiet: #a0a6ae;
  --line: #363a40; --good: #6fcf97; --bad: #ff8a80; --weak: #f2c14e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 3rem 2rem 5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", Georgia, serif; }
h1 { font-size: 2.1rem; font-weight: 500; line-height: 1.2; margin: 0 0 .7rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; font-weight: 500; margin: 3rem 0 .8rem; }
p { margin: 0; }
.verdict { font-size: 1.15rem; padding: .1rem 0 .1rem .9rem; border-left: .3rem solid var(--quiet); }
.verdict.agree { border-color: var(--good); }
.verdict.disagree { border-color: var(--bad); }
.verdict.underpowered { border-color: var(--weak); }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1.4rem 0 2rem; font-size: .88rem; }
.facts dt { color: var(--quiet); line-height: 1.2; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse;
  font: .86rem/1.45 system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
th { position: sticky; top: 0; background: var(--paper); text-align: left; vertical-align: bottom;
  font-weight: 600; padding: .55rem .6rem; box-shadow: inset 0 -2px var(--ink), inset 0 1px var(--line); }
td { padding: .75rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums lining-nums; }
.claim { width: 100%; max-width: 0; }
th:first-child { min-width: 20rem; }
.equation { margin: .3rem 0 .25rem; font-size: 1.1rem; overflow: auto hidden; }
math { font-family: "STIX Two Math", "Cambria Math", "TeX Gyre Pagella Math", "Latin Modern Math", math,
  serif; }
.proof { min-width: 8.5rem; max-width: 11rem; }
.note { color: var(--quiet); font-size: .8rem; max-width: 28rem; }
.badge { display: inline-block; padding: .05rem .55rem; border: 1.5px solid currentColor;
  border-radius: 1rem; font-weight: 600; white-space: nowrap; color: var(--quiet); }
.badge.agree { color: var(--good); }
.badge.disagree { color: var(--paper); background: var(--bad); border-color: var(--bad); }
.badge.underpowered { color: var(--weak); border-style: dashed; }
.badge.no-closed-form { border-style: dotted; }
.proved, .enclosed, .rejected { font-weight: 600; }
.rejected { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr));
  gap: 2rem; margin-top: 3rem; }
figure { margin: 0; max-width: 44rem; }
figure svg { display: block; width: 100%; height: auto; background: #fff; border-radius: .3rem; }
figcaption { color: var(--quiet); font-size: .9rem; margin-top: .6rem; }
figcaption b { color: var(--ink); }
.key dl { display: grid; grid-template-columns: max-content 1fr; gap: .45rem 1.4rem; margin: 0;
  font-size: .92rem; max-width: 56rem; }
.key dt { font-weight: 600; }
.key dd { margin: 0; }
@media screen and (max-width: 78rem) {
  body { padding: 1.5rem 1rem 3rem; }
  thead { display: none; }
  tr { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .5rem 1rem;
    padding: 1rem 0; border-bottom: 1px solid var(--line); }
  td, td:first-child, td.number { padding: 0; border: 0; text-align: left; white-space: normal; }
  td:not(.claim)::before { content: attr(data-label); display: block; color: var(--quiet);
    font-size: .75rem; }
  td.claim { grid-column: 1 / -1; max-width: none; min-width: 0; }
  .key dl { grid-template-columns: 1fr; gap: .1rem; }
  .key dd { margin-bottom: .7rem; }
}
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  :root { --paper: #fff; --ink: #000; --quiet: #444; --line: #bbb; --good: #000; --bad: #000; --weak: #000; }
  body { padding: 0; max-width: none; font-size: 9.5pt; }
  th { position: static; box-shadow: none; border-bottom: 2px solid; }
  tr, figure, .key dd { break-inside: avoid; }
  td.claim { width: auto; max-width: none; }
  .badge.disagree { color: #000; background: none; border-width: 2.5px; }
}
"""
