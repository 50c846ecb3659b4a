import { TsmanError } from '../base/error.ts';

export type Table = Readonly<Record<string, unknown>>;

/**
 * Reads policy.json as strictly as containers-policy.json(5) wants it: a rule that a slip of the pen
 * hides would let in what it was to keep out.
 * @throws TsmanError naming the file and the place
 */
export function parsePolicy(text: string, path: string): Table {
  try {
    const policy: unknown = JSON.parse(text);
    if (!isTable(policy)) throw new TsmanError('it is not an object');
    checkShape(policy);
    return policy;
  } catch (cause) {
    if (cause instanceof TsmanError) throw new TsmanError(`read ${path}`, { cause });
    throw new TsmanError(`read ${path}: not JSON`, { cause });
  }
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkShape(policy: Table): void {
  const { default: fallback, transports = {}, ...unknown } = policy;
  const [key] = Object.keys(unknown);
  if (key !== undefined) throw new TsmanError(`unknown key ${JSON.stringify(key)}`);
  if (fallback === undefined) throw new TsmanError('it has no "default"');
  checkRequirementList(fallback, 'default');
  if (!isTable(transports)) throw new TsmanError('transports is not an object');
  for (const [transport, scopes] of Object.entries(transports)) {
    if (!isTable(scopes)) throw new TsmanError(`transports.${transport} is not an object`);
    for (const [scope, list] of Object.entries(scopes))
      checkRequirementList(list, `transports.${transport}.${JSON.stringify(scope)}`);
  }
}

/** What a requirement says in detail is read when it counts. */
function checkRequirementList(list: unknown, place: string): void {
  if (!Array.isArray(list) || list.length === 0)
    throw new TsmanError(`${place} is not a list of requirements`);
  for (const requirement of list) {
    if (!isTable(requirement) || typeof requirement['type'] !== 'string')
      throw new TsmanError(`${place}: a requirement has no type`);
    const isPlain = ['insecureAcceptAnything', 'reject'].includes(requirement['type']);
    const extra = Object.keys(requirement).find((key) => key !== 'type');
    if (isPlain && extra !== undefined)
      throw new TsmanError(`${place}: unknown key ${JSON.stringify(extra)}`);
  }
}
