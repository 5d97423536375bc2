// The page that `obvan rehearse --page` writes, as a crew opens it: from a disk, without a network.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';

import { complaints, launch, until } from './chromium';
import { obvan } from './engine';

const SHOW = `show "night" {
  video 320x180 25fps
  camera main { line fiber push "rtmp:live/main"; line backpack pull "srt://10.0.0.7:9001" }
  filler standby { test bars }
  ladder one { rung 180p 320x180 400k }
  channel program { sources main; filler standby; ladder one; egress web serve http-flv }
}
`;

let folder: string;
let browser: Browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'obvan-rehearsal-'));
  writeFileSync(join(folder, 'night.show'), SHOW);
  const args = ['rehearse', 'night.show', '--fault', 'main freeze@10s for 3s', '--fault', 'at 12s filler on', '--for', '20s', '--page', 'night.html'];
  const { status, stderr } = spawnSync(obvan(), args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 1, stderr);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(width: number): Promise<{ page: Page; heard: string[] }> {
  const page = await (await browser.newContext({ viewport: { width, height: 800 } })).newPage();
  const heard = complaints(page);
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) heard.push(`it asks for ${request.url()}`);
  });
  await page.goto(`file://${join(folder, 'night.html')}`);
  await page.waitForSelector('#chart svg');
  return { page, heard };
}

const shown = (page: Page) => page.textContent('#window');
const red = (page: Page) => page.locator('#chart rect.gap').count();

test('the timeline zooms by scrolling, tells what is under the pointer, and a gap in the table leads there', async () => {
  const { page, heard } = await open(1280);
  assert.match((await page.textContent('#verdict')) ?? '', /pass.* 1 s; the longest is/);
  assert.equal(await shown(page), '0:00 – 0:20');
  assert.ok((await red(page)) > 0, 'what viewers missed is red');
  const box = await page.locator('#chart').boundingBox();
  assert.ok(box);
  // Over what is on air, while it stands still.
  const row = await page.locator('#chart text', { hasText: /^on air$/ }).first().boundingBox();
  assert.ok(row);
  await page.mouse.move(box.x + box.width * 0.62, row.y + row.height / 2);
  const tip = await until('what is under the pointer', () => page.textContent('#tip'), (text) => text !== null && /on air/.test(text));
  assert.match(tip ?? '', /main over fiber/);
  await page.mouse.wheel(0, -300);
  await until('it is zoomed in', () => shown(page), (text) => text !== '0:00 – 0:20');
  await page.locator('#all').click();
  await until('all is shown again', () => shown(page), (text) => text === '0:00 – 0:20');
  await page.locator('#tables tr.over button').first().click();
  await until('the gap is shown', () => shown(page), (text) => text !== '0:00 – 0:20');
  assert.ok((await red(page)) > 0);
  assert.deepEqual(heard, []);
});

test('it is read on a telephone', async () => {
  const { page, heard } = await open(375);
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(wide <= seen, `the page is ${wide} px wide, ${seen} are seen`);
  assert.ok((await red(page)) > 0);
  assert.deepEqual(heard, []);
});
