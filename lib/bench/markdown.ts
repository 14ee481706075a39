/** The report as `spec/benchmarks.md`: method, machine, bars, tables of the day. Pure. */
import { barHead, barRows, bars } from './bars.ts';
import { circumstances, commandOf, method } from './method.ts';
import type { Report } from './report.ts';
import { table1, table1Head, table1Note, table1Rows } from './table1.ts';
import { tables } from './tables.ts';
import { markdownTable } from './text.ts';

export function markdown(report: Report): string {
  const parts = [
    '# Benchmarks\n',
    'Written by the bench itself; do not edit. Again, on your machine:\n',
    `\`\`\`\nnpm run bench -- all --html report.html --write spec/benchmarks.md\n\`\`\`\n`,
    `These figures: \`${commandOf(report)}\`\n`,
    '## Method\n',
    method.map((text) => `- ${text}\n`).join(''),
    '## Measured on\n',
    markdownTable(['', ''], circumstances(report)),
    '## Bars\n',
    markdownTable(barHead, barRows(bars(report))),
    "## The founding document's Table 1, measured\n",
    `${table1Note}\n`,
    markdownTable(table1Head, table1Rows(table1(report))),
    ...tables(report).flatMap(({ title, head, rows }) => [
      `## ${title}\n`,
      markdownTable(head, rows),
    ]),
    ...(report.problems.length > 0
      ? ['## Left out\n', report.problems.map((problem) => `- ${problem}\n`).join('')]
      : []),
  ];
  return parts.join('\n');
}
