import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { hasCode, TsmanError } from '../base/error.ts';

/** Where a command writes its text. */
export interface Output {
  write(text: string | Uint8Array): unknown;
  readonly isTTY: boolean;
  /** Of a terminal. */
  readonly columns: number | undefined;
  readonly rows?: number | undefined;
}

/** Standard output or standard error. */
export interface StandardOutput extends Output {
  /** The same as a stream: for archives, and for who asks on a terminal. */
  readonly stream: Writable;
}

const RETRY_MS = 1;

/**
 * A descriptor written to directly: the runtime's stream object takes 8 ms to make, half the time of
 * a whole `ps`. It is made only for those who ask for it.
 */
export class DescriptorOutput implements StandardOutput {
  readonly #descriptor: 1 | 2;
  readonly #makeStream: () => NodeJS.WriteStream;
  #stream: NodeJS.WriteStream | undefined;

  constructor(descriptor: 1 | 2, makeStream: () => NodeJS.WriteStream) {
    this.#descriptor = descriptor;
    this.#makeStream = makeStream;
  }

  get stream(): NodeJS.WriteStream {
    this.#stream ??= this.#makeStream();
    return this.#stream;
  }

  get isTTY(): boolean {
    // A terminal is a character device; only then the stream is asked.
    return fstatSync(this.#descriptor).isCharacterDevice() && this.stream.isTTY === true;
  }

  get columns(): number | undefined {
    return this.isTTY ? this.stream.columns : undefined;
  }

  get rows(): number | undefined {
    return this.isTTY ? this.stream.rows : undefined;
  }

  #failure(cause: unknown): TsmanError {
    const name = this.#descriptor === 1 ? 'output' : 'error';
    // Its text alone: where our disk is full there is something to advise, here it is somebody else's.
    return new TsmanError(`write to standard ${name}`, {
      cause: cause instanceof Error ? cause.message : cause,
    });
  }

  /** Everything, also where it has to wait for the reader. @throws EPIPE as it is; TsmanError */
  write(text: string | Uint8Array): void {
    let rest = Buffer.from(text as string);
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.#descriptor, rest));
      } catch (error) {
        if (hasCode(error, 'EPIPE')) throw error;
        if (!hasCode(error, 'EAGAIN')) throw this.#failure(error);
        // Another program made the pipe non-blocking.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      }
    }
  }
}
