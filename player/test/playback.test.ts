import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { FlvReader } from '../src/decrypt/flv-reader';
import { AUDIO, SCRIPT, VIDEO, type Tag, type TagKind } from '../src/decrypt/flv-tag';
import { KeyRing } from '../src/decrypt/key-ring';
import { encryptedLoader, type LoaderOptions } from '../src/playback/loader';
import { RETRY, waitBefore } from '../src/playback/retry';
import { Timeline } from '../src/playback/timeline';
import { MASTER } from './slow-encryptor';

const encrypted = readFileSync('test/fixtures/avc-nalu.flv');
const clear = readFileSync('test/fixtures/avc.flv');
const tagsOf = (data: Uint8Array): Tag[] => new FlvReader().push(data).tags;
const tag = (kind: TagKind, timestamp: number): Tag => ({ kind, timestamp, body: new Uint8Array(1) });

function placed(timeline: Timeline, times: [TagKind, number][]): number[] {
  return times.map(([kind, time]) => timeline.place(tag(kind, time), kind !== SCRIPT).timestamp);
}

test('a timeline leaves a steady stream as it is', () => {
  const times: [TagKind, number][] = [[VIDEO, 100], [AUDIO, 90], [AUDIO, 111], [VIDEO, 140], [VIDEO, 1900], [AUDIO, 1890]];
  assert.deepEqual(placed(new Timeline(), times), [100, 90, 111, 140, 1900, 1890]);
});

test('after a reconnect or a jump time goes on where it was, for both tracks', () => {
  const timeline = new Timeline();
  placed(timeline, [[VIDEO, 5000], [AUDIO, 5010]]);
  timeline.reconnected();
  assert.deepEqual(placed(timeline, [[SCRIPT, 0], [VIDEO, 4000], [AUDIO, 4012], [VIDEO, 4040]]), [5010, 5050, 5062, 5090]);
  assert.deepEqual(placed(timeline, [[VIDEO, 900_000], [AUDIO, 900_015]]), [5130, 5145]);
  assert.deepEqual(placed(timeline, [[VIDEO, 10], [AUDIO, 5]]), [5185, 5180]);
});

test('a timeline knows that FLV times wrap', () => {
  const timeline = new Timeline();
  assert.deepEqual(placed(timeline, [[VIDEO, 2 ** 32 - 20], [AUDIO, 2 ** 32 - 10], [VIDEO, 20]]), [2 ** 32 - 20, 2 ** 32 - 10, 2 ** 32 + 20]);
});

test('waits double up to the longest, and viewers do not come back all at once', () => {
  assert.deepEqual([1, 2, 3, 9, 99].map((attempt) => waitBefore(attempt, RETRY, 1)), [250, 500, 1000, 5000, 5000]);
  assert.equal(waitBefore(1, RETRY, 0), 187.5);
});

type Serve = (response: ServerResponse, visit: number) => void;

interface Heard {
  data: Buffer;
  said: string[];
}

