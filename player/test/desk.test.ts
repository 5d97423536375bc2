import assert from 'node:assert/strict';
import { test } from 'node:test';

import { figures } from '../src/camera-view';
import { Lockout, worded } from '../src/command';
import { loadText, pictures, stages } from '../src/engine-view';
import { amount, bitrate, clock, frameRate, Meter } from '../src/health';
import { planText } from '../src/plan-view';
import { keyCap, press, type KeyLike } from '../src/keys';
import { noteOf } from '../src/pictures';
import { isNewer, reloadTold } from '../src/reload-view';
import { boxText } from '../src/scene-view';
import { health, trustIn } from '../src/source-tile';

function key(name: string, more: Partial<KeyLike> = {}): KeyLike {
  return { key: name, repeat: false, ctrlKey: false, altKey: false, metaKey: false, target: null, ...more };
}

test('digits choose, Space cuts, Enter mixes', () => {
  assert.deepEqual(press(key('1')), { do: 'choose', index: 0 });
  assert.deepEqual(press(key('0')), { do: 'choose', index: 9 });
  assert.deepEqual(press(key(' ')), { do: 'cut' });
  assert.deepEqual(press(key('Enter')), { do: 'mix' });
  assert.equal(press(key('x')), null);
  assert.equal(keyCap(0), '1');
  assert.equal(keyCap(9), '0');
  assert.equal(keyCap(10), '');
});

test('repeats, shortcuts and keys typed in a field are ignored', () => {
  assert.equal(press(key(' ', { repeat: true })), null);
  assert.equal(press(key('1', { ctrlKey: true })), null);
  const field = { tagName: 'INPUT' } as unknown as EventTarget;
  assert.equal(press(key(' ', { target: field })), null);
  const aButton = { tagName: 'BUTTON' } as unknown as EventTarget;
  assert.deepEqual(press(key(' ', { target: aButton })), { do: 'cut' });
  assert.equal(press(key('Enter', { target: aButton })), null, 'Enter presses the button itself');
});

test('a double press acts once, a later one again, another channel or button at once', () => {
  const lockout = new Lockout();
  const cut = { channel: 'program', do: 'cut' } as const;
  assert.equal(lockout.allows(cut, 1000), true);
  assert.equal(lockout.allows(cut, 1249), false);
  assert.equal(lockout.allows({ ...cut, do: 'mix' }, 1249), false);
  assert.equal(lockout.allows({ ...cut, do: 'filler' }, 1249), true);
  assert.equal(lockout.allows({ ...cut, channel: 'clean' }, 1249), true);
  assert.equal(lockout.allows(cut, 1250), true);
});

test('what is next may change at once, and each camera has a lock-out of its own', () => {
  const lockout = new Lockout();
  const next = { channel: 'program', do: 'preview', source: 'a' } as const;
  assert.equal(lockout.allows(next, 1000), true);
  assert.equal(lockout.allows({ ...next, source: 'b' }, 1010), true);
  assert.equal(lockout.allows({ do: 'line', camera: 'main' }, 1010), true);
  assert.equal(lockout.allows({ do: 'line', camera: 'main' }, 1020), false);
  assert.equal(lockout.allows({ do: 'line', camera: 'other' }, 1020), true);
});

test('a rundown says where it stands and what comes', () => {
  const cut = { cue: 2, t: 20, clock_utc: null, what: 'cut karry' };
  const wait = { cue: 3, t: null, clock_utc: null, what: 'cut bars' };
  assert.equal(planText({ state: 'running', done: 1, waiting: 2, on_next: wait, coming: [cut, wait] }), 'running · 1 done, 2 to come · then at 0:20.0 cut karry (cue 2) · on Next: cut bars (cue 3)');
  assert.equal(planText({ state: 'held', done: 3, waiting: 0, on_next: null, coming: [] }), 'held · 3 done, 0 to come');
});

test('no data, zero, low and fine are four chips', () => {
  assert.deepEqual([null, 0, 40, 4200].map((kbps) => bitrate(kbps).kind), ['none', 'zero', 'low', 'fine']);
  assert.deepEqual([undefined, 0, 25].map((fps) => frameRate(fps).kind), ['none', 'zero', 'fps']);
  assert.equal(frameRate(29.97).number, '30.0');
});

test('rates come from counters over about two seconds', () => {
  const meter = new Meter();
  assert.deepEqual(meter.measure('a', 0, 0, 0), { kbps: null, fps: null });
  let last = meter.measure('a', 1, 125_000, 25);
  assert.deepEqual(last, { kbps: 1000, fps: 25 });
  for (let t = 2; t <= 10; t += 1) last = meter.measure('a', t, 125_000, 25);
  assert.deepEqual(last, { kbps: 0, fps: 0 });
  // A new run of the engine counts from zero again.
  assert.deepEqual(meter.measure('a', 0, 10, 1), { kbps: null, fps: null });
});

