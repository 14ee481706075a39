/** "Did you mean": the allowed word that a typing slip would have turned into the given one. */

/** Edit distance with swaps of neighbours counted as one slip. */
function slips(from: string, to: string): number {
  const width = to.length + 1;
  let before: number[] = [];
  let last = Array.from({ length: width }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j < width; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[width - 1]!;
}

/** The nearest of `words` when it is near enough to be meant: at most a third of the letters differ. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  if (word.length > 100) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const other of words) {
    const count = slips(word.toLowerCase(), other.toLowerCase());
    if (count < least) [best, least] = [other, count];
  }
  return best;
}
