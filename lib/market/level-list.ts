/** Levels as numbers, to be used again and again: prices and quantities times 10^8, zero removes a level. */
export class LevelList {
  prices = new Float64Array(64);
  quantities = new Float64Array(64);
  count = 0;

  add(price: number, quantity: number): void {
    const at = this.count++;
    if (at === this.prices.length) {
      this.prices = grown(this.prices);
      this.quantities = grown(this.quantities);
    }
    this.prices[at] = price;
    this.quantities[at] = quantity;
  }
}

function grown(from: Float64Array): Float64Array<ArrayBuffer> {
  const to = new Float64Array(from.length * 2);
  to.set(from);
  return to;
}
