// Not node:net's: that module loads sockets and streams, 2 ms at the start of a command.

/** 4 or 6, of an address as text; 0 when it is none. An IPv6 address may name its zone (RFC 4007). */
export function isIP(text: string): 0 | 4 | 6 {
  return isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0;
}

export function isIPv4(text: string): boolean {
  const parts = text.split('.');
  return (
    parts.length === 4 &&
    parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  );
}

export function isIPv6(text: string): boolean {
  const address = text.replace(/%[\w.:-]+$/, '');
  return /^[\da-f:.]+$/i.test(address) && URL.canParse(`http://[${address}]/`);
}
