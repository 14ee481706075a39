/** Logs to replay: trades as Binance words them, spread over a number of logs, written by the log's own writer. */
import { createWriteStream, mkdirSync, openSync, closeSync, writeSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createGzip } from 'node:zlib';
import { ClockWriter } from '../../log/disk-clock.ts';
import { LogWriter } from '../../log/disk-writer.ts';
import { writeLine, ENVELOPE } from '../../log/line.ts';
import { logName, type LogName } from '../../log/name.ts';
import { realClock } from '../../world/clock.ts';

const START_US = 1_717_200_000_000_000;
const NODE = 'bench';
const TURN = 1_000;

/** The `k`th trade. */
export function tradePayload(k: number): Buffer {
  const ms = Math.floor((START_US + k * 50) / 1_000);
  const cents = String(10 + (k % 90));
  return Buffer.from(
    `{"e":"trade","E":${ms},"s":"BTCUSDT","t":${1_000_000_000 + k},"p":"640${cents}.10000000","q":"0.${cents}100000","T":${ms},"m":${k % 2 === 0},"M":true}`,
    'latin1',
  );
}

/** Its line in a log. */
export function newLineOf(payload: Buffer, k: number): Buffer {
  const line = Buffer.allocUnsafe(payload.length + ENVELOPE);
  writeLine(line, 0, START_US + k * 50, START_US + k * 50, payload);
  return line;
}

/** Names of `count` logs. */
export const replayLogNames = (count: number): LogName[] =>
  Array.from({ length: count }, (_, at) => logName(`binance/BENCH${at}-USDT/trade`));

/** Writes `records` trades over `logs` logs, in turn, 50 us apart. */
export async function writeReplayLogs(data: string, logs: number, records: number): Promise<void> {
  const writers: LogWriter[] = [];
  const clock = new ClockWriter(data, NODE);
  try {
    for (const log of replayLogNames(logs))
      writers.push(await LogWriter.open({ data, log, node: NODE, clock: realClock }));
    for (let k = 0; k < records; k++) {
      const timeUs = START_US + k * 50;
      writers[k % logs]!.stage(timeUs, timeUs, tradePayload(k));
      if (k % (TURN * logs) === 0) for (const writer of writers) writer.write();
    }
    for (const writer of writers) {
      writer.write();
      writer.announce();
    }
    clock.write(START_US + records * 50);
  } finally {
    clock.close();
    for (const writer of writers) await writer.close();
  }
}

/** The same trades as one plain file of lines. */
export function writePlainLines(path: string, records: number): void {
  const fd = openSync(path, 'w');
  const room = Buffer.allocUnsafe(1 << 20);
  let at = 0;
  for (let k = 0; k < records; k++) {
    const payload = tradePayload(k);
    if (at + payload.length + ENVELOPE > room.length) {
      writeSync(fd, room, 0, at);
      at = 0;
    }
    const timeUs = START_US + k * 50;
    at = writeLine(room, at, timeUs, timeUs, payload);
  }
  writeSync(fd, room, 0, at);
  closeSync(fd);
}

/** When the one minute of tardis-dev's cache begins. */
export const TARDIS_FROM = '2024-06-01T00:00:00.000Z';
export const TARDIS_TO = '2024-06-01T00:01:00.000Z';

/** The same trades as tardis-dev keeps them: a gzip file a minute, `time SP message LF`, below a hash of the filters (none). */
export async function writeTardisCache(cache: string, records: number): Promise<void> {
  const filters = createHash('sha256').update('[]').digest('hex');
  const path = join(cache, 'feeds', 'binance', filters, '2024/06/01/00/00.json.gz');
  mkdirSync(dirname(path), { recursive: true });
  const gzip = createGzip({ level: 1 });
  const file = gzip.pipe(createWriteStream(path));
  for (let k = 0; k < records; k += TURN) {
    const lines: string[] = [];
    for (let i = k; i < Math.min(records, k + TURN); i++) {
      const tenths = String(Math.floor((i * 599_999_999) / records) % 600_000_000).padStart(9, '0');
      lines.push(
        `2024-06-01T00:00:${tenths.slice(0, 2)}.${tenths.slice(2)}Z ${tradePayload(i).toString('latin1')}\n`,
      );
    }
    if (!gzip.write(lines.join(''))) await once(gzip, 'drain');
  }
  gzip.end();
  await once(file, 'close');
}
