// Health in numbers: no data, zero and fine are three different things.

export type Kind = 'none' | 'zero' | 'low' | 'fps' | 'fine';

export interface Chip {
  kind: Kind;
  icon: string;
  number: string;
  unit: string;
}

/** Below this a camera's bitrate is called too low. */
export const LOW_KBPS = 100;

export function frameRate(fps: number | null | undefined): Chip {
  if (fps === null || fps === undefined) return { kind: 'none', icon: '–', number: 'N/A', unit: 'fps' };
  if (fps === 0) return { kind: 'zero', icon: '■', number: '0', unit: 'fps' };
  return { kind: 'fps', icon: '▶', number: fps.toFixed(1), unit: 'fps' };
}

export function bitrate(kbps: number | null | undefined, low = LOW_KBPS): Chip {
  if (kbps === null || kbps === undefined) return { kind: 'none', icon: '–', number: 'N/A', unit: 'kbit/s' };
  if (kbps === 0) return { kind: 'zero', icon: '■', number: '0', unit: 'kbit/s' };
  const number = kbps >= 10 ? kbps.toFixed(0) : kbps.toFixed(1);
  return kbps < low ? { kind: 'low', icon: '▼', number, unit: 'kbit/s' } : { kind: 'fine', icon: '✓', number, unit: 'kbit/s' };
}

interface Sample {
  t: number;
  bytes: number;
  frames: number;
}

/** Rates out of counters that only grow, over about the last two seconds of show time. */
export class Meter {
  private readonly samples = new Map<string, Sample[]>();

  /** Hands in counters at show time `t`; gives rates once there is something to compare. */
  measure(key: string, t: number, bytes: number | undefined, frames: number | undefined): { kbps: number | null; fps: number | null } {
    const now = { t, bytes: bytes ?? 0, frames: frames ?? 0 };
    let kept = this.samples.get(key) ?? [];
    const last = kept[kept.length - 1];
    if (last && (t < last.t || now.bytes < last.bytes || now.frames < last.frames)) kept = [];
    if (!last || t > last.t || kept.length === 0) kept.push(now);
    // The oldest kept sample is the newest one that is two seconds old.
    while (kept.length > 2 && t - (kept[1]?.t ?? t) >= 2) kept.shift();
    this.samples.set(key, kept);
    const first = kept[0];
    if (!first || t - first.t < 0.5) return { kbps: null, fps: null };
    const span = t - first.t;
    return {
      kbps: bytes === undefined ? null : ((now.bytes - first.bytes) * 8) / 1000 / span,
      fps: frames === undefined ? null : (now.frames - first.frames) / span,
    };
  }
}

/** `m:ss.d`, or `h:mm:ss.d` from an hour on. */
export function clock(seconds: number): string {
  const tenths = Math.floor(seconds * 10);
  const h = Math.floor(tenths / 36000);
  const m = Math.floor(tenths / 600) % 60;
  const s = (tenths % 600) / 10;
  const ss = s.toFixed(1).padStart(4, '0');
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${ss}` : `${m}:${ss}`;
}

/** Bytes for people. */
export function amount(bytes: number | undefined): string {
  if (bytes === undefined) return 'N/A';
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
