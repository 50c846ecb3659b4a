import type { OptionSpecs } from '../command.ts';

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
    help: 'time between checks; disable = only by tsman healthcheck run',
    defaultText: '30s',
  },
  healthTimeout: {
    kind: 'text',
    value: 'TIME',
    help: 'a check that takes longer fails',
    defaultText: '30s',
  },
  healthRetries: {
    kind: 'text',
    value: 'N',
    help: 'failures in a row that count',
    defaultText: '3',
  },
  healthStartPeriod: {
    kind: 'text',
    value: 'TIME',
    help: 'failures do not count so soon after the start',
    defaultText: '0s',
  },
  healthStartInterval: {
    kind: 'text',
    value: 'TIME',
    help: 'time between checks during --health-start-period',
    defaultText: '5s',
  },
  healthStartupCmd: {
    kind: 'text',
    value: 'COMMAND',
    help: 'check that must succeed before the health check begins',
  },
  healthStartupInterval: { kind: 'text', value: 'TIME', help: 'its interval', defaultText: '30s' },
  healthStartupRetries: {
    kind: 'text',
    value: 'N',
    help: 'restart the container after so many failures of it (0 = never)',
  },
  healthStartupSuccess: { kind: 'text', value: 'N', help: 'successes it needs', defaultText: '1' },
  healthStartupTimeout: { kind: 'text', value: 'TIME', help: 'its time limit', defaultText: '30s' },
  healthOnFailure: {
    kind: 'text',
    value: 'ACTION',
    help: 'what to do when it becomes unhealthy',
    defaultText: 'none',
    choices: ['none', 'kill', 'restart', 'stop'],
  },
  healthLogDestination: {
    kind: 'text',
    value: 'WHERE',
    help: 'results: local, events_logger, or a directory',
    defaultText: 'local',
  },
  healthMaxLogCount: {
    kind: 'text',
    value: 'N',
    help: 'results to keep; 0 = all',
    defaultText: '5',
  },
  healthMaxLogSize: {
    kind: 'text',
    value: 'N',
    help: 'characters of output to keep; 0 = as many as possible',
    defaultText: '500',
  },
  noHealthcheck: { kind: 'flag', help: "ignore the image's health check" },
} as const satisfies OptionSpecs;
