/** Podman's names in templates for what JSON calls otherwise (types.Network of containers/common). */
const GO_NAMES: Readonly<Record<string, string>> = {
  name: 'Name',
  id: 'ID',
  driver: 'Driver',
  network_interface: 'NetworkInterface',
  created: 'Created',
  subnets: 'Subnets',
  subnet: 'Subnet',
  gateway: 'Gateway',
  lease_range: 'LeaseRange',
  start_ip: 'StartIP',
  end_ip: 'EndIP',
  routes: 'Routes',
  destination: 'Destination',
  metric: 'Metric',
  ipv6_enabled: 'IPv6Enabled',
  internal: 'Internal',
  dns_enabled: 'DNSEnabled',
  network_dns_servers: 'NetworkDNSServers',
  labels: 'Labels',
  options: 'Options',
  ipam_options: 'IPAMOptions',
  containers: 'Containers',
  interfaces: 'Interfaces',
  ipnet: 'IPNet',
  mac_address: 'MacAddress',
};
/** Their keys are the user's. */
const MAPS: ReadonlySet<string> = new Set(['labels', 'options', 'ipam_options']);

/** A network for a template: each field is found under its name in JSON and under Podman's; `json` shows the former. */
export function withGoNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withGoNames);
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    result[key] = MAPS.has(key) ? inner : withGoNames(inner);
    const name = Object.hasOwn(GO_NAMES, key) ? GO_NAMES[key] : undefined;
    if (name !== undefined) Object.defineProperty(result, name, { value: result[key] });
  }
  return result;
}
