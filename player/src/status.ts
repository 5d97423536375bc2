// The shapes of /api/status and /api/events, as far as the page reads them.
// Fields that an older engine may lack are optional: "no data" is shown as such.

export interface Status {
  revision: number;
  /** Another value means another run of the engine: start again from a snapshot. */
  epoch?: number | string;
  show?: string;
  /** Which version of the show file runs: 1 at the start, one more with each reload. */
  show_revision?: number;
  /** Show time in seconds. */
  t: number;
  /** Ticks a second. */
  frame_rate?: number;
  load?: Load;
  channels: Channel[];
  cameras: Camera[];
  scenes?: Scene[];
  events?: ShowEvent[];
}

/** Whether the engine keeps up with what is asked of it. */
export interface Load {
  late_ms?: number;
  /** Since when it does not, or does because rungs rest, in seconds of show time. */
  overload_since?: number | null;
  /** What it does without: `thumbnails`, and rungs as `channel/rung`. */
  shed?: string[];
  thumbnails?: Thumbnails;
}

/** The small pictures of the sources. */
export interface Thumbnails {
  asked?: boolean;
  made?: number;
  stage?: Stage | null;
}

/** What a stage cost over the last second. */
export interface Stage {
  /** Milliseconds of CPU time in a second. */
  cpu_ms: number;
  queue: number;
  queue_max: number;
  latency_ms?: number | null;
  latency_max_ms?: number | null;
}

/** A source composed of cameras. */
export interface Scene {
  name: string;
  /** The layout it has, or goes over to. */
  layout: string;
  layouts: string[];
  boxes: SceneBox[];
}

export interface SceneBox {
  name: string;
  camera: string;
  /** `camera`, `held`, `filler`, `empty`, or `nothing` where the layout has no place for it. */
  shows: string;
  level_db?: number;
  mute?: string;
}

export interface Channel {
  name: string;
  /** What the director asked for. */
  intent: unknown;
  /** What is in the rendered picture. */
  on_air: string | null;
  reason: string;
  since_frame: number;
  /** The mix that runs; what it leads to counts as on air. */
  mix?: { from: string | null; to: string; until_frame?: number } | null;
  /** The source that some desk has put there to be taken next. */
  preview?: string | null;
  /** The rundown; null without one. */
  plan?: Plan | null;
  sources?: string[];
  watermarks?: Mark[];
  filler?: unknown;
  encrypt?: unknown;
  /** The id of the current key; null while clear. */
  key_id?: number | null;
  /** The id of the key that takes effect when encryption goes on. */
  next_key_id?: number | null;
  frames?: number;
  late_ticks?: number;
  stage?: Stage | null;
  rungs: Rung[];
  egress: Egress[];
}

/** A rundown as it runs. */
export interface Plan {
  /** `running` or `held`. */
  state: string;
  done: number;
  waiting: number;
  /** The cue that the director's `next` calls. */
  on_next?: Cue | null;
  coming?: Cue[];
}

/** A cue that waits. */
export interface Cue {
  cue: number;
  /** Seconds of show time; null while that is open. */
  t?: number | null;
  clock_utc?: string | null;
  what: string;
}

/** Something drawn on a channel. */
export interface Mark {
  name: string;
  state: string;
  text?: string | null;
  at?: string | null;
  /** Something asked of it comes with the next key frame. */
  waiting?: boolean;
}

export interface Rung {
  name: string;
  width?: number;
  height?: number;
  frames?: number;
  keyframes?: number;
  bytes?: number;
  fps?: number | null;
  kbps?: number | null;
  /** The camera and the line whose own pictures it sends. */
  copied_from?: string | null;
  /** The channel that encodes its pictures at present. */
  carried_from?: string | null;
  /** What encodes it, and the device that was asked for and did not open. */
  encoder?: string | null;
  encoder_missing?: string | null;
  /** Since when it has no pictures, since the engine does not keep up. */
  shed_since?: number | null;
  stage?: Stage | null;
}

export interface Egress {
  name: string;
  rung?: string | null;
  target?: string;
  /** It carries clear tags even while the channel is encrypted. */
  clear?: boolean;
  state?: string;
  bytes?: number;
  dropped_frames?: number;
  reconnects?: number;
}

export interface Camera {
  name: string;
  /** The line its picture comes over. */
  line?: string | null;
  /** The line the director chose; null while it is chosen by the rules. */
  chosen?: string | null;
  lines: Line[];
}

export interface Line {
  name: string;
  state: string;
  packets?: number;
  bytes?: number;
  fps?: number | null;
  kbps?: number | null;
  lost_s?: number;
  /** `black`, `frozen`, `silent`. */
  amiss?: string[];
  buffer_ms?: number | null;
  queue_ms?: number | null;
  drift_ppm?: number | null;
  /** How much later than the quickest line it could show what was taken at one moment. */
  behind_ms?: number | null;
  keyframe_s?: number | null;
  decode_errors?: number;
  network?: Network;
  stage?: Stage | null;
}

