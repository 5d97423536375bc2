// The real browser, without a window, and with nothing of its own to do.

import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

/** Generous: it only keeps a broken player from hanging the test. */
export const PATIENCE = 30_000;

const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
];

/** Starts it, with a new and empty profile. */
export async function launch(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
  if (!executablePath) throw new Error('there is no Chromium: install it, or say where it is in CHROMIUM');
  return chromium.launch({ executablePath, args: FLAGS, ignoreDefaultArgs: ['--mute-audio'] });
}

/** Errors of a page's console, and exceptions nobody caught. */
export function complaints(page: Page): string[] {
  const found: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') found.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => found.push(`exception: ${error.message}`));
  return found;
}

/** Asks until the answer will do; says the last answer if it never does. */
export async function until<T>(what: string, ask: () => Promise<T>, will: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (will(answer)) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${PATIENCE / 1000} s; last: ${JSON.stringify(answer)}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
