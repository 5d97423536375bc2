// Server-sent events, read from a fetch body: other than EventSource it shows
// heartbeat comments and the status code of a refusal.

export interface Message {
  event: string;
  data: string;
}

/** Takes text in any pieces; gives the messages that are complete. */
export class Reader {
  private rest = '';
  private event = '';
  private data: string[] = [];

  push(text: string): Message[] {
    this.rest += text;
    const out: Message[] = [];
    for (;;) {
      const end = this.rest.search(/[\r\n]/);
      if (end < 0) return out;
      // A CR at the very end may be half of a CRLF: wait for the next piece.
      if (this.rest[end] === '\r' && end + 1 === this.rest.length) return out;
      const line = this.rest.slice(0, end);
      const width = this.rest.startsWith('\r\n', end) ? 2 : 1;
      this.rest = this.rest.slice(end + width);
      const message = this.line(line);
      if (message) out.push(message);
    }
  }

  private line(line: string): Message | null {
    if (line === '') {
      const message = this.data.length > 0 ? { event: this.event || 'message', data: this.data.join('\n') } : null;
      this.event = '';
      this.data = [];
      return message;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.event = value;
    if (field === 'data') this.data.push(value);
    return null;
  }
}
