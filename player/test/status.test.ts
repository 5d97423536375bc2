import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Reader } from '../src/sse';
import { apply, encryption, fillerHold, intentText, type Status } from '../src/status';

const status: Status = {
  revision: 7,
  epoch: 1,
  t: 1,
  channels: [
    { name: 'program', intent: 'main', on_air: 'main', reason: 'start', since_frame: 0, rungs: [], egress: [] },
    { name: 'clean', intent: 'main', on_air: 'main', reason: 'start', since_frame: 0, rungs: [], egress: [] },
  ],
  cameras: [],
};
const cut = { ...status.channels[0]!, intent: 'karry', on_air: 'karry', reason: 'cut', since_frame: 25 };

test('a delta replaces the parts it names and keeps the others', () => {
  for (const delta of [{ revision: 8, status: { channels: [cut] } }, { revision: 8, channels: [cut] }]) {
    const after = apply(status, delta);
    assert.deepEqual(after?.channels.map((channel) => channel.on_air), ['karry', 'main']);
    assert.equal(after?.revision, 8);
    assert.equal(after?.t, 1);
  }
});

test('a gap, a step back or another run asks for a snapshot', () => {
  assert.equal(apply(status, { revision: 9 }), null);
  assert.equal(apply(status, { revision: 6 }), null);
  assert.equal(apply(status, { revision: 8, epoch: 2 }), null);
  assert.equal(apply(status, { revision: 7, t: 2 })?.t, 2);
});

test('events are kept once each', () => {
  const event = { t: 2, level: 'warn', code: 'line-lost', subject: 'main/fiber', message: 'lost' } as const;
  const once = apply(status, { revision: 8, events: [event] })!;
  const twice = apply(once, { revision: 9, event })!;
  assert.deepEqual(twice.events, [event]);
});

test('switches are read in each of their shapes', () => {
  const channel = status.channels[0]!;
  assert.equal(encryption(channel), 'none');
  assert.equal(encryption({ ...channel, encrypt: 'on' }), 'on');
  assert.equal(encryption({ ...channel, encrypt: { state: 'off', key_id: 1 } }), 'off');
  assert.equal(fillerHold({ ...channel, filler: { name: 'standby', held: true } }), 'on');
  assert.equal(intentText({ source: 'karry', filler: 'on' }), 'karry (filler held)');
});

test('server-sent events in any pieces', () => {
  const text = ': heartbeat\n\nevent: snapshot\r\ndata: {"a":1}\r\n\r\nevent:delta\ndata: one\ndata: two\n\ndata: half';
  for (let size = 1; size <= text.length; size += 1) {
    const reader = new Reader();
    const out = [];
    for (let at = 0; at < text.length; at += size) out.push(...reader.push(text.slice(at, at + size)));
    assert.deepEqual(out, [
      { event: 'snapshot', data: '{"a":1}' },
      { event: 'delta', data: 'one\ntwo' },
    ], `in pieces of ${size}`);
  }
});
