/** The report's looks: light or dark as the reader's system is; tables stacked where the screen is narrow; no controls in print. */
export const pageStyle: string = `
:root { color-scheme: light dark; --text: #1b1f24; --dim: #57606a; --ground: #ffffff; --line: #d0d7de; --panel: #f6f8fa;
  --good: #116329; --bad: #a40e26; --series-0: #0a63c9; --series-1: #a8590c; --series-2: #7a3fb5; --series-3: #116329;
  --series-4: #a40e26; --series-5: #57606a; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --dim: #9ea7b3; --ground: #0d1117; --line: #30363d; --panel: #161b22;
  --good: #56d364; --bad: #ff7b72; --series-0: #58a6ff; --series-1: #ffa657; --series-2: #d2a8ff; --series-3: #56d364;
  --series-4: #ff7b72; --series-5: #9ea7b3; } }
@media print { :root { color-scheme: light; --text: #000; --dim: #444; --ground: #fff; --line: #bbb; --panel: #fff; --good: #116329;
  --bad: #a40e26; --series-0: #0a63c9; --series-1: #a8590c; --series-2: #7a3fb5; --series-3: #116329; --series-4: #a40e26; --series-5: #57606a; }
  form, nav { display: none; } figure, tr, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; } details > * { display: block; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 70rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p, figcaption, .dim { color: var(--dim); margin: .25rem 0; } code { font-size: .9em; } a { color: var(--series-0); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .85rem; margin: .5rem 0; overflow-wrap: normal; }
.scroll { overflow-x: auto; }
th, td { text-align: right; padding: .3rem .4rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--dim); font-weight: 600; } .factor { text-align: left; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
figure { margin: .75rem 0; padding: .75rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
figure svg { display: block; max-width: 100%; height: auto; --ground: var(--panel); } figure svg text { fill: currentColor; stroke: none; }
.narrow { display: none; } .legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .25rem 0; padding: 0; font-size: .85rem; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
form { position: sticky; top: 0; z-index: 1; background: var(--ground); border-bottom: 1px solid var(--line); padding: .5rem 0; margin: 1rem 0; }
fieldset { display: inline-flex; flex-wrap: wrap; gap: .25rem .9rem; border: 0; margin: 0 1.5rem 0 0; padding: 0; } legend { float: left; color: var(--dim); margin-right: .75rem; padding: 0; }
label { white-space: nowrap; } nav ul { columns: 2; padding-left: 1.2rem; margin: .5rem 0; } ul.deviations { padding-left: 1.2rem; font-size: .9rem; }
summary { cursor: pointer; }
[hidden] { display: none; }
@media (max-width: 800px) { .wide { display: none; } .narrow { display: block; } figure { padding: .5rem; } nav ul { columns: 1; } form { position: static; }
  thead { display: none; } tr { display: block; border-bottom: 1px solid var(--line); padding: .4rem 0; }
  td { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .1rem 0; } td:empty { display: none; }
  td[data-label]::before { content: attr(data-label); color: var(--dim); text-align: left; flex: 0 1 55%; } .factor { text-align: right; } }
`;

/** Hides the rows and marks of models and drivers that are not chosen. Without it all is shown. */
export const pageScript: string = `
const form = document.querySelector("form");
form.hidden = false;
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
form.addEventListener("change", () => {
  const off = new Set([...form.querySelectorAll("input:not(:checked)")].map(({ value }) => value));
  for (const row of document.querySelectorAll("tr[data-mark], li[data-mark]"))
    row.hidden = row.dataset.mark.split(" ").some((word) => off.has(word));
  for (const mark of document.querySelectorAll("svg [data-mark]"))
    mark.style.display = mark.dataset.mark.split(" ").some((word) => off.has(word)) ? "none" : "";
});
`;
