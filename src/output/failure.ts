import { EXIT_ENGINE_FAILED, isNoRoom, TsmanError } from '../base/error.ts';
import type { Output } from './output.ts';

/**
 * The one place that words a failure: `Error: what: why` and, when known, `hint: what to do`.
 * Returns the exit code. A stack trace only with TSMAN_DEBUG, or when it is our own bug.
 */
export function printFailure(error: unknown, stderr: Output): number {
  stderr.write(`Error: ${oneLine(describe(error))}\n`);
  const hint = findHint(error);
  if (hint !== undefined) stderr.write(`hint: ${oneLine(hint)}\n`);
  if (process.env['TSMAN_DEBUG'] && error instanceof Error) stderr.write(`${error.stack}\n`);
  return error instanceof TsmanError ? error.exitCode : EXIT_ENGINE_FAILED;
}

/** The messages of an error and its causes, outermost first, without repeating what is already said. */
function describe(error: unknown): string {
  const parts: string[] = [];
  for (let at = error, depth = 0; at !== undefined && depth < 8; depth++) {
    const message = at instanceof Error ? at.message : String(at);
    if (message !== '' && !parts.some((part) => part.includes(message))) parts.push(message);
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join(': ');
}

function findHint(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof TsmanError && at.hint !== undefined) return at.hint;
    if (isNoRoom(at))
      return 'tsman system df shows what takes the room, tsman rm and tsman system prune make some';
  }
  return undefined;
}

/** What an image or a registry says must not move the cursor or fake a line of ours. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}
