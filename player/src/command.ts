// Sends a director's commands; a double press never acts twice.

export const LOCKOUT_MS = 250;

export interface Command {
  /** A scene's and a camera's command have none: they are the show's, whatever channels show it. */
  channel?: string;
  do: 'cut' | 'mix' | 'preview' | 'filler' | 'encrypt' | 'line' | 'plan' | 'scene' | 'watermark';
  watermark?: string;
  scene?: string;
  layout?: string;
  source?: string;
  state?: 'on' | 'off' | 'next' | 'hold' | 'go';
  /** The camera whose line is chosen, and the line; `auto` leaves it to the rules. */
  camera?: string;
  line?: string;
  /** How long a mix, or a change of layout, takes. */
  over_ms?: number;
  expect?: string;
}

export interface Said {
  level: 'info' | 'warn' | 'alarm';
  text: string;
}

/** One lock-out a channel and button: cut and mix are one, since both bring the next source. */
export class Lockout {
  private readonly last = new Map<string, number>();

  /** Whether a press at `now` (ms) may act; if so, the lock-out starts. */
  allows(command: Pick<Command, 'channel' | 'scene' | 'camera' | 'source' | 'watermark' | 'do'>, now: number): boolean {
    // Which source is next may change as fast as one likes.
    const next = command.do === 'preview' ? command.source : command.watermark;
    const of = command.channel ?? command.scene ?? command.camera;
    const what = JSON.stringify([of, command.do === 'mix' ? 'cut' : command.do, next ?? null]);
    const before = this.last.get(what);
    if (before !== undefined && now - before < LOCKOUT_MS) return false;
    this.last.set(what, now);
    return true;
  }
}

let counter = 0;

/** Unique for this page and press. */
function commandId(): string {
  counter += 1;
  const random = crypto.getRandomValues(new Uint32Array(2));
  return `page-${random[0]?.toString(16)}${random[1]?.toString(16)}-${counter}`;
}

/** Has the engine carry something out; its answer. */
export async function post(command: object): Promise<{ code: number; body: unknown }> {
  const answer = await fetch('/api/command', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ id: commandId(), ...command }),
  });
  const body: unknown = await answer.json().catch(() => null);
  return { code: answer.status, body };
}

/** Sends it; what came of it, in words. */
export async function send(command: Command): Promise<Said> {
  try {
    const { code, body } = await post(command);
    return worded(command, code, body);
  } catch (error) {
    return { level: 'alarm', text: `${asked(command)}: the engine cannot be reached (${String(error)})` };
  }
}

/** An answer of the engine in words. */
export function worded(command: Command, code: number, body: unknown): Said {
  const parts = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  if (code === 200) {
    const at = typeof parts['t'] === 'number' ? `, ${parts['t'].toFixed(2)} s` : '';
    const onAir = command.do === 'scene' || command.do === 'line' ? '' : `; on air: ${String(parts['on_air'] ?? 'nothing')}`;
    return { level: 'info', text: `${asked(command)}: done at frame ${String(parts['frame'] ?? '?')}${at}${onAir}` };
  }
  const legal = Array.isArray(parts['legal']) && parts['legal'].length > 0 ? ` Legal: ${parts['legal'].join(', ')}.` : '';
  const message = typeof parts['message'] === 'string' ? parts['message'] : `the engine answered ${code}`;
  return { level: code === 412 || code === 429 || code === 425 ? 'warn' : 'alarm', text: `${asked(command)}: ${message}.${legal}`.replace('..', '.') };
}

function asked(command: Command): string {
  if (command.do === 'scene') return `${command.scene}: layout ${command.layout}`;
  if (command.do === 'watermark') return `${command.channel}: watermark ${command.watermark} ${command.state ?? ''}`.trim();
  return `${command.channel ?? command.camera ?? 'show'}: ${command.do} ${command.source ?? command.line ?? command.state ?? ''}`.trim();
}
