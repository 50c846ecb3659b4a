/** Exit codes of the engine itself; a container's own code is passed through. Same as Docker and Podman. */
export const EXIT_ENGINE_FAILED = 125;
export const EXIT_CANNOT_EXECUTE = 126;
export const EXIT_NOT_FOUND = 127;

export interface FailureDetails {
  cause?: unknown;
  /** One sentence telling the user what to do. */
  hint?: string | undefined;
  exitCode?: number;
}

/** A failure we understand. Anything else that reaches main is our bug. */
export class TsmanError extends Error {
  override readonly name = 'TsmanError';
  readonly hint: string | undefined;
  readonly exitCode: number;

  /** @param message what failed and on what, lower case, no full stop */
  constructor(message: string, details: FailureDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.hint = details.hint;
    this.exitCode = details.exitCode ?? EXIT_ENGINE_FAILED;
  }
}

/** A mistake in what the user typed: quotes the flag or argument. */
export class UsageError extends TsmanError {}

/** True when `error` is a Node system error with this code, e.g. `ENOENT`. */
export function hasCode(error: unknown, code: string): error is NodeJS.ErrnoException {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

/** https://sqlite.org/rescode.html#full */
const SQLITE_FULL = 13;

/** True for an error that says there is no room: of the file system, a quota, or the database. */
export function isNoRoom(error: unknown): boolean {
  if (hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT')) return true;
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_FULL;
}
