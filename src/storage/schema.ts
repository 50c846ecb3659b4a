export const SCHEMA_VERSION = 7;

/** What is known of images; also what an upgrade makes anew. */
const IMAGE_TABLES = `
CREATE TABLE images (
  id TEXT PRIMARY KEY,               -- 64 hex digits of the config's digest
  manifest_digest TEXT NOT NULL,     -- sha256:…, what the ID alone means: the last one stored
  size_bytes INTEGER NOT NULL,       -- layers' archives, uncompressed + config + manifest, as Podman counts
  created_at TEXT NOT NULL,          -- RFC 3339, from the config
  loaded_at TEXT NOT NULL
) STRICT;
CREATE TABLE image_manifests (       -- one for each way an image's layers are compressed or described
  digest TEXT PRIMARY KEY,           -- sha256:…
  image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
  type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL        -- for index.json
) STRICT;
CREATE INDEX image_manifests_by_image ON image_manifests(image_id);
CREATE TABLE image_names (
  name TEXT PRIMARY KEY,
  image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
  manifest_digest TEXT NOT NULL REFERENCES image_manifests(digest) ON DELETE CASCADE
) STRICT;
CREATE INDEX image_names_by_image ON image_names(image_id);
CREATE INDEX image_names_by_manifest ON image_names(manifest_digest);
CREATE TABLE image_layers (
  manifest_digest TEXT NOT NULL REFERENCES image_manifests(digest) ON DELETE CASCADE,
  position INTEGER NOT NULL,         -- 0 = bottom
  diff_id TEXT NOT NULL,             -- sha256:…, uncompressed
  digest TEXT NOT NULL,              -- sha256:…, of the blob
  PRIMARY KEY (manifest_digest, position)
) STRICT;
CREATE INDEX image_layers_by_diff_id ON image_layers(diff_id);
`;

/** Of `--rm` containers, for who looks which of them are gone. */
const AUTO_REMOVED =
  'CREATE INDEX containers_auto_removed ON containers(id) WHERE auto_remove = 1;';

/**
 * Every record: what exists and what it is called. Big things live in files beside it; what runs is
 * known to the kernel, not to this file.
 *
 * `image_names` maps a full reference (docker.io/library/debian:12) to an image and the manifest it
 * was pulled with.
 * `containers.spec` is JSON, see src/container/record.ts.
 */
export const SCHEMA = `${IMAGE_TABLES}CREATE TABLE layers (                -- written before the unpacked layer has its name
  diff_id TEXT PRIMARY KEY,
  size_bytes INTEGER NOT NULL        -- of its tar archive, uncompressed
) STRICT;
CREATE TABLE manifest_lists (        -- made by "manifest create"
  name TEXT PRIMARY KEY,             -- full reference
  digest TEXT NOT NULL               -- of the index, a blob
) STRICT;
CREATE TABLE leases (                -- who uses content that no record names yet; see leases.ts
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,                -- 'ingest', 'collect' or 'garbage'
  pid INTEGER NOT NULL,
  start_time TEXT NOT NULL
) STRICT;
CREATE TABLE containers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  image_id TEXT,                     -- NULL with --rootfs
  created_at TEXT NOT NULL,
  auto_remove INTEGER NOT NULL,
  spec TEXT NOT NULL
) STRICT;
CREATE INDEX containers_by_image ON containers(image_id);
${AUTO_REMOVED}
CREATE TABLE volumes (
  name TEXT PRIMARY KEY,
  created_at TEXT NOT NULL,
  is_anonymous INTEGER NOT NULL,
  labels TEXT NOT NULL,              -- JSON, as are options
  options TEXT NOT NULL
) STRICT;
CREATE TABLE container_volumes (     -- a volume that a container has cannot be removed
  container_id TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
  volume_name TEXT NOT NULL REFERENCES volumes(name),
  PRIMARY KEY (container_id, volume_name)
) STRICT;
CREATE INDEX container_volumes_by_volume ON container_volumes(volume_name);
CREATE TABLE secrets (               -- their content: secrets/<id> in the data root, 0600
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  labels TEXT NOT NULL
) STRICT;
CREATE TABLE networks (
  id TEXT PRIMARY KEY,               -- 64 hex digits
  name TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL               -- JSON, see src/network/network.ts
) STRICT;
`;

/** What makes the schema of a version the next one's. Older stores are not read. */
export const UPGRADES: Readonly<Record<number, string>> = {
  // Until 5 an image had one manifest.
  5: `
CREATE TEMP TABLE old_images AS SELECT * FROM images;
CREATE TEMP TABLE old_names AS SELECT rowid AS place, * FROM image_names;
CREATE TEMP TABLE old_layers AS SELECT * FROM image_layers;
DROP TABLE image_layers;
DROP TABLE image_names;
DROP TABLE images;
${IMAGE_TABLES}
INSERT INTO images SELECT id, manifest_digest, size_bytes, created_at, loaded_at FROM old_images;
INSERT INTO image_manifests SELECT manifest_digest, id, manifest_type, manifest_bytes FROM old_images;
INSERT INTO image_names SELECT name, id, manifest_digest FROM old_names JOIN old_images ON id = image_id
  ORDER BY place;
INSERT INTO image_layers SELECT manifest_digest, position, diff_id, digest FROM old_layers
  JOIN old_images ON id = image_id;
DROP TABLE old_images;
DROP TABLE old_names;
DROP TABLE old_layers;
`,
  6: AUTO_REMOVED,
};