test('answers of the engine in words', () => {
  const cut = { channel: 'program', do: 'cut', source: 'karry' } as const;
  assert.deepEqual(worded(cut, 200, { frame: 250, t: 10, on_air: 'karry' }), {
    level: 'info',
    text: 'program: cut karry: done at frame 250, 10.00 s; on air: karry',
  });
  const refused = worded(cut, 400, { code: 'unknown-source', message: 'no source karry', legal: ['main', 'bars'] });
  assert.equal(refused.level, 'alarm');
  assert.match(refused.text, /no source karry\. Legal: main, bars\.$/);
  assert.equal(worded(cut, 429, null).level, 'warn');
});

test('times and amounts', () => {
  assert.equal(clock(0), '0:00.0');
  assert.equal(clock(3723.56), '1:02:03.5');
  assert.equal(amount(undefined), 'N/A');
  assert.equal(amount(1_234_567), '1.2 MB');
});

test('a line tells what it knows of itself, and nothing it does not', () => {
  assert.equal(figures({ name: 'fiber', state: 'live' }), '');
  assert.equal(figures({ name: 'fiber', state: 'live', amiss: ['black', 'silent'], keyframe_s: 2 }), 'black, silent · key frame every 2.0 s');
  const told = (behind_ms: number): string => figures({ name: 'fiber', state: 'live', behind_ms });
  assert.deepEqual([told(0), told(312.4)], ['the quickest by its clock', '312 ms behind the quickest by its clock']);
  const network = { rtt_ms: 12.34, jitter_ms: null, lost: 0 };
  assert.equal(
    figures({ name: 'fiber', state: 'live', keyframe_s: 2, queue_ms: 180.4, buffer_ms: 200, drift_ppm: -31.4, decode_errors: 3, network }),
    'key frame every 2.0 s · 180 ms wait of 200 · round trip 12.3 ms · clock -31 ppm · 3 decode errors',
  );
});

test('a tile tells how its source is, and whether its picture may be believed', () => {
  const cameras = [
    { name: 'main', line: 'backpack', lines: [{ name: 'fiber', state: 'lost' }, { name: 'backpack', state: 'live', amiss: ['silent'] }] },
    { name: 'karry', line: 'disk', lines: [{ name: 'disk', state: 'ended' }] },
  ];
  const box = { name: 'guest', camera: 'karry' };
  const scenes = [
    { name: 'duo', layout: 'pip', layouts: ['pip'], boxes: [{ ...box, shows: 'camera' }] },
    { name: 'trio', layout: 'grid', layouts: ['grid'], boxes: [{ ...box, shows: 'held' }] },
  ];
  const status = { cameras, scenes };
  assert.deepEqual(health('main', status), { text: '✕ fiber lost · ● backpack live, silent (in use)', old: false });
  assert.deepEqual(health('karry', status), { text: '■ disk ended', old: true });
  assert.deepEqual(['duo', 'trio'].map((name) => health(name, status).text), ['scene, pip', 'guest (karry) ◌ last picture held']);
  assert.deepEqual(['main', 'karry', 'duo', 'standby'].map((name) => trustIn(name, status)), ['fresh', 'old', 'fresh', 'fresh']);
  assert.equal(trustIn('main', { ...status, load: { shed: ['thumbnails', 'own/720p'] } }), 'rest');
  assert.deepEqual((['fresh', 'old', 'rest'] as const).map((trust) => [noteOf(trust, true), noteOf(trust, false)]), [
    ['', 'no picture yet'],
    ['✕ the last picture', 'no picture yet'],
    ['overload: the last picture', 'overload: no pictures'],
  ]);
});

test('a box of a scene is told in one line, and a change of layout in words', () => {
  assert.equal(boxText({ name: 'guest', camera: 'karry', shows: 'camera', level_db: 0, mute: 'off' }), 'guest (karry) ● live');
  assert.equal(boxText({ name: 'guest', camera: 'karry', shows: 'filler', level_db: -3, mute: 'off' }), 'guest (karry) ✕ lost, its filler is shown · -3 dB');
  assert.equal(boxText({ name: 'guest', camera: 'karry', shows: 'new-word', mute: 'on' }), 'guest (karry) new-word · muted');
  const said = worded({ do: 'scene', scene: 'duo', layout: 'pip' }, 200, { frame: 12, on_air: null });
  assert.equal(said.text, 'duo: layout pip: done at frame 12');
  const lockout = new Lockout();
  assert.equal(lockout.allows({ do: 'scene', scene: 'duo' }, 0), true);
  assert.equal(lockout.allows({ do: 'scene', scene: 'duo' }, 10), false);
  assert.equal(lockout.allows({ do: 'scene', scene: 'trio' }, 10), true);
});

