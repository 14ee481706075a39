/** Small recordings of every layout, made up here: enough to see each rule, no real data. */
import { gzipSync } from 'node:zlib';

/** A frame of Binance's combined stream. */
export const combined = (stream: string, payload: string): string =>
  `{"stream":"${stream}","data":${payload}}`;

export const trade = (id: number, ms = 1_700_000_000_000): string =>
  `{"e":"trade","E":${ms},"s":"BTCUSDT","t":${id},"p":"50000.01000000","q":"0.00100000","T":${ms},"m":true,"M":true}`;
export const quote = (u: number): string =>
  `{"u":${u},"s":"BTCUSDT","b":"50000.00000000","B":"1.00000000","a":"50000.01000000","A":"2.00000000"}`;
export const depth = (first: number, last: number): string =>
  `{"e":"depthUpdate","E":1700000000100,"s":"BTCUSDT","U":${first},"u":${last},"b":[["50000.00000000","1.00000000"]],"a":[]}`;
export const snapshot =
  '{"lastUpdateId":7,"bids":[["50000.00000000","1.00000000"]],"asks":[["50000.01000000","2.00000000"]]}';

/** `count` messages every 100 ms from 2023-11-14: depth, bookTicker, trade in turn; the snapshot is the third line. */
export function hft(count: number): string {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const ns = 1_700_000_000_000_000_123n + BigInt(i) * 100_000_000n;
    const frame =
      i === 2
        ? snapshot
        : i % 3 === 0
          ? combined('btcusdt@depth@100ms', depth(i + 5, i + 7))
          : i % 3 === 1
            ? combined('btcusdt@bookTicker', quote(i + 6))
            : combined('btcusdt@trade', trade(1000 + i));
    lines.push(`${ns} ${frame}\n`);
  }
  return lines.join('');
}

export const cryptofeedBinance = [
  'configuration: {"trades":["BTC-USDT"]}',
  'wss://stream.binance.com:9443/stream?streams=btcusdt@depth@100ms/ethusdt@aggTrade <-> 1617566590.378895',
  '',
  `1617566591.326123: ${combined('btcusdt@depth@100ms', depth(5, 7))}`,
  `https://www.binance.com/api/v1/depth?symbol=BTCUSDT&limit=1000 -> 1617566592.1065369: ${snapshot}`,
  `1617566592.2: ${combined('ethusdt@aggTrade', '{"e":"aggTrade","E":1,"s":"ETHUSDT"}')}`,
  `1617566592.348425: ${combined('btcusdt@kline_1m', '{"e":"kline","E":1,"k":{"i":"1m"}}')}`,
  `1617566592.4: ${combined('btcusdt@miniTicker', '{"e":"24hrMiniTicker"}')}`,
  '1617566592.5: {"result":null,"id":1}',
  '',
].join('\n');

export const v1Frames = [
  '[320,{"as":[["58729.40000","0.45000000","1617666423.606671"]],"bs":[]},"book-1000","XBT/USD"]',
  '[320,{"a":[["58729.40000","0.00000000","1617666424.758260"]],"c":"320369217"},"book-1000","XBT/USD"]',
  '[321,[["58721.20000","0.02798644","1617666461.465618","s","m",""]],"trade","XBT/USD"]',
];
export const cryptofeedKraken = [
  'wss://ws.kraken.com <-> 1617666422.653664',
  'wss://ws.kraken.com <- 1617666423.123373: {"event":"subscribe","pair":["XBT/USD"]}',
  '1617666423.1245198: {"connectionID":17413893361151983591,"event":"systemStatus","status":"online"}',
  `1617666424.207714: ${v1Frames[0]}`,
  '1617666424.3: {"event":"heartbeat"}',
  `1617666424.97333: ${v1Frames[1]}`,
  `1617666461.5: ${v1Frames[2]}`,
  '',
].join('\n');

