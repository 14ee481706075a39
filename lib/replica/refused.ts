/** Why a copy does not go on, each with what to do about it. */
import type { LogName } from '../log/name.ts';
import { TickmeshError } from '../world/error.ts';

/** The disk takes no more; nothing was written. */
export const stalledError = (folder: string, cause: unknown): TickmeshError => {
  const errno = (cause as NodeJS.ErrnoException).code;
  return new TickmeshError('LOG_STALLED', `cannot write ${folder}: ${errno ?? String(cause)}`, {
    cause,
    facts: { folder, errno },
    remedy: 'free space on that disk or mend it; copying goes on by itself',
  });
};

/** Bytes at `position`, as the source has them, are not those of a copy that ends at `own`. */
export const foreignError = (folder: string, own: number, position: number): TickmeshError =>
  new TickmeshError(
    'LOG_CORRUPT',
    `${folder} ends at ${own} and is no copy of what the source has: it differs at ${position}`,
    {
      facts: { folder, own, position },
      remedy: 'the source was begun anew, or is another one: move this folder away to copy afresh',
    },
  );

/** The source keeps nothing before `to`, and the copy ends at `from`. */
export const trimmedError = (log: LogName, from: number, to: number): TickmeshError =>
  new TickmeshError(
    'TRIMMED',
    `the source of ${log} keeps nothing before ${to}; we end at ${from}`,
    {
      facts: { log, from, to },
      remedy: 'move this copy away to begin a new one, or copy the missing segments from elsewhere',
    },
  );

/** The source knows no such log, or does not give it to us. */
export const deniedError = (log: LogName): TickmeshError =>
  new TickmeshError('LOG_MISSING', `the source does not have ${log}`, {
    facts: { log },
    remedy: 'check the logs that this replica and its source name',
  });
