// One HTTP connection, from its request to its end. Nothing is read ahead of what
// was taken, so a slow reader slows the sender and fills no memory.

/** How a connection ended. */
export type Ended =
  /** The server ended it in good order. */
  | { how: 'closed' }
  /** It never came to be, or broke. */
  | { how: 'broken'; why: string }
  /** The server answered, but not with the stream. */
  | { how: 'refused'; status: number; why: string }
  /** We ended it. */
  | { how: 'aborted' };

export interface Request {
  url: string;
  init: RequestInit;
  /** Ends it from outside. */
  signal: AbortSignal;
  /** A connection on which nothing comes for so long counts as broken. */
  silenceMs: number;
  /** Takes a piece; the next is read when it is done. What it throws, the connection throws. */
  take: (piece: Uint8Array) => Promise<void>;
}

export async function connect(request: Request): Promise<Ended> {
  const abort = new AbortController();
  const giveUp = (): void => abort.abort();
  request.signal.addEventListener('abort', giveUp);
  let silent = false;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  const listen = (): void => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      silent = true;
      abort.abort();
    }, request.silenceMs);
  };
  const broken = (error: unknown): Ended => {
    if (request.signal.aborted) return { how: 'aborted' };
    return { how: 'broken', why: silent ? `nothing came for ${request.silenceMs / 1000} s` : error instanceof Error ? error.message : String(error) };
  };
  try {
    if (request.signal.aborted) return { how: 'aborted' };
    listen();
    let reader: ReadableStreamDefaultReader<Uint8Array>;
    try {
      const answer = await fetch(request.url, { ...request.init, signal: abort.signal });
      if (!answer.ok || !answer.body) return { how: 'refused', status: answer.status, why: `the server answered ${answer.status} ${answer.statusText}`.trim() };
      reader = answer.body.getReader();
    } catch (error) {
      return broken(error);
    }
    for (;;) {
      let piece: ReadableStreamReadResult<Uint8Array>;
      try {
        listen();
        piece = await reader.read();
      } catch (error) {
        return broken(error);
      }
      clearTimeout(watchdog);
      if (request.signal.aborted) return { how: 'aborted' };
      if (piece.done) return { how: 'closed' };
      await request.take(piece.value);
    }
  } finally {
    clearTimeout(watchdog);
    request.signal.removeEventListener('abort', giveUp);
    abort.abort();
  }
}
