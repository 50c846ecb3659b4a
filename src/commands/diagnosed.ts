import { TsmanError } from '../base/error.ts';
import { diagnose } from '../doctor/examine.ts';
import type { EngineOptions } from './engine.ts';
import { localHost } from './local-host.ts';

/** The same error with the reason and the fix that the doctor's checks find, if they find one. */
export function diagnosed(error: TsmanError, step: string, options: EngineOptions): TsmanError {
  const found = diagnose(localHost(options), step);
  if (found === undefined) return error;
  return new TsmanError(error.message, {
    cause: error.cause,
    hint: `${found.text}; ${found.fix ?? 'see tsman doctor'}`,
    exitCode: error.exitCode,
  });
}
