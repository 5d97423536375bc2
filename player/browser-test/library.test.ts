// The package in a page of its own: what an integrator gets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';

import { complaints, launch, until } from './chromium';
import { Engine, KEYS } from './engine';
import { Gateway } from './gateway';
import type { Facts } from './harness';

let engine: Engine;
let gateway: Gateway;
let browser: Browser;
let page: Page;
let heard: string[];

before(async () => {
  engine = await Engine.start();
  gateway = await Gateway.start(engine.url);
  browser = await launch();
  page = await browser.newPage();
  heard = complaints(page);
  await page.goto(gateway.url);
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
  await engine?.kill();
});

const facts = (): Promise<Facts> => page.evaluate(() => window.harness.facts());
const start = (path: string, keys: Record<number, string>): Promise<void> => page.evaluate(([path, keys]) => window.harness.start(path, keys), [path, keys] as const);

/** Waits until picture and sound have gone on by some seconds of media. */
async function playsOn(seconds: number): Promise<Facts> {
  const from = await facts();
  const now = await until('playing on', facts, (now) => now.errors.length > 0 || (now.time >= from.time + seconds && now.pictures >= from.pictures + 10 && now.sound > from.sound));
  assert.deepEqual(now.errors, []);
  return now;
}

const clearOf = async (): Promise<number> => (await facts()).clear;
const decryptedOf = async (): Promise<number> => (await facts()).decrypted;

test('an encrypted stream plays on through off, on and another key', async () => {
  await start('/live/program/240p.flv', KEYS);
  const first = await playsOn(1.5);
  assert.equal(first.clear, 0);
  assert.ok(first.decrypted > 0);

  await engine.command('program', { do: 'encrypt', state: 'off' });
  await until('clear tags', clearOf, (clear) => clear > 0);
  const between = await playsOn(1.5);

  await engine.command('program', { do: 'encrypt', state: 'on' });
  await until('encrypted tags', decryptedOf, (decrypted) => decrypted > between.decrypted + 20);
  await playsOn(1.5);

  await engine.command('program', { do: 'encrypt', state: 'rotate' });
  await until('the next key', () => engine.channel('program'), ({ key_id }) => key_id === 2);
  const { log, errors } = await playsOn(2.5);
  assert.deepEqual({ log, errors, heard }, { log: [], errors: [], heard: [] });
});

test('a key that is missing or wrong is reported, nothing plays, and the right one plays', async () => {
  for (const [keys, said] of [
    [{ 1: KEYS[1] }, 'unknown-key 2'],
    [{ 2: KEYS[1] }, 'wrong-key 2'],
  ] as const) {
    await start('/live/program/120p.flv', keys);
    await until('the report', facts, ({ log }) => log.length > 0);
    const locked = await facts();
    assert.deepEqual([locked.log, locked.errors, locked.pictures, locked.time], [[said], [], 0, 0]);
    await page.evaluate((key) => window.harness.addKey(2, key), KEYS[2]);
    const { log } = await playsOn(1);
    assert.deepEqual(log, [said, 'readable']);
  }
  assert.deepEqual(heard, []);
});

test('mode capsule plays', async () => {
  await start('/live/hidden/120p.flv', KEYS);
  const { clear, decrypted, log } = await playsOn(1);
  assert.ok(decrypted > 0 && clear === 0);
  assert.deepEqual([log, heard], [[], []]);
});

test('a stream that is cut off goes on, and so it does with an engine started anew', async () => {
  await start('/live/program/240p.flv', KEYS);
  await playsOn(1);
  for (const last of [false, true]) {
    assert.equal(gateway.cut(), 1);
    await until('the reconnect', facts, ({ log }) => log.at(-1) === 'reconnected');
    await playsOn(2);
    if (last) break;
  }
  // Another show time, other salts, and the first key again.
  await engine.kill();
  engine = await Engine.start();
  const before = (await facts()).log.length;
  gateway.engine = engine.url;
  await until('the new engine', facts, ({ log }) => log.length > before && log.at(-1) === 'reconnected').catch(async (why: unknown) => {
    throw new Error(`${String(why)}; the engine: ${await engine.condition()}`);
  });
  const { log } = await playsOn(2);
  assert.ok(log.every((line) => line === 'reconnecting' || line === 'reconnected'), log.join(', '));
});
