// What of mpegts.js shows in our own types. Its typings name their types differently from
// one kind of module resolution to the other, so none of them is passed on.

/** The configuration of mpegts.js, as its documentation has it. */
export type MpegtsConfig = Readonly<Record<string, unknown>>;

/** A player of mpegts.js. */
export interface MpegtsPlayer {
  on(event: string, listener: (...args: any[]) => void): void;
  off(event: string, listener: (...args: any[]) => void): void;
  pause(): void;
  readonly buffered: TimeRanges;
  readonly mediaInfo: object;
  readonly statisticsInfo: object;
}

/** What a loader reads of its configuration. */
export interface LoaderConfig {
  isLive?: boolean;
  headers?: { [name: string]: string };
  referrerPolicy?: ReferrerPolicy;
}

/** A loader, as mpegts.js drives it. The callbacks are set before `open`. */
export interface Loader {
  _status: number;
  _needStash: boolean;
  readonly type: string;
  readonly status: number;
  readonly needStashBuffer: boolean;
  onContentLengthKnown: (contentLength: number) => void;
  onURLRedirect: (redirectedURL: string) => void;
  onDataArrival: (chunk: ArrayBuffer, byteStart: number, receivedLength?: number) => void;
  /** The kinds are strings; mpegts.js' typings have the table of them in their place. */
  onError: (kind: any, info: { code: number; msg: string }) => void;
  onComplete: (from: number, to: number) => void;
  isWorking(): boolean;
  open(source: { url: string }, range: { from: number; to: number }): void;
  abort(): void;
  destroy(): void;
}

/** For `customLoader`. */
export type LoaderClass = new (seekHandler: unknown, config: LoaderConfig) => Loader;
