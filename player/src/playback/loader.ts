// A `customLoader` for mpegts.js: fetches FLV, decrypts it, and hands on clear FLV. All
// byte positions that mpegts.js sees are those of the decrypted stream. A live stream
// that breaks is connected again, and goes on in the same stream for mpegts.js.

import { joined, type Bytes } from '../decrypt/bytes.js';
import { writeTags, type Tag } from '../decrypt/flv-tag.js';
import { FlvDecryptor, type DecryptorOptions, type Passed } from '../decrypt/flv-decryptor.js';
import { NotFlv } from '../decrypt/flv-reader.js';
import { shapeOf } from '../decrypt/shape.js';
import { connect, type Ended } from './connection.js';
import type { Loader, LoaderClass, LoaderConfig } from './mpegts-types.js';
import { RETRY, waitBefore, type Retry } from './retry.js';
import { Timeline } from './timeline.js';

export interface LoaderOptions extends DecryptorOptions {
  /** Read from mpegts.js' own configuration where it is left out. */
  isLive?: boolean;
  retry?: Partial<Retry>;
  /** The stream broke off; the `attempt`-th try follows in `waitMs`. */
  onReconnecting?: (why: string, attempt: number, waitMs: number) => void;
  /** The stream goes on. */
  onReconnected?: () => void;
  /** Each decryptor as its connection begins: for its counts. */
  onDecryptor?: (decryptor: FlvDecryptor) => void;
}

// As in mpegts.js, whose own constants would pull all of it in here.
const STATUS = { idle: 0, connecting: 1, buffering: 2, error: 3, complete: 4 } as const;

/** A class to hand to mpegts.js as `customLoader`; one for each player. */
export function encryptedLoader(options: LoaderOptions = {}): LoaderClass {
  // mpegts.js may make a second loader for the same player: time goes on in it.
  const timeline = new Timeline();
  return class extends EncryptedLoader {
    constructor(_seekHandler: unknown, config: LoaderConfig) {
      super(options, config, timeline);
    }
  };
}

class EncryptedLoader implements Loader {
  readonly type = 'obvan-encrypted-flv';
  /** Whole tags go out, so there is nothing to stash. */
  readonly _needStash = false;
  readonly needStashBuffer = false;
  _status: number = STATUS.idle;
  // Set by mpegts.js before `open`.
  onContentLengthKnown: Loader['onContentLengthKnown'] = () => undefined;
  onURLRedirect: Loader['onURLRedirect'] = () => undefined;
  onDataArrival: Loader['onDataArrival'] = () => undefined;
  onError: Loader['onError'] = () => undefined;
  onComplete: Loader['onComplete'] = () => undefined;

  private readonly stopped = new AbortController();
  private readonly retry: Retry;
  private readonly isLive: boolean;
  /** Position of the next byte that goes out, in the decrypted stream. */
  private position = 0;
  private from = 0;
  /** Bytes of a file still to be left out, because they went out before. */
  private leaveOut = 0;
  private heardAt = 0;

  constructor(
    private readonly options: LoaderOptions,
    private readonly config: LoaderConfig,
    private readonly timeline: Timeline,
  ) {
    this.retry = { ...RETRY, ...options.retry };
    this.isLive = options.isLive ?? config.isLive ?? false;
  }

  get status(): number {
    return this._status;
  }

  isWorking(): boolean {
    return this._status === STATUS.connecting || this._status === STATUS.buffering;
  }

  open(source: { url: string }, range: { from: number }): void {
    this.from = this.position = Math.max(0, range.from);
    this._status = STATUS.connecting;
    this.heardAt = Date.now();
    this.run(source).catch((error: unknown) => this.fail('Exception', -1, error instanceof Error ? error.message : String(error)));
  }

  abort(): void {
    this.stopped.abort();
    this._status = STATUS.complete;
  }

  destroy(): void {
    this.stopped.abort();
    this._status = STATUS.idle;
  }

