/** What a way looks like in every chart: a colour a family, a dash a variant; ours thick. Pure. */
export type Look = { readonly colour: string; readonly dash: string; readonly width: number };

/** By the longest beginning of a name. */
const families: readonly (readonly [string, Look])[] = [
  ['tickmesh-spin', { colour: 'var(--ours-2)', dash: '', width: 2.5 }],
  ['tickmesh-adaptive', { colour: 'var(--ours-2)', dash: '6 3', width: 2.5 }],
  ['tickmesh-zeromq', { colour: 'var(--ours)', dash: '6 3', width: 2.5 }],
  ['tickmesh-watching', { colour: 'var(--ours)', dash: '2 3', width: 2.5 }],
  ['tickmesh-ipc-relayed', { colour: 'var(--green)', dash: '6 3', width: 2.5 }],
  ['tickmesh-ipc', { colour: 'var(--green)', dash: '', width: 2.5 }],
  ['tickmesh-redis', { colour: 'var(--red)', dash: '', width: 2.5 }],
  ['tickmesh-rabbitmq', { colour: 'var(--orange)', dash: '', width: 2.5 }],
  ['tickmesh-nice', { colour: 'var(--ours)', dash: '1 4', width: 2.5 }],
  ['tickmesh-await', { colour: 'var(--ours)', dash: '8 2', width: 2.5 }],
  ['tickmesh', { colour: 'var(--ours)', dash: '', width: 3 }],
  ['merge', { colour: 'var(--ours)', dash: '', width: 3 }],
  ['zeromq-file', { colour: 'var(--ink-2)', dash: '6 3', width: 1.5 }],
  ['zeromq-tcp', { colour: 'var(--ink-2)', dash: '2 3', width: 1.5 }],
  ['zeromq-nice', { colour: 'var(--ink-2)', dash: '1 4', width: 1.5 }],
  ['zeromq', { colour: 'var(--ink-2)', dash: '', width: 1.5 }],
  ['fs-watch-nice', { colour: 'var(--teal)', dash: '1 4', width: 1.5 }],
  ['fs-watch', { colour: 'var(--teal)', dash: '', width: 1.5 }],
  ['node-ipc-relayed', { colour: 'var(--green)', dash: '6 3', width: 1.5 }],
  ['node-ipc-nice', { colour: 'var(--green)', dash: '1 4', width: 1.5 }],
  ['node-ipc', { colour: 'var(--green)', dash: '', width: 1.5 }],
  ['redis', { colour: 'var(--red)', dash: '', width: 1.5 }],
  ['rabbitmq-confirmed', { colour: 'var(--orange)', dash: '6 3', width: 1.5 }],
  ['rabbitmq', { colour: 'var(--orange)', dash: '', width: 1.5 }],
  ['poll-100ms', { colour: 'var(--purple)', dash: '6 3', width: 1.5 }],
  ['poll-1s', { colour: 'var(--purple)', dash: '2 3', width: 1.5 }],
  ['poll', { colour: 'var(--purple)', dash: '', width: 1.5 }],
];
const other: Look = { colour: 'var(--ink-3)', dash: '', width: 1.5 };

export const lookOf = (name: string): Look =>
  families.find(([family]) => name === family || name.startsWith(`${family}-`))?.[1] ??
  families.find(([family]) => name.startsWith(family))?.[1] ??
  other;
