/** Recorded Binance captures as records, as they stand in the files: receive time, log, payload, the frame itself. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export type Captured = {
  readonly log: string;
  readonly timeUs: number;
  /** Text of the frame; undefined for a REST snapshot. */
  readonly frame: string | undefined;
  readonly stream: string;
  readonly payload: string;
};

const frameForm = /^\{"stream":"([a-z0-9]+)@([^"]+)","data":/;
const instruments: Record<string, string> = {
  btcusdt: 'BTC-USDT',
  ethusdt: 'ETH-USDT',
  dotusdt: 'DOT-USDT',
};

function captured(timeUs: number, body: string, restSymbol: string): Captured {
  const match = frameForm.exec(body);
  const symbol = match?.[1] ?? restSymbol.toLowerCase();
  const kind = match?.[2] ?? 'depth';
  const channel = kind.startsWith('depth') ? 'depth' : kind;
  return {
    log: `binance/${instruments[symbol]}/${channel}`,
    timeUs,
    frame: match ? body : undefined,
    stream: `${symbol}@${kind}`,
    payload: match ? body.slice(match[0].length, -1) : body,
  };
}

const lines = (path: string): string[] => gunzipSync(readFileSync(path)).toString().split('\n');

/** hftbacktest lines: `LOCAL_NS JSON`. */
export function* hft(path: string): Generator<Captured> {
  for (const line of lines(path)) {
    const blank = line.indexOf(' ');
    if (blank < 0) continue;
    yield captured(Number(BigInt(line.slice(0, blank)) / 1000n), line.slice(blank + 1), 'BTCUSDT');
  }
}

/** cryptofeed lines: `TS: BODY`, and `https://…symbol=X… -> TS: BODY`. */
export function* cryptofeed(path: string): Generator<Captured> {
  for (const line of lines(path)) {
    const match = /^(?:https:\S*symbol=(\w+)\S* -> )?(\d+\.\d+): (.*)$/.exec(line);
    if (match) yield captured(Math.round(Number(match[2]) * 1e6), match[3]!, match[1] ?? '');
  }
}

/** CBCAP1: `TS_NS BYTES LF`, the frame, LF. Receive time in Unix microseconds, frame as received. */
export function* cbcap(path: string): Generator<{ timeUs: number; frame: string }> {
  const bytes = gunzipSync(readFileSync(path));
  let at = bytes.indexOf(10) + 1;
  while (at > 0 && at < bytes.length) {
    const end = bytes.indexOf(10, at);
    const [time = '', length = ''] = bytes.toString('latin1', at, end).split(' ');
    const frameEnd = end + 1 + Number(length);
    yield {
      timeUs: Number(BigInt(time) / 1000n),
      frame: bytes.toString('utf8', end + 1, frameEnd),
    };
    at = frameEnd + 1;
  }
}
