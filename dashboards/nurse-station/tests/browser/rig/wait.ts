// Waits with a deadline, and says what it saw last when the time is over.

/** Asks again until the answer fits; the answer. */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  fits: (answer: T) => boolean,
  withinMs = 10_000,
  everyMs = 40,
): Promise<T> {
  const end = performance.now() + withinMs;
  let seen: T;
  do {
    seen = await ask();
    if (fits(seen)) return seen;
    await pause(everyMs);
  } while (performance.now() < end);
  throw new Error(`${what}: not within ${String(withinMs)} ms; last seen: ${JSON.stringify(seen)}`);
}

/** Holds for as long as it is looked at: the opposite of a deadline. */
export async function holds<T>(
  what: string,
  ask: () => Promise<T> | T,
  fits: (answer: T) => boolean,
  forMs: number,
): Promise<void> {
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    const seen = await ask();
    if (!fits(seen)) throw new Error(`${what}: did not hold; seen: ${JSON.stringify(seen)}`);
    await pause(40);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
