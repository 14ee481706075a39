/**
 * A seeded stream of random numbers (sfc32): the same seed gives the same numbers on every machine. Only integer steps
 * and IEEE sums and products are used, so no platform's `log` or `exp` can change a market.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /** Any text is a seed; "1" and "2" give unrelated streams. */
  constructor(seed: string) {
    this.reseed(seed);
  }

  reseed(seed: string): void {
    let hash = 0x811c9dc5;
    const stir = (value: number): number => {
      hash = Math.imul(hash ^ value, 0x01000193);
      hash ^= hash >>> 15;
      return hash;
    };
    for (let i = 0; i < seed.length; i++) stir(seed.charCodeAt(i));
    this.#a = stir(1);
    this.#b = stir(2);
    this.#c = stir(3);
    this.#counter = 1;
    for (let i = 0; i < 16; i++) this.next();
  }

  /** 32 random bits as an integer in [0, 2^32). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
  /** In [0, 1). */
  unit(): number {
    return this.next() / 0x1_0000_0000;
  }
  /** Integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }
  chance(probability: number): boolean {
    return this.unit() < probability;
  }
  /** 0 with 1/2, 1 with 1/4, 2 with 1/8 … up to 32. */
  halvings(): number {
    return Math.clz32(this.next());
  }
  /** About normal, mean 0, deviation 1 (sum of three uniforms). */
  normal(): number {
    return 2 * (this.unit() + this.unit() + this.unit() - 1.5);
  }
}
