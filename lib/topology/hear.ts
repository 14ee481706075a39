/**
 * Which of its sources' notifiers a reader listens to: all that reach it, or those that it chooses itself.
 *
 *   hear   = wishes / "{" *( source ":" wishes ) "}"   ; for all its sources, or each by its name
 *   wishes = wish / "[" *( wish "," ) "]"              ; a notifier's name or endpoint, as in notify
 *
 * What looks at the files itself needs no announcing: a reader of files may choose it whatever the source says.
 */
import { publicEndpoint } from '../notifier/endpoint.ts';
import { notifiers } from '../notifier/all.ts';
import { notifierOf } from '../notifier/find.ts';
import type { Say } from './document.ts';
import { nearest } from './nearest.ts';
import { notifierMeant, notifierNames, notifyEndpoint, reaches } from './notify.ts';
import type { NodeFile, TopologyFile } from './schema.ts';

/** A source as its reader finds it. */
export type Heard = {
  /** Where it announces. */
  readonly announced: readonly string[];
  /** Who it is among many on one medium. */
  readonly channel: string;
  readonly sameHost: boolean;
  readonly hasFiles: boolean;
};

const given = (node: NodeFile) => (node.run === 'fetcher' ? undefined : node.hear);

/** What `node` wants to listen to of `source`; undefined: whatever reaches it. */
export function hearOf(node: NodeFile, source: string): readonly string[] | undefined {
  const hear = given(node);
  return hear === undefined || Array.isArray(hear) ? hear : hear[source];
}

/** Endpoints of the source that a wish means, whether or not they reach; [] when it says nothing there. */
function meant(wish: string, { announced, channel, hasFiles }: Heard): readonly string[] {
  const notifier = notifierMeant(wish);
  if (!notifier) return [];
  const named = notifierNames.includes(wish);
  if (named) {
    const found = announced.filter((each) => notifierOf(each, notifiers) === notifier);
    if (found.length > 0 || !notifier.supports.needsFiles || !hasFiles) return found;
    return [notifier.endpoint!];
  }
  if (notifier.supports.needsFiles && hasFiles) return [wish];
  const own = notifyEndpoint(wish, undefined, channel);
  const shown = publicEndpoint(own);
  return announced
    .filter((each) => publicEndpoint(each) === shown)
    .map((each) => (own === shown ? each : own));
}

/** Where a reader listens: its wishes, or without any whatever reaches it. */
export function heardBy(wishes: readonly string[] | undefined, source: Heard): readonly string[] {
  const all = wishes?.flatMap((wish) => meant(wish, source)) ?? source.announced;
  return [...new Set(all)].filter((each) => reaches(each, source.sameHost, source.hasFiles));
}

/** Each wish with its place: behind the reader's `hear`. */
function wishesOf(node: NodeFile): { source?: string; wish: string; path: (string | number)[] }[] {
  const hear = given(node) ?? [];
  if (Array.isArray(hear)) return hear.map((wish, at) => ({ wish, path: [at] }));
  return Object.entries(hear).flatMap(([source, wishes]) =>
    wishes.map((wish, at) => ({ source, wish, path: [source, at] })),
  );
}

/** Names in `hear` that mean nothing: no such notifier, or no source of this reader. */
export function checkHearNames(
  file: TopologyFile,
  sourcesOf: (node: NodeFile) => readonly string[],
  say: Say,
): void {
  for (const [name, node] of Object.entries(file.nodes)) {
    const hear = given(node);
    const sources = sourcesOf(node);
    for (const source of hear === undefined || Array.isArray(hear) ? [] : Object.keys(hear)) {
      if (sources.includes(source)) continue;
      const near = nearest(source, sources);
      const hint =
        near === undefined ? `it reads from: ${sources.join(', ')}` : `did you mean "${near}"?`;
      say('key', ['nodes', name, 'hear', source], `"${name}" does not read from "${source}"`, hint);
    }
    for (const { wish, path } of wishesOf(node)) {
      if (notifierMeant(wish) !== undefined) continue;
      const near = nearest(wish, notifierNames);
      const hint =
        near === undefined ? `there are: ${notifierNames.join(', ')}` : `did you mean "${near}"?`;
      const shown = publicEndpoint(wish);
      say('value', ['nodes', name, 'hear', ...path], `there is no notifier "${shown}"`, hint);
    }
  }
}

/** Wishes that cannot come true: the source does not announce there, or is not heard from here. */
export function checkHear(
  node: NodeFile,
  link: Heard & { readonly reader: string; readonly writer: string },
  say: Say,
): void {
  const { reader, writer, announced, sameHost, hasFiles } = link;
  const heard = announced.filter((each) => reaches(each, sameHost, hasFiles));
  for (const { source, wish, path } of wishesOf(node)) {
    if (source !== undefined && source !== writer) continue;
    const at = ['nodes', reader, 'hear', ...path];
    const shown = publicEndpoint(wish);
    const found = meant(wish, link);
    if (found.some((each) => reaches(each, sameHost, hasFiles))) continue;
    const can = `what reaches it: ${heard.map(shownNotifier).join(', ') || 'nothing'}`;
    if (found.length > 0) {
      const where = sameHost ? `it has no files of "${writer}"` : 'it is on another host';
      say('value', at, `${shown} of "${writer}" does not reach "${reader}": ${where}`, can);
      continue;
    }
    const does = `it does by: ${announced.map(shownNotifier).join(', ')}`;
    const hints = [`${does}; add it to "notify" of "${writer}", or choose one of these`];
    if (source === undefined && node.run === 'publisher' && node.from.length > 1)
      hints.push(`or choose for each source: hear: { ${writer}: …, … }`);
    say('value', at, `"${writer}" does not announce by ${shown}`, ...hints);
  }
}

/** "zeromq ipc://@feed", "watching": a notifier for people, without user and password. */
export function shownNotifier(endpoint: string): string {
  const name = notifierOf(endpoint, notifiers)?.name ?? '';
  const shown = publicEndpoint(endpoint);
  return shown === `${name}:` ? name : shown.startsWith(`${name}:`) ? shown : `${name} ${shown}`;
}
