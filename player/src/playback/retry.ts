// When to try a broken connection again.

export interface Retry {
  /** The first wait in milliseconds; each further one is twice as long. */
  firstMs: number;
  /** The longest wait. */
  mostMs: number;
  /** How long to go on trying after the last byte that came. */
  giveUpMs: number;
  /** A connection on which nothing comes for so long is given up. */
  silenceMs: number;
}

export const RETRY: Readonly<Retry> = { firstMs: 250, mostMs: 5000, giveUpMs: 60_000, silenceMs: 10_000 };

/** The wait before the `attempt`-th try, from 1. `luck` from 0 to 1 spreads the viewers of a stream that broke for all. */
export function waitBefore(attempt: number, retry: Retry, luck: number): number {
  const most = Math.min(retry.mostMs, retry.firstMs * 2 ** Math.min(attempt - 1, 30));
  return most * (0.75 + 0.25 * luck);
}
