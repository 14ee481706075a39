/** The page's looks, light and dark. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --ink: #1c1d21; --ink-2: #55585f; --ink-3: #8a8e96; --rule: #dcdcd6; --shade: #f2f2ee;
  --ours: #1d4ed8; --ours-2: #7c3aed; --teal: #0f766e; --green: #4d7c0f; --red: #be123c; --orange: #c2410c; --purple: #9d6b9d;
  --good: #166534; --good-shade: #dcfce7; --bad: #9f1239; --bad-shade: #ffe4e6; --mixed: #854d0e; --mixed-shade: #fef3c7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16171a; --ink: #ececea; --ink-2: #b1b4ba; --ink-3: #7b7f87; --rule: #33353a; --shade: #1f2024;
    --ours: #7aa2ff; --ours-2: #c4a1ff; --teal: #4fd1c5; --green: #a3d65c; --red: #ff7a93; --orange: #ff9d5c; --purple: #cfa0cf;
    --good: #86efac; --good-shade: #14321f; --bad: #fda4af; --bad-shade: #43141f; --mixed: #fde68a; --mixed-shade: #3b2f0b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 80px; }
h1 { font-size: 28px; margin: 0 0 8px; }
h2 { font-size: 19px; margin: 44px 0 6px; }
h3 { font-size: 15px; margin: 26px 0 6px; }
.lead { font-size: 16px; margin: 0 0 8px; color: var(--ink-2); }
.lead strong { color: var(--ink); }
figure { margin: 0; }
figcaption, .note { color: var(--ink-2); margin-bottom: 10px; max-width: 75ch; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, "Segoe UI", sans-serif; fill: var(--ink-2); }
svg .name { fill: var(--ink); }
svg .strong { font-weight: 600; }
svg .axis { fill: var(--ink-3); }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .leader { stroke: var(--ink-3); stroke-width: .6; }
svg .curve:hover polyline:first-of-type { stroke-width: 5; }
svg .bar { fill: var(--ink-3); }
svg .bar.ours { fill: var(--ours); }
svg .part1 { fill-opacity: .62; }
svg .part2 { fill-opacity: .34; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 10px; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top; white-space: nowrap; }
thead th { color: var(--ink-2); font-weight: 600; background: var(--shade); }
th[scope="row"], thead th:first-child { text-align: left; font-weight: 500; }
th[scope="row"] { white-space: normal; min-width: 220px; }
.founding th[scope="row"] { min-width: 110px; }
td.prose, .founding thead th { text-align: left; white-space: normal; min-width: 220px; }
td.prose p { margin: 4px 0 0; color: var(--ink-2); }
.badge { display: inline-block; padding: 0 7px; border-radius: 9px; font-size: 12px; font-weight: 600; background: var(--shade); color: var(--ink-2); }
.badge.good { background: var(--good-shade); color: var(--good); }
.badge.bad { background: var(--bad-shade); color: var(--bad); }
.badge.mixed { background: var(--mixed-shade); color: var(--mixed); }
ul { padding-left: 20px; max-width: 85ch; }
pre { background: var(--shade); padding: 12px 14px; overflow-x: auto; border-radius: 6px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; font-size: 13px; }
dt { color: var(--ink-2); } dd { margin: 0; overflow-wrap: anywhere; }
`;