export const v2Frames = [
  '{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":63388.7,"qty":0.25761900}],"asks":[{"price":63388.8,"qty":0.10000000}],"checksum":1,"timestamp":"2026-08-02T03:35:51.000000Z"}]}',
  '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":63388.7,"qty":0.00000000}],"asks":[],"checksum":2,"timestamp":"2026-08-02T03:35:51.660084Z"}]}',
  '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":63388.7,"qty":0.10000000,"ord_type":"market","trade_id":5,"timestamp":"2026-08-02T03:35:51.660084Z"}]}',
];
const otherFrames = [
  '{"channel":"status","type":"update","data":[{"system":"online","connection_id":2950167385101900187}]}',
  '{"method":"subscribe","result":{"channel":"book","depth":25,"snapshot":true,"symbol":"BTC/USD"},"success":true}',
  '{"channel":"heartbeat"}',
];

/** Frames 10 ms apart; `startNs` may be a date or anything. */
export function cbcap(startNs: bigint, frames = [...otherFrames, ...v2Frames]): string {
  let text = 'CBCAP1 kraken BTC/USD 1785641750295158100\n';
  for (const [i, frame] of frames.entries()) {
    text += `${startNs + BigInt(i) * 10_000_000n} ${Buffer.byteLength(frame)}\n${frame}\n`;
  }
  return text;
}

