import test from 'ava';

test('the package exports these names and no others: a change of them is a change of its version', async (t) => {
  const surface = (await import('../lib/index.ts')) as Record<string, unknown>;
  t.deepEqual(Object.keys(surface).sort(), [
    'Fetcher',
    'OrderBook',
    'TickmeshError',
    'errorCodes',
    'eventReader',
    'logName',
    'openFeed',
    'realClock',
  ]);
  for (const [name, value] of Object.entries(surface)) t.not(value, undefined, name);
});
