/** Which logs a data folder holds. */
import { readdirSync } from 'node:fs';
import { isNamePart, type LogName } from './name.ts';

/** Names of all logs below `data`, sorted; [] when there is no such folder. Folders that can be no log are passed over. */
export function listLogs(data: string): LogName[] {
  const within = (folder: string): string[] => {
    try {
      const entries = readdirSync(folder, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isDirectory() && isNamePart(entry.name))
        .map(({ name }) => name);
    } catch {
      return [];
    }
  };
  const names: string[] = [];
  for (const exchange of within(data)) {
    for (const instrument of within(`${data}/${exchange}`)) {
      for (const channel of within(`${data}/${exchange}/${instrument}`)) {
        names.push(`${exchange}/${instrument}/${channel}`);
      }
    }
  }
  return names.sort() as LogName[];
}