/** Tables: file name, text, the log and the payloads that must come of it. */
export const tables: readonly {
  readonly name: string;
  readonly text: string;
  readonly log: string;
  readonly timesUs: readonly number[];
  readonly payloads: readonly string[];
}[] = [
  {
    // Milliseconds until 2024, microseconds from 2025, in one file put together from both.
    name: 'BTCUSDT-trades-2024-12.csv',
    text:
      '4279635310,93576.00,0.00012,11.22912,1735689599999,True,True\n' +
      '4279635311,93576.5,2,187153,1735689600000123,False,True\r\n',
    log: 'binance/BTC-USDT/trade',
    timesUs: [1_735_689_599_999_000, 1_735_689_600_000_123],
    payloads: [
      '{"e":"trade","E":1735689599999,"s":"BTCUSDT","t":4279635310,"p":"93576.00000000","q":"0.00012000","T":1735689599999,"m":true,"M":true}',
      '{"e":"trade","E":1735689600000,"s":"BTCUSDT","t":4279635311,"p":"93576.50000000","q":"2.00000000","T":1735689600000,"m":false,"M":true}',
    ],
  },
  {
    name: 'ETHUSDT-trades-2023-01-01.csv',
    text: 'id,price,qty,quote_qty,time,is_buyer_maker\n7,1200.10,0.5,600.05,1672531200123,false\n',
    log: 'binance/ETH-USDT/trade',
    timesUs: [1_672_531_200_123_000],
    payloads: [
      '{"e":"trade","E":1672531200123,"s":"ETHUSDT","t":7,"p":"1200.10000000","q":"0.50000000","T":1672531200123,"m":false,"M":true}',
    ],
  },
  {
    name: 'BTCUSDT-aggTrades-2024-01-01.csv',
    text: '9,42000.1,0.5,100,102,1704067200001,True,True\n',
    log: 'binance/BTC-USDT/aggTrade',
    timesUs: [1_704_067_200_001_000],
    payloads: [
      '{"e":"aggTrade","E":1704067200001,"s":"BTCUSDT","a":9,"p":"42000.10000000","q":"0.50000000","f":100,"l":102,"T":1704067200001,"m":true,"M":true}',
    ],
  },
  {
    name: 'BTCUSDT-1m-2025-01-01.csv',
    text: '1735689600000000,93576.0,93610.9,93537.5,93610.9,8.21,1735689659999999,768978.3,2631,4.9,465282.7,0\n',
    log: 'binance/BTC-USDT/kline_1m',
    timesUs: [1_735_689_660_000_000],
    payloads: [
      '{"e":"kline","E":1735689660000,"s":"BTCUSDT","k":{"t":1735689600000,"T":1735689659999,"s":"BTCUSDT","i":"1m","f":-1,"L":-1,"o":"93576.00000000","c":"93610.90000000","h":"93610.90000000","l":"93537.50000000","v":"8.21000000","n":2631,"x":true,"q":"768978.30000000","V":"4.90000000","Q":"465282.70000000","B":"0"}}',
    ],
  },
  {
    // No interval in the name: the row's length says it. A month in the archive's spelling has its own.
    name: 'SOLUSDT-klines.csv',
    text: 'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n1704067200000,1,2,0.5,1.5,10,1704070799999,15,3,5,7.5,0\n',
    log: 'binance/SOL-USDT/kline_1h',
    timesUs: [1_704_070_800_000_000],
    payloads: [
      '{"e":"kline","E":1704070800000,"s":"SOLUSDT","k":{"t":1704067200000,"T":1704070799999,"s":"SOLUSDT","i":"1h","f":-1,"L":-1,"o":"1.00000000","c":"1.50000000","h":"2.00000000","l":"0.50000000","v":"10.00000000","n":3,"x":true,"q":"15.00000000","V":"5.00000000","Q":"7.50000000","B":"0"}}',
    ],
  },
  {
    name: 'BTCUSDT-1mo-2024-02.csv',
    text: '1706745600000,1,2,0.5,1.5,10,1709251199999,15,3,5,7.5,0\n',
    log: 'binance/BTC-USDT/kline_1M',
    timesUs: [1_709_251_200_000_000],
    payloads: [
      '{"e":"kline","E":1709251200000,"s":"BTCUSDT","k":{"t":1706745600000,"T":1709251199999,"s":"BTCUSDT","i":"1M","f":-1,"L":-1,"o":"1.00000000","c":"1.50000000","h":"2.00000000","l":"0.50000000","v":"10.00000000","n":3,"x":true,"q":"15.00000000","V":"5.00000000","Q":"7.50000000","B":"0"}}',
    ],
  },
  {
    name: 'recorder.csv',
    text:
      'TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,TradeId,Price,Quantity,IsBuyerMarketMaker,MUnknownParameter\n' +
      '1741046401272286,trxusdt@trade,trade,1741046401271969,1741046401271497,TRXUSDT,348656870,0.2312,2619.4,1,True\n',
    log: 'binance/TRX-USDT/trade',
    timesUs: [1_741_046_401_272_286],
    payloads: [
      '{"e":"trade","E":1741046401271,"s":"TRXUSDT","t":348656870,"p":"0.23120000","q":"2619.40000000","T":1741046401271,"m":true,"M":true}',
    ],
  },
  {
    name: 'trades-xbtusd.csv',
    text: 'time_ms,side,price,amount\n1561939203172,sell,10749.4,0.004\n1561939205224,buy,10750,2.5e-7\n',
    log: 'kraken/BTC-USD/trade',
    timesUs: [1_561_939_203_172_000, 1_561_939_205_224_000],
    payloads: [
      '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":10749.4,"qty":0.00400000,"ord_type":"market","trade_id":1,"timestamp":"2019-07-01T00:00:03.172000Z"}]}',
      '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":10750.0,"qty":0.00000025,"ord_type":"market","trade_id":2,"timestamp":"2019-07-01T00:00:05.224000Z"}]}',
    ],
  },
  {
    // Time and Sales: no side, so the price's move stands in for it.
    name: 'XBTUSD.csv',
    text: '1561939203,10749.4,0.004\n1561939204,10749.3,0.1\n1561939204,10749.3,0.2\n1561939205.5,10749.9,0.3\n',
    log: 'kraken/BTC-USD/trade',
    timesUs: [
      1_561_939_203_000_000, 1_561_939_204_000_000, 1_561_939_204_000_000, 1_561_939_205_500_000,
    ],
    payloads: ['buy', 'sell', 'sell', 'buy'],
  },
  {
    name: 'ETHUSDT_60.csv',
    text: '1561939200,290.5,291.25,290,291,12.5,7\n',
    log: 'kraken/ETH-USDT/ohlc-60',
    timesUs: [1_561_942_800_000_000],
    payloads: [
      '{"channel":"ohlc","type":"update","timestamp":"2019-07-01T01:00:00.000000000Z","data":[{"symbol":"ETH/USDT","open":290.50,"high":291.25,"low":290.00,"close":291.00,"trades":7,"volume":12.50000000,"vwap":291.00,"interval_begin":"2019-07-01T00:00:00.000000000Z","interval":60,"timestamp":"2019-07-01T01:00:00.000000Z"}]}',
    ],
  },
];

