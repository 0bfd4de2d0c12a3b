/** The page's looks: light or dark as the reader's system is, rows of tables stacked where the screen is narrow. */
export const style: string = `
:root { color-scheme: light dark; --text: #1b1f24; --dim: #57606a; --ground: #ffffff; --line: #d0d7de; --panel: #f6f8fa;
  --good: #116329; --bad: #a40e26; --round: #0a63c9; --median: #1b1f24; --bar: #c4320a;
  --series-0: #57606a; --series-1: #0a63c9; --series-2: #a8590c; --series-3: #7a3fb5; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --dim: #9ea7b3; --ground: #0d1117; --line: #30363d; --panel: #161b22;
  --good: #56d364; --bad: #ff7b72; --round: #58a6ff; --median: #e6edf3; --bar: #ffa657;
  --series-0: #9ea7b3; --series-1: #58a6ff; --series-2: #ffa657; --series-3: #d2a8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 70rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; } h3 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p, figcaption, .dim { color: var(--dim); margin: .25rem 0; } code { font-size: .9em; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: right; padding: .35rem .4rem; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th { color: var(--dim); font-weight: 600; } th:first-child, td:first-child, td.left, th.left { text-align: left; white-space: normal; }
td.bar { min-width: 9rem; }
.pass { color: var(--good); font-weight: 600; } .miss { color: var(--bad); font-weight: 600; }
figure { margin: .75rem 0; padding: .75rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
figure svg { display: block; max-width: 100%; height: auto; } figure svg text { fill: currentColor; }
.narrow { display: none; } .legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .25rem 0; padding: 0; font-size: .85rem; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
@media (max-width: 1000px) { .wide { display: none; } .narrow { display: block; } thead { display: none; } figure { padding: .5rem; }
  tr { display: block; border-bottom: 1px solid var(--line); padding: .4rem 0; }
  td { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .1rem 0; text-align: right; white-space: normal; }
  td.left:not(:first-child) { text-align: right; } td.bar { min-width: 0; }
  td:first-child { display: block; font-weight: 600; } td:empty { display: none; }
  td[data-label]::before { content: attr(data-label); color: var(--dim); text-align: left; flex: 0 0 40%; } }
`;
