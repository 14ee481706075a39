/**
 * A WebSocket client that is nothing but a TCP socket: it sees each frame's bytes, can stop reading, and can send
 * what no WebSocket library would.
 */
import { type Socket, connect } from 'node:net';

export class RawClient {
  readonly socket: Socket;
  /** Texts received, in order. */
  readonly texts: string[] = [];
  readonly pings: Buffer[] = [];
  closeCode: number | undefined = undefined;
  closeReason = '';
  /** Set once the TCP connection has ended. */
  ended = false;
  #rest: Buffer = Buffer.alloc(0);
  #status: number | undefined;
  readonly #checks = new Set<() => void>();
  /** Answers pings with their payload, as a well-behaved client does. */
  answerPings = true;

  private constructor(port: number, head: string) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('connect', () => this.socket.write(head));
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.ended = true;
      this.#check();
    });
  }

  /** Connects and waits for the handshake's answer. */
  static async open(port: number, path: string, headers: Record<string, string> = {}) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const client = new RawClient(
      port,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${lines.join('')}\r\n`,
    );
    await client.until(() => client.#status !== undefined || client.ended);
    return client;
  }

  /** The handshake's HTTP status; 101 is a WebSocket. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Until `condition` holds; looked at after everything received. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#checks.delete(check);
        resolve();
      };
      this.#checks.add(check);
    });
  }

  /** Sends a masked frame. */
  send(text: string | Buffer, opcode = 1): void {
    this.socket.write(maskedFrame(text, opcode));
  }

  #check(): void {
    for (const check of this.#checks) check();
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (this.#status === undefined) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#status = Number(this.#rest.toString('latin1', 9, 12));
      this.#rest = this.#rest.subarray(end + 4);
    }
    let at = 0;
    const bytes = this.#rest;
    for (;;) {
      if (bytes.length - at < 2) break;
      let length = bytes[at + 1]!;
      let header = 2;
      if (length === 126) {
        if (bytes.length - at < 4) break;
        length = bytes.readUInt16BE(at + 2);
        header = 4;
      } else if (length === 127) {
        if (bytes.length - at < 10) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
        header = 10;
      }
      if (bytes.length - at < header + length) break;
      this.#frame(bytes[at]!, bytes.subarray(at + header, at + header + length));
      at += header + length;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    this.#check();
  }

  #frame(first: number, payload: Buffer): void {
    if (first === 0x81) this.texts.push(payload.toString());
    else if (first === 0x89) {
      this.pings.push(Buffer.from(payload));
      if (this.answerPings) this.send(payload, 10);
    } else if (first === 0x88) {
      this.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.closeReason = payload.toString('utf8', 2);
    } else if (first !== 0x8a) throw new Error(`a frame that begins with ${first.toString(16)}`);
  }
}

/** A client's frame, masked with zeros' worth of trouble: a fixed mask. */
export function maskedFrame(text: string | Buffer, opcode = 1): Buffer {
  const payload = Buffer.from(text as string);
  const mask = Buffer.from([1, 2, 3, 4]);
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | length])
      : length < 65536
        ? Buffer.from([0x80 | opcode, 0xfe, length >> 8, length & 255])
        : Buffer.from([0x80 | opcode, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  if (head.length === 10) head.writeUInt32BE(length, 6);
  for (let i = 0; i < length; i++) payload[i] = payload[i]! ^ mask[i & 3]!;
  return Buffer.concat([head, mask, payload]);
}