/** Files that cannot be read: name, bytes, where the fault is, and what the message must say. */
export const broken: readonly (readonly [
  name: string,
  bytes: string | Buffer,
  line: number | undefined,
  message: RegExp,
])[] = [
  ['empty.hft', '', 1, /empty/],
  ['picture.png', '\u0089PNG\r\n', 1, /layout that is not known/],
  ['tape.csv', '0,B,b,58710.20,0.014\n', 1, /layout that is not known/],
  ['rest.json', '{\n "error": []', 1, /layout that is not known/],
  ['time.hft', `${hft(4)}17000000000000 {"a":1}\n`, 5, /19 digits/],
  ['torn.hft', hft(4).slice(0, -20), 4, /stream/],
  [
    'extra.hft',
    `1700000000000000000 {"stream":"btcusdt@trade","data":{"a":1},"x":{"b":1}}\n`,
    1,
    /one JSON value/,
  ],
  ['bare.hft', `1700000000000000000 ${trade(1)}\n`, 1, /combined/],
  [
    'stream.hft',
    `1700000000000000000 ${combined('btcusdt@nonsense', '{"a":1}')}\n`,
    1,
    /no stream of Binance/,
  ],
  [
    'symbol.hft',
    `1700000000000000000 ${combined('..%2f..@trade', '{"a":1}')}\n`,
    1,
    /no stream of Binance/,
  ],
  ['lone.hft', `1700000000000000000 ${snapshot}\n`, 1, /which instrument/],
  [
    'long.hft',
    `1700000000000000000 ${combined('btcusdt@trade', `{"a":"${'x'.repeat(1 << 20)}"}`)}\n`,
    1,
    /1048/,
  ],
  ['form.cryptofeed', `${cryptofeedKraken}what is this\n`, 8, /four forms/],
  [
    'v1.cryptofeed',
    'wss://ws.kraken.com <-> 1617666422.6\n1617666423.1: [1,2,"book"]\n',
    2,
    /Kraken v1/,
  ],
  [
    'nothing.cryptofeed',
    'https://api.kraken.com/0/public/AssetPairs -> 1618678132.3: {"error":[]}\n',
    undefined,
    /no market data/,
  ],
  ['venue.cbcap', 'CBCAP1 mtgox BTC/USD 1\n', 1, /mtgox/],
  [
    'length.cbcap',
    cbcap(1_785_641_750_295_158_100n).replace(' 100\n', ' 99\n').replace(' 101\n', ' 99\n'),
    2,
    /longer than stated/,
  ],
  ['torn.cbcap', cbcap(1_785_641_750_295_158_100n).slice(0, -30), 7, /breaks off/],
  ['feed.cbcap', cbcap(1n, [v2Frames[0]!, '{"channel":"book",\n"type":"update"}']), 3, /line feed/],
  ['depthless.cbcap', cbcap(1n, [v2Frames[1]!]), 2, /before any snapshot/],
  ['BTCUSDT-trades.csv', '1,2,3,4,1735689599999,True,True\n2,2,3\n', 2, /3 columns instead of 7/],
  [
    'BTCUSDT-aggTrades.csv',
    '1,2,3,4,5,1735689599999,True,True\n1,x,3,4,5,1735689599999,True,True\n',
    2,
    /not a number/,
  ],
  [
    'BTCUSDT-times.csv',
    '1,2,3,4,1735689599999,True,True\n1,2,3,4,yesterday,True,True\n',
    2,
    /not a time/,
  ],
  ['trades.csv', '1,2,3,4,1735689599999,True,True\n', 1, /which instrument/],
  ['XBTUSD_720.csv', '1561939200,290.5,291.25,290,291,12.5,7\n', 1, /how long its candles/],
  [
    'side-xbtusd.csv',
    'time_ms,side,price,amount\n1561939203172,hodl,10749.4,0.004\n',
    2,
    /not a side/,
  ],
  ['torn.hft.gz', gzipSync(hft(2000)).subarray(0, 900), undefined, /unpacked/],
  [
    'no.gz',
    Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(100, 7)]),
    undefined,
    /unpacked/,
  ],
];
