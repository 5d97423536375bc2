// A running show: `obvan run` on a free port, in a folder of its own.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The keys of the show, by their id. */
export const KEYS = { 1: '000102030405060708090a0b0c0d0e0f', 2: 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff' } as const;

/** Small, so that it runs in real time wherever the tests do. */
const SHOW = `show "browser" {
  video 426x240 25fps
  audio 48kHz stereo
  camera stage { line gen test "motion" tone=440 }
  camera bars { line gen test "bars" tone=880 }
  ladder two { preset ultrafast; keyframe 1s; audio 64k; rung 240p 426x240 400k; rung 120p 214x120 100k }
  ladder one { preset ultrafast; keyframe 1s; audio 64k; rung 120p 214x120 100k }
  key tour { id 1 env=OBVAN_KEY; id 2 env=OBVAN_KEY_2 }
  channel program { sources stage bars; ladder two; encrypt tour mode=nalu; egress web serve http-flv }
  channel hidden { sources bars; ladder one; encrypt tour mode=capsule; egress web serve http-flv }
  channel open { sources bars; ladder one; encrypt tour; egress web serve http-flv clear=true }
}
`;

export interface ChannelStatus {
  name: string;
  encrypt: string | null;
  key_id: number | null;
  preview: string | null;
}

/** The command under test. */
export function obvan(): string {
  const binary = process.env['OBVAN'] ?? resolve('..', process.env['CARGO_TARGET_DIR'] ?? 'target', 'debug/obvan');
  if (!existsSync(binary)) throw new Error(`${binary} is not there: cargo build -p obvan, or say where in OBVAN`);
  return binary;
}

export class Engine {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    /** `http://127.0.0.1:PORT` */
    readonly url: string,
    private readonly said: () => string,
  ) {}

  static async start(): Promise<Engine> {
    const binary = obvan();
    const folder = mkdtempSync(join(tmpdir(), 'obvan-browser-'));
    writeFileSync(join(folder, 'browser.show'), SHOW);
    const env = { ...process.env, OBVAN_KEY: KEYS[1], OBVAN_KEY_2: KEYS[2] };
    const child = spawn(binary, ['run', 'browser.show', '--http', '127.0.0.1:0', '--for', '5m'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    const url = await new Promise<string>((done, failed) => {
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const [, found] = /page\s+(http:\/\/[^/\s]+)/.exec(said) ?? [];
        if (found) done(found);
      });
      child.once('exit', (code) => failed(new Error(`obvan ended with ${code}: ${said}`)));
      child.once('error', failed);
    });
    return new Engine(child, folder, url, () => said);
  }

  /** Ends at once, as in a power cut. */
  async kill(): Promise<void> {
    const gone = once(this.child, 'exit');
    if (this.child.exitCode === null && this.child.signalCode === null && this.child.kill('SIGKILL')) await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** How it is, for whoever waits for it in vain. */
  async condition(): Promise<string> {
    const { exitCode, signalCode } = this.child;
    const ended = exitCode ?? signalCode;
    const status = ended === null ? await fetch(`${this.url}/api/status`, { signal: AbortSignal.timeout(5000) }).then((answer) => answer.text(), String) : 'none';
    return `ended: ${ended ?? 'no'}; status: ${status.slice(0, 3000)}; the last it said: ${this.said().slice(-1000)}`;
  }

  /** The show file says something else from now on; nobody is told. */
  edit(change: (text: string) => string): void {
    writeFileSync(join(this.folder, 'browser.show'), change(SHOW));
  }

  async command(channel: string, what: { do: string; state?: string; source?: string; over_ms?: number }): Promise<void> {
    const answer = await fetch(`${this.url}/api/command`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ channel, ...what }) });
    if (!answer.ok) throw new Error(`${JSON.stringify(what)}: ${answer.status} ${await answer.text()}`);
  }

  async channel(name: string): Promise<ChannelStatus> {
    const status = (await (await fetch(`${this.url}/api/status`)).json()) as { channels: ChannelStatus[] };
    const found = status.channels.find((one) => one.name === name);
    if (!found) throw new Error(`no channel ${name}`);
    return found;
  }
}
