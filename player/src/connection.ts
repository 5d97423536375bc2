// Keeps the page's picture of the show: connects, follows, and connects again for ever.

import { Reader } from './sse';
import { apply, type Delta, type Status } from './status';

/** After this long without a sign of life nothing on the page may be believed. */
export const SILENCE_MS = 3000;
const RETRY_MS = 1000;

export type Link = { state: 'connecting' } | { state: 'live' } | { state: 'silent'; why: string };

export interface Listener {
  status(status: Status): void;
  link(link: Link): void;
}

/** Follows `/api/events` until the page goes away. */
export async function follow(listener: Listener): Promise<never> {
  for (;;) {
    const why = await session(listener);
    listener.link({ state: 'silent', why });
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** One connection, from snapshot to its end; gives the reason it ended. */
async function session(listener: Listener): Promise<string> {
  const abort = new AbortController();
  let why = '';
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      why = 'no sign of life from the engine for 3 s';
      listener.link({ state: 'silent', why });
      abort.abort();
    }, SILENCE_MS);
  };
  alive();
  try {
    const answer = await fetch('/api/events', { signal: abort.signal, cache: 'no-store', headers: { Accept: 'text/event-stream' } });
    if (answer.status === 401) return 'the engine wants its token: open this page with ?token=…';
    if (!answer.ok || !answer.body) return `the engine answered ${answer.status}`;
    const bytes = answer.body.getReader();
    const text = new TextDecoder();
    const reader = new Reader();
    let status: Status | null = null;
    for (;;) {
      const { done, value } = await bytes.read();
      if (done) return 'the engine closed the connection; the show may have ended';
      alive();
      for (const message of reader.push(text.decode(value, { stream: true }))) {
        if (message.event === 'snapshot') status = JSON.parse(message.data) as Status;
        else if (message.event === 'delta' && status) status = apply(status, JSON.parse(message.data) as Delta);
        else continue;
        if (!status) return 'a change was missed';
        listener.link({ state: 'live' });
        listener.status(status);
      }
      if (status) listener.link({ state: 'live' });
    }
  } catch (error) {
    return why || `the engine cannot be reached (${error instanceof Error ? error.message : String(error)})`;
  } finally {
    clearTimeout(watchdog);
    abort.abort();
  }
}