  /** Connections one after the other, until one is the last. */
  private async run(source: { url: string }): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const before = this.position;
      const { ended, fatal } = await this.connection(source.url);
      if (this.stopped.signal.aborted || ended.how === 'aborted') return;
      if (this.position > before) attempt = 1;
      const why = ended.how === 'closed' ? 'the server ended the stream' : ended.why;
      if (ended.how === 'closed' && !this.isLive) return this.complete();
      const waitMs = waitBefore(attempt, this.retry, Math.random());
      const late = Date.now() + waitMs - this.heardAt > this.retry.giveUpMs;
      if (fatal || late) {
        if (ended.how === 'closed') return this.complete();
        if (ended.how === 'refused') return this.fail('HttpStatusCodeInvalid', ended.status, why);
        return this.fail(this.position > 0 ? 'UnrecoverableEarlyEof' : 'Exception', -1, why);
      }
      this.options.onReconnecting?.(why, attempt, Math.round(waitMs));
      if (!(await this.wait(waitMs))) return;
    }
  }

  private async connection(url: string): Promise<{ ended: Ended; fatal: boolean }> {
    const decryptor = new FlvDecryptor(this.options);
    this.options.onDecryptor?.(decryptor);
    const again = this.position > 0;
    this.timeline.reconnected();
    // A relay may let a viewer in between key frames.
    if (this.isLive && (again || this.timeline.hasBegun)) decryptor.tear();
    this.leaveOut = this.isLive ? 0 : this.position;
    let heard = false;
    const take = async (piece: Uint8Array): Promise<void> => {
      const passed = await decryptor.pushTags(piece);
      if (this.stopped.signal.aborted) return;
      this.heardAt = Date.now();
      if (!heard && again) this.options.onReconnected?.();
      heard = true;
      this.deliver(passed);
    };
    try {
      const ended = await connect({ url, init: this.init(), signal: this.stopped.signal, silenceMs: this.retry.silenceMs, take });
      if (ended.how === 'closed' && !this.isLive) this.deliver({ header: null, tags: (await decryptor.finishTags()).tags });
      // What is refused at first is refused for good, unless the server says that it is busy.
      const fatal = ended.how === 'refused' && !again && ended.status < 500 && ![408, 425, 429].includes(ended.status);
      return { ended, fatal };
    } catch (error) {
      if (!(error instanceof NotFlv)) throw error;
      // An error page of a relay whose source is gone passes; at first it is the wrong address.
      return { ended: { how: 'broken', why: error.message }, fatal: !again };
    }
  }

  private deliver({ header, tags }: Passed): void {
    let out: Bytes = writeTags(this.isLive ? tags.map((tag) => this.placed(tag)) : tags);
    // mpegts.js takes the file header once, at position 0.
    if (header && (this.position === 0 || !this.isLive)) out = joined([header, out]);
    const left = Math.min(this.leaveOut, out.length);
    this.leaveOut -= left;
    if (left > 0) out = out.slice(left);
    if (out.length === 0) return;
    this._status = STATUS.buffering;
    const at = this.position;
    this.position += out.length;
    this.onDataArrival(out.buffer, at, this.position - this.from);
  }

  private placed(tag: Tag): Tag {
    const { rule } = shapeOf(tag);
    return this.timeline.place(tag, rule !== 'exempt' && rule !== 'sequence');
  }

  private init(): RequestInit {
    const { headers, referrerPolicy } = this.config;
    return { cache: 'no-store', ...(headers ? { headers } : {}), ...(referrerPolicy ? { referrerPolicy } : {}) };
  }

  /** `false` if it was ended meanwhile. */
  private wait(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const { signal } = this.stopped;
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve(!signal.aborted);
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
    });
  }

  private complete(): void {
    this._status = STATUS.complete;
    this.onComplete(this.from, this.position - 1);
  }

  /** The kinds are those of mpegts.js. */
  private fail(kind: 'Exception' | 'HttpStatusCodeInvalid' | 'UnrecoverableEarlyEof', code: number, msg: string): void {
    if (this.stopped.signal.aborted) return;
    this._status = STATUS.error;
    this.onError(kind, { code, msg });
  }
}
