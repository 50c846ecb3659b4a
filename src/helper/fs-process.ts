import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { nodeChildProcess, nodeUtil } from '../base/late-modules.ts';
import { randomHex } from '../base/random.ts';
import { FsReplyReader } from './fs-payload.ts';
import { FS_HEADER_BYTES, FS_REPLY } from './fs-protocol.ts';
import { helperPath } from './location.ts';
import { encodePlan, type PlanRecord } from './plan.ts';

/** What a failed step says, for whoever words an error about it. */
export class FsAgentError extends TsmanError {
  readonly step: string;
  readonly subject: string;
  /** E.g. `ENOSPC`. */
  readonly code: string;

  constructor(step: string, subject: string, errno: number) {
    const [code, text] = nodeUtil().getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'error'];
    super(`${step} ${subject}: ${text} (${code})`, { hint: hintFor(step) });
    this.step = step;
    this.subject = subject;
    this.code = code;
  }
}

function hintFor(step: string): string | undefined {
  if (step !== 'owner') return undefined;
  return 'the range in /etc/subuid or /etc/subgid is too small for this image: give the user at least 65536 ids';
}

/** A reply as it comes: its type, the request it answers (0 where a reply names none), its payload. */
export type FsReplyHandler = (type: number, reader: FsReplyReader) => void;

/** The helper process behind an agent: bytes in, replies out, one error when it is gone. */
export class FsProcess {
  readonly #child: ChildProcess;
  readonly #plan: string;
  #input: Buffer[] = [];
  #inputBytes = 0;
  #stderr = '';
  #isGone = false;
  #wake: () => void = () => {};
  /** Bytes accepted from us that the helper has not taken yet. */
  waitingBytes = 0;

  constructor(
    records: Iterable<PlanRecord>,
    runRoot: string,
    onReply: FsReplyHandler,
    onGone: (error: TsmanError) => void,
  ) {
    this.#plan = join(runRoot, `fs-${randomHex(8)}.plan`);
    fs.writeFileSync(this.#plan, encodePlan(records), { mode: 0o600, flag: 'wx' });
    this.#child = nodeChildProcess().spawn(helperPath(), ['fs', this.#plan], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk, onReply));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk).slice(-4096);
    });
    // EPIPE when it dies: `close` says more.
    this.#child.stdin?.on('error', () => {});
    this.#child.on('error', (cause) => {
      this.#goneNow();
      onGone(new TsmanError(`start ${helperPath()}`, { cause, hint: 'run scripts/build' }));
    });
    this.#child.on('close', (code, signal) => {
      this.#goneNow();
      const why = this.#stderr.trim() || (signal ?? `exit code ${code}`);
      onGone(new TsmanError(`the rootfs agent ended: ${why}`));
    });
  }

  #goneNow(): void {
    this.#isGone = true;
    this.dropPlan();
    this.#wake();
  }

  /** The plan has been read; called once the agent is ready or gone. */
  dropPlan(): void {
    fs.rmSync(this.#plan, { force: true });
  }

  write(bytes: Buffer, onWritten: () => void = () => {}): void {
    this.waitingBytes += bytes.length;
    this.#child.stdin?.write(bytes, () => {
      this.waitingBytes -= bytes.length;
      onWritten();
      this.#wake();
    });
  }

  /** Resolves when at most this much waits, or the helper is gone. */
  async drained(maxBytes: number): Promise<void> {
    while (this.waitingBytes > maxBytes && !this.#isGone)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  pause(): void {
    this.#child.stdout?.pause();
  }

  resume(): void {
    this.#child.stdout?.resume();
  }

  end(): void {
    this.#child.stdin?.end();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Input ends here; nobody waits for the child any more. */
  release(): void {
    this.end();
    this.#child.unref();
    for (const stream of [this.#child.stdout, this.#child.stderr, this.#child.stdin])
      (stream as { unref?: () => void } | null)?.unref?.();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(chunk: Buffer, onReply: FsReplyHandler): void {
    this.#input.push(chunk);
    this.#inputBytes += chunk.length;
    let buffer = this.#input.length === 1 ? chunk : undefined;
    for (;;) {
      if (this.#inputBytes < FS_HEADER_BYTES) break;
      // A large frame comes in many chunks: join them only once it is whole.
      const first = buffer ?? this.#input[0] ?? chunk;
      if (first.length < FS_HEADER_BYTES) buffer = this.#join();
      const length = FS_HEADER_BYTES + (buffer ?? first).readUInt32LE(0);
      if (this.#inputBytes < length) break;
      buffer ??= this.#join();
      const type = buffer[4] ?? 0;
      const payload = buffer.subarray(FS_HEADER_BYTES, length);
      buffer = buffer.subarray(length);
      this.#input = buffer.length === 0 ? [] : [buffer];
      this.#inputBytes = buffer.length;
      if (type === FS_REPLY.ready) this.dropPlan();
      onReply(type, new FsReplyReader(payload));
    }
  }

  #join(): Buffer {
    const joined = this.#input.length === 1 ? this.#input[0] : undefined;
    const buffer = joined ?? Buffer.concat(this.#input, this.#inputBytes);
    this.#input = [buffer];
    return buffer;
  }
}
