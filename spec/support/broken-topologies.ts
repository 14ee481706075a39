/**
 * Broken topology files: the text, where the complaint must point, what it must say and which hint it must give.
 * The caret of `mark` stands in the text as «…»: the word between is what the complaint must underline.
 */
export type BrokenTopology = {
  readonly name: string;
  readonly text: string;
  readonly says: string;
  readonly hint: string;
  readonly env?: Record<string, string>;
};

const fetcher = 'nodes:\n  feed:\n    run: fetcher\n    source: { kind: synthetic }\n';
const head = 'version: 1\nproject: demo\n';
const good = head + fetcher;
const publisher = (lines: string, more = ''): string =>
  `${good}  web:\n    run: publisher\n    exchange: binance\n    from: feed\n${lines}${more}`;
const listen = '    listen: { port: 7001 }\n';

const twoHosts = (lines: string, more = ''): string =>
  `hosts:\n  one: { address: 127.0.0.1 }\n  two: { address: 127.0.0.2 }\n${publisher(lines, more).replace('    run: fetcher', '    host: one\n    run: fetcher')}`;

export const brokenTopologies: readonly BrokenTopology[] = [
  // The shape of YAML.
  { name: 'an empty file', text: '«»', says: 'the file is empty', hint: 'tickmesh check --help' },
  { name: 'a list at the top', text: '«- a»\n', says: 'want a map', hint: '' },
  {
    name: 'a key twice',
    text: `${head}«project»: other\n${fetcher}`,
    says: 'the same key stands twice',
    hint: 'remove one',
  },
  {
    name: 'an open bracket',
    text: `${good}  web: {run: publisher\n«»`,
    says: 'a bracket is still open',
    hint: 'close it with "}"',
  },
  { name: 'a tab', text: `${head}nodes:\n«\t»feed:\n`, says: 'Tabs', hint: 'spaces' },
  {
    name: 'an alias',
    text: `${head}nodes:\n  feed:\n    run: fetcher\n  two: «*a»\n`,
    says: 'alias',
    hint: '',
  },
  {
    name: 'an anchor',
    text: `${head}nodes:\n  «feed»: &a\n    run: fetcher\n`,
    says: 'anchors are not allowed',
    hint: 'write the value out',
  },
  {
    name: 'a merge key',
    text: `${head}nodes:\n  feed:\n    «<<»: { run: fetcher }\n`,
    says: 'merge keys',
    hint: 'write the values out',
  },
  {
    name: 'a tag',
    text: `${head.replace('demo', '«!js "demo"»')}${fetcher}`,
    says: 'tag',
    hint: '',
  },
  {
    name: 'two documents',
    text: `${good}«---»\n${good}`,
    says: 'one YAML document',
    hint: 'remove the "---"',
  },
  {
    name: 'a key that is a number',
    text: `${head}nodes:\n  «7001»: { run: fetcher }\n`,
    says: 'a key must be text',
    hint: 'quote it',
  },
  {
    name: 'a poisoned key',
    text: `${head}nodes:\n  «__proto__»: { run: fetcher }\n`,
    says: 'a key must be text',
    hint: '',
  },
  {
    name: 'deep nesting',
    text: `${head}nodes: ${'['.repeat(20000)}${']'.repeat(20000)}\n`,
    says: 'nested too deep',
    hint: '',
  },
  // Variables.
  {
    name: 'a required variable',
    text: head.replace('demo', '«${PROJECT:?say which}»') + fetcher,
    says: 'PROJECT is not set: say which',
    hint: 'PROJECT=…',
  },
  {
    name: 'a variable without default',
    text: head.replace('demo', '«${PROJECT}»') + fetcher,
    says: 'PROJECT is not set',
    hint: 'default',
  },
  {
    name: 'a lone dollar',
    text: head.replace('demo', '«$demo»') + fetcher,
    says: '"$" must start',
    hint: '$$',
  },
  {
    name: 'a variable of the wrong type',
    text: publisher('    listen:\n      port: «${PORT:-7001}»\n'),
    env: { PORT: '70000' },
    says: 'whole number from 1 to 65535, got 70000',
    hint: 'comes from ${PORT:-7001}',
  },
  // Keys.
  {
    name: 'a misspelt key',
    text: publisher('    «lisen»: { port: 7001 }\n'),
    says: 'unknown key "lisen"',
    hint: 'did you mean "listen"?',
  },
  {
    name: 'a key of another kind of node',
    text: publisher(`${listen}    «data»: data\n`),
    says: 'unknown key "data"',
    hint: '"run: fetcher" and "run: replica"',
  },
  {
    name: 'a key one level too high',
    text: publisher('    listen: { port: 7001 }\n    «port»: 7001\n'),
    says: 'unknown key "port"',
    hint: 'is "port" indented under "listen:"?',
  },
  {
    name: 'a key one level too deep',
    text: publisher('    listen:\n      port: 7001\n      «history»: 15m\n'),
    says: 'unknown key "history"',
    hint: 'indented too deep',
  },
  {
    name: 'a node at the top',
    text: `${good}«web»:\n  run: publisher\n`,
    says: 'unknown key "web"',
    hint: 'indented under "nodes:"',
  },
  {
    name: 'a key that nobody knows',
    text: `${good}«flavour»: mint\n`,
    says: 'unknown key "flavour"',
    hint: 'x-',
  },
  {
    name: 'a missing key',
    text: publisher('').replace('web:', '«web»:'),
    says: '"listen" is missing',
    hint: '',
  },
  {
    name: 'a node without run',
    text: `${head}nodes:\n  «feed»:\n    source: { kind: synthetic }\n`,
    says: '"run" is missing',
    hint: 'fetcher, publisher, replica',
  },
  { name: 'no nodes', text: `${head}«nodes»: {}\n`, says: 'there are no nodes', hint: 'fetcher' },
  {
    name: 'a map without its lines',
    text: `${head}«nodes»:\n`,
    says: 'has no value',
    hint: 'indented under "nodes:"',
  },
  // Values.
  { name: 'another version', text: good.replace('1', '«2»'), says: 'want 1, got 2', hint: '' },
  {
    name: 'an unknown kind of node',
    text: good.replace('run: fetcher', 'run: «fecther»'),
    says: 'want one of fetcher',
    hint: 'did you mean "fetcher"?',
  },
  {
    name: 'an unknown source',
    text: good.replace('synthetic', '«synthetik»'),
    says: 'want one of synthetic, capture',
    hint: 'did you mean "synthetic"?',
  },
  {
    name: 'an unknown exchange',
    text: publisher(listen).replace('exchange: binance', 'exchange: «binanse»'),
    says: 'want one of binance, kraken',
    hint: 'did you mean "binance"?',
  },
  {
    name: 'a duration without unit',
    text: publisher(`${listen}    history: «15»\n`),
    says: 'duration with its unit',
    hint: 'did you mean "15ms" or "15s"?',
  },
  {
    name: 'a size without unit',
    text: `${good}    segment: { size: «64» }\n`,
    says: 'size with its unit',
    hint: 'did you mean "64MB"?',
  },
  {
    name: 'a port in quotes',
    text: publisher('    listen: { port: «"7001"» }\n'),
    says: 'want a whole number',
    hint: 'without quotes',
  },
  {
    name: 'a port out of range',
    text: publisher('    listen: { port: «70000» }\n'),
    says: 'from 1 to 65535, got 70000',
    hint: '',
  },
  {
    name: 'a project name with spaces',
    text: good.replace('demo', '«My Project»'),
    says: 'lower-case',
    hint: 'e.g. "my-project"',
  },
  {
    name: 'a node name with capitals',
    text: good.replace('feed:', '«Feed»:'),
    says: 'lower-case',
    hint: 'e.g. "feed"',
  },
  {
    name: 'a niceness that there is not',
    text: good.replace('run: fetcher', 'run: fetcher\n    nice: «20»'),
    says: 'want a whole number from -20 to 19',
    hint: '',
  },
  {
    name: 'a log outside of the folder',
    text: publisher(`${listen}    logs: [«../../etc»]\n`),
    says: 'want a log such as',
    hint: '<exchange>/<instrument>/<channel>',
  },
  {
    name: 'a list where a name is due',
    text: `${good}  copy:\n    run: replica\n    from: «[feed]»\n    data: two\n`,
    says: 'got a list',
    hint: '',
  },
  {
    name: 'an unknown setting of a source',
    text: good.replace('synthetic }', 'synthetic, «sede»: 5 }'),
    says: 'unknown key "sede"',
    hint: 'did you mean "seed"?',
  },
  {
    name: 'a symbol outside of the folder',
    text: good.replace('synthetic }', 'synthetic, binance: [BTC-USDT, «../../etc»] }'),
    says: 'want an instrument such as BTC-USDT',
    hint: '',
  },
  {
    name: 'a capture without its file',
    text: good.replace('source: { kind: synthetic }', '«source»: { kind: capture }'),
    says: '"file" is missing',
    hint: '',
  },
  // Meaning.
  {
    name: 'a node that does not exist',
    text: publisher(listen).replace('from: feed', 'from: «fed»'),
    says: 'there is no node "fed"',
    hint: 'did you mean "feed"?',
  },
  {
    name: 'reading from a publisher',
    text: publisher(
      listen,
      '  two:\n    run: publisher\n    exchange: kraken\n    from: [feed, «web»]\n    listen: { port: 7002 }\n',
    ),
    says: 'is a publisher',
    hint: 'nodes with logs are: feed',
  },
  {
    name: 'reading from itself',
    text: `${good}  copy: { run: replica, from: «copy», data: two }\n`,
    says: 'cannot read from itself',
    hint: '',
  },
  {
    name: 'a source twice',
    text: publisher(listen).replace('from: feed', 'from: [feed, «feed»]'),
    says: 'stands twice',
    hint: 'remove one',
  },
  {
    name: 'replicas in a circle',
    text: `${good}  one: { run: replica, from: «two», data: a }\n  two: { run: replica, from: one, data: b }\n`,
    says: 'in a circle: one <- two <- one',
    hint: 'fetcher',
  },
  {
    name: 'a port twice',
    text: publisher(
      listen,
      '  two:\n    run: publisher\n    exchange: kraken\n    from: feed\n    listen: { port: «7001» }\n',
    ),
    says: 'port 7001 is used twice',
    hint: 'nodes.web.listen.port, line 11',
  },
  {
    name: 'a port of a feed twice',
    text: publisher('    listen: { port: 5701 }\n')
      .replace('    source', '    feed: tcp://127.0.0.1:5701\n    source')
      .replace('port: 5701', 'port: «5701»'),
    says: 'port 5701 is used twice',
    hint: 'nodes.feed.feed',
  },
  {
    name: 'plain tcp beyond the computer',
    text: `${good}    feed: «tcp://10.0.0.5:5701»\n`,
    says: 'plain tcp beyond this computer is refused',
    hint: 'CURVE',
  },
  {
    name: 'tcp without a port',
    text: `${good}    feed: «tcp://127.0.0.1»\n`,
    says: 'is not an address and a port',
    hint: 'tcp://127.0.0.1:5701',
  },
  {
    name: 'a replica in the folder it copies',
    text: `${good}  copy:\n    run: replica\n    from: feed\n    data: «./data»\n`,
    says: 'would write into the folder that it copies',
    hint: 'data: data/copy',
  },
  {
    name: 'a host that does not exist',
    text: good.replace('    run', '    host: «lab1»\n    run'),
    says: 'there is no host "lab1"',
    hint: 'hosts are: local',
  },
  {
    name: 'a node without its host',
    text: `hosts:\n  one: { address: 127.0.0.1 }\n  two: { address: 127.0.0.2 }\n${good.replace('feed:', '«feed»:')}`,
    says: '"host" is missing',
    hint: 'one, two',
  },
  {
    name: 'files of another host',
    text: twoHosts(`${listen}    host: two\n    read: «direct»\n`),
    says: 'are on another host',
    hint: 'put a replica of "feed" on this host',
  },
  {
    name: 'a publisher on another host',
    text: twoHosts(`${listen}    host: two\n`).replace('from: feed', 'from: «feed»'),
    says: 'reads the files of its own host',
    hint: 'put a replica of "feed" on this host',
  },
  {
    name: 'ipc to another host',
    text: twoHosts(
      `${listen}    host: one\n`,
      '  copy: { run: replica, host: two, from: feed, data: b }\n',
    ).replace('    run: fetcher', '    feed: «ipc»\n    run: fetcher'),
    says: 'ipc does not reach "copy"',
    hint: 'feed: auto',
  },
  {
    name: 'a notifier that there is not',
    text: good.replace('    run: fetcher', '    notify: [zeromq, «watchin»]\n    run: fetcher'),
    says: 'there is no notifier "watchin"',
    hint: 'did you mean "watching"?',
  },
  {
    name: 'a notifier to listen to that there is not',
    text: publisher(`${listen}    hear: [zeromq, «watchin»]\n`),
    says: 'there is no notifier "watchin"',
    hint: 'did you mean "watching"?',
  },
  {
    name: 'a notifier to listen to that the source does not use',
    text: publisher(`${listen}    hear: [zeromq, «redis»]\n`),
    says: '"feed" does not announce by redis',
    hint: 'it does by: zeromq ipc://@tickmesh-demo-feed.feed, watching; add it to "notify" of "feed"',
  },
  {
    name: 'a server to listen to that is another one than the source uses, its password not shown',
    text: publisher(`${listen}    hear: «redis://me:secret@127.0.0.1:6380»\n`).replace(
      '    run: fetcher',
      '    notify: redis\n    run: fetcher',
    ),
    says: '"feed" does not announce by redis://127.0.0.1:6380',
    hint: 'it does by: redis://127.0.0.1:6379?channel=demo.feed',
  },
  {
    name: 'a notifier to listen to that one of two sources does not use',
    text: publisher(
      `${listen}    hear: [«ipc»]\n`,
      '  more: { run: fetcher, notify: ipc, source: { kind: synthetic } }\n',
    ).replace('from: feed', 'from: [feed, more]'),
    says: '"feed" does not announce by ipc',
    hint: 'choose for each source: hear: { feed: …, … }',
  },
  {
    name: 'a notifier to listen to of a source that is none',
    text: publisher(`${listen}    hear: { «fed»: zeromq }\n`),
    says: '"web" does not read from "fed"',
    hint: 'did you mean "feed"?',
  },
  {
    name: 'a notifier to listen to that stays on another host',
    text: twoHosts(
      `${listen}    host: one\n`,
      '  copy:\n    run: replica\n    host: two\n    from: feed\n    data: b\n    hear: { feed: [zeromq, «ipc»] }\n',
    ).replace('    run: fetcher', '    notify: [zeromq, ipc]\n    run: fetcher'),
    says: 'ipc of "feed" does not reach "copy": it is on another host',
    hint: 'what reaches it: zeromq tcp://127.0.0.1:',
  },
  {
    name: 'files to look at that a replica has not got',
    text: `${good}  copy: { run: replica, from: feed, data: b, hear: «watching» }\n`,
    says: 'watching of "feed" does not reach "copy": it has no files of "feed"',
    hint: 'what reaches it: zeromq ipc://@tickmesh-demo-feed.feed',
  },
  {
    name: 'a reader that listens to a number',
    text: publisher(`${listen}    hear: «5»\n`),
    says: 'want a notifier, or a list of them, or a map of sources to these, got 5',
    hint: '',
  },
  {
    name: 'notifiers that do not leave their host',
    text: twoHosts(
      `${listen}    host: one\n`,
      '  copy: { run: replica, host: two, from: feed, data: b }\n',
    ).replace('    run: fetcher', '    notify: «[ipc, watching, polling]»\n    run: fetcher'),
    says: 'none of these reaches "copy": it is on another host',
    hint: 'what does: rabbitmq, redis, zeromq',
  },
  {
    name: 'a server that is another one on another host',
    text: twoHosts(
      `${listen}    host: one\n`,
      '  copy: { run: replica, host: two, from: feed, data: b }\n',
    ).replace('    run: fetcher', '    notify: «redis»\n    run: fetcher'),
    says: 'none of these reaches "copy": it is on another host',
    hint: 'redis',
  },
  {
    name: 'two folders for one publisher',
    text: publisher(
      listen,
      '  more:\n    run: fetcher\n    data: other\n    source: { kind: synthetic }\n',
    ).replace('from: feed', 'from: [feed, «more»]'),
    says: '"more" writes into another folder than "feed"',
    hint: 'the same "data:"',
  },
  {
    name: 'waits the wrong way round',
    text: `${good}    restart: { backoff: «10s», max_backoff: 1s }\n`,
    says: 'longer than max_backoff',
    hint: '',
  },
];

/** The text without its marks, and the place of the opening one: line and column from 1. */
export function unmark(
  marked: string,
): { text: string; line: number; column: number; word: string } | { text: string } {
  const from = marked.indexOf('«');
  if (from === -1) return { text: marked };
  const before = marked.slice(0, from).split('\n');
  const word = marked.slice(from + 1, marked.indexOf('»'));
  return {
    text: marked.replace(/[«»]/g, ''),
    line: before.length,
    column: before.at(-1)!.length + 1,
    word,
  };
}
