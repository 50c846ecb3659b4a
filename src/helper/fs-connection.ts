import { hasCode, type TsmanError } from '../base/error.ts';
import { nodeOs } from '../base/late-modules.ts';
import { FsBatch } from './fs-batch.ts';
import type { FsPayload, FsReplyReader } from './fs-payload.ts';
import { FsAgentError, FsProcess } from './fs-process.ts';
import { FS_OPERATION, FS_REPLY } from './fs-protocol.ts';
import { FsReplies } from './fs-replies.ts';
import type { PlanRecord } from './plan.ts';

const WAITING_MAX_BYTES = 1 << 20;
const REPLIES_MAX = 256;

/** One helper and what is under way with it: requests out, replies to whoever asked. */
export class FsConnection {
  readonly #process: FsProcess;
  readonly #pending: FsReplies<FsReplyReader>[] = [];
  readonly #gone: Promise<void>;
  readonly #batch: FsBatch;
  #failure: TsmanError | undefined;

  /** @param plan what the helper is to enter and to pin; the file with it lies in `runRoot` for a moment */
  constructor(plan: Iterable<PlanRecord>, runRoot: string) {
    let onGone = (): void => {};
    this.#gone = new Promise((resolve) => {
      onGone = resolve;
    });
    const onReply = (type: number, reader: FsReplyReader): void => this.#receive(type, reader);
    this.#process = new FsProcess(plan, runRoot, onReply, (error) => {
      this.#failure ??= error;
      for (const replies of this.#pending.splice(0)) replies.end(this.#failure);
      onGone();
    });
    this.#batch = new FsBatch((bytes, onWritten) => this.#process.write(bytes, onWritten));
  }

  /** Waits when much is under way; call it between operations to keep memory flat. */
  async drain(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#process.drained(WAITING_MAX_BYTES);
  }

  /** Ends the helper and waits for that; what was not synced may be left undone. */
  async close(options: { kill?: boolean } = {}): Promise<void> {
    if (options.kill === true) this.#process.kill();
    else this.#batch.flush();
    this.#process.end();
    await this.#gone;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Hands over what was asked for and lets go: the helper ends by itself, we may end before it. From now on
   * it stands back for whoever wants the processor.
   */
  async release(): Promise<void> {
    this.#batch.flush();
    await this.#process.drained(0);
    standBack(this.#process.pid);
    this.#process.release();
  }

  /** Sends a request that is answered. */
  ask(operation: number, payload: FsPayload): FsReplies<FsReplyReader> {
    this.send(operation, payload);
    const answersAtEnd = operation === FS_OPERATION.sync || operation === FS_OPERATION.usage;
    const onTaken = (): void => this.#process.resume();
    const replies = new FsReplies<FsReplyReader>(this.#batch.sequence, answersAtEnd, onTaken);
    this.#pending.push(replies);
    // What is asked for in one go is one write.
    queueMicrotask(() => this.#batch.flush());
    return replies;
  }

  /** Sends a request that is not answered. */
  send(operation: number, payload: FsPayload, content?: Buffer): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#batch.add(operation, payload, content);
  }

  #receive(type: number, reader: FsReplyReader): void {
    const [head] = this.#pending;
    if (type === FS_REPLY.failed) {
      const sequence = reader.number();
      const errno = reader.u32();
      const error = new FsAgentError(`${reader.bytes()}`, `${reader.bytes()}`, errno);
      if (head?.sequence === sequence) this.#pending.shift()?.end(error);
      else this.#failure ??= error;
    } else if (type === FS_REPLY.entry || type === FS_REPLY.data) {
      head?.push(reader);
      if ((head?.waiting ?? 0) > REPLIES_MAX) this.#process.pause();
    } else if (type === FS_REPLY.ok || type === FS_REPLY.end) {
      reader.u64();
      if (head?.answersAtEnd === true) head.push(reader);
      this.#pending.shift()?.end();
    }
  }
}

function standBack(pid: number): void {
  try {
    const { constants, setPriority } = nodeOs();
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch (error) {
    // It has ended already.
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
