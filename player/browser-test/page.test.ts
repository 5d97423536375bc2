// The page of a running show, as a viewer and a director see it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';

import { complaints, launch, until } from './chromium';
import { Engine, KEYS } from './engine';

let engine: Engine;
let browser: Browser;

before(async () => {
  engine = await Engine.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await engine?.kill();
});

/** A fresh tab: nothing of another test's storage. */
async function open(fragment = '', width = 1280): Promise<{ page: Page; heard: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  const page = await context.newPage();
  const heard = complaints(page);
  page.on('request', (request) => {
    if (Object.values(KEYS).some((key) => request.url().includes(key) || request.postData()?.includes(key))) heard.push(`a key went to ${request.url()}`);
  });
  await page.goto(engine.url + fragment);
  await page.waitForSelector('.link.live').catch(async (why: unknown) => {
    throw new Error(`${String(why)}; the page says: ${await page.locator('.link').textContent()}; heard: ${heard.join(', ')}; the engine: ${await engine.condition()}`);
  });
  return { page, heard };
}

const channel = (page: Page, name: string) => page.locator('section.channel', { has: page.locator('h2', { hasText: new RegExp(`^${name}`) }) });

interface Video {
  time: number;
  pictures: number;
  sound: number;
}

async function playsOn(page: Page, name: string, seconds: number): Promise<void> {
  const video = channel(page, name).locator('video');
  const ask = (): Promise<Video> =>
    video.evaluate((node) => {
      const video = node as HTMLVideoElement & { webkitAudioDecodedByteCount: number };
      return { time: video.currentTime, pictures: video.getVideoPlaybackQuality().totalVideoFrames, sound: video.webkitAudioDecodedByteCount };
    });
  const from = await ask();
  await until(`${name} playing on`, ask, (now) => now.time >= from.time + seconds && now.pictures > from.pictures + 5 && now.sound > from.sound);
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['OBVAN_SCREENSHOTS'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

test('every rung plays with the key from the address, which nobody else gets to see', async () => {
  const { page, heard } = await open(`/#key=1:${KEYS[1]}`);
  assert.equal(await page.evaluate(() => location.hash), '');
  for (const [name, rungs] of [
    ['program', ['240p', '120p']],
    ['hidden', ['120p']],
    ['open', ['120p']],
  ] as const) {
    for (const rung of rungs) {
      await channel(page, name).getByRole('button', { name: `▶ ${rung}` }).click();
      await playsOn(page, name, 0.8);
      await channel(page, name).locator('.said', { hasText: `${rung}, muted` }).waitFor();
    }
  }
  await picture(page, 'wide');

  // The director switches encryption off and on here; the picture does not care.
  const seal = channel(page, 'program').getByRole('button', { name: /switch/ });
  await seal.click();
  await until('clear', () => engine.channel('program'), ({ key_id }) => key_id === null);
  await playsOn(page, 'program', 1.2);
  await channel(page, 'program').getByRole('button', { name: 'Clear: switch encryption on' }).click();
  await until('encrypted', () => engine.channel('program'), ({ key_id }) => key_id !== null);
  await playsOn(page, 'program', 1.2);
  assert.deepEqual(heard, []);
  await page.context().close();
});

test('without the key the page says which one is missing, and takes it', async () => {
  const { page, heard } = await open();
  const program = channel(page, 'program');
  await program.locator('.said', { hasText: 'Encrypted with key 1, which is not here' }).waitFor();
  // What is served clear wants no key.
  await channel(page, 'open').locator('.said', { hasText: 'Choose a rung to play it here.' }).waitFor();
  await channel(page, 'open').getByRole('button', { name: '▶ 120p' }).click();
  await playsOn(page, 'open', 0.5);

  await program.getByRole('button', { name: '▶ 120p' }).click();
  await program.locator('.said', { hasText: 'key 1 is missing' }).waitFor();
  const field = program.getByRole('textbox', { name: 'Key' });
  await field.fill(`1: ${KEYS[2]}`);
  await field.press('Enter');
  await program.locator('.said', { hasText: 'key 1 here is not the one' }).waitFor();
  await field.fill('nonsense');
  await field.press('Enter');
  await program.locator('.keysaid', { hasText: 'That is no key' }).waitFor();
  await picture(page, 'wrong-key');
  await field.fill(`1: ${KEYS[1]}`);
  await field.press('Enter');
  await playsOn(page, 'program', 0.8);

  // The tab remembers it, and forgets it when told to; the address may bring it back.
  await page.reload();
  await program.locator('.keysaid', { hasText: 'Here: key 1' }).waitFor();
  await program.getByRole('button', { name: '▶ 120p' }).click();
  await playsOn(page, 'program', 0.5);
  await program.getByRole('button', { name: 'Forget keys' }).click();
  await program.locator('.said', { hasText: 'key 1 is missing' }).waitFor();
  await page.evaluate((key) => void (location.hash = `key=1:${key}`), KEYS[1]);
  await program.locator('.keysaid', { hasText: 'Here: key 1' }).waitFor();
  await playsOn(page, 'program', 1.5);
  assert.equal(await page.evaluate(() => location.hash), '');
  assert.deepEqual(heard, []);
  await page.context().close();
});

/** Colours across the middle of a picture, or nothing where there is none. */
const coloursOf = (place: Locator): Promise<number[][]> =>
  place.locator('canvas').evaluate((node) => {
    const canvas = node as HTMLCanvasElement;
    const pixel = (n: number): number[] => [...(canvas.getContext('2d')?.getImageData(((n + 0.5) * canvas.width) / 7, canvas.height / 2, 1, 1).data ?? [])];
    return [0, 1, 2, 3, 4, 5, 6].map(pixel);
  });

const BARS = [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]];
const areBars = (colours: number[][]): boolean => BARS.every((bar, n) => bar.every((part, i) => Math.abs(part - (colours[n]?.[i] ?? 999)) <= 16));

test('each source has its picture, and whoever looks away asks for none', async () => {
  const { page, heard } = await open('', 375);
  // Counted in the page itself, so that none is told of late.
  await page.evaluate(() => {
    const counted = window as unknown as { asked: number };
    const fetched = window.fetch;
    counted.asked = 0;
    window.fetch = (what, how) => {
      if (String(what).includes('/thumb/')) counted.asked += 1;
      return fetched(what, how);
    };
  });
  const program = channel(page, 'program');
  const [stage, bars] = ['stage', 'bars'].map((name) => program.locator('.tile', { hasText: name })) as [Locator, Locator];
  await bars.scrollIntoViewIfNeeded();
  await until('the bars', () => coloursOf(bars), areBars);
  const motion = await coloursOf(stage);
  await until('motion', () => coloursOf(stage), (now) => JSON.stringify(now) !== JSON.stringify(motion));
  assert.match((await bars.textContent()) ?? '', /● gen live/);
  // What is clicked is next, and Space brings it: the monitors go with it.
  await bars.locator('.pick').click();
  await until('the bars next', () => engine.channel('program'), ({ preview }) => preview === 'bars');
  await until('the bars next', () => bars.getAttribute('class'), (name) => name === 'tile pvw');
  await until('the bars on the monitor', () => coloursOf(program.locator('.monitor.pvw')), areBars);
  await picture(page, 'multiview-narrow');
  await page.keyboard.press(' ');
  await until('the bars on air', () => bars.getAttribute('class'), (name) => name === 'tile pgm');
  await until('the bars on the monitor', () => coloursOf(program.locator('.monitor.pgm')), areBars);
  await page.setViewportSize({ width: 1280, height: 900 });
  await picture(page, 'multiview');

  /** How many were asked for up to then. */
  const look = (hidden: boolean): Promise<number> =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
      return (window as unknown as { asked: number }).asked;
    }, hidden);
  const asked = (): Promise<number> => page.evaluate(() => (window as unknown as { asked: number }).asked);
  const before = await look(true);
  const time = await page.locator('#time').textContent();
  // Figures come once a second: there would have been three rounds.
  const seconds = new Set([time]);
  await until('two seconds', async () => seconds.add(await page.locator('#time').textContent()).size, (size) => size > 2);
  assert.equal(await asked(), before);
  await look(false);
  await until('another round', asked, (now) => now > before);
  await engine.command('program', { do: 'cut', source: 'stage' });
  assert.deepEqual(heard, []);
  await page.context().close();
});