/** What a line's wire tells of the network behind it. */
export interface Network {
  rtt_ms?: number | null;
  jitter_ms?: number | null;
  lost?: number | null;
  again?: number | null;
}

export interface ShowEvent {
  t: number;
  level: 'info' | 'warn' | 'alarm';
  code: string;
  subject?: string | null;
  message: string;
}

/** A change: the parts of a status that are new. */
export interface Delta {
  revision: number;
  epoch?: number | string;
  cause?: unknown;
  t?: number;
  status?: Partial<Status>;
  channels?: Channel[];
  cameras?: Camera[];
  scenes?: Scene[];
  load?: Load | null;
  events?: ShowEvent[];
  event?: ShowEvent;
}

/** How many events the page keeps. */
export const EVENTS_KEPT = 50;

/**
 * The status after a delta, or `null` where the delta does not follow it (a gap
 * or another run): then only a new snapshot helps.
 */
export function apply(status: Status, delta: Delta): Status | null {
  const epoch = delta.epoch ?? delta.status?.epoch;
  if (epoch !== undefined && status.epoch !== undefined && epoch !== status.epoch) return null;
  if (delta.revision < status.revision || delta.revision > status.revision + 1) return null;
  const parts: Partial<Status> = delta.status ?? {};
  const fresh = [...(parts.events ?? []), ...(delta.events ?? []), ...(delta.event ? [delta.event] : [])];
  return {
    ...status,
    ...parts,
    t: delta.t ?? parts.t ?? status.t,
    revision: delta.revision,
    channels: merged(status.channels, parts.channels ?? delta.channels),
    cameras: merged(status.cameras, parts.cameras ?? delta.cameras),
    scenes: merged(status.scenes ?? [], parts.scenes ?? delta.scenes),
    load: parts.load ?? delta.load ?? status.load,
    events: joined(status.events ?? [], fresh),
  };
}

/** Parts replace those of the same name; a name not mentioned stays as it was. */
function merged<T extends { name: string }>(now: T[], changed: T[] | undefined): T[] {
  if (!changed) return now;
  const byName = new Map(changed.map((part) => [part.name, part]));
  const kept = now.map((part) => {
    const change = byName.get(part.name);
    byName.delete(part.name);
    return change ? { ...part, ...change } : part;
  });
  return [...kept, ...byName.values()];
}

/** Events in order, each once, the newest kept. */
function joined(old: ShowEvent[], fresh: ShowEvent[]): ShowEvent[] {
  if (fresh.length === 0) return old;
  const key = (event: ShowEvent) => `${event.t} ${event.code} ${event.subject ?? ''} ${event.message}`;
  const known = new Set(old.map(key));
  return [...old, ...fresh.filter((event) => !known.has(key(event)))].slice(-EVENTS_KEPT);
}

/** Whether viewers need a key for this channel now. */
export function encryption(channel: Channel): 'on' | 'off' | 'none' {
  return switchOf(channel.encrypt, ['on', 'state', 'enabled']);
}

/** Whether filler is held on air; `none` where the channel has no filler. */
export function fillerHold(channel: Channel): 'on' | 'off' | 'none' {
  return switchOf(channel.filler, ['held', 'hold', 'state', 'on']);
}

function switchOf(value: unknown, fields: string[]): 'on' | 'off' | 'none' {
  if (value === null || value === undefined) return 'none';
  if (value === true || value === 'on') return 'on';
  if (value === false || value === 'off') return 'off';
  if (typeof value === 'object') {
    for (const field of fields) {
      const part = (value as Record<string, unknown>)[field];
      if (part !== undefined) return switchOf(part, fields);
    }
  }
  return 'off';
}

/** Whether the engine makes no pictures of the sources, since it does not keep up. */
export function picturesRest(status: Pick<Status, 'load'>): boolean {
  return status.load?.shed?.includes('thumbnails') ?? false;
}

/** All sources that viewers see: two while a mix runs. */
export function sourcesOnAir(channel: Channel): Set<string> {
  const names = channel.mix ? [channel.mix.from, channel.mix.to] : [channel.on_air];
  return new Set(names.filter((name): name is string => name !== null));
}

/** What is on air, as one short text. */
export function onAirText(channel: Channel): string {
  return channel.mix ? `${channel.mix.from ?? 'black'} → ${channel.mix.to}` : (channel.on_air ?? 'nothing');
}

/** What was asked for, as one short text. */
export function intentText(intent: unknown): string {
  if (intent === null || intent === undefined) return 'nothing';
  if (typeof intent === 'string') return intent;
  if (typeof intent === 'object') {
    const parts = intent as Record<string, unknown>;
    const source = parts['source'] ?? parts['name'];
    const filler = switchOf(parts['filler'], ['held', 'state', 'on']) === 'on' ? ' (filler held)' : '';
    if (typeof source === 'string') return source + filler;
    return JSON.stringify(intent);
  }
  return String(intent);
}
