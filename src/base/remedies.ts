import { readIfExists } from './file.ts';
import { ownUserName } from './own-user.ts';
import { NAMESPACE_REMEDIES, type Remedy } from './remedy-table.ts';
import { HOST_REMEDIES } from './remedy-table-host.ts';

/** Everything that can be wrong with a host, by name. */
export const REMEDIES = { ...NAMESPACE_REMEDIES, ...HOST_REMEDIES } as const satisfies Record<
  string,
  Remedy
>;

export type RemedyName = keyof typeof REMEDIES;

/** What fills the `{…}` of a remedy. */
export type RemedyValues = Readonly<Record<string, string>>;

/** A remedy with everything filled in. */
export function remedy(name: RemedyName, values: RemedyValues): { cause: string; fix: string } {
  const { cause, fix } = REMEDIES[name];
  return { cause: fill(cause, values), fix: fill(fix, values) };
}

/** For hints: words for this machine, where nobody has looked closer. */
export function localHint(...names: readonly RemedyName[]): string {
  const values = {
    user: ownUserName(),
    osRelease: readIfExists('/etc/os-release') ?? '',
  };
  return names.map((name) => remedy(name, values).fix).join('; or ');
}

function fill(text: string, values: RemedyValues): string {
  return text.replace(/\{([\w:-]+)\}/g, (whole, key: string) => {
    if (key.startsWith('install:'))
      return installCommand(key.slice('install:'.length), values['osRelease'] ?? '');
    if (key === 'upgrade-kernel') return 'install and boot a newer kernel of your distribution';
    return values[key] ?? whole;
  });
}

const INSTALLERS: readonly (readonly [family: RegExp, command: string])[] = [
  [/debian|ubuntu/, 'sudo apt-get install'],
  [/fedora|rhel|centos/, 'sudo dnf install'],
  [/suse/, 'sudo zypper install'],
  [/arch/, 'sudo pacman -S'],
  [/alpine/, 'sudo apk add'],
];

/** Where a distribution gives a package another name than Debian. */
const PACKAGE_NAMES: Readonly<Record<string, string>> = {
  'dnf uidmap': 'shadow-utils',
  'zypper uidmap': 'shadow',
  'pacman uidmap': 'shadow',
  'apk uidmap': 'shadow-uidmap',
};

/** The line that installs a package (Debian's name) on the distribution that os-release(5) names. */
export function installCommand(name: string, osRelease: string): string {
  const words = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)/gm)]
    .map(([, id]) => id)
    .join(' ');
  const command = INSTALLERS.find(([family]) => family.test(words))?.[1] ?? 'sudo apt-get install';
  const manager = command.split(' ')[1] ?? '';
  return `${command} ${PACKAGE_NAMES[`${manager} ${name}`] ?? name}`;
}
