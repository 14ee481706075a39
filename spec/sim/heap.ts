/** Events in the order of their time, then of their making: one seed gives one history. */
type Item<T> = { readonly at: number; readonly order: number; readonly what: T };

export class Heap<T> {
  readonly #items: Item<T>[] = [];
  #order = 0;

  get size(): number {
    return this.#items.length;
  }
  get nextAt(): number {
    return this.#items[0]?.at ?? Infinity;
  }

  push(at: number, what: T): void {
    const items = this.#items;
    const item = { at, order: this.#order++, what };
    let i = items.length;
    items.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!later(items[parent]!, item)) break;
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = item;
  }

  pop(): { at: number; what: T } | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (!first || !last || items.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && later(items[child]!, items[child + 1]!)) child++;
      if (!later(last, items[child]!)) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = last;
    return first;
  }
}

const later = <T>(a: Item<T>, b: Item<T>): boolean =>
  a.at !== b.at ? a.at > b.at : a.order > b.order;
