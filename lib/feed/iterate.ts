/**
 * A pull of batches as an async iterator. Not a generator: each of its steps costs a wake-up of its own, and a record is
 * in hand only behind the last one. Calls of `next` before the one before has ended wait for it, as a generator's do.
 */
export type Pull<T> = {
  /** Undefined: there is no more. */
  readonly next: () => Promise<T | undefined>;
  readonly close: () => Promise<void>;
};

export function iterate<T>({ next, close }: Pull<T>): AsyncIterator<T, undefined, undefined> {
  let pending = 0;
  let last: Promise<unknown> = Promise.resolve();
  const end = async (): Promise<IteratorReturnResult<undefined>> => {
    await close();
    return { value: undefined, done: true };
  };
  const step = async (): Promise<IteratorResult<T, undefined>> => {
    try {
      const value = await next();
      if (value !== undefined) return { value, done: false };
    } catch (error) {
      await close();
      throw error;
    } finally {
      pending--;
    }
    return end();
  };
  return {
    next() {
      const result = pending++ === 0 ? step() : last.then(step, step);
      last = result;
      return result;
    },
    return: end,
  };
}
