import { TsmanError } from '../base/error.ts';

/** The first that works; the error of the last, naming the others' reasons too. */
export async function tryEach<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R> {
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      return await work(item);
    } catch (error) {
      if (!(error instanceof TsmanError)) throw error;
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  const hint = failures.find((error) => error instanceof TsmanError && error.hint !== undefined);
  throw new TsmanError(failures.map(message).join('; '), {
    hint: hint instanceof TsmanError ? hint.hint : undefined,
  });
}

/** An error with its causes, in one line. */
export function message(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${message(error.cause)}` : error.message;
}
