/** Columns of stamps as files: what the processes of a run leave for the runner. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Column = 'due' | 'begun' | 'written' | 'told' | 'noticed' | 'read';

const fileOf = (folder: string, column: Column): string => join(folder, `${column}.f64`);

export function writeColumn(folder: string, column: Column, values: Float64Array): void {
  writeFileSync(
    fileOf(folder, column),
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  );
}

export function readColumn(folder: string, column: Column): Float64Array {
  const bytes = readFileSync(fileOf(folder, column));
  return new Float64Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
  );
}
