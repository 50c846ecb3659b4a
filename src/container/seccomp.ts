/** placeholder removed below */
export function seccompProgram(_dataRoot: string, _choice: string, _caps: readonly string[]): string | undefined { return undefined; }
