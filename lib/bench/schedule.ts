/**
 * When each record is due, fixed before the first one goes out: the sender keeps to it whatever becomes of its records, so
 * that a stall is felt by every record that it held up (open loop). Pure; times are nanoseconds from the start.
 */
import { Random } from '../source/synthetic/random.ts';

/** `burst`: the gaps of recorded receive times, scaled to the rate. */
export type Shape =
  | { readonly kind: 'constant' }
  | { readonly kind: 'poisson'; readonly seed: string }
  | { readonly kind: 'burst'; readonly timesUs: ArrayLike<number> };

const SECOND_NS = 1e9;

/** Due times of `count` records at `rate` a second, rising, the first at 0. Throws TypeError for misuse. */
export function schedule(shape: Shape, rate: number, count: number): Float64Array {
  if (!(rate > 0) || !(count >= 0)) throw new TypeError(`no schedule: ${rate}/s, ${count} records`);
  const dueNs = new Float64Array(count);
  switch (shape.kind) {
    case 'constant':
      for (let k = 0; k < count; k++) dueNs[k] = Math.round((k * SECOND_NS) / rate);
      return dueNs;
    case 'poisson': {
      const random = new Random(shape.seed);
      let atNs = 0;
      for (let k = 1; k < count; k++) {
        atNs += (-Math.log(1 - random.unit()) * SECOND_NS) / rate;
        dueNs[k] = Math.round(atNs);
      }
      return dueNs;
    }
    case 'burst':
      return bursts(shape.timesUs, rate, dueNs);
  }
}

/** A process that has run for a while runs compiled code: so many records, quickly, make it one. */
export const BRISK_RECORDS = 6_000;
const BRISK_RATE = 5_000;

/** A schedule behind a brisk beginning; where its own rate is brisk, it needs none. `warm`: records before the schedule. */
export function warmedUp(dueNs: Float64Array, rate: number): { dueNs: Float64Array; warm: number } {
  if (rate >= BRISK_RATE) return { dueNs, warm: 0 };
  const begin = schedule({ kind: 'constant' }, BRISK_RATE, BRISK_RECORDS);
  const endNs = (BRISK_RECORDS * SECOND_NS) / BRISK_RATE;
  const whole = new Float64Array(begin.length + dueNs.length);
  whole.set(begin);
  for (let k = 0; k < dueNs.length; k++) whole[begin.length + k] = endNs + dueNs[k]!;
  return { dueNs: whole, warm: begin.length };
}

/** Repeats the recorded gaps until all are due; their mean becomes the rate's. */
function bursts(timesUs: ArrayLike<number>, rate: number, dueNs: Float64Array): Float64Array {
  const gaps = timesUs.length - 1;
  const spanUs = gaps > 0 ? timesUs[gaps]! - timesUs[0]! : 0;
  if (!(spanUs > 0)) throw new TypeError('a burst schedule needs two recorded times or more');
  const scale = ((SECOND_NS / rate) * gaps) / spanUs;
  for (let k = 0; k < dueNs.length; k++) {
    const turn = Math.floor(k / gaps);
    const at = k % gaps;
    dueNs[k] = Math.round((turn * spanUs + (timesUs[at]! - timesUs[0]!)) * scale);
  }
  return dueNs;
}
