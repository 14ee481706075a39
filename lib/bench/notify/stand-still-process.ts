/** Keeps the processor and the event loop for `ms`: a stall on purpose. */
export function standStill(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}