test('watermarks are switched one by one, and told in words', () => {
  const off = { channel: 'program', do: 'watermark', watermark: 'bug', state: 'off' } as const;
  assert.equal(worded(off, 200, { frame: 12, on_air: 'main' }).text, 'program: watermark bug off: done at frame 12; on air: main');
  const lockout = new Lockout();
  assert.equal(lockout.allows(off, 0), true);
  assert.equal(lockout.allows(off, 10), false);
  assert.equal(lockout.allows({ channel: 'program', do: 'watermark', watermark: 'name' }, 10), true);
  assert.equal(lockout.allows({ channel: 'program', do: 'cut' }, 10), true);
});

test('a file that changed is newer than what runs until it is reloaded', () => {
  const told = (...codes: string[]): boolean => isNewer(codes.map((code) => ({ code })));
  assert.deepEqual([told(), told('cut'), told('reloaded', 'show-file-changed', 'cut'), told('show-file-changed', 'reloaded')], [false, false, true, false]);
});

test('a reload is told in steps, or with what is wrong and where', () => {
  const steps = ['camera karry is added', 'camera main: other failover rules'];
  const look = reloadTold(true, 200, { steps, show_revision: 3, frame: 50 });
  assert.deepEqual(look, { level: 'info', text: 'The show file has changed, by 2 steps; nothing was done yet.', lines: steps });
  assert.equal(reloadTold(true, 200, { steps: [] }).text, 'The show file has not changed.');
  const done = reloadTold(false, 200, { steps: steps.slice(1), show_revision: 4, frame: 75 });
  assert.equal(done.text, 'Revision 4 of the show file is in force since frame 75: 1 step.');
  const refused = reloadTold(false, 409, {
    message: 'the show cannot be changed so on air: 1 problem', legal: [],
    problems: [{ line: 2, column: 3, code: 'fixed-on-air', message: 'the canvas stays', help: 'leave it' }],
  });
  assert.equal(refused.level, 'alarm');
  assert.equal(refused.text, 'Nothing has changed: the show cannot be changed so on air: 1 problem.');
  assert.deepEqual(refused.lines, ['line 2:3: the canvas stays (leave it)']);
  const onAir = reloadTold(false, 409, { message: 'it is on air', legal: ['cut main'] });
  assert.deepEqual(onAir.lines, ['possible: cut main']);
});

test('a rung says where its pictures come from', () => {
  assert.equal(pictures({ name: '720p' }), 'own');
  assert.equal(pictures({ name: '720p', encoder: 'libx264' }), 'own');
  assert.equal(pictures({ name: '720p', encoder: 'libx264', encoder_missing: 'h264_qsv' }), '⚠ libx264, for want of h264_qsv');
  assert.equal(pictures({ name: '720p', carried_from: 'own-b' }), 'from own-b');
  assert.equal(pictures({ name: 'source', copied_from: 'main/fiber' }), 'copied from main/fiber');
  assert.equal(pictures({ name: '720p', carried_from: 'own-b', shed_since: 62.5 }), '✕ rests since 1:02.5');
});

test('the engine says whether it keeps up and what each stage costs', () => {
  assert.deepEqual(loadText({ late_ms: 3.2, overload_since: null, shed: [] }), { text: '✓ in time · ticks 3 ms late', overload: false });
  assert.deepEqual(loadText({ late_ms: 512, overload_since: 4.52, shed: ['own/720p'] }), {
    text: '✖ overload since 0:04.5 · ticks 512 ms late · does without own/720p',
    overload: true,
  });
  assert.equal(loadText(undefined).text, 'no figures', 'an older engine');
  const stage = { cpu_ms: 412.04, queue: 1, queue_max: 3, latency_ms: 84.06, latency_max_ms: 121 };
  const channel = { name: 'program', intent: 'a', on_air: 'a', reason: 'start', since_frame: 0, stage: { ...stage, latency_ms: null, latency_max_ms: null }, rungs: [{ name: '720p', stage }, { name: '360p' }], egress: [] };
  const cameras = [{ name: 'main', lines: [{ name: 'fiber', state: 'live', stage }, { name: 'gen', state: 'live', stage: null }] }];
  assert.deepEqual(stages({ revision: 1, t: 1, channels: [channel], cameras }).map((row) => row.cells), [
    ['line main/fiber', '412.0', '1 (3)', '84.1 (121.0)'],
    ['channel program', '412.0', '1 (3)', 'N/A (N/A)'],
    ['rung program/720p', '412.0', '1 (3)', '84.1 (121.0)'],
  ]);
});
