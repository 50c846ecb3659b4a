import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { loadProbe, PROBE_IMAGE } from './probe.ts';
import { withScratch } from './scratch.ts';
import { tsmanEnv, tsmanPath } from './tsman.ts';

/** What the examples take for granted; mended before each of them, which costs five looks when all is there. */
const WORLD = `
  cd "$D" && mkdir -p site && echo x > site/index.html && echo x > db.txt && echo secret > password
  tsman image exists keep || tsman load -q -i keep.tar
  images="$IMAGES"
  if [ "$(tsman images --format '{{.Repository}}:{{.Tag}}' | sed 's,.*/,,' | grep -v '^keep\\|^probe' | sort | xargs)" != "$images" ]; then
    for name in $images; do
      case $name in web*|app*) full=localhost/$name ;; *) full=docker.io/library/$name ;; esac
      tsman image exists $full || tsman tag keep $full; done; fi
  [ "$(tsman network ls -q | sort | xargs)" = 'backend podman shop' ] || { tsman network create shop; tsman network create backend; }
  states=" $(tsman ps -a --format '{{.Names}}={{.State}}' | xargs) "
  for state in $states; do
    case $state in web=running|db=running|build=running|postgres1=running|job=exited) ;; *) tsman rm -f -t 0 \${state%=*} ;; esac; done
  for name in db build; do [[ $states == *" $name=running "* ]] || tsman run -d --name $name --network none nginx; done
  for name in web postgres1; do [[ $states == *" $name=running "* ]] || tsman run -d --name $name --network shop -p 127.0.0.1::80 nginx; done
  [[ $states == *' job=exited '* ]] || tsman run --name job --network none nginx probe exit 0
  [ "$(tsman volume ls -q | sort | xargs)" = 'cache data' ] || { tsman volume rm -af; tsman volume create data; tsman volume create cache; }
  [ "$(tsman secret ls --format '{{.Name}}' | xargs)" = db ] || { tsman secret rm --all; tsman secret create db db.txt; }
  [ -e rootfs.tar.gz ] || { tsman export -o rootfs.tar job; gzip rootfs.tar; }
  [ -e debian.tar ] || tsman save -q -o debian.tar debian:12; [ -e data.tar ] || tsman volume export data --output data.tar
`;

/** Runs one line of shell in the world that examples take for granted, after the steps `before`. */
export type RunExample = (line: string, before?: string) => SpawnSyncReturns<string>;

/** A scratch with images, containers, networks, … for examples. @param images their names and tags */
export async function withExampleWorld(
  images: readonly string[],
  body: (run: RunExample) => void | Promise<void>,
): Promise<void> {
  await withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await tsman('create', '--network=none', '--name=made', PROBE_IMAGE);
    await tsman('commit', '-q', '-c', 'CMD ["probe", "sleep"]', 'made', 'keep');
    const env = {
      ...process.env,
      ...tsmanEnv(scratch),
      D: scratch.makeDirectory('home'),
      IMAGES: [...images].sort().join(' '),
      PATH: `${dirname(tsmanPath())}:${process.env['PATH']}`,
    };
    const bash = (script: string) =>
      // Ends all of it: a server in the foreground would hold our pipe for ever.
      spawnSync('timeout', ['-k', '1', '90', 'bash', '-c', script], {
        env,
        encoding: 'utf8',
        input: '',
      });
    bash('cd "$D" && tsman save -q -o keep.tar keep');
    await body((line, before = '') => {
      bash(`${WORLD}${before}`);
      return bash(`cd "$D"; ${/export .*/.exec(before)?.[0] ?? ''}\n${line}`);
    });
  });
}

/** Whether an example had to be ended (timeout(1)). */
export function isOver(status: number | null): boolean {
  return status === null || status === 124 || status === 137;
}
