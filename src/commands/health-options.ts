import type { OptionSpecs } from './command.ts';

/** `--health-*`: how the container's health is found out, and what follows. */
export const HEALTH_OPTIONS = {
  healthCmd: {
    kind: 'text',
    value: 'COMMAND',
    help: 'health check: a shell command, a JSON array, or none',
  },
  healthInterval: {
    kind: 'text',
    value: 'TIME',
    help: 'time between checks (30s); disable = only by tsman healthcheck run',
  },
  healthTimeout: { kind: 'text', value: 'TIME', help: 'a check that takes longer fails (30s)' },
  healthRetries: { kind: 'text', value: 'N', help: 'failures in a row that count (3)' },
  healthStartPeriod: {
    kind: 'text',
    value: 'TIME',
    help: 'failures do not count so soon after the start (0s)',
  },
  healthStartInterval: {
    kind: 'text',
    value: 'TIME',
    help: 'time between checks during --health-start-period (5s)',
  },
  healthStartupCmd: {
    kind: 'text',
    value: 'COMMAND',
    help: 'check that must succeed before the health check begins',
  },
  healthStartupInterval: { kind: 'text', value: 'TIME', help: 'its interval (30s)' },
  healthStartupRetries: {
    kind: 'text',
    value: 'N',
    help: 'restart the container after so many failures of it (0 = never)',
  },
  healthStartupSuccess: { kind: 'text', value: 'N', help: 'successes it needs (1)' },
  healthStartupTimeout: { kind: 'text', value: 'TIME', help: 'its time limit (30s)' },
  healthOnFailure: {
    kind: 'text',
    value: 'ACTION',
    help: 'when it becomes unhealthy: none, kill, restart, stop',
    choices: ['none', 'kill', 'restart', 'stop'],
  },
  healthLogDestination: {
    kind: 'text',
    value: 'WHERE',
    help: 'results: local, events_logger, or a directory',
  },
  healthMaxLogCount: { kind: 'text', value: 'N', help: 'results to keep (5); 0 = all' },
  healthMaxLogSize: {
    kind: 'text',
    value: 'N',
    help: 'characters of output to keep (500); 0 = as many as possible',
  },
  noHealthcheck: { kind: 'flag', help: "ignore the image's health check" },
} as const satisfies OptionSpecs;