test('the show file is read again: what would change is shown, then done', async () => {
  const { page, heard } = await open();
  const file = page.locator('#file');
  const [look, apply] = ['Look what has changed …', 'Apply it on air'].map((name) => file.getByRole('button', { name }));
  await file.locator('.revision', { hasText: 'revision 1' }).waitFor();
  await look?.click();
  await file.locator('.told', { hasText: 'The show file has not changed.' }).waitFor();
  assert.equal(await apply?.isVisible(), false);
  engine.edit((text) => text.replace('  ladder two', '  camera drone { line gen test "color:red" }\n  ladder two').replace('sources stage bars', 'sources stage bars drone'));
  await file.locator('.revision', { hasText: 'the file has changed since' }).waitFor();
  await look?.click();
  await file.locator('li', { hasText: 'camera drone is added' }).waitFor();
  assert.equal(await channel(page, 'program').locator('.tile').count(), 2);
  await apply?.click();
  await file.locator('.revision', { hasText: 'revision 2' }).waitFor();
  await file.locator('.told', { hasText: 'Revision 2 of the show file is in force' }).waitFor();
  await channel(page, 'program').locator('.tile', { hasText: 'drone' }).waitFor();
  assert.equal(await apply?.isVisible(), false);
  await picture(page, 'reloaded');
  engine.edit((text) => text);
  await look?.click();
  await apply?.click();
  await file.locator('.revision', { hasText: 'revision 3' }).waitFor();
  assert.deepEqual(heard, []);
  await page.context().close();
});

test('while a mix runs both sources are red', async () => {
  const { page, heard } = await open();
  const red = channel(page, 'program').locator('.tile.pgm');
  await until('one source on air', () => red.count(), (count) => count === 1);
  await engine.command('program', { do: 'mix', source: 'bars', over_ms: 3000 });
  await until('both sources on air', () => red.count(), (count) => count === 2);
  await until('one source on air', () => red.count(), (count) => count === 1);
  assert.match((await red.textContent()) ?? '', /bars/);
  assert.deepEqual(heard, []);
  await page.context().close();
});

test('nothing is wider than a telephone', async () => {
  const { page, heard } = await open(`/#key=1:${KEYS[1]}`, 375);
  await channel(page, 'program').getByRole('button', { name: '▶ 240p' }).click();
  await playsOn(page, 'program', 0.5);
  const widest = await page.evaluate(() => document.documentElement.scrollWidth);
  await picture(page, 'narrow');
  assert.ok(widest <= 375, `${widest} px wide`);
  assert.deepEqual(heard, []);
  await page.context().close();
});
