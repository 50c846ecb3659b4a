import { TsmanError } from '../base/error.ts';
export async function ensureImage(_e: unknown, name: string, ..._r: unknown[]): Promise<never> { throw new TsmanError(`no image ${name}`); }
