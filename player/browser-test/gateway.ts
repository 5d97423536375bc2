// A small web server between browser and engine: it serves the test's own page, passes
// streams on, and can cut them off in the middle.

import { build } from 'esbuild';
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class Gateway {
  private readonly streams = new Set<ServerResponse>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
    /** Where streams come from; may change. */
    public engine: string,
  ) {}

  static async start(engine: string): Promise<Gateway> {
    const { outputFiles } = await build({ entryPoints: ['browser-test/harness.ts'], bundle: true, write: false, format: 'iife', target: 'es2021', logLevel: 'warning' });
    const script = outputFiles[0]?.text ?? '';
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const gateway = new Gateway(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, engine);
    server.on('request', ({ url = '/' }, response: ServerResponse) => {
      if (url.startsWith('/live/')) return gateway.pass(url, response);
      if (url === '/harness.js') return response.setHeader('Content-Type', 'text/javascript').end(script);
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><link rel="icon" href="data:,"><script src="harness.js"></script>');
    });
    return gateway;
  }

  /** Breaks all streams that are under way; how many. */
  cut(): number {
    const count = this.streams.size;
    for (const stream of this.streams) stream.destroy();
    return count;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private pass(url: string, response: ServerResponse): void {
    const upstream = request(this.engine + url, (answer) => {
      response.writeHead(answer.statusCode ?? 502);
      this.streams.add(response);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => {
      this.streams.delete(response);
      upstream.destroy();
    });
    upstream.end();
  }
}