/** Runs a loader against a server until it ends, or until `until` says so. */
async function load(serve: Serve, options: LoaderOptions, from = 0, until: (heard: Heard) => boolean = () => false): Promise<Heard> {
  let visits = 0;
  const server = createServer((_, response) => {
    visits += 1;
    serve(response, visits);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/live.flv`;
  const heard: Heard = { data: Buffer.alloc(0), said: [] };
  const Loader = encryptedLoader({
    keys: new KeyRing({ 1: MASTER }),
    ...options,
    retry: { firstMs: 1, mostMs: 2, giveUpMs: 30_000, ...options.retry },
    onReconnecting: (why) => heard.said.push(`again: ${why}`),
    onReconnected: () => heard.said.push('reconnected'),
  });
  try {
    await new Promise<void>((resolve) => {
      const loader = new Loader(null, { isLive: options.isLive ?? true });
      const end = (said: string): void => {
        heard.said.push(said);
        resolve();
      };
      loader.onDataArrival = (chunk, byteStart) => {
        assert.equal(byteStart, from + heard.data.length, 'positions are those of the decrypted stream');
        heard.data = Buffer.concat([heard.data, Buffer.from(chunk)]);
        if (until(heard)) {
          loader.abort();
          end('aborted');
        }
      };
      loader.onError = (kind, info) => end(`error: ${String(kind)}, ${info.code}, ${info.msg}`);
      loader.onComplete = () => end('complete');
      loader.open({ url }, { from, to: -1 });
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
  return heard;
}

test('a file comes decrypted, and from any position of the decrypted file', async () => {
  const serve: Serve = (response) => response.end(encrypted);
  const whole = await load(serve, { isLive: false });
  assert.ok(whole.data.equals(clear));
  assert.deepEqual(whole.said, ['complete']);
  const rest = await load(serve, { isLive: false }, 1234);
  assert.ok(rest.data.equals(clear.subarray(1234)));
});

test('a file that breaks off goes on at the byte it broke off at', async () => {
  const { data, said } = await load(
    (response, visit) => {
      if (visit === 3) return void response.end(encrypted);
      response.writeHead(200, { 'Content-Length': encrypted.length });
      response.write(encrypted.subarray(0, 1000 * visit), () => response.destroy());
    },
    { isLive: false },
  );
  assert.ok(data.equals(clear));
  assert.deepEqual(said.map((line) => line.split(':')[0]), ['again', 'reconnected', 'again', 'reconnected', 'complete']);
});

/** All tags of the fixture, twice: as two connections of a live stream. */
test('a live stream that breaks, ends or falls silent goes on in one stream with rising times', async () => {
  const cut = 2600;
  const enough = (heard: Heard): boolean => tagsOf(heard.data).length > 100;
  const endings: ((response: ServerResponse) => void)[] = [(r) => r.destroy(), (r) => r.end(), () => undefined, (r) => r.destroy()];
  const { data, said } = await load(
    (response, visit) => {
      // In between, the engine is not there yet, or something else answers.
      if (visit === 2) return void response.writeHead(503).end();
      if (visit === 3) return void response.end('<html>');
      if (visit === 4) return void response.writeHead(404).end();
      response.write(encrypted.subarray(0, cut + visit * 100), () => endings[visit % 4]?.(response));
    },
    { retry: { silenceMs: 200 } },
    0,
    enough,
  );
  assert.equal(data.indexOf('FLV', 3), -1, 'one file header');
  const tags = tagsOf(data);
  for (const kind of [AUDIO, VIDEO]) {
    const times = tags.filter((one) => one.kind === kind && one.body[1] === 1).map((one) => one.timestamp);
    assert.deepEqual(times, [...times].sort((a, b) => a - b));
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) < 10_000);
  }
  assert.ok(said.includes('again: the server ended the stream'), said.join('\n'));
  assert.ok(said.includes('again: nothing came for 0.2 s'), said.join('\n'));
  assert.ok(said.some((line) => line.includes('503')) && said.some((line) => line.includes('404')));
  assert.ok(said.filter((line) => line === 'reconnected').length >= 2);
});

test('a connection that begins between key frames gives no picture before one', async () => {
  const tags = tagsOf(encrypted);
  const head = encrypted.subarray(0, 13);
  const clearTags = tagsOf(clear);
  const { writeTags } = await import('../src/decrypt/flv-tag');
  const { data } = await load(
    (response, visit) => {
      // Up to the third picture; then from the fourth on, which needs the third.
      const part = visit === 1 ? tags.slice(0, 10) : [...tags.slice(0, 4), ...tags.slice(13)];
      response.write(Buffer.concat([head, writeTags(part)]), () => response.destroy());
    },
    {},
    0,
    (heard) => tagsOf(heard.data).length > 30,
  );
  const pictures = tagsOf(data).filter((one) => one.kind === VIDEO && one.body[1] === 1).map((one) => Buffer.from(one.body).toString('hex'));
  const wanted = clearTags.filter((one) => one.kind === VIDEO && one.body[1] === 1).map((one) => Buffer.from(one.body).toString('hex'));
  const seen = pictures.map((picture) => wanted.indexOf(picture));
  // After a hole the next picture is a key frame: the 1st, 5th or 9th.
  seen.forEach((index, at) => assert.ok(at === 0 || index === (seen[at - 1] ?? 0) + 1 || index % 4 === 0, seen.join(' ')));
  assert.ok(seen.includes(2) && !seen.includes(3), seen.join(' '));
});

test('what is refused at first is an error at once, and trying ends some time', async () => {
  const missing = await load((response) => response.writeHead(404).end(), {});
  assert.deepEqual(missing.said, ['error: HttpStatusCodeInvalid, 404, the server answered 404 Not Found']);
  const html = await load((response) => response.end('<html>'), {});
  assert.deepEqual(html.said, ['error: Exception, -1, the stream does not begin with FLV']);
  const gone = await load((response) => response.destroy(), { retry: { giveUpMs: 50 } });
  assert.match(gone.said.at(-1) ?? '', /^error: Exception, -1, /);
  const ended = await load((response, visit) => (visit === 1 ? response.end(encrypted) : response.end()), { retry: { giveUpMs: 50 } });
  assert.equal(ended.said.at(-1), 'complete');
});

test('a second loader, as mpegts.js makes it after a pause, goes on in the same stream', async () => {
  const server = createServer((_, response) => response.write(encrypted));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/live.flv`;
  const Class = encryptedLoader({ keys: new KeyRing({ 1: MASTER }) });
  const parts: Buffer[] = [];
  let position = 0;
  for (let round = 0; round < 3; round += 1) {
    const loader = new Class(null, { isLive: true });
    const from = position;
    await new Promise<void>((resolve, reject) => {
      loader.onDataArrival = (chunk, byteStart) => {
        if (byteStart !== position) reject(new Error(`${byteStart} after ${position}`));
        parts.push(Buffer.from(chunk));
        position += chunk.byteLength;
        if (position >= from + 4000) resolve();
      };
      loader.open({ url }, { from, to: -1 });
    });
    assert.equal(loader.isWorking(), true);
    loader.abort();
    loader.destroy();
    assert.equal(loader.isWorking(), false);
  }
  server.closeAllConnections();
  server.close();
  const data = Buffer.concat(parts);
  assert.equal(data.indexOf('FLV', 3), -1);
  const pictures = tagsOf(data).filter((one) => one.kind === VIDEO && one.body[1] === 1);
  assert.equal(pictures.length, 36);
  const times = pictures.map((one) => one.timestamp);
  assert.deepEqual(times, [...new Set(times)].sort((a, b) => a - b));
});
