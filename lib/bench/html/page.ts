/** The report as one page that needs nothing from anywhere: text, tables, drawings. Pure. */
import { barRows, bars, barHead, type Bar } from '../bars.ts';
import { circumstances, commandOf, machineOf, method } from '../method.ts';
import type { Report } from '../report.ts';
import { columns, table1, table1Note, type Row } from '../table1.ts';
import { tables, type Table } from '../tables.ts';
import { figures } from './charts.ts';
import { escapeHtml } from './escape.ts';
import { style } from './style.ts';

export function html(report: Report): string {
  const found = bars(report);
  const judged = found.filter(({ met }) => met !== undefined);
  const met = judged.filter((bar) => bar.met).length;
  const { environment } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tickmesh bench, ${escapeHtml(environment.at.slice(0, 10))}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>tickmesh bench</h1>
<p class="lead">${escapeHtml(machineOf(environment))}; Node ${escapeHtml(environment.node)}; ${escapeHtml(environment.at)}.
${judged.length > 0 ? `<strong>${met} of ${judged.length}</strong> bars met${judged.length < found.length ? `, ${found.length - judged.length} not measured` : ''}.` : ''}</p>
${judged.length > 0 ? `<h2 id="bars">Bars</h2>${barTable(found)}` : ''}
${figures(report)
  .map(
    ({ title, note, svg }) =>
      `<figure><h2>${escapeHtml(title)}</h2><figcaption>${escapeHtml(note)}</figcaption>${svg}</figure>`,
  )
  .join('\n')}
${report.notify.length > 0 ? `<h2 id="table1">The founding document's Table 1, measured</h2><p class="note">${escapeHtml(table1Note)}</p>${foundingTable(table1(report))}` : ''}
<h2 id="tables">Tables</h2>
${tables(report)
  .map((table) => `<h3>${escapeHtml(table.title)}</h3>${plainTable(table)}`)
  .join('\n')}
${report.problems.length > 0 ? `<h2>Left out</h2><ul>${report.problems.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>` : ''}
<h2 id="method">Method</h2>
<ul>${method.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>
<h2 id="again">How to reproduce</h2>
<pre>${escapeHtml(`npm ci\nnpm run build\n${commandOf(report)} --html report.html --json report.json`)}</pre>
<dl>${circumstances(report)
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join('')}</dl>
</main>
</body>
</html>
`;
}

const headOf = (cells: readonly string[]): string =>
  `<thead><tr>${cells.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join('')}</tr></thead>`;

function barTable(found: readonly Bar[]): string {
  const rows = barRows(found).map(([what, limit, reached, verdict], at) => {
    const { met } = found[at]!;
    const kind = met === undefined ? 'unknown' : met ? 'good' : 'bad';
    return `<tr><th scope="row">${escapeHtml(what!)}</th><td>${escapeHtml(limit!)}</td><td>${escapeHtml(reached!)}</td><td><span class="badge ${kind}">${escapeHtml(verdict!)}</span></td></tr>`;
  });
  return `<div class="wide"><table>${headOf(barHead)}<tbody>${rows.join('')}</tbody></table></div>`;
}

function foundingTable(rows: readonly Row[]): string {
  const kinds = {
    confirmed: 'good',
    refuted: 'bad',
    partly: 'mixed',
    'not measured': 'unknown',
  } as const;
  const body = rows.map(
    ({ dimension, cells }) =>
      `<tr><th scope="row">${escapeHtml(dimension)}</th>${cells
        .map(
          ({ said, found, verdict }) =>
            `<td class="prose"><q>${escapeHtml(said)}</q> <span class="badge ${kinds[verdict]}">${verdict}</span><p>${escapeHtml(found)}</p></td>`,
        )
        .join('')}</tr>`,
  );
  return `<div class="wide"><table class="founding">${headOf(['Dimension', ...columns])}<tbody>${body.join('')}</tbody></table></div>`;
}

function plainTable({ head, rows }: Table): string {
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${escapeHtml(first)}</th>${rest.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="wide"><table>${headOf(head)}<tbody>${body.join('')}</tbody></table></div>`;
}
