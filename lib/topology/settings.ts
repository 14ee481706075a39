/**
 * The settings around a topology that a user may change from outside: how nodes log, restart, start and stop.
 * They are layered elsewhere (options > environment > file > these defaults); every layer gives text as people write
 * it, and this schema turns the sum into numbers once.
 */
import { z } from 'zod';
import type { LogLevel } from '../world/logger.ts';
import { durationForm, parseDuration, parseSize, sizeForm } from './units.ts';

const duration = z
  .string()
  .regex(durationForm, 'want a duration with its unit, e.g. 500ms, 5s, 15m, 1h')
  .transform((text) => parseDuration(text)!);
const size = z
  .string()
  .regex(sizeForm, 'want a size with its unit, e.g. 64MB, 1GB')
  .transform((text) => parseSize(text)!);
const count = z
  .union(
    [
      z.int(),
      z
        .string()
        .regex(/^\d{1,9}$/)
        .transform(Number),
    ],
    'want a whole number',
  )
  .pipe(z.int().min(0).max(1_000_000));
const oneOf = <const T extends readonly string[]>(words: T) =>
  z.enum(words, `want one of ${words.join(', ')}`);

export const settingsSchema = z.strictObject({
  log: z.strictObject({
    level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
    format: oneOf(['pretty', 'json']),
    dir: z.string().min(1, 'want a folder'),
    max_size: size,
    keep: count,
  }),
  restart: z.strictObject({
    policy: oneOf(['on-failure', 'always', 'no']),
    backoff: duration,
    max_backoff: duration,
    max: count,
    window: duration,
  }),
  ready: z.strictObject({ timeout: duration }),
  stop: z.strictObject({ grace: duration }),
});
/** Durations are milliseconds, sizes bytes. */
export type Settings = z.output<typeof settingsSchema>;

export const defaultSettings = {
  log: { level: 'info', format: 'pretty', dir: '.tickmesh/logs', max_size: '50MB', keep: '5' },
  restart: { policy: 'on-failure', backoff: '500ms', max_backoff: '30s', max: '10', window: '5m' },
  ready: { timeout: '20s' },
  stop: { grace: '5s' },
} as const satisfies z.input<typeof settingsSchema>;

/** Every setting by its dotted name: "log.level", "restart.max_backoff" … */
export const settingNames: readonly string[] = Object.entries(defaultSettings).flatMap(
  ([group, of]) => Object.keys(of).map((key) => `${group}.${key}`),
);

/** "restart.max_backoff" is TICKMESH_RESTART_MAX_BACKOFF in the environment, --restart-max-backoff as an option. */
export const environmentName = (setting: string): string =>
  `TICKMESH_${setting.replace('.', '_').toUpperCase()}`;
export const optionName = (setting: string): string => `--${setting.replace(/[._]/g, '-')}`;

/** What supervising one node needs. Durations in milliseconds. */
export type Supervision = {
  readonly logLevel: LogLevel;
  readonly policy: Settings['restart']['policy'];
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly restartsMax: number;
  readonly windowMs: number;
  readonly readyMs: number;
  readonly graceMs: number;
};

export const supervisionOf = ({ log, restart, ready, stop }: Settings): Supervision => ({
  logLevel: log.level,
  policy: restart.policy,
  backoffMs: restart.backoff,
  maxBackoffMs: restart.max_backoff,
  restartsMax: restart.max,
  windowMs: restart.window,
  readyMs: ready.timeout,
  graceMs: stop.grace,
});
