/** Ways of reading a history: what each is called, what it reads, whom it is held against. */
export type ReplayWay = {
  readonly name: string;
  readonly title: string;
  readonly side: 'peer' | 'ours';
  readonly reads:
    | 'one log'
    | 'two logs'
    | 'twenty logs'
    | 'plain lines'
    | 'tardis cache'
    | 'memory';
};

export const replayWays: readonly ReplayWay[] = [
  { name: 'readline', title: 'readline + JSON.parse', side: 'peer', reads: 'plain lines' },
  {
    name: 'tardis',
    title: 'tardis-dev 13.35.3 replay, raw (gzip)',
    side: 'peer',
    reads: 'tardis cache',
  },
  { name: 'replay', title: 'tickmesh: openFeed, records in hand', side: 'ours', reads: 'one log' },
  { name: 'merge-2', title: 'tickmesh: 2 logs by time', side: 'ours', reads: 'two logs' },
  { name: 'merge-20', title: 'tickmesh: 20 logs by time', side: 'ours', reads: 'twenty logs' },
  { name: 'json-parse', title: 'JSON.parse of a line', side: 'peer', reads: 'memory' },
  { name: 'decode', title: 'tickmesh: decoded trade of a payload', side: 'ours', reads: 'memory' },
];
