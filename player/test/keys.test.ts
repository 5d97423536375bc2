import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EVERY_CHANNEL, KeyStore, keysInFragment, parseKey, type Drawer } from '../src/key-store';
import { onAirText, sourcesOnAir, type Channel } from '../src/status';

const A = '000102030405060708090A0b0c0d0e0f';
const B = 'ff'.repeat(16);

class MapDrawer extends Map<string, string> implements Drawer {
  getItem(name: string): string | null {
    return this.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    this.set(name, value);
  }
}

test('keys as they are typed and as they stand in an address', () => {
  assert.deepEqual(parseKey(` 1 : ${A} `), { id: 1, key: A });
  for (const none of [A, `256:${A}`, `1:${A}0`, `1:${A.slice(1)}`, `-1:${A}`, '']) assert.equal(parseKey(none), null, none);
  assert.deepEqual(keysInFragment(`#key=1:${A}&other=2&key=2:${B}&key=rubbish`), [{ id: 1, key: A }, { id: 2, key: B }]);
  assert.deepEqual(keysInFragment(''), []);
});

test('keys are kept for a channel or for all, and outlive a reload, not the tab', () => {
  const drawer = new MapDrawer();
  const store = new KeyStore(drawer);
  const program = store.ring('program');
  store.add('program', { id: 1, key: A });
  store.add(EVERY_CHANNEL, { id: 2, key: B });
  assert.deepEqual(program.ids(), [1, 2]);
  assert.deepEqual(store.ring('clean').ids(), [2]);
  const reloaded = new KeyStore(drawer);
  assert.deepEqual(reloaded.ring('program').ids(), [1, 2]);
  reloaded.forget('program');
  assert.deepEqual(new KeyStore(drawer).ring('program').ids(), []);
  drawer.setItem('obvan-keys', '[{"channel":1},{"channel":"a","id":1,"key":"no"},null]');
  assert.deepEqual(new KeyStore(drawer).ring('a').ids(), []);
});

test('while a mix runs both of its sources are on air', () => {
  const channel: Channel = { name: 'program', intent: 'b', on_air: 'b', reason: 'mix', since_frame: 1, rungs: [], egress: [] };
  assert.deepEqual([...sourcesOnAir(channel)], ['b']);
  assert.equal(onAirText(channel), 'b');
  const mixing = { ...channel, mix: { from: 'a', to: 'b' } };
  assert.deepEqual([...sourcesOnAir(mixing)], ['a', 'b']);
  assert.equal(onAirText(mixing), 'a → b');
  assert.deepEqual([...sourcesOnAir({ ...mixing, mix: { from: null, to: 'b' } })], ['b']);
  assert.deepEqual([...sourcesOnAir({ ...channel, on_air: null })], []);
});
