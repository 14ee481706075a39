/**
 * The parent's part: passes each notice on to those of its children that listen to that log, as it came. What a child
 * does not take is dropped, not kept: the next notice says more. The parent says and hears through a port of its own.
 */
import type { ChildProcess } from 'node:child_process';
import type { ProcessPort } from '../notifier.ts';
import { ALL, partsOf } from './message.ts';

const FLYING_MAX = 1_000;

type Member = {
  readonly send: (message: object, done: () => void) => void;
  flying: number;
  readonly landed: () => void;
  /** By channel and log, how many listeners; by channel, how many speakers. */
  readonly listens: Map<string, number>;
  readonly speaks: Map<string, number>;
};

const keyOf = (channel: unknown, log: unknown): string => `${channel as string}\0${log as string}`;

function count(into: Map<string, number>, key: string, by: unknown): void {
  const now = (into.get(key) ?? 0) + (by === -1 ? -1 : 1);
  if (now > 0) into.set(key, now);
  else into.delete(key);
}

export class Relay {
  readonly #members = new Set<Member>();

  /** A child that was forked with a channel; it leaves when that closes. */
  attach(child: ChildProcess): void {
    const member = this.#join((message, done) => {
      if (child.connected) child.send(message as object, done);
      else done();
    });
    child.on('message', (message: unknown) => this.#take(member, message));
    child.on('disconnect', () => this.#members.delete(member));
  }

  /** The parent's own end. */
  port(): ProcessPort {
    const ears = new Set<(message: unknown) => void>();
    const member = this.#join((message, done) => {
      for (const ear of ears) ear(message);
      done();
    });
    return {
      connected: true,
      send: (message, done) => {
        this.#take(member, message);
        done();
      },
      receive: (onMessage) => {
        ears.add(onMessage);
        return () => void ears.delete(onMessage);
      },
    };
  }

  #join(send: Member['send']): Member {
    const member: Member = {
      send,
      flying: 0,
      landed: () => void member.flying--,
      listens: new Map(),
      speaks: new Map(),
    };
    this.#members.add(member);
    return member;
  }

  #take(from: Member, message: unknown): void {
    const notice = partsOf(message, 'notice', 2);
    if (notice) {
      const key = keyOf(notice[0], notice[1]);
      const all = keyOf(notice[0], ALL);
      for (const member of this.#members)
        if (member.listens.has(key) || member.listens.has(all)) pass(member, message as object);
      return;
    }
    const listen = partsOf(message, 'listen', 2);
    if (listen) {
      const [channel, log, by] = listen;
      count(from.listens, keyOf(channel, log), by);
      if (by !== 1 || log === ALL) return;
      for (const member of this.#members)
        if (member.speaks.has(channel as string)) pass(member, { joined: [channel, log] });
      return;
    }
    const speak = partsOf(message, 'speak', 1);
    if (speak) count(from.speaks, speak[0] as string, speak[1]);
  }
}

function pass(member: Member, message: object): void {
  if (member.flying >= FLYING_MAX) return;
  member.flying++;
  member.send(message, member.landed);
}
