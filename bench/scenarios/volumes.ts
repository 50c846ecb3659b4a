import type { Scenario } from '../scenario.ts';

export const volumeScenarios: readonly Scenario[] = [];
